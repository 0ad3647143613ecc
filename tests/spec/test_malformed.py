"""Every malformed file is refused with one line: the file, the line, the key, what is wrong, a mend."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pokeopt.errors import SpecError
from pokeopt.spec import load_study

FILES = sorted((Path(__file__).parents[1] / "malformed").glob("*.yaml"))


def test_there_are_files() -> None:
    assert len(FILES) >= 40


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_malformed_file_is_refused_in_one_line(path: Path) -> None:
    expected = path.read_text(encoding="utf-8").splitlines()[0].removeprefix("# expect: ")
    with pytest.raises(SpecError) as caught:
        load_study(path)
    error = caught.value
    assert expected in str(error)
    assert len(str(error).splitlines()) == 1
    assert error.exit_code == 2
    assert error.mend
    assert error.where.startswith(str(path))
    if path.stem != "empty":  # a file without keys has no line to name
        assert re.search(r"\.yaml:\d+", error.where)


@pytest.mark.parametrize(
    ("name", "line", "key"),
    [
        ("duplicate_key", 7, "training.epochs"),
        ("unknown_section_key", 5, "training.learning_rat"),
        ("unknown_model_setting", 5, "model.droput"),
        ("log_from_zero", 5, "model.dropout"),
        ("when_never", 6, "training.weight_decay"),
        ("baseline_out_of_range", 5, "baseline.model.depth"),
    ],
)
def test_message_names_the_line_and_the_key(name: str, line: int, key: str) -> None:
    path = next(file for file in FILES if file.stem == name)
    with pytest.raises(SpecError, match=re.escape(f"{path}:{line} ({key})")):
        load_study(path)


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"- a\n- b\n", b"5\n", b"a: \x07\n"])
def test_what_is_no_mapping_of_text_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "space.yaml"
    path.write_bytes(content)
    with pytest.raises(SpecError, match=re.escape(str(path))):
        load_study(path)


def test_missing_file_and_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="there is no such file"):
        load_study(tmp_path / "nothing.yaml")
    with pytest.raises(SpecError, match="cannot be read"):
        load_study(tmp_path)
