"""From which epoch a trial goes on when it is trained for longer, and why it sometimes cannot."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pokeopt.records import CHECKPOINT_STEP_FILE, StopCause, TrialState
from pokeopt.registry import SCHEDULES, import_plugins, split_component
from pokeopt.spec import StudySpec
from pokeopt.store import Store, StudyView, TrialRow
from pokeopt.study.launch import direction

if TYPE_CHECKING:
    from pokeopt.records import EpochRecord


@dataclass(frozen=True)
class Continuation:
    """How one trial goes on.

    Attributes:
        trial: Its number in the search.
        from_step: The epoch that it goes on from; 0 where it is trained from the start.
        note: Why it is trained from the start, or why more epochs change nothing; else empty.
    """

    trial: int
    from_step: int
    note: str


def head_start(
    store: Store, parent: StudyView, source: TrialRow, spec: StudySpec, proposal: int
) -> Continuation:
    """Lay the checkpoint to go on from into a proposal's folder; say from where, or why from the start.

    A training goes on only where it then is, on the CPU bit for bit, what it would have been with the new budget from
    its first epoch.

    Args:
        store: Where all of them lie.
        parent: The search.
        source: One of its COMPLETE trials.
        spec: The extension's, with the new budget.
        proposal: The extension's own number for that trial.
    """
    from pokeopt.trial import history

    folder = store.checkpoints_dir / spec.name / str(proposal)
    shutil.rmtree(folder, ignore_errors=True)
    if split_component(parent.spec["search"]["pruner"])[0] == "wilcoxon":
        note = "its seeds were trained one after the other, and are trained together here"
        return Continuation(source.number, 0, note)
    best: tuple[Path, Sequence[EpochRecord]] | None = None
    for candidate, epochs in _checkpoints(store, parent, source, spec.max_epochs):
        records = history(candidate)
        if not records or records[-1].step < 1:
            continue
        if _looks_ahead(spec, source, records, epochs):
            schedule = split_component(source.config["training"]["schedule"])[0]
            note = f"schedule {schedule} depends on the number of epochs: continued it would be another one"
            return Continuation(source.number, 0, note)
        if best is None or records[-1].step > best[1][-1].step:
            best = candidate, records
    if best is None:
        return Continuation(source.number, 0, "its checkpoint is gone, or of another version of pokeopt")
    _copy(best[0], folder)
    early = source.stop_cause is StopCause.EARLY_STOP
    note = "early stopping had ended it: more epochs change nothing" if early else ""
    return Continuation(source.number, best[1][-1].step, note)


def _checkpoints(store: Store, parent: StudyView, source: TrialRow, below: int) -> Iterator[tuple[Path, int]]:
    """Yield (folder, budget) of what the search and its shorter extensions have left of a trial."""
    name = parent.name
    yield store.checkpoints_dir / name / str(source.proposal), int(source.config["training"]["epochs"])
    for known in store.names():
        match = re.fullmatch(rf"{re.escape(name)}\.e(\d+)", known)
        if match is None or int(match[1]) >= below:
            continue
        for row in rows_of_extension(store, known):
            if row.attrs["extends"] == source.number and row.state is TrialState.COMPLETE:
                yield store.checkpoints_dir / known / str(row.proposal), int(match[1])


def _looks_ahead(spec: StudySpec, source: TrialRow, records: Sequence[EpochRecord], epochs: int) -> bool:
    """Whether the schedule would have been another one in the epochs that were trained, had it known the new budget."""
    import_plugins(spec.plugins)
    schedule = SCHEDULES.make(source.config["training"]["schedule"])
    metric = spec.objective
    sign = 1 if direction(spec, metric) == "maximize" else -1
    scores = [sign * record.metrics.get(metric, 0.0) for record in records]
    return any(
        schedule.factor(scores[:n], epochs) != schedule.factor(scores[:n], spec.max_epochs)
        for n in range(len(scores))
    )


def _copy(source: Path, target: Path) -> None:
    """Copy a checkpoint; the step comes last, as where it is written."""
    from pokeopt.training.checkpoint import FILE_NAME

    target.mkdir(parents=True, exist_ok=True)
    for name in (FILE_NAME, CHECKPOINT_STEP_FILE):
        draft = target / f".{name}.draft"
        shutil.copyfile(source / name, draft)
        draft.replace(target / name)


def rows_of_extension(store: Store, name: str) -> list[TrialRow]:
    """Return the rows of an extension that count; none where there is no such study."""
    if name not in store.names():
        return []
    return [row for row in store.load(name, exact=True).counted if "extends" in row.attrs]
