"""Confusion matrices: row-normalised shades, counts in the cells, and a line that names the largest."""

from __future__ import annotations

import math

from markupsafe import Markup

from pokeopt.report.blocks import Figure, simple_table
from pokeopt.report.effects import short
from pokeopt.report.summary import AblationSummary, Confusion
from pokeopt.report.svg import WIDTH, drawing, tag
from pokeopt.report.words import joined, part_name, plural

PAIR_WIDTH = 328  # two matrices side by side
LABEL_HEIGHT = 14
OVER = 2.0  # times its share of the images from which a class counts as over-predicted
MOST_NAMED = 3
MOST_CLASSES = 30  # with more, empty cells are not drawn and no table follows: it would be megabytes


def confusions(ablation: AblationSummary, id_: str) -> Figure | None:
    """Return the confusion matrices, row-normalised, counts in the cells."""
    found = ablation.confusions
    if not found:
        return None
    svgs = tuple(_matrix(confusion, PAIR_WIDTH if len(found) > 1 else WIDTH) for confusion in found)
    readings = [f"{c.label}: {_shares(c)}{text}" for c in found if (text := _top_confusions(c))]
    if len(found) > 2 and len({c.n_runs for c in found}) == 1:
        runs = f"{plural(found[0].n_runs, 'run')} of each arm"
    else:
        runs = joined(f"{plural(c.n_runs, 'run')} of {c.label}" for c in found)
    reading = (
        f"Rows are true classes, columns predictions on the {part_name(found[0].part)} part; the shade is the "
        f"share of the row, the number the count, summed over {runs}. " + " ".join(readings)
    )
    titles = ["Arm", "True class", *found[0].classes]
    rows = [
        [c.label, name, *(f"{100 * n / max(1, sum(line)):.0f} %" for n in line)]
        for c in found
        for name, line in zip(c.classes, c.counts, strict=True)
    ]
    table = simple_table(
        f"{id_}-data", "Share of each true class by prediction", titles, rows, text_columns=2
    )
    is_small = len(found[0].classes) <= MOST_CLASSES
    return Figure(id_, "Which classes are taken for which?", svgs, reading, table if is_small else None)


def over_predicted(confusion: Confusion, times: float = OVER) -> list[tuple[str, float, float]]:
    """Return the classes that take more than ``times`` their share of the images: (class, share of the predictions,
    times its share), the largest first.
    """
    total = sum(map(sum, confusion.counts))
    found = []
    for i, name in enumerate(confusion.classes):
        own, taken = sum(confusion.counts[i]), sum(line[i] for line in confusion.counts)
        if own and total and taken / own > times:
            found.append((name, taken / total, taken / own))
    return sorted(found, key=lambda one: (-one[2], one[0]))


def _shares(confusion: Confusion) -> str:
    """Say which classes are predicted far more often than they are there."""
    found = over_predicted(confusion)[:MOST_NAMED]
    if not found:
        return ""
    said = [
        f"{name} takes {100 * share:.0f} % of the predictions, {times:.1f} × its share of the images"
        for name, share, times in found
    ]
    return f"{joined(said)}; it "


def _matrix(confusion: Confusion, width: float) -> Markup:
    names, counts = confusion.classes, confusion.counts
    longest = min(16, max(len(name) for name in names))
    left, top, right = (
        10 + 7.5 * longest,
        38 + 5.6 * longest,
        4.0 * longest,
    )  # the last name leans over the edge
    size = min(44.0, (width - left - right) / len(names))
    parts = [tag("text", confusion.label, x=0, y=14, class_="label")]
    every = math.ceil(LABEL_HEIGHT / size)
    for i, name in enumerate(names):
        if i % every:
            continue  # no room for its name
        x, y = left + (i + 0.5) * size, top + (i + 0.5) * size
        turned = f"rotate(-50 {x + 4:.1f} {top - 8:.1f})"
        parts.append(tag("text", short(name, 16), x=x + 4, y=top - 8, class_="tick", transform=turned))
        parts.append(tag("text", short(name, 16), x=left - 8, y=y + 4, class_="tick", text_anchor="end"))
    for i, line in enumerate(counts):
        total = max(1, sum(line))
        for j, n in enumerate(line):
            if not n and len(names) > MOST_CLASSES:
                continue
            share = n / total
            title = f"{names[i]} taken for {names[j]}: {n} of {sum(line)} ({100 * share:.0f} %)"
            x, y = left + j * size, top + i * size
            box = tag(
                "rect", tag("title", title), x=x, y=y, width=size - 1, height=size - 1, class_="heat",
                fill_opacity=f"{0.04 + 0.96 * share:.2f}",
            )  # fmt: skip
            parts.append(box)
            digits = len(str(n))
            if n and size >= 5 + 5.5 * digits:
                class_ = "count on" if share > 0.5 else "count"
                class_ += "" if size >= 5 + 7 * digits else " small"
                x, y = x + size / 2 - 0.5, y + size / 2 + 4
                parts.append(tag("text", str(n), x=x, y=y, class_=class_, text_anchor="middle"))
    label = f"Confusion matrix of {confusion.label}"
    return drawing(top + size * len(names) + 4, label, *parts, width=width)


def _top_confusions(confusion: Confusion, most: int = 3) -> str:
    """Name the largest shares off the diagonal."""
    shares = [
        (n / max(1, sum(line)), confusion.classes[i], confusion.classes[j])
        for i, line in enumerate(confusion.counts)
        for j, n in enumerate(line)
        if i != j and n
    ]
    largest = sorted(shares, key=lambda item: (-item[0], item[1], item[2]))[:most]
    names = [f"{true} for {taken} ({100 * share:.0f} %)" for share, true, taken in largest]
    return f"most often takes {joined(names)}." if names else "takes no class for another."
