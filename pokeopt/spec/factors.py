"""Factors: what the arms of an ablation move, one at a time."""

from __future__ import annotations

from dataclasses import dataclass

from pokeopt.spec.leaves import Leaves
from pokeopt.spec.params import Param


@dataclass(frozen=True)
class Factor:
    """What one arm of an ablation moves: a searched key with the leaves that exist only through it.

    All layers of a key are one factor, what counts them another.

    Attributes:
        key: ``model.width``, ``training.optimizer``.
        paths: Its leaves, in the order of the space.
    """

    key: str
    paths: tuple[str, ...]


def factors_of(leaves: Leaves) -> tuple[Factor, ...]:
    """Return the factors of a space, in file order."""
    paths: dict[str, list[str]] = {}
    for param in leaves.params:
        paths.setdefault(_root(leaves, param), []).append(param.path)
    return tuple(Factor(key, tuple(found)) for key, found in paths.items())


def _root(leaves: Leaves, param: Param) -> str:
    """Return the factor of a leaf: the first key through which it exists, up to one that stands by itself."""
    for path in leaves.owners(param):
        return _root(leaves, leaves.by_path[path])
    return leaves.key_of(param.path)
