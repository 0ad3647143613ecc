"""Start a study: build its core from a specification and hand it to a runner."""

from __future__ import annotations

import hashlib
import importlib.metadata
import platform
import signal
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack, nullcontext, suppress
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from pokeopt import metrics
from pokeopt.errors import PokeoptError
from pokeopt.registry import PRUNERS, split_component
from pokeopt.spec import StudySpec
from pokeopt.store import Store
from pokeopt.store.lease import FileLease, Lease
from pokeopt.store.writing import StudyWriter
from pokeopt.study.checkpoints import CheckpointKeeper
from pokeopt.study.core import Core, CoreOptions
from pokeopt.study.events import Listen, nobody, study_began, study_ended
from pokeopt.study.local import run_locally
from pokeopt.study.progress import Progress
from pokeopt.study.pruners.members import build_pruner
from pokeopt.study.resources import Placement, available_gpus, place
from pokeopt.study.stopping import StopSignals
from pokeopt.study.twin import PruningTwin
from pokeopt.study.work import Work

Watch = Callable[[Callable[[], Progress]], AbstractContextManager[Any]]
VERSIONS_OF = ("torch", "optuna", "ray", "numpy")


@dataclass
class Launch:
    """How this command runs studies.

    Attributes:
        store: Where they lie.
        lease: Tells other drivers that we live.
        run_id: Our name among drivers.
        placement: Trials at a time, and what each may use.
        signals: Asks for a stop.
        watch: Shows progress while a study runs.
        deadline: ``time.monotonic()`` at which to stop asking, if any.
        n_gpus: GPUs that Ray may hand out.
        ray_address: A running cluster; None starts a private Ray.
        stack: Closes what was opened on the way, Ray among it.
        listen: Is told what happens, see ``study.events``.
    """

    store: Store
    lease: Lease
    run_id: str
    placement: Placement
    signals: StopSignals
    watch: Watch | None = None
    deadline: float | None = None
    n_gpus: int = 0
    ray_address: str | None = None
    stack: ExitStack = field(default_factory=ExitStack)
    listen: Listen = nobody
    _has_ray: bool = False

    def start_ray(self) -> bool:
        """Open the one Ray session of this command at its first use; return whether there is one.

        ``ray.init`` takes SIGTERM for itself and leaves by SystemExit: that is somebody's wish to stop, like any other.
        """
        from pokeopt.study.ray_session import ray_session

        if not self._has_ray:
            n_cpus = self.placement.workers * self.placement.cpus_per_trial
            try:
                self.stack.enter_context(ray_session(n_cpus, self.n_gpus, self.ray_address))
            except SystemExit as error:
                if error.code != signal.SIGTERM:
                    raise
                self.signals.install()
                self.signals.handle(signal.SIGTERM, None)
                return False
            self.signals.install()
            self._has_ray = True
        return True


@dataclass(frozen=True)
class Outcome:
    """How a run of a study ended: the reason it stopped early (empty if it did not), and the error behind it."""

    stopped: str
    failure: PokeoptError | None


def placement_of(spec: StudySpec) -> Placement:
    """Return how a study's trials are placed on this machine."""
    placement = place(spec.resources)
    if spec.search.deterministic and placement.workers > 1:
        return replace(placement, workers=1)  # the order of arrival would decide
    return placement


def new_launch(
    placement: Placement,
    store: Store,
    signals: StopSignals,
    watch: Watch | None,
    deadline: float | None,
    ray_address: str | None,
) -> Launch:
    """Return a launch with a name and a lease of its own."""
    run_id = new_run_id()
    n_gpus = available_gpus() if placement.gpus_per_trial > 0 else 0
    lease = FileLease(store.leases_dir, run_id)
    return Launch(store, lease, run_id, placement, signals, watch, deadline, n_gpus, ray_address)


def new_run_id() -> str:
    """Return a name that no other driver has."""
    return time.strftime("%Y%m%d-%H%M%S-") + uuid.uuid4().hex[:6]


def directions(spec: StudySpec) -> tuple[str, ...]:
    """Return "maximize" or "minimize" for each objective."""
    return tuple(direction(spec, name) for name in spec.objectives)


def direction(spec: StudySpec, metric: str) -> str:
    """Return a metric's direction."""
    return str(metrics.find(metric, task=spec.task, parts=tuple(spec.external)).direction)


def build_core(
    spec: StudySpec, writer: StudyWriter, work: Work, launch: Launch, fidelity: str = "exact"
) -> Core:
    """Build the core of a study; confirm studies have no pruner."""
    metric = spec.objective
    is_maximised = direction(spec, metric) == "maximize"
    pruner = split_component(spec.search.pruner)[0] if work.phase == "search" else "none"
    twin = None
    if pruner != "none":
        built = build_pruner(PRUNERS.make(spec.search.pruner), spec.max_epochs)
        twin = PruningTwin(built, direction(spec, metric))
    placement = launch.placement
    options = CoreOptions(
        run_id=launch.run_id,
        objectives=spec.objectives,
        prune_on=metric,
        is_maximised=is_maximised,
        n_workers=1 if spec.search.deterministic else max(placement.workers, 1),
        task={
            "cache_dir": str(launch.store.cache_dir),
            "device": placement.device,
            "threads": placement.cpus_per_trial,
            "memory_fraction": placement.gpus_per_trial if 0 < placement.gpus_per_trial < 1 else 1.0,
            "deterministic": spec.search.deterministic,
            "plugins": tuple(spec.plugins),
        },
        stamp={"code_version": code_version(), "fidelity": fidelity},
        constraints={c.metric: (c.minimum, c.maximum) for c in spec.constraints},
        pruner=pruner,
        in_turn=pruner == "wilcoxon",
        trial_timeout_s=spec.resources.trial_timeout_s,
        hang_timeout_s=spec.resources.hang_timeout_s,
        deadline=launch.deadline,
        baseline=spec.space.baseline() if spec.baseline else None,
    )
    keeper = CheckpointKeeper(
        launch.store.checkpoints_dir / writer.name, spec.resources.checkpoint_gb, is_maximised
    )
    return Core(writer, work, launch.lease, options, keeper, twin, launch.listen)


def drive(core: Core, launch: Launch) -> Outcome:
    """Run a study until it is done, stopped or broken; nothing of ours is left RUNNING."""
    if launch.listen is not nobody:
        launch.listen(study_began(core.writer))
    core.open()
    launch.signals.on_stop = lambda: core.request_stop("signal")
    if launch.signals.received is not None:
        core.request_stop("signal")
    if not core.has_work():
        launch.signals.on_stop = None
        _tell_end(core, launch)
        return Outcome(core.stopping, core.failure)
    with launch.watch(core.progress) if launch.watch else nullcontext():
        try:
            if launch.placement.workers == 0:
                run_locally(core)
            else:
                core.note = "starting Ray"
                is_started = launch.start_ray()
                core.note = ""
                if is_started:
                    from pokeopt.study.ray_tuning import run_with_ray

                    run_with_ray(core, launch.placement, launch.signals)
        finally:
            core.close()
            launch.signals.on_stop = None
            _tell_end(core, launch)
    return Outcome(core.stopping, core.failure)


def _tell_end(core: Core, launch: Launch) -> None:
    if launch.listen is nobody:
        return
    with suppress(Exception):  # a listener's news; what is wrong with the store is told elsewhere
        view = launch.store.load(core.writer.name, exact=True)
        launch.listen(study_ended(view, core.stopping, core.keeper.root))


@cache
def code_version() -> str:
    """Return the package's version and a hash of its source, so that a replay can say what changed."""
    root = Path(__file__).resolve().parents[1]
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return f"{importlib.metadata.version('pokeopt')}+{digest.hexdigest()[:10]}"


def versions() -> Mapping[str, str]:
    """Return the versions of what a study's numbers depend on."""
    found = {name: importlib.metadata.version(name) for name in VERSIONS_OF}
    return {"python": platform.python_version(), **found}
