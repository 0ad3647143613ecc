"""The only writers of a study: create, enqueue, ask, record, finish. The driver calls them; workers never do."""

from __future__ import annotations

import json
import math
import random
import tempfile
import time
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import optuna
from optuna.artifacts import upload_artifact
from optuna.exceptions import StorageInternalError, UpdateFinishedTrialError
from optuna.study import StudyDirection
from optuna.trial import TrialState as OptunaState

from pokeopt.errors import StoreError
from pokeopt.records import StopCause, TrialState
from pokeopt.store.batch import write_user_attrs
from pokeopt.store.notes import note_of, write_note, write_trial_note
from pokeopt.store.opening import Store, row_of
from pokeopt.store.rows import TrialRow

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler

T = TypeVar("T")
TRIES = 8
BASE_WAIT_S = 0.2
ERROR_CHARACTERS = 4000
NOT_INHERITED = {
    "run_id",
    "stop_cause",
    "error",
    "error_type",
    "ray_trial_id",
    "host",
    "worker_pid",
    "wall_s",
    "epochs_run",
    "pruner",
    "rung",
    "best_step",
    "lr_last",
    "s_per_epoch",
}


class StudyWriter:
    """One study of a store, open for writing.

    Args:
        store: Where it lies.
        name: Its name; it is created if it is not there.
        directions: "maximize" or "minimize" for each objective.
        attrs: Study attributes to write when the study is created.
    """

    def __init__(
        self, store: Store, name: str, directions: tuple[str, ...], attrs: Mapping[str, Any] | None = None
    ) -> None:
        self.store, self.name, self.directions = store, name, directions
        with store.ask_lock():
            is_new = name not in store.names()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
                self.study = optuna.create_study(
                    storage=store.storage,
                    study_name=name,
                    directions=[StudyDirection[way.upper()] for way in directions],
                    load_if_exists=True,
                    sampler=optuna.samplers.RandomSampler(),
                    pruner=optuna.pruners.NopPruner(),
                )
                if is_new:
                    self.set_attrs(attrs or {})
                    self.study.set_metric_names(list((attrs or {}).get("metrics", directions)))

    @property
    def is_single(self) -> bool:
        """Whether there is one objective (Optuna reports curves for one only)."""
        return len(self.directions) == 1

    def set_attrs(self, attrs: Mapping[str, Any]) -> None:
        """Write study attributes."""
        for key, value in attrs.items():
            persistently(lambda key=key, value=value: self.study.set_user_attr(key, value))  # type: ignore[misc]

    def rows(self) -> list[TrialRow]:
        """Return all rows as they are now."""
        frozen = persistently(lambda: self.study.get_trials(deepcopy=False))
        replaced = {
            t.user_attrs["retry_of"]: t.number for t in frozen if t.user_attrs.get("retry_of") is not None
        }
        return [row_of(trial, replaced.get(trial.number)) for trial in frozen]

    def enqueue(self, attrs: Mapping[str, Any], params: Mapping[str, Any] | None = None) -> None:
        """Add a WAITING row; ``params`` are what its suggestions will return."""
        persistently(lambda: self.study.enqueue_trial(dict(params or {}), user_attrs=dict(attrs)))

    def enqueue_retry(self, row: TrialRow) -> None:
        """Add the WAITING row that takes a failed row's place: same parameters, same proposal, same seeds."""
        attrs = {
            key: value for key, value in row.attrs.items() if key not in NOT_INHERITED and "/" not in key
        }
        attrs |= {"retry_of": row.number, "proposal": row.proposal}
        # a row that died between its suggestions is asked again: the sampler is keyed by the proposal
        self.enqueue(attrs, row.params if "config" in row.attrs else None)

    def ask(self, sampler: BaseSampler | None) -> optuna.Trial:
        """Pop the oldest WAITING row, else make a new one. Call it under ``store.ask_lock()``."""
        if sampler is not None:
            self.study.sampler = sampler
        return persistently(self.study.ask)

    def record(self, trial: optuna.Trial, step: int, value: float) -> None:
        """Report a finite value at a step of a single-objective study."""
        if self.is_single and math.isfinite(value):
            persistently(lambda: trial.report(value, step))

    def set_trial_attrs(self, trial: optuna.Trial, attrs: Mapping[str, Any]) -> None:
        """Write user attributes of a running trial; None is left out, infinities are written as text."""
        plain = {
            key: str(value) if isinstance(value, float) and not math.isfinite(value) else value
            for key, value in attrs.items()
            if value is not None
        }
        persistently(lambda: write_user_attrs(self.store.storage, trial._trial_id, plain))

    def upload(self, trial: optuna.Trial, files: Mapping[str, bytes]) -> None:
        """Attach files to a running trial."""
        with tempfile.TemporaryDirectory() as folder:
            for filename, content in files.items():
                path = Path(folder) / filename
                path.write_bytes(content)
                persistently(
                    lambda path=path: upload_artifact(  # type: ignore[misc]
                        artifact_store=self.store.artifact_store,
                        file_path=str(path),
                        study_or_trial=trial,
                        storage=self.store.storage,
                    )
                )

    def finish(
        self,
        trial: optuna.Trial,
        cause: StopCause,
        values: tuple[float, ...] | None,
        attrs: Mapping[str, Any],
        files: Mapping[str, bytes],
    ) -> None:
        """End a trial: artifacts and attributes first (a finished trial refuses both), the state last.

        Args:
            trial: Optuna's handle on the row.
            cause: Why it ended; it decides the state.
            values: The objectives of a COMPLETE trial; ignored otherwise (a PRUNED one keeps its last report).
            attrs: Further user attributes.
            files: Artifacts by file name.
        """
        try:
            self.upload(trial, files)
            self.set_trial_attrs(trial, {**attrs, "stop_cause": cause.value})
            persistently(lambda: write_trial_note(self.study, trial._trial_id, cause, values))
            state = OptunaState[cause.state.value]
            told = list(values) if values is not None and cause.state is TrialState.COMPLETE else None
            persistently(lambda: self.study.tell(trial, told, state=state))
        except UpdateFinishedTrialError:
            return  # another driver found us dead and has ended it
        except ValueError as error:
            if "finished" not in str(error):  # how tell says the same
                raise

    def withdraw(self, row: TrialRow) -> None:
        """End a WAITING row that nobody wants to run any more; it says nothing about its configuration."""
        trial_id = self.study.get_trials(deepcopy=False)[row.number]._trial_id
        storage = self.store.storage
        persistently(
            lambda: write_user_attrs(
                storage, trial_id, {"error": "withdrawn: its arm was changed before it ran"}
            )
        )
        persistently(lambda: storage.set_trial_state_values(trial_id, OptunaState.FAIL))

    def bury(self, row: TrialRow) -> None:
        """End a RUNNING row whose driver died."""
        self.study.sampler = optuna.samplers.RandomSampler()  # to look at a trial is not to sample for it
        trial = optuna.Trial(self.study, self.study.get_trials(deepcopy=False)[row.number]._trial_id)
        curve = [{"step": step, "metrics": {}, "value": value} for step, value in row.curve.items()]
        files = {"curves.json": json.dumps({"steps": curve}).encode()} if curve else {}
        error = {
            "error": "the process that drove this trial ended without a word",
            "error_type": "DriverDied",
        }
        proposal = row.proposal if row.proposal is not None else self.proposal_of(row.number)
        attrs = {**error, "proposal": proposal, "retry_of": row.attrs.get("retry_of")}
        self.finish(trial, StopCause.DRIVER_DIED, None, attrs, files)

    def proposal_of(self, number: int) -> int:
        """Return the number of older rows that are no retries."""
        older = self.study.get_trials(deepcopy=False)[:number]
        return sum(trial.user_attrs.get("retry_of") is None for trial in older)

    def note_replacement(self, number: int, by: int) -> None:
        """Tell readers of optuna-dashboard that a retry took this row's place."""
        trial_id = self.study.get_trials(deepcopy=False)[number]._trial_id
        body = f"replaced by #{by}\n\n{note_of(self.study, trial_id)}".strip()
        persistently(lambda: write_note(self.study, trial_id, body))


def persistently(write: Callable[[], T]) -> T:
    """Do a write again while the storage stumbles (locked, connection lost); StoreError when it stays down."""
    for attempt in range(TRIES):
        try:
            return write()
        except StorageInternalError as error:
            if attempt == TRIES - 1:
                reason = str(error).splitlines()[0]
                raise StoreError(
                    "the store", f"it refuses to be written: {reason}", "free the disk or the lock"
                ) from error
            time.sleep(BASE_WAIT_S * 2**attempt * (0.5 + random.random()))
    raise AssertionError("unreachable")
