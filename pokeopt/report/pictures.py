"""The pictures that trials left, read with their own words, and as blocks of the page."""

from __future__ import annotations

import base64
import hashlib
import io
import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import PurePath
from typing import TYPE_CHECKING

from markupsafe import Markup
from PIL import Image

from pokeopt.ablation.arms import BASELINE, BEST
from pokeopt.report.blocks import Picture, Sheet, Text
from pokeopt.report.cells import complete_cells
from pokeopt.report.summary import Gallery, PictureGroup, TrialPicture
from pokeopt.report.svg import marker, tag
from pokeopt.report.words import capital, joined, plural
from pokeopt.store import StudyView

if TYPE_CHECKING:
    from pokeopt.store import Store

DRAWN = "confusion.png"
MOST_PICTURES = 12  # of one study
MOST_ARMS = 3  # of a plan whose pictures are set side by side
MOST_BYTES = 1_500_000  # of a page, in the letters that it embeds them by
PAGE_DPI = 96
MOST_LETTERS = 2_000  # of a text that a picture brings along
TOO_LARGE = (Image.DecompressionBombWarning, Image.DecompressionBombError)
# what went in, what came out, what went wrong; others follow by name
ORDER = (
    "preprocessing", "augmentations", "snapshots", "reconstructions", "translations", "samples", "traversal", "worst",
)  # fmt: skip


def summarise_pictures(
    store: Store, views: Sequence[StudyView], most_bytes: int = MOST_BYTES
) -> tuple[Gallery, ...]:
    """Return the pictures of a search's best trial, and of a confirm study's baseline and best with one seed;
    of a plan's first arms.

    Args:
        store: Where they lie.
        views: The studies.
        most_bytes: What all of them may take on the page; those beyond it are only named.
    """
    wanted = [(view, _trials(view)) for view in views]
    shown = [(view, trials) for view, trials in wanted if trials]
    galleries = []
    for i, (view, trials) in enumerate(shown):
        gallery, taken = _gallery(store, view, trials, most_bytes // (len(shown) - i))
        most_bytes -= taken
        galleries.append(gallery)
    return tuple(gallery for gallery in galleries if gallery.groups or gallery.left_out)


def gallery_blocks(gallery: Gallery, id_: str, look: Mapping[str, tuple[str, str]]) -> list[Picture | Text]:
    """Return the blocks of a gallery.

    Args:
        gallery: What to show.
        id_: Begins the ids of its figures.
        look: Arm id to the class of its colour and its marker, see ``effects.styles``.
    """
    blocks: list[Picture | Text] = [Text((gallery.of,))]
    for i, group in enumerate(gallery.groups):
        same = len({picture.description for picture in group.pictures}) == 1
        sheets = tuple(
            Sheet(
                label=_marked(picture, look) if gallery.is_compared else "",
                alt=f"{picture.title}. {picture.description}",
                source=f"data:image/png;base64,{base64.b64encode(picture.png).decode()}",
                width=picture.width_px,
                height=picture.height_px,
                caption="" if same else picture.description,
            )
            for picture in group.pictures
        )
        reading = group.pictures[0].description if same else ""
        blocks.append(Picture(f"{id_}-{i}", group.question, sheets, reading))
    if gallery.left_out:
        lie = "lies" if len(gallery.left_out) == 1 else "lie"
        names = joined(gallery.left_out)
        blocks.append(Text((f"{plural(len(gallery.left_out), 'more figure')} {lie} in the store: {names}.",)))
    return blocks


def read_picture(content: bytes, label: str, arm_id: str, file: str) -> tuple[str, TrialPicture] | None:
    """Return a PNG file's question and the picture with its words; None if it is no PNG or damaged.

    A file without words has its name as title and question.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content), formats=["PNG"]) as image:
                image.verify()
            with Image.open(io.BytesIO(content), formats=["PNG"]) as image:
                words = {key: str(text)[:MOST_LETTERS] for key, text in image.text.items()}  # type: ignore[attr-defined]
                density = max(1, round(image.info.get("dpi", (PAGE_DPI, PAGE_DPI))[0] / PAGE_DPI))
                width, height = image.size
    except (OSError, ValueError, SyntaxError, *TOO_LARGE):
        return None
    title = words.get("Title") or PurePath(file).stem
    picture = TrialPicture(
        label=label,
        arm_id=arm_id,
        title=title,
        description=words.get("Description", ""),
        sha256=hashlib.sha256(content).hexdigest(),
        width_px=max(1, width // density),
        height_px=max(1, height // density),
        png=content,
    )
    return words.get("Question") or title, picture


def _trials(view: StudyView) -> list[tuple[str, str, int]]:
    """Return (label, arm id, number) of the trials whose pictures are shown."""
    if view.kind != "confirm":
        return [(f"trial {view.best.number}", "", view.best.number)] if view.best else []
    wanted = _shown_arms(view)
    cells = {arm: rows for arm, rows in complete_cells(view).items() if arm in wanted and rows}
    common = set.intersection(*(set(rows) for rows in cells.values())) if cells else set()
    trials: list[tuple[str, str, int]] = []
    for arm in wanted:
        if arm not in cells:
            continue
        seed = min(common or cells[arm])
        number = cells[arm][seed].number
        if number not in [known for _, _, known in trials]:  # the best may be the baseline
            trials.append((f"{arm}, seed {seed}", arm, number))
    return trials


def _shown_arms(view: StudyView) -> tuple[str, ...]:
    """Return the arms whose pictures are shown: of a plan its first ones, else the baseline and the best."""
    if not view.attrs.get("plan"):
        return BASELINE, BEST
    own = [arm["id"] for arm in view.attrs.get("arms", ()) if not arm.get("prefix")]
    return tuple(own[:MOST_ARMS])


def _gallery(
    store: Store, view: StudyView, trials: Sequence[tuple[str, str, int]], most_bytes: int
) -> tuple[Gallery, int]:
    """Return what is shown of some trials of a study, and the letters that it takes on the page."""
    names = {number: set(_picture_names(store, view.name, number)) for _, _, number in trials}
    groups: list[PictureGroup] = []
    left_out, taken = [], 0
    for file in sorted(set().union(*names.values()), key=_place):
        group = _group(store, view.name, file, [trial for trial in trials if file in names[trial[2]]])
        if group is None:
            continue
        size = sum(4 * len(picture.png) // 3 for picture in group.pictures)
        n_shown = sum(len(known.pictures) for known in groups) + len(group.pictures)
        if n_shown > MOST_PICTURES or taken + size > most_bytes:
            left_out.append(PurePath(file).stem)
            continue
        groups.append(group)
        taken += size
    return Gallery(
        view.name, _introduction(view, trials), len(trials) > 1, tuple(groups), tuple(left_out)
    ), taken


def _group(store: Store, name: str, file: str, trials: Sequence[tuple[str, str, int]]) -> PictureGroup | None:
    """Return the pictures of one file name; those that are the same, byte for byte, stand once."""
    question = ""
    pictures: dict[str, TrialPicture] = {}
    for label, arm_id, number in trials:
        content = store.read_artifact(name, number, file)
        found = None if content is None else read_picture(content, label, arm_id, file)
        if found is None:
            continue
        question = question or found[0]
        same = pictures.get(found[1].sha256)
        merged = replace(same, label=f"{same.label}; {label}", arm_id="") if same else found[1]
        pictures[merged.sha256] = merged
    return PictureGroup(file, question, tuple(pictures.values())) if pictures else None


def _picture_names(store: Store, name: str, number: int) -> list[str]:
    """Return what a trial left, but for what the report draws itself."""
    return [file for file in store.artifacts(name, number) if file.endswith(".png") and file != DRAWN]


def _place(file: str) -> tuple[int, list[tuple[int, str]]]:
    """Return what to sort file names by: their kind, then their name, numbers in it as numbers."""
    stem = PurePath(file).stem
    kind = next((i for i, start in enumerate(ORDER) if stem.startswith(start)), len(ORDER))
    return kind, [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", stem)]


def _introduction(view: StudyView, trials: Sequence[tuple[str, str, int]]) -> str:
    if view.kind != "confirm":
        whose = f"Trial {trials[0][2]}, the best of the search {view.name}"
    else:
        whose = f"{joined(label for label, _, _ in trials)} of the study {view.name}"
    return f"{capital(whose)}. Each picture is of one network: it shows what a score means, and measures nothing."


def _marked(picture: TrialPicture, look: Mapping[str, tuple[str, str]]) -> Markup:
    """Return a picture's label behind the mark that its arm has in all figures."""
    if picture.arm_id not in look:
        return tag("span", picture.label)
    colour, shape = look[picture.arm_id]
    mark = marker(shape, 7, 7, f"{colour} dot")
    svg = tag("svg", mark, width=14, height=14, viewBox="0 0 14 14", aria_hidden="true")
    return svg + tag("span", f" {picture.label}")
