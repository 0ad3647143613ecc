"""Samplers that learn from the trials so far: TPE, Gaussian process, CMA-ES, and a choice among them."""

from __future__ import annotations

from optuna.samplers import BaseSampler, CmaEsSampler, GPSampler, RandomSampler, TPESampler

from pokeopt.registry import SEARCH_SAMPLERS
from pokeopt.study.bounds import at_least
from pokeopt.study.samplers.base import SamplerContext, SamplerFactory
from pokeopt.study.samplers.random import qmc

GP_MOST_TRIALS = 300  # a fit grows with the cube of the trials
GP_MOST_PARAMS = 20
STARTUP_SHARE = 4  # a quarter of the budget goes to space-filling points


@SEARCH_SAMPLERS.register("tpe")
def tpe(
    *,
    n_startup_trials: int = 10,
    n_ei_candidates: int = 24,
    multivariate: bool | None = None,
    group: bool = False,
    constant_liar: bool = True,
) -> SamplerFactory:
    """Return Optuna's tree-structured Parzen estimator."""
    at_least(0, n_startup_trials=n_startup_trials)
    at_least(1, n_ei_candidates=n_ei_candidates)
    return lambda context: TPESampler(
        n_startup_trials=n_startup_trials,
        n_ei_candidates=n_ei_candidates,
        multivariate=multivariate,
        group=group,
        constant_liar=constant_liar,
        seed=context.seed,
    )


@SEARCH_SAMPLERS.register("gp")
def gp(*, n_startup_trials: int = 10, deterministic_objective: bool = False) -> SamplerFactory:
    """Return Optuna's Gaussian-process sampler; leaves under a condition are drawn at random."""
    at_least(0, n_startup_trials=n_startup_trials)
    return lambda context: GPSampler(
        n_startup_trials=n_startup_trials,
        deterministic_objective=deterministic_objective,
        independent_sampler=RandomSampler(seed=context.seed),
        warn_independent_sampling=False,
        seed=context.seed,
    )


@SEARCH_SAMPLERS.register("cmaes")
def cmaes(
    *,
    sigma0: float | None = None,
    n_startup_trials: int = 1,
    popsize: int | None = None,
    use_separable_cma: bool = False,
    with_margin: bool = False,
    lr_adapt: bool = False,
    consider_pruned_trials: bool = False,
) -> SamplerFactory:
    """Return CMA-ES for the numeric leaves; choices and leaves under a condition are drawn at random."""
    at_least(0, n_startup_trials=n_startup_trials)
    at_least(2, popsize=popsize)
    if sigma0 is not None and sigma0 <= 0:
        raise ValueError(f"sigma0 must be above 0, got {sigma0}")
    return lambda context: CmaEsSampler(
        sigma0=sigma0,
        n_startup_trials=n_startup_trials,
        popsize=popsize,
        use_separable_cma=use_separable_cma,
        with_margin=with_margin,
        lr_adapt=lr_adapt,
        consider_pruned_trials=consider_pruned_trials,
        independent_sampler=RandomSampler(seed=context.seed),
        warn_independent_sampling=False,
        seed=context.seed,
    )


@SEARCH_SAMPLERS.register("auto")
def auto() -> SamplerFactory:
    """Choose by the space and the budget: QMC first, then a Gaussian process for few plain leaves, else TPE."""

    def choose(context: SamplerContext) -> BaseSampler:
        n_startup = min(10, max(2, context.n_trials // STARTUP_SHARE))
        if context.n_done < n_startup:
            return qmc(scramble=True)(context)
        is_plain = not context.has_conditions and len(context.space.params) <= GP_MOST_PARAMS
        if is_plain and context.n_trials <= GP_MOST_TRIALS and context.n_objectives == 1:
            return gp(n_startup_trials=n_startup)(context)
        return tpe(n_startup_trials=n_startup)(context)

    return choose
