"""Designs: which combinations of factor levels become arms."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from pokeopt.spec.nodes import Node, show

Design = Literal["one-at-a-time", "factorial", "fractional", "leave-one-out", "path"]
DESIGNS: tuple[str, ...] = get_args(Design)
MOST_ARMS = 256  # 256 arms of 3 seeds are a month of small networks


@dataclass(frozen=True)
class Level:
    """One value of a factor: what a table calls it, and the value as it was written."""

    label: str
    value: Node


@dataclass(frozen=True)
class Combination:
    """One arm of a design: a level of every factor."""

    id: str
    levels: Mapping[str, Level]


def combinations(factors: Mapping[str, Sequence[Level]], design: str) -> list[Combination]:
    """Return the arms of a design, the reference (every factor at its first level) first.

    - ``one-at-a-time``: the reference with one factor at one other level.
    - ``factorial``: every combination.
    - ``fractional``: half of the combinations of two-level factors; the last factor follows the others (its level is
      the parity of theirs), so that a main effect is mixed up only with the interaction of all other factors.
    - ``leave-one-out``: the last levels of all (``best``), and the same with one factor back at its first.
    - ``path``: factors moved to their last level one after the other, in the file's order.

    Raises:
        ValueError: If the factors do not fit the design.
    """
    first = {key: levels[0] for key, levels in factors.items()}
    last = {key: levels[-1] for key, levels in factors.items()}
    if design == "one-at-a-time":
        found = [
            Combination(_id(first, {**first, key: level}), {**first, key: level})
            for key, levels in factors.items()
            for level in levels[1:]
        ]
    elif design in ("factorial", "fractional"):
        _check_size(factors, design)
        every = [dict(zip(factors, levels, strict=True)) for levels in itertools.product(*factors.values())]
        kept = every if design == "factorial" else [one for one in every if _is_even(factors, one)]
        found = [Combination(_id(first, one), one) for one in kept if one != first]
    elif design == "leave-one-out":
        found = [Combination(f"best-{key}", {**last, key: first[key]}) for key in factors]
        found.append(Combination("best", last))
    else:
        keys = list(factors)
        found = [
            Combination(f"path.{i}", {key: (last if key in keys[:i] else first)[key] for key in keys})
            for i in range(1, len(keys))
        ]
        found.append(Combination("best", last))
    return [Combination("baseline", first), *found]


def _check_size(factors: Mapping[str, Sequence[Level]], design: str) -> None:
    n_arms = 1
    for levels in factors.values():
        n_arms *= len(levels)
    if n_arms > MOST_ARMS:
        raise ValueError(f"these levels make {n_arms} arms, more than {MOST_ARMS}")
    if design == "fractional" and (len(factors) < 3 or any(len(levels) != 2 for levels in factors.values())):
        raise ValueError("a fractional design needs three factors or more, of two levels each")


def _is_even(factors: Mapping[str, Sequence[Level]], one: Mapping[str, Level]) -> bool:
    """Whether an even number of factors stand at their second level: the reference is in the half that is kept."""
    return sum(one[key] is levels[1] for key, levels in factors.items()) % 2 == 0


def _id(first: Mapping[str, Level], one: Mapping[str, Level]) -> str:
    return ",".join(f"{key}={level.label}" for key, level in one.items() if level is not first[key])


def level_label(node: Node) -> str:
    """Return what an arm's id calls a value: itself, lists without spaces, a component by its name."""
    if node.is_mapping:
        return ",".join(node.mapping)
    if node.is_list:
        return "[" + ",".join(level_label(item) for item in node.items) + "]"
    value = node.value
    return (
        value
        if isinstance(value, str)
        else "none"
        if value is None
        else f"{value:.4g}"
        if isinstance(value, float)
        else show(value)
    )
