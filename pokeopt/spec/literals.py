"""Values as people write them: a label is tried first, then a literal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pokeopt.errors import SpecError
from pokeopt.spec.checker import Tree
from pokeopt.spec.collect import is_marker, unwrapped
from pokeopt.spec.nodes import join, show
from pokeopt.spec.params import Param, same


class Literals:
    """Finds what a written value means at a searched leaf.

    Args:
        axes: Every searched leaf by its path.
        markers: Closed form of each searched key; a key given per layer has one for all of them.
    """

    def __init__(self, axes: Mapping[str, Param], markers: Mapping[str, Tree]) -> None:
        self._axes, self._markers = axes, markers

    def store(self, path: str, value: Any) -> tuple[Any, dict[str, Any]]:
        """Return a value as it is stored, and what it says about leaves below it.

        ``{focal: {gamma: 2.0}}`` is the entry ``focal``, with gamma 2.0.

        Raises:
            SpecError: If it is neither in the range nor among the choices.
        """
        param = self._axes[path]
        if any(same(value, choice) for choice in param.choices):
            return param.check(value), {}
        matches = {}
        for label, entry in self._entries(path).items():
            below = self._unify(unwrapped(entry), value, path)
            if below is not None:
                matches[label] = below
        if len(matches) > 1:
            what = f"{show(value)} may be {' or '.join(matches)}"
            raise SpecError(path, what, "name the label")
        for label, below in matches.items():
            return label, below
        return param.check(value), {}

    def _entries(self, path: str) -> Mapping[str, Tree]:
        """Return the labelled values of a choice; empty where there are none."""
        marker = self._markers.get(path, self._markers.get(path.rpartition(".")[0], {}))
        choice = marker.get("choice")
        return choice if isinstance(choice, dict) else {}

    def _unify(self, tree: Tree, literal: Any, path: str) -> dict[str, Any] | None:
        """Return the values of searched leaves with which a closed form is the literal; None if it cannot be."""
        if is_marker(tree):
            return self._unify_marker(literal, path)
        tree = unwrapped(tree)
        if isinstance(tree, dict):
            if isinstance(literal, str):
                return {} if list(tree) == [literal] else None
            if literal is None:
                return {}
            if not isinstance(literal, Mapping) or not set(literal) <= set(tree):
                return None
            parts = [self._unify(tree[key], value, join(path, key)) for key, value in literal.items()]
        elif isinstance(tree, list):
            if not isinstance(literal, (list, tuple)) or len(literal) != len(tree):
                return None
            parts = [self._unify(item, value, path) for item, value in zip(tree, literal, strict=True)]
        else:
            if isinstance(literal, Mapping) and list(literal) == [tree] and not literal[tree]:
                return {}
            return {} if same(tree, literal) else None
        known = [part for part in parts if part is not None]
        return (
            {key: value for part in known for key, value in part.items()}
            if len(known) == len(parts)
            else None
        )

    def _unify_marker(self, literal: Any, path: str) -> dict[str, Any] | None:
        if path not in self._axes:
            return None
        try:
            stored, below = self.store(path, literal)
        except SpecError:
            return None
        return {path: stored, **below}
