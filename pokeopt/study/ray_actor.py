"""The worker's side: a Ray actor that pulls one trial after the other and never dies of an exception in one.

It is reused for all trials of a run, so torch is imported once a worker and not once a trial.
"""

from __future__ import annotations

import traceback
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray
from ray import tune

from pokeopt.records import EpochRecord, StopCause, TrialRecord, TrialTask
from pokeopt.study.local import cause_of, pull

TASK = "task"
PARCEL = "parcel"


@dataclass
class Failure:
    """An exception in a trial, as its driver learns it."""

    cause: StopCause
    error_type: str
    error: str


class Parcel:
    """Carries one record through Tune's result, which Tune keeps for every trial: it is emptied on arrival."""

    def __init__(self, content: Any) -> None:
        self._content = content

    def take(self) -> Any:
        """Return the content and forget it."""
        content, self._content = self._content, None
        return content


class TrialActor(tune.Trainable):
    """Runs ``trial.run`` one record a step."""

    _records: Generator[EpochRecord | TrialRecord, None, None] | None = None
    _task: TrialTask | None = None

    def setup(self, config: dict[str, Any]) -> None:
        """Begin the first trial."""
        self._begin(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Begin the next trial in the same process."""
        self.cleanup()
        self._begin(new_config)
        return True

    def step(self) -> dict[str, Any]:
        """Return the next record: an epoch, a heartbeat, the result, or how it failed.

        No result says ``done``: Tune would end such a trial without showing it to the scheduler, which ends it itself.
        """
        assert self._records is not None
        try:
            record = next(self._records, None)
        except Exception as error:
            failure = Failure(cause_of(error), type(error).__name__, traceback.format_exc())
            return {PARCEL: Parcel(failure)}
        if record is None:
            failure = Failure(StopCause.NO_METRIC, "NoMetric", "the trial ended without a result")
            return {PARCEL: Parcel(failure)}
        if isinstance(record, TrialRecord):  # predictions and pictures travel beside the result, not in it
            return {PARCEL: Parcel(ray.put(record))}
        return {PARCEL: Parcel(record)}

    def cleanup(self) -> None:
        """Stop the trial: with a checkpoint if a retry may go on from it, without one where its folder is gone."""
        from pokeopt.trial import Abandoned

        if self._records is None or self._task is None:
            return
        folder = self._task.checkpoint_dir
        try:
            if folder is not None and Path(folder).is_dir():
                self._records.close()
            else:
                self._records.throw(Abandoned())
        except (Abandoned, StopIteration):
            pass
        self._records = None

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """Tune keeps no checkpoints of ours: the trial writes its own."""

    def load_checkpoint(self, checkpoint: Any) -> None:
        """See ``save_checkpoint``."""

    def _begin(self, config: dict[str, Any]) -> None:
        self._task = config[TASK]
        assert self._task is not None
        self._records = pull(self._task)
