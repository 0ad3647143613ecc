"""The pictures of trials as blocks of the page: each is embedded once, and drawn again or named where it comes back."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from markupsafe import Markup

from pokeopt.report.blocks import Block, Picture, Section, Sheet, Text, headed
from pokeopt.report.effects import styles
from pokeopt.report.summary import Gallery, PictureGroup, StudySummary, TrialPicture
from pokeopt.report.svg import marker, tag
from pokeopt.report.words import joined

Look = Mapping[str, tuple[str, str]]  # arm id to the class of its colour and its marker


@dataclass(frozen=True)
class Places:
    """Where the pictures of a page stand.

    Attributes:
        first: A picture's hash to the figure that embeds it, and the study that this is of.
        again: The hashes of those that a later figure shows beside others.
    """

    first: Mapping[str, tuple[str, str]]
    again: frozenset[str]


def places_of(found: Iterable[tuple[str, StudySummary]]) -> Places:
    """Return where the pictures of studies stand, each study behind the prefix of its ids, in reading order."""
    first: dict[str, tuple[str, str]] = {}
    again: set[str] = set()
    for prefix, study in found:
        for i, gallery in enumerate(study.galleries):
            for j, group in enumerate(gallery.groups):
                hashes = {picture.sha256 for picture in group.pictures}
                if hashes <= first.keys():
                    continue  # named, not drawn
                again |= hashes & first.keys()
                first |= dict.fromkeys(hashes - first.keys(), (f"{prefix}pictures-{i}-{j}", gallery.study))
    return Places(first, frozenset(again))


def section(found: StudySummary, prefix: str, places: Places, *, several: bool) -> Section | None:
    """Return the section of a study's pictures; None where none is shown."""
    id_ = f"{prefix}pictures"
    look = styles(found.ablation.arms) if found.ablation else {}
    blocks = [
        block
        for i, gallery in enumerate(found.galleries)
        if gallery.groups
        for block in _gallery(gallery, f"{id_}-{i}", places, look)
    ]
    if not blocks:
        return None
    is_plan = found.ablation is not None and found.ablation.plan is not None
    heading = "Pictures: what the arms do" if is_plan else "Pictures: what the best configuration does"
    return Section(id_, headed(heading, found.title, several=several), tuple(blocks))


def _gallery(gallery: Gallery, id_: str, places: Places, look: Look) -> list[Block]:
    blocks: list[Block] = [Text((gallery.of,))]
    named: list[Markup] = []
    for j, group in enumerate(gallery.groups):
        figure = f"{id_}-{j}"
        where = dict.fromkeys(places.first[picture.sha256] for picture in group.pictures)
        if figure in (first for first, _ in where):
            blocks.append(_picture(group, figure, places, look, is_compared=gallery.is_compared))
        else:
            links = [str(Markup('<a href="#{}">{}</a>').format(*place)) for place in where]
            named.append(Markup("{} As in {}.").format(group.question, Markup(joined(links))))
    if named:
        blocks.append(Text(tuple(named)))
    if gallery.left_out:
        blocks.append(Text((f"In the store, not on this page: {joined(gallery.left_out)}.",)))
    return blocks


def _picture(group: PictureGroup, id_: str, places: Places, look: Look, *, is_compared: bool) -> Picture:
    same = len({picture.description for picture in group.pictures}) == 1
    sheets = tuple(
        Sheet(
            label=_marked(picture, look) if is_compared else "",
            alt=f"{picture.title}. {picture.description}",
            source=_source(picture) if places.first[picture.sha256][0] == id_ else "",
            width=picture.width_px,
            height=picture.height_px,
            caption="" if same else picture.description,
            id=f"picture-{picture.sha256[:16]}" if picture.sha256 in places.again else "",
        )
        for picture in group.pictures
    )
    return Picture(id_, group.question, sheets, group.pictures[0].description if same else "")


def _source(picture: TrialPicture) -> str:
    return f"data:image/png;base64,{base64.b64encode(picture.png).decode()}"


def _marked(picture: TrialPicture, look: Look) -> Markup:
    """Return a picture's label behind the marks that its arms have in all figures."""
    marks = [_mark(*look[arm]) for arm in picture.arm_ids if arm in look]
    return Markup("").join([*marks, tag("span", f" {picture.label}" if marks else picture.label)])


def _mark(colour: str, shape: str) -> Markup:
    dot = marker(shape, 7, 7, f"{colour} dot")
    return tag("svg", dot, width=14, height=14, viewBox="0 0 14 14", aria_hidden="true")
