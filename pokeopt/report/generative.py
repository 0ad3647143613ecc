"""What a model that makes images knows: errors of its images, probe of its latent, loss terms, partitions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pokeopt.ablation import Level, level
from pokeopt.report.blocks import Cell, Column, Section, Table, cells, headed, present
from pokeopt.report.cells import Cells
from pokeopt.report.summary import AblationSummary, Chance, MetricSummary, StudySummary
from pokeopt.report.words import (
    ABSENT,
    axis_name,
    interval,
    joined,
    level_digits,
    lower_note,
    number,
    plural,
    telling_digits,
)

IMAGES = ("mse", "mae", "psnr", "ssim", "edge_sharpness")
LATENT = (
    "kl",
    "head_accuracy",
    "probe_accuracy",
    "dead_partitions",
    "partition_information",
    "partition_effect",
)
TERMS = ("loss_term", "gradient_share")
PROBES = ("probe_accuracy", "head_accuracy")


def summarise_generative(known: Cells, part: str, share: float | None = None) -> tuple[MetricSummary, ...]:
    """Return every metric that only models which make images have; none for a model that names classes.

    ``share`` widens the intervals where every seed redraws the test part, as in ``paired_difference``.
    """
    if not any(name in known.known for name in (f"{part}/mse", "val/mse")):
        return ()
    found = []
    for name in (*IMAGES, *LATENT, *TERMS):
        for metric in _named(name, known, part):
            scores = {arm: values for arm, values in known.by_arm(metric).items() if values}
            levels = {arm: level(values, test_share=share) for arm, values in scores.items()}
            found.append(MetricSummary(metric, known.direction_of(metric), levels, {}, scores))
    return tuple(found)


def chance_of(known: Cells) -> Chance | None:
    """Return what guessing scores on a probe: with classes at random, and always the largest class."""
    for predictions in known.predictions.values():
        for part in predictions.parts.values() if predictions is not None else ():
            counts = np.bincount(part.truth)
            if predictions is not None and len(predictions.classes) > 1 and counts.sum():
                return Chance(len(predictions.classes), float(counts.max() / counts.sum()))
    return None


def section(study: StudySummary, prefix: str, *, several: bool) -> Section | None:
    """Return the section; None where no arm makes images."""
    ablation = study.ablation
    if ablation is None or not ablation.generative:
        return None
    id_ = f"{prefix}generative"
    images = _table(
        ablation, IMAGES, f"{id_}-images", "Errors and likeness of the images that each arm makes"
    )
    latent = _table(ablation, LATENT, f"{id_}-latent", "What the latent knows", _chance_note(ablation))
    shown = present((images, latent, _terms(ablation, f"{id_}-terms")))
    what = joined(name for name, table in (("the made images", images), ("the latent", latent)) if table)
    verb = "is" if images is None else "are"
    heading = f"Generative: what {what} {verb} worth" if what else "Generative: the terms of the loss"
    return Section(id_, headed(heading, study.title, several=several), shown) if shown else None


def _terms(ablation: AblationSummary, id_: str) -> Table | None:
    """Return the terms of the loss; None where there is one, which is the loss itself."""
    names = [found.metric.partition("/")[2] for found in ablation.generative]
    terms, shares = ([name for name in names if name.startswith(f"{kind}/")] for kind in TERMS)
    if len(terms) < 2 and len(shares) < 2:
        return None
    caption = "The terms of the loss" + (", and the share that each has of the gradient" if shares else "")
    return _table(ablation, TERMS, id_, caption)


def _named(name: str, known: Cells, part: str) -> list[str]:
    """Return a metric's full names, on the scored part where it is measured there, else where it is."""
    for where in dict.fromkeys((part, "test", "val", "train")):
        start = f"{where}/{name}"
        found = sorted(one for one in known.known if one == start or one.startswith(f"{start}/"))
        if found:
            return found
    return []


def _table(
    ablation: AblationSummary, names: Sequence[str], id_: str, caption: str, note: str = ""
) -> Table | None:
    rows = [
        found for found in ablation.generative if found.metric.partition("/")[2].partition("/")[0] in names
    ]
    arms = [arm for arm in ablation.arms if any(arm.id in found.levels for found in rows) and not arm.same_as]
    if not rows:
        return None
    columns = (Column("Metric", is_number=False), *(Column(arm.label) for arm in arms))
    lines = tuple(
        cells(
            axis_name(found.metric) + lower_note(found.metric, found.direction),
            *(
                _cell(found.levels.get(arm.id), level_digits(found.levels.values(), found.metric))
                for arm in arms
            ),
        )
        for found in rows
    )
    n = max((level.n for found in rows for level in found.levels.values()), default=0)
    return Table(
        id_, f"{caption}: mean over {plural(n, 'seed')} with its 95 % t interval.", columns, lines, note=note
    )


def _cell(found: Level | None, digits: int) -> Cell:
    if found is None or found.mean is None:
        return Cell(ABSENT)
    digits = telling_digits(digits, found.low, found.high)
    return Cell(f"{number(found.mean, digits)} {interval(found.low, found.high, digits)}".strip(), found.mean)


def _chance_note(ablation: AblationSummary) -> str:
    chance = ablation.chance
    probes = [
        found for found in ablation.generative if found.metric.partition("/")[2].partition("/")[0] in PROBES
    ]
    if chance is None or not probes:
        return ""
    said = (
        f"a guess among {chance.n_classes} classes {number(1 / chance.n_classes)}",
        f"always naming the largest {number(chance.majority)}",
    )
    return f"By chance, accuracy is: {joined(said)}."
