"""Samplers that breed the next generation, made for several objectives."""

from __future__ import annotations

from optuna.samplers import NSGAIIISampler, NSGAIISampler

from pokeopt.registry import SEARCH_SAMPLERS
from pokeopt.study.bounds import at_least
from pokeopt.study.samplers.base import SamplerFactory


@SEARCH_SAMPLERS.register("nsga2")
def nsga2(
    *,
    population_size: int = 50,
    mutation_prob: float | None = None,
    crossover_prob: float = 0.9,
    swapping_prob: float = 0.5,
) -> SamplerFactory:
    """Return NSGA-II."""
    return lambda context: NSGAIISampler(
        population_size=population_size,
        mutation_prob=mutation_prob,
        crossover_prob=crossover_prob,
        swapping_prob=swapping_prob,
        seed=context.seed,
    )


@SEARCH_SAMPLERS.register("nsga3")
def nsga3(
    *,
    population_size: int = 50,
    mutation_prob: float | None = None,
    crossover_prob: float = 0.9,
    swapping_prob: float = 0.5,
    dividing_parameter: int = 3,
) -> SamplerFactory:
    """Return NSGA-III."""
    at_least(1, dividing_parameter=dividing_parameter)
    return lambda context: NSGAIIISampler(
        population_size=population_size,
        mutation_prob=mutation_prob,
        crossover_prob=crossover_prob,
        swapping_prob=swapping_prob,
        dividing_parameter=dividing_parameter,
        seed=context.seed,
    )
