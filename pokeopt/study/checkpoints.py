"""Which checkpoints stay: those of trials in flight, and of the best complete ones as far as the quota reaches."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

from pokeopt.records import CHECKPOINT_STEP_FILE, TrialState
from pokeopt.store.rows import TrialRow

BYTES_PER_GB = 10**9


class CheckpointKeeper:
    """The checkpoints of one study, a folder per proposal: every attempt at it continues the last.

    Args:
        root: The study's folder.
        quota_gb: What the checkpoints of ended trials may take.
        is_maximised: Whether a larger value is better.
    """

    def __init__(self, root: Path, quota_gb: float, is_maximised: bool) -> None:
        self.root, self.quota_gb, self.is_maximised = root, quota_gb, is_maximised

    def folder(self, proposal: int) -> Path:
        """Return a proposal's folder and make it; a trial whose folder is gone writes no checkpoint."""
        folder = self.root / str(proposal)
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def step(self, proposal: int) -> int:
        """Return the newest step that a retry can go on from, -1 if there is none."""
        try:
            return int(json.loads((self.root / str(proposal) / CHECKPOINT_STEP_FILE).read_text())["step"])
        except (FileNotFoundError, ValueError, KeyError):
            return -1

    def wait_for(self, proposals: Sequence[int], since: float, timeout_s: float) -> None:
        """Wait until each has a checkpoint newer than ``since`` (seconds of ``time.time()``), at most so long."""
        end = time.monotonic() + timeout_s
        missing = list(proposals)
        while missing and time.monotonic() < end:
            missing = [proposal for proposal in missing if self._written_at(proposal) < since]
            time.sleep(0.05)

    def _written_at(self, proposal: int) -> float:
        try:
            return (self.root / str(proposal) / CHECKPOINT_STEP_FILE).stat().st_mtime
        except FileNotFoundError:
            return 0.0

    def settle(self, proposal: int, rows: Sequence[TrialRow]) -> None:
        """Drop the checkpoint of a trial that ended without a result, and the worst ones beyond the quota."""
        row = next((r for r in rows if r.proposal == proposal and r.replaced_by is None), None)
        if row is None or row.state is not TrialState.COMPLETE:
            shutil.rmtree(self.root / str(proposal), ignore_errors=True)
        sign = -1 if self.is_maximised else 1
        complete = [
            r
            for r in rows
            if r.state is TrialState.COMPLETE and r.replaced_by is None and r.value is not None
        ]
        ranked = sorted(complete, key=lambda r: (sign * (r.value or 0.0), r.number))
        used = 0
        for rank, kept in enumerate(ranked):
            folder = self.root / str(kept.proposal)
            used += sum(file.stat().st_size for file in folder.glob("*") if file.is_file())
            if rank > 0 and used > self.quota_gb * BYTES_PER_GB:
                shutil.rmtree(folder, ignore_errors=True)
