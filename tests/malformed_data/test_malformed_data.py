"""Each wrong folder gives one line that names the file, and leaves no cache behind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pokeopt.data import load_data, prepare
from pokeopt.errors import DataError
from tests.malformed_data.builders import BUILDERS


@pytest.mark.parametrize("load", [load_data, prepare])
@pytest.mark.parametrize("fault", BUILDERS)
def test_one_line_and_nothing_kept(fault: str, load: Callable[..., object], tmp_path: Path) -> None:
    build, pattern = BUILDERS[fault]
    section, cache = build(tmp_path), tmp_path / "home" / "cache"
    with pytest.raises(DataError, match=pattern) as found:
        load(section | {"image_size": 8}, cache)
    assert found.value.exit_code == 2
    assert "\n" not in str(found.value)
    images = cache / "images"
    assert not images.is_dir() or not [path for path in images.iterdir() if path.is_dir()]
