"""The driver's side of Ray Tune: three adapters around the core, and the run.

The scheduler slot is where the truth is: it sees each result first and decides. The searcher only asks. The callback
watches the clock, for Tune would wait for a silent trial for ever.
"""

from __future__ import annotations

import logging
import shutil
import tempfile
from collections.abc import Mapping
from typing import Any

import ray
from ray import tune
from ray.tune import Callback, CheckpointConfig, FailureConfig, RunConfig, TuneConfig, Tuner
from ray.tune.experiment import Trial
from ray.tune.schedulers import FIFOScheduler, TrialScheduler
from ray.tune.search import Searcher

from pokeopt.records import EpochRecord, StopCause, TrialTask
from pokeopt.study.core import Ask, Core
from pokeopt.study.ray_actor import PARCEL, TASK, Failure, TrialActor
from pokeopt.study.resources import Placement
from pokeopt.study.stopping import StopSignals

CHECKPOINT_WITHIN_S = 5.0
MOST_SAMPLES = 10**6  # the core counts the budget, from the storage


class CoreSearcher(Searcher):
    """Asks the core."""

    def __init__(self, core: Core) -> None:
        super().__init__(metric=None, mode=None)
        self.core = core

    def suggest(self, trial_id: str) -> Any:
        """Return the next task, FINISHED for good, or None for now."""
        task = self.core.ask(trial_id)
        if isinstance(task, TrialTask):
            return {TASK: task}
        return Searcher.FINISHED if task is Ask.DONE else None

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        """Nothing: the scheduler has told."""

    def set_search_properties(self, *args: Any, **kwargs: Any) -> bool:
        """Metric and space are the core's."""
        return True

    def save(self, checkpoint_path: str) -> None:
        """Nothing: the state lives in Optuna's storage."""

    def restore(self, checkpoint_path: str) -> None:
        """Nothing: see ``save``."""

    def __reduce__(self) -> Any:
        return (_nothing, ())  # Tune pickles its parts into files; a study does not belong there


class CoreScheduler(FIFOScheduler):
    """Hands every record to the core and does what it says."""

    def __init__(self, core: Core, signals: StopSignals) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.core, self.signals = core, signals

    def on_trial_result(self, controller: Any, trial: Trial, result: dict[str, Any]) -> str:
        """Record, decide."""
        parcel = result.get(PARCEL)
        content = parcel.take() if parcel is not None else None
        key = trial.trial_id
        if isinstance(content, EpochRecord):
            cause = self.core.record(key, content)
            if cause is None:
                return str(TrialScheduler.CONTINUE)
            if cause is StopCause.INTERRUPTED and self.signals.end_loop():
                return str(
                    TrialScheduler.CONTINUE
                )  # all end together: first the checkpoints, then the record
            self.core.stop(key, cause)
        elif isinstance(content, Failure):
            self.core.fail(key, content.cause, content.error_type, content.error)
        elif content is not None:
            try:
                record = ray.get(content, timeout=60)
            except ray.exceptions.RayError as error:
                self.core.fail(key, StopCause.WORKER_DIED, type(error).__name__, str(error))
            else:
                self.core.complete(key, record)
        return str(TrialScheduler.STOP)

    def on_trial_error(self, controller: Any, trial: Trial) -> None:
        """Tell that a worker died: exceptions of the trial itself come as results."""
        if self.signals.ended_at is not None:
            return  # it was told to stop, and the core ends it as interrupted
        name, text = _error_of(trial)
        self.core.fail(trial.trial_id, StopCause.WORKER_DIED, name, text)

    def __reduce__(self) -> Any:
        return (_nothing, ())


class Watchdog(Callback):
    """Kills the workers of trials that are silent for too long or past their time.

    Attributes:
        actors: Trial to the id by which Ray's messages name its worker.
    """

    def __init__(self, core: Core) -> None:
        self.core = core
        self.actors: dict[str, str] = {}

    def on_step_end(self, iteration: int, trials: list[Trial], **info: Any) -> None:
        """Look at the clock; called several times a second."""
        running = {trial.trial_id: trial for trial in trials if trial.status == Trial.RUNNING}
        for key, trial in running.items():
            self.core.started(key)
            if (actor := trial.temporary_state.ray_actor) is not None:
                self.actors[key] = actor._actor_id.hex()
        for key, _ in self.core.overdue():
            if key in running and (actor := running[key].temporary_state.ray_actor) is not None:
                ray.kill(actor)

    def __reduce__(self) -> Any:
        return (_nothing, ())


def run_with_ray(core: Core, placement: Placement, signals: StopSignals) -> None:
    """Run until the core is done, in the Ray session that is open.

    Args:
        core: The study.
        placement: Trials at a time, and what each may use.
        signals: A stop asked for by signal ends Tune's loop by its own orderly way.
    """
    for name in ("ray", "ray.tune"):  # what they would say of a dead worker, the core says in its own words
        logging.getLogger(name).setLevel(logging.CRITICAL)
    signals.is_in_ray = True
    try:
        while signals.received is None:
            watchdog = Watchdog(core)
            try:
                _tune(core, placement, signals, watchdog)
                break
            except RuntimeError as error:
                # Tune goes on when a worker dies, but ends with this when Ray kills one to save memory
                if not isinstance(error.__cause__, ray.exceptions.RayError) or not core.attempts:
                    raise
                _lose(core, watchdog.actors, error.__cause__)
        if (
            signals.ended_at is not None
        ):  # Tune has told the workers to stop, and does not wait for what they write
            running = [attempt.proposal for attempt in core.attempts.values() if attempt.heard_at is not None]
            core.keeper.wait_for(running, signals.ended_at, CHECKPOINT_WITHIN_S)
    finally:
        signals.is_in_ray = False


def _tune(core: Core, placement: Placement, signals: StopSignals, watchdog: Watchdog) -> None:
    folder = tempfile.mkdtemp(prefix="po-tune-")
    resources = {"cpu": placement.cpus_per_trial, "gpu": placement.gpus_per_trial}
    tuner = Tuner(
        tune.with_resources(TrialActor, resources),
        tune_config=TuneConfig(
            search_alg=CoreSearcher(core),
            scheduler=CoreScheduler(core, signals),
            num_samples=MOST_SAMPLES,
            max_concurrent_trials=placement.workers,
            reuse_actors=True,
        ),
        run_config=RunConfig(
            name=core.options.run_id,
            storage_path=folder,
            callbacks=[watchdog],
            verbose=0,
            failure_config=FailureConfig(max_failures=0),
            checkpoint_config=CheckpointConfig(checkpoint_frequency=0, checkpoint_at_end=False),
        ),
    )
    try:
        tuner.fit()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _lose(core: Core, actors: Mapping[str, str], error: ray.exceptions.RayError) -> None:
    """Record the trials that were running when Tune ended: those whose worker was killed, and those it took along."""
    text = str(error)
    killed = {key for key in core.attempts if key in actors and actors[key] in text} or set(core.attempts)
    for key in list(core.attempts):
        cause = StopCause.WORKER_DIED if key in killed else StopCause.INTERRUPTED
        core.fail(key, cause, type(error).__name__, text.partition("\n")[0])


def _error_of(trial: Trial) -> tuple[str, str]:
    """Return (type, text) of what ended a worker; Tune's own getters read a copy that is not written yet."""
    from ray import cloudpickle

    name, text = "WorkerDied", "the worker process ended"
    try:
        with open(trial.pickled_error_file, "rb") as file:
            error = cloudpickle.load(file)
        name, text = type(getattr(error, "cause", None) or error).__name__, str(error)
    except Exception:
        return name, text
    return name, text


def _nothing() -> None:
    """What an adapter becomes on disk."""
