"""What holds for every source: its table travels to other processes, and its errors are one line."""

from __future__ import annotations

import pickle
from collections.abc import Callable

import pytest

from pokeopt.data import SourceTable
from pokeopt.errors import DataError


def refused(read: Callable[[], object], message: str) -> None:
    """It gives one line that matches."""
    with pytest.raises(DataError, match=message) as found:
        read()
    assert "\n" not in str(found.value)


def assert_travels(table: SourceTable, row: int) -> None:
    """What opens a row can be sent to another process."""
    again = pickle.loads(pickle.dumps(table))
    assert again.open(row).tobytes() == table.open(row).tobytes()
    if table.open_pair is not None:
        for one, other in zip(again.open_pair(row), table.open_pair(row), strict=True):
            assert one.tobytes() == other.tobytes()
        assert table.open_pair(row)[0].tobytes() == table.open(row).tobytes()
