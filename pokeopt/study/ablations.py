"""What ``ablate`` runs: plans, or the arms between a search's baseline and best, one after the other in one session."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pokeopt.errors import SpecError, UserError
from pokeopt.records import TrialState
from pokeopt.registry import nearest
from pokeopt.spec import PlanSpec, StudySpec, load_plan
from pokeopt.store import Store
from pokeopt.study.confirm import arms_between, confirm_of_search, open_confirm
from pokeopt.study.events import Listen, nobody
from pokeopt.study.launch import Launch, Outcome, Watch, drive, new_launch, placement_of
from pokeopt.study.plans import check_study, prepare_plan, run_plan
from pokeopt.study.resources import auto_precision
from pokeopt.study.stopping import StopSignals

MODES = ("one-at-a-time", "leave-one-out", "path")
SEEDS_OF_SEARCH = 5


@dataclass(frozen=True)
class Placing:
    """What the command line says of ``resources``."""

    workers: int | str | None
    gpus_per_trial: float | str | None

    def of(self, spec: StudySpec) -> StudySpec:
        """Return the study with it."""
        given: dict[str, Any] = {"workers": self.workers, "gpus_per_trial": self.gpus_per_trial}
        given = {key: value for key, value in given.items() if value is not None}
        resources = {**spec.closed["resources"], **given}
        return replace(
            spec, resources=replace(spec.resources, **given), closed={**spec.closed, "resources": resources}
        )


@dataclass(frozen=True)
class Job:
    """One confirm study to run.

    Attributes:
        spec: Its resources decide the placement.
        run: Runs what is missing.
    """

    name: str
    spec: StudySpec
    run: Callable[[Launch], Outcome]

    def n_holes(self, store: Store) -> int:
        """Return how many declared cells have no result."""
        if self.name not in store.names():
            return 1
        view = store.load(self.name, exact=True)
        arms = [arm for arm in view.attrs.get("arms", ()) if "prefix" not in arm]
        hashes = {arm["config_hash"] for arm in arms}
        done = {(row.attrs.get("config_hash"), row.seed) for row in view.complete}
        cells = {(hash_, seed) for hash_ in hashes for seed in view.attrs.get("seeds", ())}
        return len(cells - done)


def jobs_of_plans(
    paths: Sequence[str | Path],
    quick: bool,
    seeds: int | None,
    base: str | Path | None,
    fidelity: str | None,
    sets: tuple[str, ...],
    store: Store,
    placing: Placing,
) -> list[Job]:
    """Read every plan and its data before anything is run.

    Raises:
        UserError: If one cannot be used.
    """
    plans = [
        load_plan(
            path,
            quick=quick,
            seeds=seeds,
            base=base,
            fidelity=fidelity,
            sets=sets,
            trial_of=lambda name, number: trial_of(store, name, number),
        )
        for path in _files(paths)
    ]
    names = [plan.name for plan in plans]
    for plan in plans:
        if names.count(plan.name) > 1:
            raise UserError(plan.path, f"two plans are called '{plan.name}'", "rename one")
        check_study(plan, store)
    return [_job_of_plan(replace(plan, study=placing.of(plan.study)), store) for plan in plans]


def jobs_of_search(
    name: str, mode: str | None, top: int | None, seeds: int | None, store: Store, placing: Placing
) -> list[Job]:
    """Enumerate the arms between a search's baseline and its best trial.

    Raises:
        UserError: If there is no such search, it has no baseline, or nothing in it is complete.
    """
    if mode is not None and mode not in MODES:
        raise UserError("--mode", f"no mode is called '{mode}'", nearest(mode, MODES))
    search = store.load(name)
    if search.kind != "search":
        raise UserError(f"study {name}", "it is a confirm study, not a search", "give the search's name")
    spec = placing.of(StudySpec.from_resolved(search.spec))
    if spec.baseline is None:
        raise UserError(
            f"study {name}", "it has no baseline to start from", "write a plan with base: {study: NAME}"
        )
    if search.best is None:
        raise UserError(
            f"study {name}", "no trial is complete, so there is no best one", f"see pokeopt show {name}"
        )
    asked = spec.ablation
    chosen = mode or (asked.mode if asked else MODES[0])
    include = asked.include if asked else ()
    arms = arms_between(spec, search, chosen, top if top is not None or asked is None else asked.top, include)
    count = tuple(range(seeds)) if seeds else asked.seeds if asked else tuple(range(SEEDS_OF_SEARCH))
    wanted = confirm_of_search(spec, search, arms, chosen, count)
    return [Job(wanted.name, spec, lambda launch: drive(open_confirm(wanted, launch), launch))]


def run_jobs(
    jobs: Sequence[Job],
    store: Store,
    signals: StopSignals,
    watch: Watch | None,
    deadline: float | None,
    ray_address: str | None,
    stack: ExitStack,
    listen: Listen = nobody,
) -> Outcome:
    """Run the studies one after the other in one session; a stop ends all, a broken one does not end the next."""
    placement = placement_of(jobs[0].spec)
    launch = new_launch(placement, store, signals, watch, deadline, ray_address)
    launch.listen = listen
    stack.callback(launch.lease.release)
    stack.enter_context(launch.stack)
    first_failure = Outcome("", None)
    for job in jobs:
        outcome = job.run(launch)
        if outcome.stopped in ("signal", "timeout"):
            return outcome
        if outcome.failure is not None and first_failure.failure is None:
            first_failure = outcome
    return first_failure


def _job_of_plan(plan: PlanSpec, store: Store) -> Job:
    facts = prepare_plan(plan, store)
    precision = auto_precision(placement_of(plan.study))
    return Job(plan.name, plan.study, lambda launch: run_plan(plan, facts, launch, precision))


def _files(paths: Sequence[str | Path]) -> list[Path]:
    """Return the plans that were named; of a folder all of its YAML files, by name."""
    found: list[Path] = []
    for path in map(Path, paths):
        if path.is_dir():
            inside = sorted(file for file in path.iterdir() if file.suffix in (".yaml", ".yml"))
            if not inside:
                raise UserError(
                    str(path), "no plan lies in this folder", "name a file, or a folder of .yaml files"
                )
            found += inside
        else:
            found.append(path)
    if not found:
        raise UserError("ablate", "no plan is named", "give PLAN.yaml, a folder, or --study NAME")
    return list(dict.fromkeys(found))


def trial_of(store: Store, name: str, number: int | None) -> tuple[Any, Any]:
    """Return (resolved specification, values) of a stored trial, for plans that start from one."""
    try:
        view = store.load(name)
    except UserError as error:
        raise SpecError(error.where, error.what, error.mend) from error
    if view.kind != "search":
        raise SpecError(name, f"'{name}' is no search", "name the search")
    rows = {row.number: row for row in view.trials if row.state is TrialState.COMPLETE}
    row = view.best if number is None else rows.get(number)
    if row is None:
        what = f"'{name}' has no complete trial" + ("" if number is None else f" {number}")
        raise SpecError(name, what, f"see pokeopt show {name}")
    return view.spec, row.params
