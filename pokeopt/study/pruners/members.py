"""Optuna's pruners by name. Each builder takes the full budget of a trial, in epochs."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import optuna
from optuna.pruners import (
    BasePruner,
    HyperbandPruner,
    MedianPruner,
    NopPruner,
    PatientPruner,
    PercentilePruner,
    SuccessiveHalvingPruner,
    ThresholdPruner,
    WilcoxonPruner,
)

from pokeopt.registry import PRUNERS
from pokeopt.spec import StudySpec
from pokeopt.study.bounds import at_least

PrunerFactory = Callable[[int], BasePruner]


def build_pruner(factory: PrunerFactory, max_epochs: int) -> BasePruner:
    """Build a pruner for trials of ``max_epochs``."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return factory(max_epochs)


def try_out(spec: StudySpec, factory: PrunerFactory) -> None:
    """Build a pruner as a study would, so that a wrong setting is found before anything is stored.

    Raises:
        ValueError: If Optuna refuses a setting.
    """
    build_pruner(factory, spec.max_epochs)


@PRUNERS.register("none")
def none() -> PrunerFactory:
    """Never stop a trial."""
    return lambda _: NopPruner()


@PRUNERS.register("median")
def median(
    *, n_startup_trials: int = 5, n_warmup_steps: int = 0, interval_steps: int = 1, n_min_trials: int = 1
) -> PrunerFactory:
    """Stop a trial whose best value is worse than the median of complete trials at the same step."""
    return lambda _: MedianPruner(n_startup_trials, n_warmup_steps, interval_steps, n_min_trials=n_min_trials)


@PRUNERS.register("percentile")
def percentile(
    *,
    percentile: float = 25.0,
    n_startup_trials: int = 5,
    n_warmup_steps: int = 0,
    interval_steps: int = 1,
    n_min_trials: int = 1,
) -> PrunerFactory:
    """Keep the best ``percentile`` of trials at each step."""
    return lambda _: PercentilePruner(
        percentile, n_startup_trials, n_warmup_steps, interval_steps, n_min_trials=n_min_trials
    )


@PRUNERS.register("hyperband")
def hyperband(*, min_resource: int = 1, reduction_factor: int = 3, bootstrap_count: int = 0) -> PrunerFactory:
    """Run brackets of successive halving; the largest resource is ``training.epochs``."""
    at_least(1, min_resource=min_resource)
    at_least(2, reduction_factor=reduction_factor)
    at_least(0, bootstrap_count=bootstrap_count)
    return lambda max_epochs: HyperbandPruner(
        min_resource=min(min_resource, max(max_epochs, 1)),
        max_resource=max(max_epochs, 1),
        reduction_factor=reduction_factor,
        bootstrap_count=bootstrap_count,
    )


@PRUNERS.register("successive_halving")
def successive_halving(
    *,
    min_resource: int = 1,
    reduction_factor: int = 4,
    min_early_stopping_rate: int = 0,
    bootstrap_count: int = 0,
) -> PrunerFactory:
    """Let the best 1/reduction_factor of the trials pass each rung."""
    return lambda _: SuccessiveHalvingPruner(
        min_resource, reduction_factor, min_early_stopping_rate, bootstrap_count
    )


@PRUNERS.register("patient")
def patient(
    *, pruner: str | dict[str, Any] = "none", patience: int = 3, min_delta: float = 0.0
) -> PrunerFactory:
    """Ask another pruner only after ``patience`` steps without improvement; with ``none``, stop right then."""
    inner = None if pruner == "none" else PRUNERS.make(pruner)
    return lambda max_epochs: PatientPruner(
        inner(max_epochs) if inner is not None else None, patience, min_delta
    )


@PRUNERS.register("threshold")
def threshold(
    *,
    lower: float | None = None,
    upper: float | None = None,
    n_warmup_steps: int = 0,
    interval_steps: int = 1,
) -> PrunerFactory:
    """Stop a trial whose value leaves [lower, upper]."""
    if lower is None and upper is None:
        raise ValueError("threshold needs lower or upper")
    return lambda _: ThresholdPruner(lower, upper, n_warmup_steps, interval_steps)


@PRUNERS.register("wilcoxon")
def wilcoxon(*, p_threshold: float = 0.1, n_startup_steps: int = 2) -> PrunerFactory:
    """Stop a trial whose seeds so far are significantly worse than the best trial's (steps are seeds)."""
    return lambda _: WilcoxonPruner(p_threshold=p_threshold, n_startup_steps=n_startup_steps)
