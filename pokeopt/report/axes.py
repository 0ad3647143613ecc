"""The axes of a search, each mapped to [0, 1] as the sampler drew it: logarithmic, whole numbers, options."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from pokeopt.report.words import plain

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

Places = npt.NDArray[np.float64]
"""(N, D) places of N trials on D axes; NaN where a parameter was inactive."""


@dataclass(frozen=True)
class Axis:
    """One searched parameter.

    Attributes:
        name: Its path.
        low: Smallest value of a number; 0 for options.
        high: Largest value of a number.
        is_log: Drawn uniformly in ln(value).
        is_whole: Whole numbers only.
        options: Values of a categorical one, as text, in their order; empty for a number.
    """

    name: str
    low: float = 0.0
    high: float = 1.0
    is_log: bool = False
    is_whole: bool = False
    options: tuple[str, ...] = ()

    def place(self, value: Any) -> float | None:
        """Return where a value lies in [0, 1]; an option lies in the middle of its stretch; None for none."""
        if value is None:
            return None
        if self.options:
            text = plain(value)
            return (self.options.index(text) + 0.5) / len(self.options) if text in self.options else None
        low, high, at = self.low, self.high, float(value)
        if self.is_log:
            low, high, at = math.log(low), math.log(high), math.log(max(at, 1e-300))
        return min(1.0, max(0.0, (at - low) / (high - low)))

    def text(self, place: float) -> str:
        """Return the value at a place, in words."""
        if self.options:
            return self.options[min(len(self.options) - 1, int(place * len(self.options)))]
        if self.is_log:
            value = math.exp(math.log(self.low) + place * (math.log(self.high) - math.log(self.low)))
        else:
            value = self.low + place * (self.high - self.low)
        return str(round(value)) if self.is_whole else plain(float(f"{value:.3g}"))

    def grid(self, most: int) -> list[float]:
        """Return fixed places on the axis: the options, the whole numbers where they are few, else ``most``."""
        if self.options:
            return [(i + 0.5) / len(self.options) for i in range(len(self.options))]
        count = self._steps
        if count and count < most:
            return [i / count for i in range(count + 1)]
        return [i / (most - 1) for i in range(most)]

    def strata(self, most: int) -> list[float]:
        """Return fixed places that each stand for an equal share of the axis: options, whole numbers, middles."""
        if self.options or (self._steps and self._steps < most):
            return self.grid(most)
        return [(i + 0.5) / most for i in range(most)]

    def snapped(self, uniform: Places) -> Places:
        """Return uniform draws from [0, 1] as places that a sampler can draw, each value as likely as another."""
        count = self._steps
        if self.options or not count:
            return uniform
        return np.minimum(np.floor(uniform * (count + 1)), count) / count

    @property
    def _steps(self) -> int:
        """Steps between the whole numbers of an axis that is even in them; 0 for any other."""
        return round(self.high - self.low) if self.is_whole and not self.is_log and not self.options else 0


def axes_of(distributions: Iterable[Mapping[str, BaseDistribution]]) -> tuple[Axis, ...]:
    """Return the axes that trials were drawn from, in the order of their first use; one value is no axis."""
    found: dict[str, list[BaseDistribution]] = {}
    for each in distributions:
        for name, distribution in each.items():
            known = found.setdefault(name, [])
            if distribution not in known:
                known.append(distribution)
    axes = (_axis(name, seen) for name, seen in found.items())
    return tuple(axis for axis in axes if axis is not None)


def _axis(name: str, seen: Sequence[BaseDistribution]) -> Axis | None:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    options = [
        plain(choice) for one in seen if isinstance(one, CategoricalDistribution) for choice in one.choices
    ]
    if options:
        unique = tuple(dict.fromkeys(options))
        return Axis(name, options=unique) if len(unique) > 1 else None
    numbers = [one for one in seen if isinstance(one, (FloatDistribution, IntDistribution))]
    low, high = min(float(one.low) for one in numbers), max(float(one.high) for one in numbers)
    is_log = all(one.log for one in numbers) and low > 0
    is_whole = all(isinstance(one, IntDistribution) for one in numbers)
    return Axis(name, low, high, is_log, is_whole) if high > low else None


def places_of(axes: Sequence[Axis], params: Sequence[Mapping[str, Any]]) -> Places:
    """Return the places of trials on the axes, (N, D)."""
    places = np.full((len(params), len(axes)), np.nan)
    for i, values in enumerate(params):
        for j, axis in enumerate(axes):
            place = axis.place(values.get(axis.name))
            if place is not None:
                places[i, j] = place
    return places


def features(axes: Sequence[Axis], places: Places) -> npt.NDArray[np.float32]:
    """Return columns that a tree can split: a number's place and whether it is active, one column an option.

    An inactive number stands in the middle, so that only the column of its activity tells.
    """
    columns: list[npt.NDArray[Any]] = []
    for j, axis in enumerate(axes):
        column = places[:, j]
        is_active = ~np.isnan(column)
        if axis.options:
            index = np.where(is_active, np.nan_to_num(column) * len(axis.options), -1.0)
            index = np.minimum(np.floor(index), len(axis.options) - 1)
            columns += [index == i for i in range(len(axis.options))]
        else:
            columns += [is_active, np.where(is_active, column, 0.5)]
    return np.stack(columns, axis=1).astype(np.float32)
