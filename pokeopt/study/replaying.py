"""Run a stored trial once more and hold it against its record, bit for bit; nothing of a study is written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from pokeopt.errors import UserError
from pokeopt.records import EpochRecord, StopCause, TrialRecord, TrialState, TrialTask
from pokeopt.registry import split_component
from pokeopt.spec import StudySpec
from pokeopt.store import Store, StudyView, TrialRow
from pokeopt.study.deviations import (
    Curve,
    Deviation,
    array_deviations,
    curve_deviations,
    curve_of,
    final_metrics,
    metric_deviations,
)
from pokeopt.study.files import curves_file, result_files
from pokeopt.study.launch import code_version, versions
from pokeopt.study.work import Proposal, cell_proposal, search_seeds


@dataclass(frozen=True)
class Difference:
    """Something around the numbers that is not as it was: the code, the data, a version, the device."""

    what: str
    then: str
    now: str


@dataclass(frozen=True)
class Replay:
    """What a replay found.

    Attributes:
        study: The study.
        trial: The trial's number.
        n_epochs: Epochs that were compared.
        n_numbers: Numbers that were compared, predictions not counted.
        has_predictions: Whether the predictions were compared, too.
        deviations: Numbers that came out otherwise, by epoch; empty if it agrees bit for bit.
        differences: What is not as it was when the trial ran.
    """

    study: str
    trial: int
    n_epochs: int
    n_numbers: int
    has_predictions: bool
    deviations: tuple[Deviation, ...]
    differences: tuple[Difference, ...]

    @property
    def agrees(self) -> bool:
        """Whether every number is the same bit for bit."""
        return not self.deviations


def replay_trial(
    store: Store, name: str, number: int, heard: Callable[[int, int], None] | None = None
) -> Replay:
    """Run a trial again on the CPU, with its own configuration, seeds and threads, and compare.

    A PRUNED trial is run as far as it came.

    Raises:
        UserError: If there is no such trial, or it left nothing to compare with.
    """
    view = store.load(name)
    row = _row(view, number)
    stored = _stored_curve(store, view, row)
    task = _task(store, view, row)
    records, end = _run(task, row, max(stored, default=0), heard)
    deviations = list(curve_deviations(stored, curve_of(curves_file(records))))
    finals = final_metrics(row.attrs) if row.state is TrialState.COMPLETE else {}
    content = None
    if row.state is TrialState.COMPLETE:
        deviations += metric_deviations("final", finals, final_metrics(end.metrics if end else {}))
        content = store.read_artifact(view.name, row.number, "predictions.npz")
    if content is not None:
        deviations += array_deviations(content, result_files(end).get("predictions.npz") if end else None)
    return Replay(
        study=view.name,
        trial=number,
        n_epochs=len(stored),
        n_numbers=sum(len(metrics) for seeds in stored.values() for metrics in seeds) + len(finals),
        has_predictions=content is not None,
        deviations=tuple(deviations),
        differences=tuple(_differences(store, view, row, task, end)),
    )


def _run(
    task: TrialTask, row: TrialRow, last: int, heard: Callable[[int, int], None] | None
) -> tuple[list[EpochRecord], TrialRecord | None]:
    """Train again; what was cut off is cut off again after its ``last`` epoch (what diverged ends by itself)."""
    from pokeopt.trial import run

    is_cut = row.stop_cause in (StopCause.PRUNER, StopCause.TIMEOUT)
    records: list[EpochRecord] = []
    with closing(run(task)) as items:
        for item in items:
            if isinstance(item, TrialRecord):
                return records, item
            if item.heartbeat:
                continue
            records.append(item)
            if heard is not None:
                heard(item.step, last)
            if is_cut and item.step >= last:
                break
    return records, None


def _row(view: StudyView, number: int) -> TrialRow:
    where = f"study {view.name}"
    if not 0 <= number < len(view.trials):
        mend = f"trials are 0 to {len(view.trials) - 1}" if view.trials else "it has none yet"
        raise UserError(where, f"there is no trial {number}", mend)
    row = view.trials[number]
    if "search_trial" in row.attrs:
        search = f"{row.attrs['search']} {row.attrs['search_trial']}"
        raise UserError(where, f"trial {number} stands for a whole search", f"pokeopt replay {search}")
    if row.state not in (TrialState.COMPLETE, TrialState.PRUNED) or row.stop_cause is StopCause.OOM:
        what = f"trial {number} is {row.shown_state}: it left nothing to compare with"
        raise UserError(where, what, f"see pokeopt show {view.name} for others")
    return row


def _proposal(spec: StudySpec, view: StudyView, row: TrialRow) -> Proposal:
    """Return what a row ran: an extended trial carries the seeds of the one that it continues."""
    if view.kind == "confirm":
        return cell_proposal(row.attrs)
    seeds = tuple(row.attrs["seeds"]) if "seeds" in row.attrs else search_seeds(spec, row.proposal or 0)
    return Proposal(row.config, seeds, None, f"#{row.number}", {})


def _task(store: Store, view: StudyView, row: TrialRow) -> TrialTask:
    spec = StudySpec.from_resolved(view.spec)
    planned = _proposal(spec, view, row)
    is_search = view.kind == "search"
    return TrialTask(
        config=planned.config,
        seeds=planned.seeds,
        objective=spec.objective,
        cache_dir=str(store.cache_dir),
        resample=planned.resample,
        device="cpu",
        threads=int(row.attrs.get("threads", 1)),
        in_turn=is_search and split_component(spec.search.pruner)[0] == "wilcoxon",
        deterministic=spec.search.deterministic,
        plugins=tuple(spec.plugins),
    )


def _stored_curve(store: Store, view: StudyView, row: TrialRow) -> Curve:
    """Return the whole curve; where its file was lost, what Optuna keeps of it: the objective."""
    content = store.read_artifact(view.name, row.number, "curves.json")
    if content is not None:
        return curve_of(content)
    return {step: [{view.metrics[0]: value}] for step, value in row.curve.items()}


def _differences(
    store: Store, view: StudyView, row: TrialRow, task: TrialTask, end: TrialRecord | None
) -> Iterator[Difference]:
    """Yield what is not as it was; a training that was cut off says less of itself."""
    from pokeopt.data import prepare

    facts = end.facts if end is not None else {}
    data = prepare(task.config["data"], store.cache_dir, external=task.config.get("external", {}))
    now: dict[str, Any] = {"code_version": code_version(), "data_hash": data.data_hash, "device": "cpu"}
    now |= {key: facts[key] for key in ("split_hash", "precision", "threads") if key in facts}
    for key, value in now.items():
        then = row.attrs.get(key, view.attrs.get(key) if key == "data_hash" else None)
        if then is not None and str(then) != str(value):
            yield Difference(key, str(then), str(value))
    stored = view.attrs.get("versions", {})  # those of the study's first launch
    for package, version in versions().items():
        if package in stored and stored[package] != version:
            yield Difference(package, str(stored[package]), version)
