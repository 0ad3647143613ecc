"""The cells of a confirm study: one (arm, seed) pair each, known by the hash of the configuration that it
runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from pokeopt.ablation.arms import Arm
from pokeopt.ablation.hashes import config_hash

__all__ = ["Cell", "config_hash", "missing_cells", "plan_cells", "rows_by_arm", "superseded"]


@dataclass(frozen=True)
class Cell:
    """One network to train: an arm's configuration with one seed."""

    arm_id: str
    seed: int
    config: Mapping[str, Any]
    config_hash: str

    @property
    def key(self) -> tuple[str, int]:
        """What tells cells apart: arms of one configuration share theirs."""
        return self.config_hash, self.seed


class StoredCell(Protocol):
    """What is asked of a stored row: its arm, its seed and its attributes (``config_hash`` among them)."""

    @property
    def arm_id(self) -> str | None:
        """The arm that it was run for."""

    @property
    def seed(self) -> int | None:
        """Its seed."""

    @property
    def attrs(self) -> Mapping[str, Any]:
        """Its user attributes."""


Row = TypeVar("Row", bound=StoredCell)


def plan_cells(arms: Sequence[Arm], seeds: Iterable[int]) -> list[Cell]:
    """Return all cells, every arm of one seed before the next seed, each shared cell once.

    The order is interleaved so that a drifting machine, or a study cut short, treats all arms alike. An arm that is
    read from another's curve has no cells of its own.
    """
    arms = [arm for arm in arms if arm.prefix is None]
    cells: dict[tuple[str, int], Cell] = {}
    hashes = [arm.config_hash for arm in arms]
    for seed in seeds:
        for arm, hash_ in zip(arms, hashes, strict=True):
            cells.setdefault((hash_, seed), Cell(arm.id, seed, arm.config, hash_))
    return list(cells.values())


def missing_cells(cells: Iterable[Cell], done: Iterable[tuple[str, int]]) -> list[Cell]:
    """Return the cells whose (config_hash, seed) is not among ``done``, in their order."""
    known = set(done)
    return [cell for cell in cells if cell.key not in known]


def rows_by_arm(arms: Mapping[str, str], rows: Iterable[Row]) -> dict[str, dict[int, Row]]:
    """Give every arm its rows by seed. ``arms`` maps an arm's id to its config_hash.

    A row belongs to each arm of its configuration, whichever arm it was run for. Of two rows of one cell the
    last wins.
    """
    table: dict[str, dict[int, Row]] = {arm_id: {} for arm_id in arms}
    for row in rows:
        for arm_id, hash_ in arms.items():
            if row.seed is not None and row.attrs.get("config_hash") == hash_:
                table[arm_id][row.seed] = row
    return table


def superseded(arms: Mapping[str, str], rows: Iterable[Row]) -> list[Row]:
    """Return the rows that no arm runs any more: their configuration was changed or their arm dropped."""
    current = set(arms.values())
    return [row for row in rows if row.attrs.get("config_hash") not in current]
