"""A description of a data set as one offline HTML page."""

from __future__ import annotations

import base64
from functools import cache
from itertools import groupby

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from pokeopt.data.description import DataDescription, Sample
from pokeopt.data.sources.base import PARTS

BAR_PX, BAR_HEIGHT_PX = 40, 10
N_SHOWN = 20  # pairs and sizes that are listed; of more only the number is said
N_STEP_SAMPLES = 8  # columns of the table of steps: as many as fit the page at 64 pixels


def describe_html(description: DataDescription) -> str:
    """Return the page; equal descriptions give equal bytes. It needs no network and no script."""
    by_class = {name: list(own) for name, own in groupby(description.samples, lambda s: s.class_name)}
    largest = max((share for row in description.classes for share in row.shares.values()), default=1.0)
    return (
        _environment()
        .get_template("description.html.j2")
        .render(
            d=description,
            finding=_finding(description),
            leaks=_leaks(description),
            largest=largest,
            by_class=by_class,
            compared=_spread(by_class),
            n_shown=N_SHOWN,
        )
    )


def share_bar(share: float, largest: float, label: str) -> Markup:
    """Return an inline SVG bar: a share of 0 to 1, the ``largest`` one as wide as the bar may be."""
    width = BAR_PX * share / (largest or 1.0)
    return Markup(
        f'<svg width="{BAR_PX}" height="{BAR_HEIGHT_PX}" role="img" aria-label="{escape(label)}">'
        f'<rect class="bar" width="{width:.1f}" height="{BAR_HEIGHT_PX}"/></svg>'
    )


def picture(png: bytes, text: str) -> Markup:
    """Return an image element that carries its bytes."""
    data = base64.b64encode(png).decode()
    return Markup(f'<img src="data:image/png;base64,{data}" alt="{escape(text)}" title="{escape(text)}">')


def percent(share: float) -> str:
    """Write a share of 0 to 1.

    >>> percent(0.187), percent(0.004)
    ('19 %', '0.4 %')
    """
    return f"{100 * share:.0f} %" if share >= 0.0095 or not share else f"{100 * share:.1g} %"


def _finding(description: DataDescription) -> str:
    classes = sorted(description.classes, key=lambda row: row.n_images)
    smallest, largest = classes[0], classes[-1]
    parts = ", ".join(f"{description.parts[part]} {part}" for part in PARTS)
    sentences = [f"{description.n_images} images of {len(classes)} classes: {parts}."]
    share = percent(largest.n_images / description.n_images)
    if largest.n_images > smallest.n_images:
        times = f"{largest.n_images / smallest.n_images:.1f} times"
        sentences.append(
            f"{largest.name} is the largest class, {times} as large as {smallest.name}; "
            f"always answering {largest.name} is right in {share} of the images."
        )
    else:
        sentences.append(f"All classes are equally large; a guess is right in {share} of the images.")
    return " ".join(sentences)


def _leaks(description: DataDescription) -> list[str]:
    """Say in which ways val and test know the images of train."""
    found = []
    across, within = len(description.duplicates_across), len(description.duplicates_within)
    if across:
        held = "val, test and the external sets" if len(description.parts) > len(PARTS) else "val and test"
        found.append(f"{across} of the images of {held} lie in another part as well, pixel for pixel.")
    else:
        found.append("No image lies in two parts, pixel for pixel.")
    if within:
        found.append(f"{within} images are the same as another of their own part.")
    if description.n_groups is not None:
        n_groups, shared = description.n_groups, description.groups_across
        if shared:
            found.append(
                f"{shared} of {n_groups} groups have images in train and in val or test: scores there say nothing "
                "about a new group. For that, split by group."
            )
        else:
            found.append(f"No one of the {n_groups} groups lies both in train and in val or test.")
    return found


def _spread(by_class: dict[str, list[Sample]]) -> list[Sample]:
    """Take samples from each class in turn, for the table of steps."""
    longest = max((len(own) for own in by_class.values()), default=0)
    in_turn = [own[turn] for turn in range(longest) for own in by_class.values() if turn < len(own)]
    return in_turn[:N_STEP_SAMPLES]


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("pokeopt.data"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(share_bar=share_bar, picture=picture, percent=percent)
    return environment
