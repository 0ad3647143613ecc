"""Trackers that fail in every way there is; a plugin, as a user would write one."""

# ruff: noqa: ARG002 - what a connection is given is more than this one needs

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pokeopt.records import EpochRecord
from pokeopt.registry import TRACKERS
from pokeopt.study.events import ReportWritten, StudyBegan, StudyEnded, TrialBegan, TrialEnded
from pokeopt.tracking.base import Connection

Mode = Literal["fine", "connect", "begin", "log", "end", "exit", "hang"]


class TroubledConnection(Connection[list[int]]):
    """Writes the steps of each trial into a file of its own."""

    def __init__(self, mode: Mode, folder: Path) -> None:
        super().__init__()
        self.mode, self.folder, self.where = mode, folder, str(folder)

    def begin(self, study: StudyBegan, trial: TrialBegan) -> list[int]:
        self._fail("begin")
        if self.mode == "exit":
            raise SystemExit(3)
        if self.mode == "hang":
            time.sleep(3600)
        return []

    def log(self, run: list[int], records: Sequence[EpochRecord]) -> None:
        if len(records) == 1:
            self._fail("log")  # each epoch as it comes, but not the whole curve at the end
        run += [record.step for record in records]

    def end(self, run: list[int], event: TrialEnded) -> None:
        self._fail("end")
        (self.folder / f"{event.number}.txt").write_text(" ".join(map(str, run)))

    def end_study(self, study: StudyBegan, event: StudyEnded) -> None:
        self._fail("end")

    def attach_report(self, study: StudyBegan, event: ReportWritten) -> None:
        self._fail("end")

    def _fail(self, mode: Mode) -> None:
        if self.mode == mode:
            raise ConnectionError(f"cannot {mode}")


@TRACKERS.register("troubled")
@dataclass(frozen=True)
class Troubled:
    """Fails as ``mode`` says; ``needs`` a package that is there."""

    mode: Mode = "fine"

    needs = "json"

    def connect(self, home: Path) -> TroubledConnection:
        """Return a connection."""
        if self.mode == "connect":
            raise ConnectionError("cannot connect")
        folder = home / "troubled"
        folder.mkdir(parents=True, exist_ok=True)
        return TroubledConnection(self.mode, folder)


@TRACKERS.register("homeless")
@dataclass(frozen=True)
class Homeless:
    """Needs a package that is not there."""

    needs = "no_package_is_called_so"
