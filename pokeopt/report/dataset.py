"""The images of a study, summarised from what its rows and predictions know of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pokeopt.registry import split_component
from pokeopt.report.predictions import read_predictions
from pokeopt.report.summary import DataSummary, Drawn
from pokeopt.report.words import joined
from pokeopt.store import StudyView

if TYPE_CHECKING:
    from pokeopt.store import Store

OF_THE_SOURCE_ALONE = ("source",)
BY_ARM = "$arms"  # no preprocessing step is called so
MOST_READ = (
    20  # trials whose predictions are looked at for classes: what the first ones lack, others hardly have
)


def summarise_data(store: Store, views: Sequence[StudyView]) -> DataSummary | None:
    """Return the data of the first study that knows it; None if no trial ever saw an image.

    The study attribute ``data``, where the driver left one, holds ``classes`` (a list), ``counts`` (part to a
    list of images a class), ``external`` (name to images) and ``duplicates_across_splits`` (pairs of ids).
    Where there is none, predictions tell what they know: validation, test and external sets.
    """
    if not views:
        return None
    spec = _as_run(views[0]) if "plan" in views[0].attrs else views[0].spec
    section = dict(spec.get("data") or _first_config(views).get("data") or {})
    told: dict[str, Any] = next((dict(v.attrs["data"]) for v in views if v.attrs.get("data")), {})
    classes = tuple(told.get("classes", ()))
    counts = {part: tuple(values) for part, values in (told.get("counts") or {}).items()}
    sizes = {part: sum(values) for part, values in counts.items()}
    sizes |= {part: int(n) for part, n in (told.get("external") or {}).items()}
    if not told:
        classes, counts = _from_predictions(store, views)
        sizes = {part: sum(values) for part, values in counts.items()}
    duplicates = told.get("duplicates_across_splits")
    return DataSummary(
        source=str(section.get("source", "unknown")),
        settings={key: value for key, value in section.items() if key not in OF_THE_SOURCE_ALONE},
        parts=tuple(sizes),
        classes=classes,
        counts=counts,
        sizes=sizes,
        external={name: describe_external(found) for name, found in (spec.get("external") or {}).items()},
        data_hashes=_hashes(views, "data_hash"),
        split_hashes=_hashes(views, "split_hash"),
        duplicates=None if duplicates is None else tuple((str(a), str(b)) for a, b in duplicates),
        task=str(views[0].spec.get("task") or "classification"),
        drawn=_drawn(views, len(classes)),
    )


def describe_external(section: Mapping[str, Any]) -> str:
    """Return in words which images an external set holds and how they are prepared."""
    steps = section.get("preprocess")
    prepared = "prepared as in training" if steps is None else f"preprocess: {steps_text(steps)}"
    prepared = "not preprocessed" if steps == [] else prepared
    if "of" in section:
        return f"the {section['of']} part, {prepared}"
    settings = ", ".join(f"{key} {value}" for key, value in section.items() if key != "preprocess")
    return f"{settings}; {prepared}"


def steps_text(steps: Any) -> str:
    """Return preprocessing steps as a chain of arrows, a searched one with all its options."""
    if not steps:
        return "none"
    if isinstance(steps, Mapping) and BY_ARM in steps:
        return "; ".join(f"{arm}: {steps_text(chain)}" for arm, chain in steps[BY_ARM].items())
    if isinstance(steps, Mapping) and "$value" in steps:  # chosen by its label
        return (
            f"{steps['$label']} ({steps_text(steps['$value'])})"
            if "$label" in steps
            else steps_text(steps["$value"])
        )
    if isinstance(steps, Mapping):
        options = steps.get("choice", {})
        chains = [f"{label} ({steps_text(chain)})" for label, chain in options.items()]
        return f"searched: {joined(chains, 'or')}"
    return " → ".join(split_component(step)[0] for step in steps)


def prepared_text(steps: Any) -> str:
    """Return how images are prepared: the steps, a choice by its label, or that there are none.

    >>> prepared_text([]), prepared_text(["threshold", "mask"])
    ('not preprocessed', 'threshold → mask')
    """
    if isinstance(steps, str):
        return steps
    return steps_text(steps) if steps else "not preprocessed"


def _from_predictions(
    store: Store, views: Sequence[StudyView]
) -> tuple[tuple[str, ...], dict[str, tuple[int, ...]]]:
    for view in views:
        for row in view.complete[:MOST_READ]:
            if found := read_predictions(store, view.name, row.number):
                n_classes = len(found.classes)
                counts = {
                    part: tuple(np.bincount(predictions.truth, minlength=n_classes).tolist())
                    for part, predictions in found.parts.items()
                }
                order = sorted(counts, key=lambda part: (part not in ("val", "test"), part != "val", part))
                return found.classes, {part: counts[part] for part in order}
    return (), {}


def _as_run(view: StudyView) -> dict[str, Any]:
    """Return the first configuration of a plan's study; where arms are prepared in different ways, each way."""
    configs = {row.arm_id: row.config for row in reversed(view.trials) if row.arm_id and row.config}
    order = [arm["id"] for arm in view.attrs.get("arms", ()) if arm["id"] in configs]
    if not order:
        return dict(view.spec)
    config = configs[order[0]]
    ways = {arm: configs[arm]["data"].get("preprocess") or [] for arm in order}
    if any(way != ways[order[0]] for way in ways.values()):
        return {**config, "data": {**config["data"], "preprocess": {BY_ARM: ways}}}
    return config


def _drawn(views: Sequence[StudyView], n_classes: int) -> tuple[Drawn, ...]:
    """Return what each sampler drew in the first run that recorded it, by the sampler's name."""
    found: dict[str, Drawn] = {}
    for row in (row for view in views for row in view.complete):
        told = row.attrs.get("first_epoch")
        if not told or len(told["drawn"]) != n_classes:
            continue
        sampler = split_component((row.config.get("training") or {}).get("sampler", "sampler"))[0]
        found.setdefault(sampler, Drawn(sampler, tuple(told["drawn"]), tuple(told["distinct"])))
    return tuple(found[sampler] for sampler in sorted(found))


def _first_config(views: Sequence[StudyView]) -> dict[str, Any]:
    return next((row.config for view in views for row in view.trials if row.config), {})


def _hashes(views: Sequence[StudyView], key: str) -> tuple[str, ...]:
    return tuple(
        sorted({str(row.attrs[key]) for view in views for row in view.counted if row.attrs.get(key)})
    )
