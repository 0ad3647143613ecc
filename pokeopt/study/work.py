"""What a study has to do: propose configurations (search), or run declared cells (confirm)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from pokeopt.ablation.cells import config_hash
from pokeopt.records import TrialState
from pokeopt.registry import SEARCH_SAMPLERS, split_component
from pokeopt.spec import StudySpec
from pokeopt.store.rows import TrialRow
from pokeopt.study.retries import next_proposal
from pokeopt.study.samplers.base import SamplerContext, build_sampler
from pokeopt.study.samplers.exhaustive import EXHAUSTIVE, count_configurations
from pokeopt.study.seeding import derive_seed

if TYPE_CHECKING:
    import optuna
    from optuna.samplers import BaseSampler


@dataclass(frozen=True)
class Proposal:
    """What one row will run."""

    config: dict[str, Any]
    seeds: tuple[int, ...]
    resample: int | None
    label: str
    attrs: dict[str, Any]


class Work(Protocol):
    """What the core asks of a kind of study."""

    phase: str

    def budget(self, rows: Sequence[TrialRow], /) -> int:
        """Return how many counted rows the study will hold."""

    def sampler(self, rows: Sequence[TrialRow], /) -> BaseSampler | None:
        """Return the sampler of the next proposal."""

    def propose(self, trial: optuna.Trial, proposal: int, /) -> Proposal:
        """Return what a popped or new row will run; its suggestions are made here."""


class SearchWork:
    """A sampler proposes configurations until the budget is used."""

    phase = "search"

    def __init__(self, spec: StudySpec) -> None:
        self.spec = spec
        self._factory = SEARCH_SAMPLERS.make(spec.search.sampler)
        self._n_trials = spec.search.trials
        if split_component(spec.search.sampler)[0] in EXHAUSTIVE:
            self._n_trials = count_configurations(spec.space, most=spec.search.trials)

    def budget(self, _rows: Sequence[TrialRow]) -> int:
        """Return ``search.trials``, or the number of configurations where a finite space has fewer."""
        return self._n_trials

    def sampler(self, rows: Sequence[TrialRow]) -> BaseSampler:
        """Return the sampler, seeded by the proposal that comes next."""
        proposal = next_proposal(rows)
        context = SamplerContext(
            seed=derive_seed(self.spec.search.seed, proposal, "sampler"),
            study_seed=self.spec.search.seed,
            space=self.spec.space,
            n_objectives=len(self.spec.objectives),
            n_trials=self._n_trials,
            n_done=proposal,
        )
        return build_sampler(self._factory, context)

    def propose(self, trial: optuna.Trial, proposal: int) -> Proposal:
        """Suggest every active leaf; seeds are keyed by the proposal, so that a retry repeats the same experiment."""
        config = self.spec.space.config(self.spec.space.suggest(trial))
        seeds = search_seeds(self.spec, proposal)
        attrs = {
            "phase": self.phase,
            "seed": seeds[0],
            "config_hash": config_hash(config),
            "config": json.dumps(config),
        }
        return Proposal(config, seeds, None, f"#{trial.number}", attrs)


class ConfirmWork:
    """Declared cells, one row each, enqueued beforehand; nothing is ever proposed beyond them."""

    phase = "confirm"

    def budget(self, rows: Sequence[TrialRow]) -> int:
        """Return the number of cells."""
        return sum(row.replaced_by is None for row in rows)

    def sampler(self, _rows: Sequence[TrialRow]) -> None:
        """A cell has no Optuna parameter, so that arms may be added to a living study."""

    def propose(self, trial: optuna.Trial, _proposal: int) -> Proposal:
        """Return the cell that the row carries: its seed redraws train and validation, too."""
        return cell_proposal(trial.user_attrs)


def search_seeds(spec: StudySpec, proposal: int) -> tuple[int, ...]:
    """Return the seeds of a search's trial, one a network."""
    return tuple(derive_seed(spec.search.seed, proposal, f"network {i}") for i in range(spec.search.seeds))


def cell_proposal(attrs: Mapping[str, Any]) -> Proposal:
    """Return what a cell runs, as its user attributes say."""
    seed = int(attrs["seed"])
    label = f"{attrs['arm_id']} · seed {seed}"
    config, how = json.loads(attrs["config"]), attrs.get("resample", "train_val")
    if how == "all":  # the test part, too: it is drawn from the seed of the split
        config["data"]["split"]["seed"] += 1 + seed
    return Proposal(config, (seed,), seed if how == "train_val" else None, label, {})


def waiting(rows: Sequence[TrialRow]) -> bool:
    """Whether a row waits to be run."""
    return any(row.state is TrialState.WAITING for row in rows)
