"""The arms between a baseline and a search's best: what is re-run to learn why the best is good."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pokeopt.ablation.forest import fit_forest
from pokeopt.ablation.hashes import config_hash
from pokeopt.errors import SpecError
from pokeopt.registry import nearest

if TYPE_CHECKING:
    from pokeopt.spec import Space

BASELINE, BEST, WITHOUT, PATH = "baseline", "best", "best-", "path."
MODES = ("one-at-a-time", "leave-one-out", "path")
Values = Mapping[str, Any]


@dataclass(frozen=True)
class Arm:
    """One declared configuration of a confirm study.

    Attributes:
        id: Its name in plans, claims and rows: ``baseline``, ``best``, ``KEY=VALUE``, ``best-KEY``,
            ``path.1``.
        label: What a table calls it.
        values: Every active searched leaf, path to value.
        changes: What differs from the baseline, key to (from, to); the layers of a key as a list, None where
            absent.
        config: The resolved configuration; where ``prefix`` is given, that of the longer training.
        levels: Factor to its level, where a design made the arm.
        prefix: ``{of: ARM, epochs: N}`` where the arm is read from the first epochs of another arm's training.
    """

    id: str
    label: str
    values: Values
    changes: Mapping[str, tuple[Any, Any]]
    config: Mapping[str, Any]
    levels: Mapping[str, str] = field(default_factory=dict)
    prefix: Mapping[str, Any] | None = None

    @cached_property
    def config_hash(self) -> str:
        """The hash of the resolved configuration; arms of equal hash share their cells."""
        return config_hash(self.config)

    def as_attribute(self) -> dict[str, Any]:
        """Return what the study attribute ``arms`` keeps of it: JSON values only."""
        changes = {key: list(pair) for key, pair in self.changes.items()}
        kept = {"id": self.id, "label": self.label, "changes": changes, "config_hash": self.config_hash}
        if self.levels:
            kept["levels"] = dict(self.levels)
        return kept | ({"prefix": dict(self.prefix)} if self.prefix else {})


def reference_of(arm_id: str) -> str:
    """Return the arm that an arm is compared with: the best for leave-one-out, else the baseline."""
    return BEST if arm_id.startswith(WITHOUT) else BASELINE


def build_arms(
    space: Space,
    baseline: Values,
    best: Values,
    mode: str = "one-at-a-time",
    top: int | None = None,
    include: Sequence[str] = (),
    rows: Sequence[tuple[Values, float]] = (),
    direction: str = "maximize",
) -> list[Arm]:
    """Return the arms, baseline first; a single one if the best is the baseline.

    Args:
        space: The search space of both.
        baseline: Values of the reference; it may hold values of inactive leaves, for arms that activate them.
        best: Values of the search's best trial.
        mode: ``one-at-a-time`` (the baseline with one factor moved), ``leave-one-out`` (the best with one
            factor moved back) or ``path`` (factors moved one after the other, the largest predicted gain
            first).
        top: Keep the k factors of the largest change that a random forest fitted to ``rows`` predicts, ties
            in file order; None keeps all.
        include: Factors that always get an arm if they differ.
        rows: The search's COMPLETE trials: values and score.
        direction: ``maximize`` or ``minimize``; the path's order needs it.

    Raises:
        SpecError: For an unknown mode or factor.
    """
    if mode not in MODES:
        raise SpecError("ablation.mode", f"no mode is called '{mode}'", nearest(mode, MODES))
    start, end = space.active(baseline), space.active(best)
    keys = [factor.key for factor in space.factors()]
    for key in include:
        if key not in keys:
            raise SpecError("ablation.include", f"'{key}' is not a searched key", nearest(key, keys))

    def arm(id_: str, label: str, values: Values) -> Arm:
        return Arm(id_, label, dict(values), changes(start, values), space.config(values))

    arms = [arm(BASELINE, "baseline", start)]
    if start == end:
        return arms
    moved = {key: space.active(space.move(baseline, end, key)) for key in keys}
    forest = fit_forest(space.params, rows)
    gain = {key: forest(values) - forest(start) for key, values in moved.items() if values != start}
    kept = _largest(gain, top, include)
    if mode == "one-at-a-time":
        for key in kept:
            pairs = _changed_keys(key, start, moved[key])
            id_ = ",".join(f"{name}={value}" for name, value in pairs)
            label = ", ".join(f"{name} = {value}" for name, value in pairs)
            arms.append(arm(id_, label, moved[key]))
    elif mode == "leave-one-out":
        for key in kept:
            back = space.active(space.move({**best, **end}, baseline, key))
            if back != end:
                arms.append(arm(f"{WITHOUT}{key}", f"best without {key}", back))
    else:
        sign = 1 if direction == "maximize" else -1
        arms += [
            arm(f"{PATH}{step}", f"+ {key}", values)
            for step, (key, values) in enumerate(_path(space, baseline, end, kept, forest, sign), start=1)
        ]
    return [*arms, arm(BEST, "best", end)]


def changes(start: Values, end: Values) -> dict[str, tuple[Any, Any]]:
    """Return what differs, key to (from, to), in the order of ``start``, then of ``end``; None stands for
    absent.

    >>> changes({"width.0": 8, "act": "relu"}, {"width.0": 8, "width.1": 4, "act": "relu"})
    {'width': ([8], [8, 4])}
    """
    before, after = grouped(start), grouped(end)
    both = dict.fromkeys([*before, *after])
    return {key: (before.get(key), after.get(key)) for key in both if before.get(key) != after.get(key)}


def grouped(values: Values) -> dict[str, Any]:
    """Return the values with the layers of one key as one list: ``width.0``, ``width.1`` become ``width: [.,
    .]``.
    """
    result: dict[str, Any] = {}
    layers: dict[str, list[tuple[int, Any]]] = {}
    for path, value in values.items():
        if match := re.fullmatch(r"(.+)\.(\d+)", path):
            key = match[1]
            layers.setdefault(key, []).append((int(match[2]), value))
            result[key] = [item for _, item in sorted(layers[key], key=lambda pair: pair[0])]
        else:
            result[path] = value
    return result


def show(value: Any) -> str:
    """Return a value as an arm's id writes it: four significant digits, lists without spaces."""
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(show(item) for item in value) + "]"
    if value is None or isinstance(value, bool):
        return {None: "none", True: "true", False: "false"}[value]
    return str(value)


def _changed_keys(factor: str, start: Values, moved: Values) -> list[tuple[str, str]]:
    """Return what names an arm: its factor's key; the settings below it where only they were moved."""
    changed = changes(start, moved)
    named = [factor] if factor in changed else list(changed)
    return [(key, show(changed[key][1])) for key in named]


def _largest(gain: Mapping[str, float], top: int | None, include: Sequence[str]) -> list[str]:
    """Choose by predicted change, keep file order."""
    ranked = sorted(gain, key=lambda key: -abs(gain[key]))  # sorted is stable: ties stay in file order
    chosen = {*ranked[:top], *include}
    return [key for key in gain if key in chosen]


def _path(
    space: Space, baseline: Values, end: Values, keys: Sequence[str], forest: Any, sign: int
) -> list[tuple[str, Values]]:
    """Move one factor after the other, greedily by predicted score; the step that arrives at the best is
    left out.
    """
    steps: list[tuple[str, Values]] = []
    here, left = dict(baseline), list(keys)
    while left:
        options = {key: space.move(here, end, key) for key in left}
        # max takes the first of equals: file order
        key = max(left, key=lambda k: sign * forest(space.active(options[k])))
        left.remove(key)
        now = space.active(options[key])
        if now == end:
            break
        if now != space.active(here):
            steps.append((key, now))
        here = {**baseline, **options[key]}  # inactive values of the baseline stay at hand
    return steps
