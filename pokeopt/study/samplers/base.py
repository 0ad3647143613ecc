"""What a search sampler is built from.

A sampler is built anew for every proposal, seeded by it: a resumed search proposes what an uninterrupted one would,
and two drivers of one study never walk the same random stream. Only samplers whose sequence lives in the storage
(QMC, grid) take the study's own seed.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import optuna
from optuna.samplers import BaseSampler

from pokeopt.spec import Space, StudySpec


@dataclass(frozen=True)
class SamplerContext:
    """What a sampler may depend on.

    Attributes:
        seed: Keyed by the proposal.
        study_seed: ``search.seed``, the same for all proposals.
        space: The search space.
        n_objectives: 1, or more for a Pareto search.
        n_trials: The study's budget.
        n_done: Proposals made so far.
    """

    seed: int
    study_seed: int
    space: Space
    n_objectives: int
    n_trials: int
    n_done: int

    @property
    def has_conditions(self) -> bool:
        """Whether some leaf exists only under others."""
        return any(param.when for param in self.space.params)


SamplerFactory = Callable[[SamplerContext], BaseSampler]


def build_sampler(factory: SamplerFactory, context: SamplerContext) -> BaseSampler:
    """Build a sampler; that Optuna calls some of them experimental is no news to the user who named one."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return factory(context)


def try_out(spec: StudySpec, factory: SamplerFactory) -> None:
    """Build a sampler as a study's first proposal would, so that a wrong setting is found before anything is stored.

    Raises:
        ValueError: If Optuna refuses a setting.
    """
    search = spec.search
    context = SamplerContext(
        seed=0,
        study_seed=search.seed,
        space=spec.space,
        n_objectives=len(spec.objectives),
        n_trials=search.trials,
        n_done=search.trials,
    )
    build_sampler(factory, context)
