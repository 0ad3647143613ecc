"""Checks on the comparison: arms that differ in more than what is studied, losses of different meaning."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pokeopt.report.checks.base import Finding, named, rule
from pokeopt.report.checks.evidence import ArmFacts, Evidence
from pokeopt.report.words import joined, metric_name, plain, quantity

MOST_RATIO = 2.0  # of parameters
TRAINED_LOSSES = ("total_loss", "loss_term")  # what the optimizer lowers, in units of its own loss
IMAGE_ERRORS = ("mse", "class_mse", "slice_mse", "mae", "psnr")  # their unit is the target's pixel
TARGETS = ("data.source", "data.image_size", "data.channels", "data.preprocess", "data.kind", "data.part")
Leaves = dict[str, Any]


@rule(
    "PK12",
    "arms that differ in more than the declared factor",
    "issue",
    why="The effect belongs to all differences together; no one of them can be given the credit.",
    mend="Give each difference an arm of its own, or set it alike in all arms (set:).",
)
def more_than_declared(evidence: Evidence) -> Iterator[Finding]:
    """A configuration differs where the arm declares nothing, an arm declares several, or its size doubles."""
    by_id = {arm.id: arm for arm in evidence.arms}
    for arm in evidence.arms:
        reference = by_id.get(arm.reference)
        if reference is None or not arm.config or not reference.config:
            continue
        hidden = undeclared(arm, reference)
        if hidden:
            pairs = named([f"{key} ({plain(a)} → {plain(b)})" for key, a, b in hidden])
            yield Finding(f"Beside what it declares, {arm.id} differs from {reference.id} in {pairs}.")
        elif len(arm.changes) > 1 and not arm.is_path:
            says = f"Arm {arm.id} differs from {reference.id} in {named(arm.changes)} at once."
            yield Finding(says, level="tip")
        if arm.n_params and reference.n_params:
            ratio = arm.n_params / reference.n_params
            if max(ratio, 1 / ratio) > MOST_RATIO:
                says = (
                    f"Arm {arm.id} has {quantity(arm.n_params)} parameters, {reference.id} "
                    f"{quantity(reference.n_params)}: {_times(ratio)} as many."
                )
                yield Finding(says, level="tip")


def _times(ratio: float) -> str:
    """Return a ratio as one says it, with two figures; below 1 as a fraction.

    >>> _times(4.21), _times(0.0348), _times(160.4)
    ('4.2 times', '1/29', '160 times')
    """
    if ratio < 1:
        return f"1/{_two_figures(1 / ratio)}"
    return f"{_two_figures(ratio)} times"


def _two_figures(value: float) -> str:
    return f"{value:.2g}" if value < 100 else f"{value:.0f}"


def undeclared(arm: ArmFacts, reference: ArmFacts) -> list[tuple[str, Any, Any]]:
    """Return (key, reference's value, arm's) for what differs and neither arm declares.

    A leaf that exists in one of both moves with what made it exist; a list of layers that is only cut, or continued,
    moves with its counter, and a counter with the list that is declared.
    """
    declared = {*arm.changes, *reference.changes}
    sections = {key.partition(".")[0] for key in declared}
    left, right = leaves(reference.config), leaves(arm.config)
    found = []
    for key in dict.fromkeys([*left, *right]):
        a, b = left.get(key), right.get(key)
        if a == b or any(_covers(one, key) for one in declared):
            continue
        if key.startswith("external.") and key.endswith(".preprocess"):
            continue  # left out, it is the trial's; PK03 looks at it
        if _is_length(a, b, [(left.get(one), right.get(one)) for one in declared]):
            continue
        if key.partition(".")[0] in sections and (key not in left or key not in right or _is_cut(a, b)):
            continue
        found.append((key, a, b))
    return found


def leaves(tree: Mapping[str, Any], path: str = "") -> Leaves:
    """Return dotted key to value; lists are values.

    >>> leaves({"model": {"width": [8, 4]}, "loss": {}})
    {'model.width': [8, 4], 'loss': {}}
    """
    found: Leaves = {}
    for key, value in tree.items():
        here = f"{path}.{key}" if path else key
        if isinstance(value, Mapping) and value:
            found |= leaves(value, here)
        else:
            found[here] = value
    return found


def _covers(declared: str, key: str) -> bool:
    """Whether a declared key speaks of a leaf: it is the leaf, lies above it or within it, or names its family."""
    if declared.endswith((".family", ".source")):
        declared = declared.rpartition(".")[0]
    return key == declared or key.startswith(f"{declared}.") or declared.startswith(f"{key}.")


def _is_length(left: Any, right: Any, declared: Iterable[tuple[Any, Any]]) -> bool:
    """Whether a number counts the layers of a list that is declared: a list's length sets its counter."""
    return any(
        isinstance(a, list) and isinstance(b, list) and (left, right) == (len(a), len(b)) for a, b in declared
    )


def _is_cut(left: Any, right: Any) -> bool:
    """Whether one list begins the other."""
    if not isinstance(left, list) or not isinstance(right, list):
        return False
    n = min(len(left), len(right))
    return len(left) != len(right) and left[:n] == right[:n]


@rule(
    "PK14",
    "losses that cannot be compared",
    "issue",
    why="Two losses, or one loss on two targets, have different units: which is smaller says nothing of the arms.",
    mend="Compare the arms by a metric that none of them trains: PSNR or SSIM on one target, accuracy, macro-F1.",
)
def incomparable_losses(evidence: Evidence) -> Iterator[Finding]:
    """The arms are compared by a trained loss and differ in it, or by an image error and differ in the target."""
    configs = {arm.id: leaves(arm.config) for arm in evidence.arms if arm.config}
    for metric in evidence.compared:
        base = metric.partition("/")[2].partition("/")[0]
        if base in TRAINED_LOSSES:
            differing = _differing(configs, ("loss", *TARGETS))
        elif base in IMAGE_ERRORS:
            differing = _differing(configs, TARGETS)
        else:
            continue
        if differing:
            yield Finding(f"Arms are compared by {metric_name(metric)} and differ in {joined(differing)}.")


def _differing(configs: Mapping[str, Leaves], keys: tuple[str, ...]) -> list[str]:
    """Return the keys at or below those given whose values are not the same in all arms."""
    known = dict.fromkeys(leaf for config in configs.values() for leaf in config)
    return [
        leaf
        for leaf in known
        if any(leaf == key or leaf.startswith(f"{key}.") for key in keys)
        and len({json.dumps(config.get(leaf), sort_keys=True) for config in configs.values()}) > 1
    ]
