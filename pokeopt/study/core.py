"""The driver's heart: one object asks, records, decides and tells; Ray and the in-process runner are hands around it.

Nothing else writes a study while it runs, so every state and cause has one author. Its methods are called from inside
Ray's loop, where an exception would end the whole run: a storage that stays down therefore stops the study instead.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from pokeopt.errors import PokeoptError
from pokeopt.records import EpochRecord, StopCause, TrialRecord, TrialState, TrialTask
from pokeopt.store.lease import Lease
from pokeopt.store.rows import TrialRow
from pokeopt.store.writing import ERROR_CHARACTERS, StudyWriter
from pokeopt.study.attempt import Attempt
from pokeopt.study.checkpoints import CheckpointKeeper
from pokeopt.study.events import EpochEnded, Listen, TrialBegan, TrialEnded, nobody
from pokeopt.study.files import curves_file, result_files
from pokeopt.study.progress import Progress
from pokeopt.study.retries import (
    deserves_retry,
    next_proposal,
    repeated_failure,
    used_budget,
    without_successor,
)
from pokeopt.study.snapshot import best_of, snapshot
from pokeopt.study.twin import PruningTwin
from pokeopt.study.work import Proposal, Work, waiting

if TYPE_CHECKING:
    import optuna

STARTUP_GRACE_S = 120.0  # a worker imports torch and reads the data before it can say anything
TOLD_WITHIN_S = 5.0  # a trial past its time is told at its next report; after this, its worker is killed
UNMEASURED = 1e18  # the excess of a constraint whose metric is missing; infinity is no JSON


class Ask(Enum):
    """Why there is no task."""

    WAIT = auto()
    DONE = auto()


@dataclass(frozen=True)
class CoreOptions:
    """What every trial of a run has in common.

    Attributes:
        run_id: Names this driver; its lease tells whether it lives.
        objectives: Metrics whose values a COMPLETE trial is told with.
        prune_on: The metric that is reported, kept by and pruned on.
        is_maximised: Whether more of ``prune_on`` is better.
        constraints: Metric to (minimum, maximum) of a feasible trial, None where an end is open.
        n_workers: Trials at a time.
        task: Fields of each TrialTask beside configuration and seeds.
        stamp: User attributes that are the same for every trial (code_version ...).
        pruner: Its name, for the record.
        in_turn: Steps are seeds, not epochs.
    """

    run_id: str
    objectives: tuple[str, ...]
    prune_on: str
    is_maximised: bool
    n_workers: int
    task: Mapping[str, Any]
    stamp: Mapping[str, Any]
    constraints: Mapping[str, tuple[float | None, float | None]]
    pruner: str = "none"
    in_turn: bool = False
    trial_timeout_s: float | None = None
    hang_timeout_s: float = 600.0
    deadline: float | None = None
    baseline: Mapping[str, Any] | None = None


class Core:
    """Owns one study for one driver."""

    def __init__(
        self,
        writer: StudyWriter,
        work: Work,
        lease: Lease,
        options: CoreOptions,
        keeper: CheckpointKeeper,
        twin: PruningTwin | None,
        listen: Listen = nobody,
    ) -> None:
        self.writer, self.work, self.lease, self.options = writer, work, lease, options
        self.keeper, self.twin, self.listen = keeper, twin, listen
        self.attempts: dict[str, Attempt] = {}
        self.stopping = ""
        self.failure: PokeoptError | None = None
        self._rows: Sequence[TrialRow] = ()
        self._began = time.monotonic()
        self._asked_at = -math.inf
        self._n_ended = 0
        self.note = ""

    def open(self) -> None:
        """Put right what dead drivers left, and take the records in."""
        with self.writer.store.ask_lock():
            self._reconcile()
            self._refresh()
        self._began = time.monotonic()

    def has_work(self) -> bool:
        """Whether a row waits, or another may be proposed."""
        return waiting(self._rows) or used_budget(self._rows) < self.work.budget(self._rows)

    # ---------------------------------------------------------------- ask

    def ask(self, key: str) -> TrialTask | Ask:
        """Return the next trial's task under the caller's ``key``, WAIT for now, or DONE for good."""
        if self.options.deadline is not None and time.monotonic() >= self.options.deadline:
            self.request_stop("timeout")
        if self.stopping:
            return Ask.DONE
        if len(self.attempts) >= self.options.n_workers:
            return Ask.WAIT
        if self.attempts and time.monotonic() - self._asked_at < 1.0:
            return Ask.WAIT  # nothing to do a moment ago, and nothing of ours has ended since
        try:
            return self._ask(key)
        except PokeoptError as error:
            self._break(error)
            return Ask.DONE

    def _ask(self, key: str) -> TrialTask | Ask:
        with self.writer.store.ask_lock():
            rows = self._refresh()
            if (last := repeated_failure(rows)) is not None:
                self.request_stop("repeated_failure")
                what = f"three trials in a row failed alike ({last.stop_cause}): {_first_line(last.attrs.get('error'))}"
                raise PokeoptError(
                    f"study {self.writer.name}", what, f"mend it; see `pokeopt show {self.writer.name}`"
                )
            if not waiting(rows) and used_budget(rows) >= self.work.budget(rows):
                if self._reconcile():
                    rows = self._refresh()
                else:
                    self._asked_at = time.monotonic()
                    return Ask.WAIT if self.attempts else Ask.DONE
            trial, proposal, planned = self._propose(rows)
            attrs = {
                **self.options.stamp,
                **planned.attrs,
                "run_id": self.options.run_id,
                "ray_trial_id": key,
            }
            self.writer.set_trial_attrs(trial, {**attrs, "proposal": proposal})
        if (retry_of := trial.user_attrs.get("retry_of")) is not None:
            self.writer.note_replacement(int(retry_of), trial.number)
        task = TrialTask(
            config=planned.config,
            seeds=planned.seeds,
            resample=planned.resample,
            objective=self.options.prune_on,
            checkpoint_dir=str(self.keeper.folder(proposal)),
            in_turn=self.options.in_turn,
            **self.options.task,
        )
        self.attempts[key] = Attempt(
            trial=trial,
            number=trial.number,
            proposal=proposal,
            task=task,
            label=planned.label,
            epochs=len(planned.seeds) - 1
            if self.options.in_turn
            else int(planned.config["training"]["epochs"]),
            metric=self.options.prune_on,
            is_maximised=self.options.is_maximised,
        )
        facts = {**trial.user_attrs, **attrs, "proposal": proposal}
        self.listen(TrialBegan(self.writer.name, trial.number, planned.label, planned.config, facts))
        return task

    def _propose(self, rows: Sequence[TrialRow]) -> tuple[optuna.Trial, int, Proposal]:
        try:
            trial = self.writer.ask(self.work.sampler(rows))
            own = trial.user_attrs.get("proposal")
            proposal = next_proposal(rows) if own is None else int(own)
            return trial, proposal, self.work.propose(trial, proposal)
        except PokeoptError:
            raise
        except Exception as error:  # of a sampler, perhaps somebody's own
            self._reconcile()  # its row is there already, and nobody's
            what = f"no configuration could be proposed: {type(error).__name__}: {_first_line(error)}"
            raise PokeoptError(f"study {self.writer.name}", what, "choose another search.sampler") from error

    # ---------------------------------------------------------------- record

    def record(self, key: str, record: EpochRecord) -> StopCause | None:
        """Take what a trial reports and return why it must stop now, or None."""
        attempt = self.attempts.get(key)
        if attempt is None:
            return None
        try:
            return self._record(attempt, record)
        except PokeoptError as error:
            self._break(error)
            return StopCause.INTERRUPTED

    def _record(self, attempt: Attempt, record: EpochRecord) -> StopCause | None:
        is_new = attempt.hear(record)
        if is_new:
            self.listen(EpochEnded(self.writer.name, attempt.number, record))
        self.writer.set_trial_attrs(attempt.trial, record.facts)
        if record.checkpoint_step is not None and record.checkpoint_step > attempt.checkpoint_step:
            attempt.checkpoint_step = record.checkpoint_step
            self.writer.set_trial_attrs(attempt.trial, {"checkpoint_step": record.checkpoint_step})
        verdict = None
        if is_new and (value := record.metrics.get(attempt.metric)) is not None:
            if not math.isfinite(value):
                return None  # the trial ends by itself and says so
            verdict = self._report(attempt, record.step, value)
        if self.options.deadline is not None and time.monotonic() >= self.options.deadline:
            self.request_stop("timeout")
        if attempt.last_step >= attempt.epochs:
            return None  # finished: only its scores are still to come
        if self.stopping:
            return StopCause.INTERRUPTED
        if self.options.trial_timeout_s is not None and attempt.seconds() > self.options.trial_timeout_s:
            return StopCause.TIMEOUT
        return verdict

    def _report(self, attempt: Attempt, step: int, value: float) -> StopCause | None:
        self.writer.record(attempt.trial, step, value)
        if not self.writer.is_single:
            curve = {str(record.step): record.metrics.get(attempt.metric) for record in attempt.curve}
            self.writer.set_trial_attrs(attempt.trial, {"curve": curve})
        if self.twin is None or not self.twin.should_stop(attempt.proposal, step, value):
            return None
        return StopCause.PRUNER if step < attempt.epochs else None

    # ---------------------------------------------------------------- finish

    def complete(self, key: str, record: TrialRecord) -> None:
        """End a trial whose loop ended by itself."""
        attempt = self.attempts.get(key)
        if attempt is None:
            return
        values = tuple(record.metrics.get(name, math.nan) for name in self.options.objectives)
        cause = record.stop_cause
        if cause.state is TrialState.COMPLETE and not all(math.isfinite(value) for value in values):
            missing = self.options.objectives[[math.isfinite(value) for value in values].index(False)]
            error = {"error_type": "NoMetric", "error": f"the trial ended without a finite {missing}"}
            self._end(key, StopCause.NO_METRIC, attrs=error)
            return
        attrs: dict[str, Any] = {**attempt.attrs(), **record.facts}
        if cause.state is TrialState.COMPLETE:
            attrs |= {"best_step": record.kept_step, **record.metrics}
            attrs |= self._constrain(attempt, record)
        self._end(key, cause, values, attrs, result_files(record))

    def stop(self, key: str, cause: StopCause) -> None:
        """End a trial that was told to stop: by the pruner, a timeout, or an interruption."""
        attempt = self.attempts.get(key)
        if attempt is None:
            return
        attrs: dict[str, Any] = {}
        if cause is StopCause.PRUNER:
            attrs["pruner"] = self.options.pruner
            attrs["rung"] = self.twin.rung(attempt.proposal) if self.twin else None
        self._end(key, cause, attrs=attrs)

    def fail(self, key: str, cause: StopCause, error_type: str, error: str) -> None:
        """End a trial that raised, ran out of memory, or whose worker died."""
        attempt = self.attempts.get(key)
        if attempt is None:
            return
        cause = attempt.killed_for or cause
        self._end(key, cause, attrs={"error_type": error_type, "error": error[-ERROR_CHARACTERS:]})

    def close(self) -> None:
        """End what still runs as interrupted; each gets a retry that goes on from its checkpoint."""
        for key in list(self.attempts):
            self._end(key, StopCause.INTERRUPTED)

    def _end(
        self,
        key: str,
        cause: StopCause,
        values: tuple[float, ...] | None = None,
        attrs: Mapping[str, Any] | None = None,
        files: Mapping[str, bytes] | None = None,
    ) -> None:
        attempt = self.attempts.pop(key)
        attempt.checkpoint_step = max(attempt.checkpoint_step, self.keeper.step(attempt.proposal))
        everything = {**attempt.attrs(), **(attrs or {})}
        artifacts = {"curves.json": curves_file(attempt.curve), **(files or {})}
        self._n_ended += 1
        self._asked_at = -math.inf
        try:
            with self.writer.store.ask_lock():  # a failed row and its retry appear together
                self.writer.finish(attempt.trial, cause, values, everything, artifacts)
                rows = self._refresh()
                row = rows[attempt.number]
                is_retried = deserves_retry(row, rows)
                if is_retried and row.replaced_by is None:
                    self.writer.enqueue_retry(row)
                    rows = self._refresh()
            curve = tuple(attempt.curve)
            self.listen(TrialEnded(self.writer.name, row.number, cause, curve, row.attrs, artifacts))
            if not is_retried:
                self.keeper.settle(attempt.proposal, rows)
        except PokeoptError as error:
            self._break(error)

    def _constrain(self, attempt: Attempt, record: TrialRecord) -> dict[str, Any]:
        """Tell Optuna how far each constraint is from being met: at most 0 is feasible."""
        excess = {}
        for name, (minimum, maximum) in self.options.constraints.items():
            value = record.metrics.get(name, math.nan)
            low = minimum - value if minimum is not None else -math.inf
            high = value - maximum if maximum is not None else -math.inf
            excess[name] = max(low, high) if math.isfinite(value) else UNMEASURED
            attempt.trial.set_constraint(name, excess[name])
        return {"constraints": excess} if excess else {}

    # ---------------------------------------------------------------- stop, watch

    def request_stop(self, why: str) -> None:
        """Ask for nothing more and stop what runs at its next report; safe in a signal handler."""
        self.stopping = self.stopping or why

    def overdue(self) -> list[tuple[str, StopCause]]:
        """Return the trials whose worker must be killed: silent for too long, or past their time."""
        now = time.monotonic()
        late = []
        for key, attempt in self.attempts.items():
            if attempt.launched_at is None or attempt.killed_for is not None:
                continue
            limit = self.options.trial_timeout_s
            silence = now - (attempt.heard_at or attempt.launched_at + STARTUP_GRACE_S)
            if limit is not None and attempt.seconds() > limit + TOLD_WITHIN_S:
                late.append((key, StopCause.TIMEOUT))
            elif silence > self.options.hang_timeout_s:
                late.append((key, StopCause.HUNG))
        for key, cause in late:
            self.attempts[key].killed_for = cause
        return late

    def started(self, key: str) -> None:
        """Note that a trial's worker has begun."""
        attempt = self.attempts.get(key)
        if attempt is not None and attempt.launched_at is None:
            attempt.launched_at = time.monotonic()

    def progress(self) -> Progress:
        """Return what a watcher sees; called from another thread."""
        baseline = self.options.baseline or {}
        best = best_of(self._rows, self.options.is_maximised, baseline) if self._has_best else None
        return snapshot(
            self._rows,
            list(self.attempts.values()),
            study=self.writer.name,
            phase=self.work.phase,
            metric=self.options.prune_on,
            budget=self.work.budget(self._rows),
            best=best,
            elapsed_s=time.monotonic() - self._began,
            n_ended=self._n_ended,
            note=self.note,
        )

    @property
    def _has_best(self) -> bool:
        return self.work.phase == "search" and self.writer.is_single

    # ---------------------------------------------------------------- inside

    def _refresh(self) -> Sequence[TrialRow]:
        rows = self.writer.rows()
        if self.twin is not None:
            running = {attempt.proposal for attempt in self.attempts.values()}
            for row in rows:
                if row.proposal is None or row.proposal in running:
                    continue
                self.twin.replay(
                    row.proposal, _curve(row)
                )  # a replaced row's too: its retry inherits the rungs
                has_ended = row.state in (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)
                if has_ended and row.replaced_by is None and not deserves_retry(row, rows):
                    kept = row.value if self.writer.is_single else row.metric(self.options.prune_on)
                    self.twin.end(row.proposal, row.state, kept)
        self._rows = rows
        return rows

    def _reconcile(self) -> bool:
        """End RUNNING rows of dead drivers and enqueue the retries that are owed; return whether anything was done."""
        rows = self.writer.rows()
        dead = [
            row
            for row in rows
            if row.state is TrialState.RUNNING and not self._owner_lives(row.attrs.get("run_id"))
        ]
        for row in dead:
            self.writer.bury(row)
            self.listen(TrialEnded(self.writer.name, row.number, StopCause.DRIVER_DIED))
        owed = without_successor(self.writer.rows())
        for row in owed:
            self.writer.enqueue_retry(row)
        return bool(dead or owed)

    def _owner_lives(self, run_id: str | None) -> bool:
        # a row gets its run_id under the ask lock, which we hold: without one, its driver died in between
        return run_id is not None and self.lease.is_alive(run_id)

    def _break(self, error: PokeoptError) -> None:
        self.failure = self.failure or error
        self.request_stop("failure")


def _curve(row: TrialRow) -> Mapping[int, float]:
    if row.curve:
        return row.curve
    return {int(step): value for step, value in row.attrs.get("curve", {}).items() if value is not None}


def _first_line(text: Any) -> str:
    lines = str(text or "").strip().splitlines()
    return lines[-1] if lines else "no message"
