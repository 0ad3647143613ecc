"""Samplers that do not learn: independent draws, and low-discrepancy points."""

from __future__ import annotations

from typing import Literal

from optuna.samplers import QMCSampler, RandomSampler

from pokeopt.registry import SEARCH_SAMPLERS
from pokeopt.study.samplers.base import SamplerFactory


@SEARCH_SAMPLERS.register("random")
def random() -> SamplerFactory:
    """Return independent uniform draws."""
    return lambda context: RandomSampler(seed=context.seed)


@SEARCH_SAMPLERS.register("qmc")
def qmc(*, qmc_type: Literal["sobol", "halton"] = "sobol", scramble: bool = False) -> SamplerFactory:
    """Return quasi-random points; the place in their sequence is kept in the storage, so the seed is the study's."""
    return lambda context: QMCSampler(
        qmc_type=qmc_type,
        scramble=scramble,
        seed=context.study_seed,
        independent_sampler=RandomSampler(seed=context.seed),
        warn_asynchronous_seeding=False,
        warn_independent_sampling=False,
    )
