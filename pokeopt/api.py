"""What pokeopt can do, as functions: the command line calls these, and so may a notebook."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pokeopt.errors import PokeoptError, UserError

if TYPE_CHECKING:
    from pokeopt.spec import StudySpec
    from pokeopt.store import Store, StudyView
    from pokeopt.study.launch import Launch, Outcome, Watch

EXIT_OF_SIGNAL = {"SIGINT": 130, "SIGTERM": 143}


@dataclass(frozen=True)
class RunResult:
    """What ``run`` leaves behind.

    Attributes:
        search: The search as it stands.
        confirm: Its ablation, if one was run.
        report_path: The report, if one was written.
        exit_code: 0 with at least one COMPLETE trial, 1 without, 130 or 143 after a signal.
        stopped_by: ``SIGINT`` or ``SIGTERM``, if one came.
        message: One line on what kept the run from its end, empty if nothing did.
        notes: What a reader should know of the data, one line each, naming an image; what trackers have lost.
        tracked: By tracker, how to look at what was sent.
    """

    name: str
    search: StudyView
    confirm: StudyView | None
    report_path: Path | None
    exit_code: int
    stopped_by: str | None
    message: str
    notes: tuple[str, ...] = ()
    tracked: Mapping[str, str] = field(default_factory=dict)

    def _repr_html_(self) -> str:
        """Return what a notebook shows of it."""
        from pokeopt.store.notebook import study_html

        return study_html(self.search) + (study_html(self.confirm) if self.confirm else "")


def run(
    space_path: str | Path | Mapping[str, Any],
    *,
    sets: Sequence[str] = (),
    trials: int | None = None,
    timeout_s: float | None = None,
    epochs: int | None = None,
    workers: int | str | None = None,
    gpus_per_trial: float | str | None = None,
    seed: int | None = None,
    name: str | None = None,
    storage: str | None = None,
    home: Path | str | None = None,
    fresh: bool = False,
    warm_start: str | None = None,
    ray_address: str | None = None,
    track: Sequence[str] = (),
    ablation: bool = True,
    report: bool = True,
    watch: Watch | None = None,
    reports_dir: Path | str = "reports",
) -> RunResult:
    """Search, confirm the winner, write one report; a study that was cut off goes on where it stood.

    Args:
        space_path: The search-space file; or what it would hold, as a mapping with a ``name``.
        sets: ``key=value`` changes to it, made before validation.
        trials: Short for ``search.trials``, the total budget.
        epochs: Short for ``training.epochs``.
        workers: Short for ``resources.workers``; 0 runs in this process.
        gpus_per_trial: Short for ``resources.gpus_per_trial``.
        seed: Short for ``search.seed``.
        timeout_s: Stop asking and stop what runs after so many seconds; the next launch goes on.
        name: The study's name, instead of the file's.
        fresh: Start NAME-2 and leave NAME as it is.
        storage: Address of the store, by default ``HOME/pokeopt.db``.
        home: Folder of all state, by default ``POKEOPT_HOME`` or ``.pokeopt``.
        warm_start: A study whose five best configurations are tried right after the baseline.
        ray_address: A running Ray cluster; by default a private Ray on this machine.
        track: Short for ``tracking``.
        ablation: Run the confirm study that the file asks for.
        report: Write the report at the end.
        reports_dir: Where it goes.
        watch: Called with a function that returns Progress; its context lasts while a study runs.

    Raises:
        UserError: If the file, the options or the data cannot be used; nothing is written then.
    """
    from pokeopt.spec import load_study
    from pokeopt.store import open_store
    from pokeopt.study.facts import check_classes, prepare_data
    from pokeopt.study.identity import check_data, settle_precision
    from pokeopt.study.launch import new_launch, placement_of
    from pokeopt.study.resources import auto_precision
    from pokeopt.study.stopping import stop_signals
    from pokeopt.tracking import open_trackers

    began = time.monotonic()
    spec = load_study(
        space_path, [*sets, *_short_forms(trials, epochs, workers, gpus_per_trial, seed, name, track)]
    )
    store = open_store(storage, home)
    trackers = open_trackers(spec.tracking, store.home)
    with stop_signals() as signals, ExitStack() as stack:
        stack.push(trackers.after_error)
        spec, study_name, fresh_of = _identify(spec, store, fresh)
        placement = placement_of(spec)
        spec = settle_precision(spec, auto_precision(placement))
        facts = prepare_data(spec, store)
        check_classes(spec, _named_metrics(spec), facts["data"]["classes"])
        if study_name in store.names():
            check_data(study_name, store.load(study_name).attrs.get("data_hash"), facts["data_hash"])
        deadline = began + timeout_s if timeout_s is not None else None
        launch = new_launch(placement, store, signals, watch, deadline, ray_address)
        launch.listen = trackers.listen
        stack.callback(launch.lease.release)
        stack.enter_context(launch.stack)
        outcome = _search(spec, study_name, fresh_of, facts, launch, warm_start)
        search = store.load(study_name)
        confirm = None
        is_shared = (
            search.states().get("running", 0) > 0
        )  # another driver goes on: the last to end writes the report
        if ablation and spec.ablation and search.best and not outcome.stopped and not is_shared:
            outcome = _confirm(spec, search, launch)
            confirm = store.load(f"{study_name}.ablation")
            is_shared = confirm.states().get("running", 0) > 0
    report_path = None
    if report and search.complete and not is_shared:
        report_path = write_report(store, [study_name], Path(reports_dir) / f"{study_name}.html")
        trackers.report((study_name, f"{study_name}.ablation"), report_path)
    result = result_of(study_name, search, confirm, report_path, outcome, signals.received)
    return replace(
        result,
        notes=(*result.notes, *trackers.close(is_hasty=signals.received is not None)),
        tracked=trackers.where(),
    )


@dataclass(frozen=True)
class AblateResult:
    """What ``ablate`` leaves behind.

    Attributes:
        views: The confirm studies as they stand, in the order of the plans.
        n_holes: Declared cells without a result.
        report_path: The report, if one was written.
        exit_code: 0 with every cell, 1 with holes, 130 or 143 after a signal.
        stopped_by: ``SIGINT`` or ``SIGTERM``, if one came.
        message: One line on what kept it from its end, empty if nothing did.
        notes: What trackers have lost, one line each.
        tracked: By tracker, how to look at what was sent.
    """

    views: tuple[StudyView, ...]
    n_holes: int
    report_path: Path | None
    exit_code: int
    stopped_by: str | None
    message: str
    notes: tuple[str, ...] = ()
    tracked: Mapping[str, str] = field(default_factory=dict)


def ablate(
    plans: Sequence[str | Path] = (),
    *,
    study: str | None = None,
    mode: str | None = None,
    top: int | None = None,
    quick: bool = False,
    seeds: int | None = None,
    base: str | Path | None = None,
    fidelity: str | None = None,
    sets: Sequence[str] = (),
    timeout_s: float | None = None,
    workers: int | str | None = None,
    gpus_per_trial: float | str | None = None,
    storage: str | None = None,
    home: Path | str | None = None,
    ray_address: str | None = None,
    report: bool = True,
    output: Path | str | None = None,
    watch: Watch | None = None,
) -> AblateResult:
    """Run the missing (arm, seed) cells of plans, or of a search's own ablation, in one session; write one report.

    Args:
        plans: Files, or folders of them.
        study: A search instead: its arms between baseline and best are enumerated.
        mode: With ``study``: one-at-a-time, leave-one-out or path; by default what its file says.
        top: With ``study``: keep the factors with the largest predicted change; by default what its file says.
        quick: The plans' ``quick:`` setting, a smoke run without verdicts.
        seeds: So many seeds, from 0; more than before top up.
        base: Another search-space file to start from.
        fidelity: What to call it then: exact, scaled or surrogate.
        sets: ``key=value`` changes, made before each arm's own.
        timeout_s: Stop cleanly after so many seconds; the next launch goes on.
        output: The report's path, by default ``reports/NAME.html`` (of a folder, its name).

    The other arguments are those of ``run``.

    Raises:
        UserError: If a plan, the options or the data cannot be used; nothing is written then.
    """
    from pokeopt.store import open_store
    from pokeopt.study.ablations import Placing, jobs_of_plans, jobs_of_search, run_jobs
    from pokeopt.study.stopping import stop_signals
    from pokeopt.tracking import open_trackers

    began = time.monotonic()
    store = open_store(storage, home)
    placing = Placing(workers, gpus_per_trial)
    if study is not None:
        if plans or quick or base is not None or fidelity is not None or sets:
            raise UserError(
                "--study", "its arms come from a search, not from a plan", "give plans, or --study alone"
            )
        jobs = jobs_of_search(study, mode, top, seeds, store, placing)
    else:
        if mode is not None or top is not None:
            raise UserError("--mode", "it belongs to --study; a plan says its own", "take it out")
        jobs = jobs_of_plans(plans, quick, seeds, base, fidelity, tuple(sets), store, placing)
    trackers = open_trackers([one for job in jobs for one in job.spec.tracking], store.home)
    with stop_signals() as signals, ExitStack() as stack:
        stack.push(trackers.after_error)
        deadline = began + timeout_s if timeout_s is not None else None
        outcome = run_jobs(jobs, store, signals, watch, deadline, ray_address, stack, trackers.listen)
    names = [job.name for job in jobs if job.name in store.names()]
    views = tuple(store.load(name, exact=True) for name in names)
    n_holes = sum(job.n_holes(store) for job in jobs)
    path = None
    if report and any(view.complete for view in views):
        path = Path(output) if output is not None else Path("reports") / f"{_report_name(plans, names)}.html"
        path = write_report(store, [view.attrs.get("parent", view.name) for view in views], path)
        trackers.report(names, path)
    result = _ablate_result(views, n_holes, path, outcome, signals.received)
    return replace(
        result, notes=trackers.close(is_hasty=signals.received is not None), tracked=trackers.where()
    )


def _report_name(plans: Sequence[str | Path], names: Sequence[str]) -> str:
    """Return what the report of several plans is called: their folder's name, quick or not."""
    if len(names) == 1:
        return names[0].removesuffix(".ablation")
    folders = {Path(plan).resolve() if Path(plan).is_dir() else Path(plan).resolve().parent for plan in plans}
    stem = folders.pop().name if len(folders) == 1 else "ablations"
    return f"{stem}.quick" if names[0].endswith(".quick") else stem


def _ablate_result(
    views: tuple[StudyView, ...], n_holes: int, path: Path | None, outcome: Outcome, received: Any
) -> AblateResult:
    stopped_by = received.name if received is not None else None
    message = outcome.failure.what if isinstance(outcome.failure, PokeoptError) else ""
    if not message and outcome.stopped == "timeout":
        message = "the time given was used up; the same command goes on"
    code = 1 if n_holes or outcome.failure is not None else 0
    return AblateResult(
        views, n_holes, path, EXIT_OF_SIGNAL[stopped_by] if stopped_by else code, stopped_by, message
    )


def write_report(store: Store, names: Sequence[str], output: Path) -> Path:
    """Write the report of one or more studies, give it to their pages in optuna-dashboard, and return its path."""
    from pokeopt.dashboard.plots import pages_of, save_plots
    from pokeopt.report.write import render, summary_of, write_whole
    from pokeopt.store.handing import hand_over

    summary = summary_of(store, list(names))
    path = write_whole(output, render(store, summary, "html"))
    for study in summary.studies:
        for page in pages_of(store, study):
            hand_over(store, page, path, " ".join(study.finding))
        save_plots(store, study)
    return path


def _search(
    spec: StudySpec,
    name: str,
    fresh_of: str | None,
    facts: Mapping[str, Any],
    launch: Launch,
    warm_start: str | None,
) -> Outcome:
    from pokeopt.study.launch import drive
    from pokeopt.study.search import open_search, search_attrs

    warm = launch.store.load(warm_start) if warm_start else None
    if warm is not None and warm.name == name:
        what = f"'{name}' is this study itself"
        raise UserError("--warm-start", what, "name another study, or give this run a --name")
    core = open_search(spec, name, search_attrs(spec, facts, fresh_of), launch, warm)
    return drive(core, launch)


def _confirm(spec: StudySpec, search: StudyView, launch: Launch) -> Outcome:
    from pokeopt.study.confirm import arms_of_search, confirm_of_search, open_confirm
    from pokeopt.study.launch import drive

    assert spec.ablation is not None
    arms = arms_of_search(spec, search)
    wanted = confirm_of_search(spec, search, arms, spec.ablation.mode, spec.ablation.seeds)
    return drive(open_confirm(wanted, launch), launch)


def _identify(spec: StudySpec, store: Store, fresh: bool) -> tuple[StudySpec, str, str | None]:
    """Return (the spec to run, the study's name, whose fresh start it is), or raise IdentityError."""
    from pokeopt.study.identity import check_identity, merged

    known = store.names()
    if fresh and spec.name in known:
        number = next(n for n in itertools.count(2) if f"{spec.name}-{n}" not in known)
        return spec, f"{spec.name}-{number}", spec.name
    name = store.newest(spec.name)
    if name not in known:
        return spec, name, None
    view = store.load(name)
    if view.kind != "search":
        raise UserError(f"study {name}", "it is a confirm study, not a search", "give --name NEW")
    check_identity(name, view.spec, spec.resolved())
    return merged(view.spec, spec), name, view.attrs.get("fresh_of")


def _short_forms(
    trials: int | None,
    epochs: int | None,
    workers: int | str | None,
    gpus_per_trial: float | str | None,
    seed: int | None,
    name: str | None,
    track: Sequence[str],
) -> list[str]:
    keys = {
        "search.trials": trials,
        "training.epochs": epochs,
        "resources.workers": workers,
        "resources.gpus_per_trial": gpus_per_trial,
        "search.seed": seed,
        "name": json.dumps(name) if name is not None else None,  # quoted: a name may look like a number
        "tracking": json.dumps(list(track)) if track else None,
    }
    return [f"{key}={value}" for key, value in keys.items() if value is not None]


def _named_metrics(spec: StudySpec) -> list[str]:
    return [*spec.objectives, spec.objective, *(constraint.metric for constraint in spec.constraints)]


def result_of(
    name: str,
    search: StudyView,
    confirm: StudyView | None,
    report_path: Path | None,
    outcome: Outcome,
    signal_received: Any,
) -> RunResult:
    """Return what a run of a search left behind, with its exit code."""
    stopped_by = signal_received.name if signal_received is not None else None
    message = outcome.failure.what if isinstance(outcome.failure, PokeoptError) else ""
    if not message and outcome.stopped == "timeout":
        message = "the time given was used up; the same command goes on"
    if not message and not search.complete and stopped_by is None:
        states = ", ".join(f"{n} {state}" for state, n in search.states().items() if n)
        message = f"no trial gave a result ({states or 'none was run'})"
    code = 0 if search.complete and outcome.failure is None else 1
    if stopped_by is not None:
        code = EXIT_OF_SIGNAL[stopped_by]
    notes = tuple(search.attrs.get("data", {}).get("notes", ()))
    return RunResult(name, search, confirm, report_path, code, stopped_by, message, notes)
