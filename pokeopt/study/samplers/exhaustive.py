"""Samplers that try every configuration: the budget is then at most their number."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from optuna.samplers import BruteForceSampler, GridSampler

from pokeopt.registry import SEARCH_SAMPLERS
from pokeopt.spec import Param, Space
from pokeopt.study.samplers.base import SamplerFactory

EXHAUSTIVE = ("grid", "brute_force")


@SEARCH_SAMPLERS.register("grid")
def grid() -> SamplerFactory:
    """Try the product of all leaves, in random order."""
    return lambda context: _Grid(
        {param.path: axis_values(param) for param in context.space.params}, seed=context.study_seed
    )


@SEARCH_SAMPLERS.register("brute_force")
def brute_force() -> SamplerFactory:
    """Try every configuration of a space with conditions."""
    return lambda context: _BruteForce(seed=context.seed)


class _Grid(GridSampler):
    """Does not stop the study at the end of the grid: the budget, which knows retries, does."""

    def after_trial(self, *_: Any) -> None:
        """Do nothing."""


class _BruteForce(BruteForceSampler):
    """Does not stop the study at the end either."""

    def after_trial(self, *_: Any) -> None:
        """Do nothing."""


def axis_values(param: Param) -> list[Any]:
    """Return all values of a leaf that has finitely many."""
    if param.kind == "categorical":
        return list(param.choices)
    if param.kind == "int" and param.log:
        return list(range(int(param.low), int(param.high) + 1))
    step = param.step or 1
    n_steps = int(np.floor((param.high - param.low) / step + 1e-9))
    values = [param.low + step * i for i in range(n_steps + 1)]
    return [int(value) for value in values] if param.kind == "int" else [float(value) for value in values]


def count_configurations(space: Space, most: int) -> int:
    """Count the distinct configurations of a finite space, conditions included; stop at ``most``."""
    n = 0
    for _ in enumerate_configurations(space):
        n += 1
        if n >= most:
            break
    return n


def enumerate_configurations(space: Space) -> Iterator[dict[str, Any]]:
    """Yield every assignment of the active leaves, by walking the tree that ``suggest`` spans depth first."""
    params = {param.path: param for param in space.params}
    script: list[int] = []
    while True:
        walker = _Walker(params, script)
        yield space.suggest(walker)
        script = walker.taken
        while script and script[-1] == walker.sizes[len(script) - 1] - 1:
            script.pop()
        if not script:
            return
        script[-1] += 1


class _Walker:
    """Stands in for a trial: follows the script, then takes each first value."""

    def __init__(self, params: dict[str, Param], script: list[int]) -> None:
        self._params, self._script = params, script
        self.taken: list[int] = []
        self.sizes: list[int] = []

    def _take(self, name: str) -> Any:
        values = axis_values(self._params[name])
        at = self._script[len(self.taken)] if len(self.taken) < len(self._script) else 0
        self.taken.append(at)
        self.sizes.append(len(values))
        return values[at]

    def suggest_categorical(self, name: str, choices: Any) -> Any:
        return self._take(name)

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1, log: bool = False) -> Any:
        return self._take(name)

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> Any:
        return self._take(name)
