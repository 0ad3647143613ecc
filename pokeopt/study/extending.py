"""Train the best trials of a search for longer: a study of its own, since scores of two budgets never mix."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import optuna

from pokeopt.ablation.cells import config_hash
from pokeopt.errors import UserError
from pokeopt.records import TrialState
from pokeopt.spec import StudySpec
from pokeopt.store import Store, StudyView, TrialRow
from pokeopt.store.writing import StudyWriter
from pokeopt.study.core import Core
from pokeopt.study.head_starts import Continuation, head_start, rows_of_extension
from pokeopt.study.identity import differences
from pokeopt.study.launch import Launch, build_core, directions
from pokeopt.study.retries import deserves_retry, next_proposal
from pokeopt.study.search import search_attrs
from pokeopt.study.work import Proposal, search_seeds

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler


@dataclass(frozen=True)
class Extension:
    """Trials of a search that are to be trained for longer.

    Attributes:
        name: The study that holds them, ``PARENT.eEPOCHS``.
        spec: The parent's, with the new budget, no pruner and no ablation.
        parent: The search.
        sources: Its trials, the best first.
        epochs: The new budget, that of the trials from their start.
    """

    name: str
    spec: StudySpec
    parent: StudyView
    sources: tuple[TrialRow, ...]
    epochs: int

    def configs(self) -> list[dict[str, Any]]:
        """Return the configurations to run, in the order of the sources."""
        return [longer(row.config, self.epochs) for row in self.sources]


def plan_extension(
    store: Store, name: str, top: int, epochs: int, place: Callable[[StudySpec], StudySpec]
) -> Extension:
    """Choose the ``top`` best COMPLETE trials of a search, to be trained for ``epochs`` in all.

    Args:
        store: Where the search lies.
        name: The search.
        top: How many trials.
        epochs: The new budget.
        place: Sets the resources that this launch asks for.

    Raises:
        UserError: If there is no such search, nothing in it is complete, or it was trained for so long already.
    """
    parent = store.load(name)
    if parent.kind != "search" or "extends" in parent.attrs:
        what = "it is itself an extension" if parent.kind == "search" else "it is a confirm study"
        origin = parent.attrs.get("extends") or parent.attrs.get("parent", "its search")
        raise UserError(f"study {parent.name}", what, f"extend {origin}, which it comes from")
    sources = parent.ranked[:top]
    if not sources:
        raise UserError(
            f"study {parent.name}",
            "no trial is complete, so there is none to extend",
            f"see pokeopt show {parent.name}",
        )
    longest = max(int(row.config["training"]["epochs"]) for row in sources)
    if epochs <= longest:
        what = f"trials of {parent.name} have had {longest} epochs already"
        raise UserError("--epochs", what, f"give more than {longest}: it is the total, from the first epoch")
    known = {int(row.attrs["extends"]) for row in rows_of_extension(store, f"{parent.name}.e{epochs}")}
    n_trials = len(known | {row.number for row in sources})
    tree = _longer_spec(parent.spec, f"{parent.name}.e{epochs}", epochs, n_trials)
    return Extension(tree["name"], place(StudySpec.from_resolved(tree)), parent, sources, epochs)


def longer(config: Mapping[str, Any], epochs: int) -> dict[str, Any]:
    """Return a resolved configuration with another budget."""
    return {**config, "training": {**config["training"], "epochs": epochs}}


def _longer_spec(stored: Mapping[str, Any], name: str, epochs: int, n_trials: int) -> dict[str, Any]:
    tree = StudySpec.from_resolved(stored).resolved()
    training = tree["training"]
    for section in training["choice"].values() if "choice" in training else [training]:
        section["epochs"] = epochs
    baseline = tree["baseline"]
    if baseline is not None:
        tree["baseline"] = {key: value for key, value in baseline.items() if key != "training.epochs"}
    tree["search"] = {**tree["search"], "pruner": "none", "trials": n_trials}
    return {**tree, "name": name, "ablation": None}


def open_extension(wanted: Extension, data_facts: Mapping[str, Any], launch: Launch) -> Core:
    """Open or create the study, enqueue the trials that it does not hold yet, and return its core.

    A trial that failed in an earlier launch is tried again.

    Raises:
        UserError: If the data have changed since the search, or the study of that name was made of another search.
    """
    check_parent_data(wanted.parent, data_facts["data_hash"])
    attrs = {**search_attrs(wanted.spec, data_facts, None), "extends": wanted.parent.name}
    writer = StudyWriter(launch.store, wanted.name, directions(wanted.spec), attrs)
    _check_same(wanted, writer.study.user_attrs.get("spec", {}))
    work = ExtensionWork(wanted)
    with launch.store.ask_lock():
        rows = writer.rows()
        for row in rows:
            is_hole = row.state is TrialState.FAIL and row.replaced_by is None
            if is_hole and not deserves_retry(
                row, rows
            ):  # the core itself retries those, from their checkpoints
                source = _source(wanted.parent, row)
                head_start(launch.store, wanted.parent, source, wanted.spec, int(row.proposal or 0))
                writer.enqueue_retry(row)  # what it has been told of its start still holds
        known = {row.attrs.get("extends") for row in writer.rows()}
        for source in wanted.sources:
            if source.number not in known:
                proposal = next_proposal(writer.rows())
                how = head_start(launch.store, wanted.parent, source, wanted.spec, proposal)
                enqueued = {
                    "proposal": proposal,
                    "extends": source.number,
                    "continued_from": how.from_step,
                    "continued_note": how.note or None,
                }
                writer.enqueue(
                    {key: value for key, value in enqueued.items() if value is not None},
                    work.params_of(source),
                )
        writer.set_attrs({"spec": wanted.spec.resolved()})  # the number of trials may have grown
    return build_core(wanted.spec, writer, work, launch)


def continuations(view: StudyView) -> tuple[Continuation, ...]:
    """Return how each trial of an extension went on."""
    return tuple(
        Continuation(
            int(row.attrs["extends"]),
            int(row.attrs.get("continued_from", 0)),
            str(row.attrs.get("continued_note", "")),
        )
        for row in view.counted
        if "extends" in row.attrs
    )


class ExtensionWork:
    """Trials of a search once more, with more epochs: same values, same seeds, another budget."""

    phase = "search"

    def __init__(self, wanted: Extension) -> None:
        self.wanted, self.spec, self.parent = wanted, wanted.spec, wanted.parent

    def budget(self, rows: Sequence[TrialRow]) -> int:
        """Return the number of trials that were chosen."""
        return sum(row.replaced_by is None for row in rows)

    def sampler(self, rows: Sequence[TrialRow]) -> BaseSampler | None:
        """Return what repeats the values of the row that comes next, also where its first attempt lost them."""
        following = next((row for row in rows if row.state is TrialState.WAITING), None)
        if following is None:
            return None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            return optuna.samplers.PartialFixedSampler(
                self.params_of(_source(self.parent, following)), optuna.samplers.RandomSampler()
            )

    def propose(self, trial: optuna.Trial, _proposal: int) -> Proposal:
        """Return the source's configuration with the new budget, under the source's own seeds."""
        source = self.parent.trials[int(trial.user_attrs["extends"])]
        self.spec.space.suggest(trial)
        config = longer(source.config, self.wanted.epochs)
        seeds = search_seeds(self.spec, int(source.proposal or 0))
        attrs = {
            "phase": self.phase,
            "seed": seeds[0],
            "seeds": list(seeds),
            "config_hash": config_hash(config),
            "config": json.dumps(config),
        }
        return Proposal(config, seeds, None, f"#{trial.number} from {source.number}", attrs)

    def params_of(self, source: TrialRow) -> dict[str, Any]:
        """Return a source's values of the leaves that are still searched: the epochs no longer are."""
        known = {param.path for param in self.spec.space.params}
        return {path: value for path, value in source.params.items() if path in known}


def check_parent_data(parent: StudyView, found: str) -> None:
    """Refuse to go on with a trial on other images than those that it was trained on."""
    stored = parent.attrs.get("data_hash")
    if stored is not None and stored != found:
        what = f"its images or labels have changed since it was started (hash {stored[:10]} -> {found[:10]})"
        raise UserError(f"study {parent.name}", what, "restore them")


def _check_same(wanted: Extension, stored: Mapping[str, Any]) -> None:
    changes = list(differences(stored, wanted.spec.resolved()))
    if changes:
        key, old, new = changes[0]
        what = f"it was made of another search ({key}: {old} -> {new})"
        raise UserError(f"study {wanted.name}", what, f"pokeopt delete {wanted.name}, or give other --epochs")


def _source(parent: StudyView, row: TrialRow) -> TrialRow:
    return parent.trials[int(row.attrs["extends"])]
