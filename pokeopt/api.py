"""What pokeopt can do, as functions: the command line calls these, and so may a notebook."""

from __future__ import annotations

import itertools
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pokeopt.errors import PokeoptError, UserError

if TYPE_CHECKING:
    from pokeopt.data import Dataset
    from pokeopt.spec import StudySpec
    from pokeopt.store import Store, StudyView
    from pokeopt.study.launch import Launch, Outcome, Watch
    from pokeopt.study.resources import Placement
    from pokeopt.study.stopping import StopSignals

MOST_DATA_CONFIGS = (
    16  # prepared before the first trial; further ones are prepared by the worker that needs them
)
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
        notes: What a reader should know of the data, one line each, naming an image.
    """

    name: str
    search: StudyView
    confirm: StudyView | None
    report_path: Path | None
    exit_code: int
    stopped_by: str | None
    message: str
    notes: tuple[str, ...] = ()


def run(
    space_path: str | Path,
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
        space_path: The search-space file.
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
    from pokeopt.study.identity import check_data, settle_precision
    from pokeopt.study.resources import auto_precision
    from pokeopt.study.stopping import stop_signals

    began = time.monotonic()
    spec = load_study(
        space_path, [*sets, *_short_forms(trials, epochs, workers, gpus_per_trial, seed, name, track)]
    )
    store = open_store(storage, home)
    with stop_signals() as signals, ExitStack() as stack:
        spec, study_name, fresh_of = _identify(spec, store, fresh)
        placement = _placement(spec)
        spec = settle_precision(spec, auto_precision(placement))
        facts = prepare_data(spec, store)
        _check_metrics(spec, facts["data"]["classes"])
        if study_name in store.names():
            check_data(study_name, store.load(study_name).attrs.get("data_hash"), facts["data_hash"])
        deadline = began + timeout_s if timeout_s is not None else None
        launch = _launch(placement, store, signals, watch, deadline, ray_address)
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
    return _result(study_name, search, confirm, report_path, outcome, signals.received)


def prepare_data(spec: StudySpec, store: Store) -> dict[str, Any]:
    """Read the data of every configuration that the space can reach, and return the facts that a study keeps of it.

    Every worker then only maps what lies in the cache. A fault in the data is found here, before anything is written
    about a study.

    Raises:
        DataError: If images or labels cannot be used.
    """
    from pokeopt.data import prepare
    from pokeopt.data.oddities import oddities

    first: Dataset | None = None
    for config in itertools.islice(_data_configs(spec), MOST_DATA_CONFIGS):
        dataset = prepare(config["data"], store.cache_dir, external=config.get("external", {}))
        first = first or dataset
    assert first is not None, "a space has at least one configuration"
    counts = {part: _class_counts(first, part) for part in ("train", "val", "test")}
    return {
        "data_hash": first.data_hash,
        "split_hash": first.split_hash,
        "data": {
            "name": first.name,
            "classes": list(first.classes),
            "counts": counts,
            "external": {name: len(part.ids) for name, part in first.external.items()},
            "notes": list(oddities(first)),
            "duplicates_across_splits": [list(pair) for pair in first.duplicates_across_splits[:100]],
        },
    }


def write_report(store: Store, names: Sequence[str], output: Path) -> Path:
    """Write the report of one or more studies and return its path."""
    from pokeopt import report

    return report.write_report(store, list(names), output)


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
    core = open_search(spec, name, search_attrs(spec, facts, fresh_of), launch, warm)
    return drive(core, launch)


def _confirm(spec: StudySpec, search: StudyView, launch: Launch) -> Outcome:
    from pokeopt.study.confirm import arms_of_search, open_confirm
    from pokeopt.study.launch import drive

    core = open_confirm(spec, f"{search.name}.ablation", search, arms_of_search(spec, search), launch)
    return drive(core, launch)


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


def _placement(spec: StudySpec) -> Placement:
    from pokeopt.study.resources import place

    placement = place(spec.resources)
    if spec.search.deterministic and placement.workers > 1:
        return replace(placement, workers=1)  # the order of arrival would decide
    return placement


def _launch(
    placement: Placement,
    store: Store,
    signals: StopSignals,
    watch: Watch | None,
    deadline: float | None,
    ray_address: str | None,
) -> Launch:
    from pokeopt.store.lease import FileLease
    from pokeopt.study.launch import Launch, new_run_id
    from pokeopt.study.resources import available_gpus

    run_id = new_run_id()
    n_gpus = available_gpus() if placement.gpus_per_trial > 0 else 0
    lease = FileLease(store.leases_dir, run_id)
    return Launch(store, lease, run_id, placement, signals, watch, deadline, n_gpus, ray_address)


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
        "name": name,
        "tracking": f"[{', '.join(track)}]" if track else None,
    }
    return [f"{key}={value}" for key, value in keys.items() if value is not None]


def _data_configs(spec: StudySpec) -> Any:
    """Yield one configuration per distinct data section, by trying every value of the searched data leaves."""
    leaves = [param for param in spec.space.params if param.path.startswith("data.")]
    start = _any_values(spec)
    seen: list[Any] = []
    for values in itertools.product(*(param.ends() for param in leaves)):
        config = spec.space.config({**start, **dict(zip([p.path for p in leaves], values, strict=True))})
        if config["data"] not in seen:
            seen.append(config["data"])
            yield config


def _any_values(spec: StudySpec) -> dict[str, Any]:
    """Return a value for every leaf, active or not."""
    return {param.path: param.ends()[0] for param in spec.space.params}


def _class_counts(dataset: Dataset, part: str) -> list[int]:
    labels = dataset.labels[getattr(dataset, part)]
    return [int((labels == k).sum()) for k in range(len(dataset.classes))]


def _check_metrics(spec: StudySpec, classes: Sequence[str]) -> None:
    """Check the classes in metric names, which only the data knows."""
    from pokeopt import metrics

    for name in (*spec.objectives, spec.objective, *(constraint.metric for constraint in spec.constraints)):
        metrics.find(name, task=spec.task, parts=tuple(spec.external), classes=tuple(classes))


def _result(
    name: str,
    search: StudyView,
    confirm: StudyView | None,
    report_path: Path | None,
    outcome: Outcome,
    signal_received: Any,
) -> RunResult:
    stopped_by = signal_received.name if signal_received is not None else None
    message = outcome.failure.what if isinstance(outcome.failure, PokeoptError) else ""
    if not message and outcome.stopped == "timeout":
        message = "the time given was used up; the same command goes on"
    code = 0 if search.complete and outcome.failure is None else 1
    if stopped_by is not None:
        code = EXIT_OF_SIGNAL[stopped_by]
    notes = tuple(search.attrs.get("data", {}).get("notes", ()))
    return RunResult(name, search, confirm, report_path, code, stopped_by, message, notes)
