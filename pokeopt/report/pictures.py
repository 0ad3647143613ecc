"""The pictures that trials left, read with their own words, and which of them a page shows."""

from __future__ import annotations

import hashlib
import io
import math
import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import TYPE_CHECKING

from PIL import Image

from pokeopt.ablation.arms import BASELINE, BEST
from pokeopt.report.cells import complete_cells
from pokeopt.report.summary import Gallery, PictureGroup, TrialPicture
from pokeopt.report.words import joined
from pokeopt.store import StudyView

if TYPE_CHECKING:
    from pokeopt.store import Store

DRAWN = "confusion.png"
MOST_PICTURES = 12  # of one study, those that stand further up the page not counted
MOST_ARMS = 3  # of a plan whose pictures are set side by side
MOST_BYTES = 1_500_000  # of a page, in the letters that it embeds them by
COLOURS = 256  # of each picture on a page that could not hold all of them otherwise
NEARLY_WHITE, WHITE = 254, b"\xff\xff\xff"  # the reduction darkens the ground by 1
PAGE_DPI = 96
MOST_LETTERS = 2_000  # of a text that a picture brings along
TOO_LARGE = (Image.DecompressionBombWarning, Image.DecompressionBombError)
# what went in, what came out, what went wrong; others follow by name
ORDER = (
    "examples", "preprocessing", "augmentations", "snapshots", "reconstructions", "translations", "samples",
    "traversal", "worst",
)  # fmt: skip
# which kinds are shown first where not all can be
TELLING = (
    "examples", "preprocessing", "translations", "reconstructions", "augmentations", "worst", "translations-worst",
    "reconstructions-worst", "snapshots", "samples", "traversal",
)  # fmt: skip


@dataclass(frozen=True)
class _Trial:
    """A trial whose pictures are shown; ``seed`` is None for a search's."""

    number: int
    arm_id: str = ""
    name: str = ""
    seed: int | None = None


@dataclass(frozen=True)
class _Found:
    """What the shown trials of one study left, by file, in the order of the page."""

    view: StudyView
    trials: tuple[_Trial, ...]
    groups: tuple[PictureGroup, ...]


def summarise_pictures(
    store: Store,
    studies: Sequence[Sequence[StudyView]],
    names: Sequence[Mapping[str, str]] = (),
    most_bytes: int = MOST_BYTES,
) -> list[tuple[Gallery, ...]]:
    """Return the galleries of each study of a page: of a search's best trial, of a confirm study's baseline and best
    with one seed, of a plan's first arms.

    All studies share one budget, and a picture that stands further up costs nothing. Every kind of picture of every
    study comes before a second arm of any kind, and that before the second of a numbered series. Where the budget is
    too small for all, each picture is first reduced to fewer colours.

    Args:
        store: Where they lie.
        studies: The views of each study: a search and its confirm study, or a plan's.
        names: Of each study the names of its arms, by id.
        most_bytes: What all of them may take on the page; those beyond it are only named.
    """
    found = [
        [_found(store, view, names[i] if names else {}) for view in views] for i, views in enumerate(studies)
    ]
    every = [one for galleries in found for one in galleries]
    known = {picture.sha256: picture for one in every for group in one.groups for picture in group.pictures}
    shown = _chosen(every, known)
    if sum(_letters(known[hash_]) for hash_ in shown) > most_bytes:
        known = {hash_: _reduced(known[hash_]) for hash_ in shown}
        shown = _chosen(every, known, most_bytes)
    galleries = [tuple(_gallery(one, {h: known[h] for h in shown}) for one in own) for own in found]
    return [tuple(gallery for gallery in own if gallery.groups or gallery.left_out) for own in galleries]


def read_picture(content: bytes, file: str) -> tuple[str, TrialPicture] | None:
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
        label="",
        arm_ids=(),
        title=title,
        description=words.get("Description", ""),
        sha256=hashlib.sha256(content).hexdigest(),
        width_px=max(1, width // density),
        height_px=max(1, height // density),
        png=content,
    )
    return words.get("Question") or title, picture


def _found(store: Store, view: StudyView, names: Mapping[str, str]) -> _Found:
    """Return all pictures of a study's shown trials; those of one file that are the same, byte for byte, stand once."""
    trials = _trials(view, names)
    files = {trial: _picture_names(store, view.name, trial.number) for trial in trials}
    with_seed = len({trial.seed for trial in trials}) > 1
    groups = []
    for file in sorted({file for own in files.values() for file in own}, key=_place):
        question = ""
        pictures: dict[str, TrialPicture] = {}
        whose: dict[str, list[_Trial]] = {}
        for trial in trials:
            content = store.read_artifact(view.name, trial.number, file) if file in files[trial] else None
            if content is None or (read := read_picture(content, file)) is None:
                continue
            question = question or read[0]
            pictures.setdefault(read[1].sha256, read[1])
            whose.setdefault(read[1].sha256, []).append(trial)
        named = tuple(
            replace(
                picture,
                label=joined(_label(trial, with_seed=with_seed) for trial in whose[hash_]),
                arm_ids=tuple(trial.arm_id for trial in whose[hash_]),
            )
            for hash_, picture in pictures.items()
        )
        if named:
            groups.append(PictureGroup(file, question, named))
    return _Found(view, tuple(trials), tuple(groups))


def _chosen(
    every: Sequence[_Found], known: Mapping[str, TrialPicture], most_bytes: float = math.inf
) -> set[str]:
    """Return the hashes of those known pictures that the page shows."""
    rounds: list[tuple[tuple[bool, int, int, int, int], str]] = []
    for i, one in enumerate(every):
        so_far: dict[str, int] = {}
        for group in one.groups:
            kind = _kind(group.file)
            place = so_far[kind] = so_far.get(kind, -1) + 1
            rank = TELLING.index(kind) if kind in TELLING else len(TELLING)
            for arm, picture in enumerate(group.pictures):
                rounds.append(((place > 0, arm, rank, place, i), picture.sha256))
    shown: set[str] = set()
    numbers = dict.fromkeys(range(len(every)), 0)
    for (*_, i), hash_ in sorted(rounds):
        if hash_ in shown or hash_ not in known or numbers[i] >= MOST_PICTURES:
            continue
        size = _letters(known[hash_])
        if size > most_bytes:
            continue
        shown.add(hash_)
        numbers[i] += 1
        most_bytes -= size
    return shown


def _gallery(found: _Found, shown: Mapping[str, TrialPicture]) -> Gallery:
    """Return what is shown of a study's pictures, and the names of the others."""
    groups: list[PictureGroup] = []
    left_out: list[str] = []
    for group in found.groups:
        there = tuple(
            replace(shown[picture.sha256], label=picture.label, arm_ids=picture.arm_ids)
            for picture in group.pictures
            if picture.sha256 in shown
        )
        missing = [picture.label for picture in group.pictures if picture.sha256 not in shown]
        if there:
            groups.append(replace(group, pictures=there))
        if missing:
            left_out.append(PurePath(group.file).stem + (f" of {joined(missing)}" if there else ""))
    is_compared = len(found.trials) > 1
    return Gallery(found.view.name, _introduction(found), is_compared, tuple(groups), tuple(left_out))


def _letters(picture: TrialPicture) -> int:
    """Return what a picture takes on the page."""
    return 4 * len(picture.png) // 3


def _reduced(picture: TrialPicture) -> TrialPicture:
    """Return a picture in fewer colours, which says so; itself where that makes it no smaller."""
    with Image.open(io.BytesIO(picture.png), formats=["PNG"]) as image:
        if image.mode != "RGB":
            return picture
        reduced = image.quantize(COLOURS, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
        palette = bytes(reduced.getpalette() or ())
        colours = [palette[i : i + 3] for i in range(0, len(palette), 3)]
        reduced.putpalette(b"".join(WHITE if min(colour) >= NEARLY_WHITE else colour for colour in colours))
        file = io.BytesIO()
        reduced.save(file, "PNG")
    if len(file.getvalue()) >= len(picture.png):
        return picture
    said = f"{picture.description} Shown in {COLOURS} colours.".strip()
    return replace(picture, png=file.getvalue(), description=said)


def _trials(view: StudyView, names: Mapping[str, str]) -> list[_Trial]:
    """Return the trials whose pictures are shown."""
    if view.kind != "confirm":
        return [_Trial(view.best.number, name=f"trial {view.best.number}")] if view.best else []
    wanted = _shown_arms(view)
    cells = {arm: rows for arm, rows in complete_cells(view).items() if arm in wanted and rows}
    common = set.intersection(*(set(rows) for rows in cells.values())) if cells else set()
    trials: list[_Trial] = []
    for arm in wanted:
        if arm not in cells:
            continue
        seed = min(common or cells[arm])
        number = cells[arm][seed].number
        if number not in [known.number for known in trials]:  # the best may be the baseline
            trials.append(_Trial(number, arm, names.get(arm, arm), seed))
    return trials


def _shown_arms(view: StudyView) -> tuple[str, ...]:
    """Return the arms whose pictures are shown: of a plan its first ones, else the baseline and the best."""
    if not view.attrs.get("plan"):
        return BASELINE, BEST
    own = [arm["id"] for arm in view.attrs.get("arms", ()) if not arm.get("prefix")]
    return tuple(own[:MOST_ARMS])


def _picture_names(store: Store, name: str, number: int) -> list[str]:
    """Return what a trial left, but for what the report draws itself."""
    return [file for file in store.artifacts(name, number) if file.endswith(".png") and file != DRAWN]


def _place(file: str) -> tuple[int, list[tuple[int, str]]]:
    """Return what to sort file names by: their kind, then their name, numbers in it as numbers."""
    stem = PurePath(file).stem
    kind = next((i for i, start in enumerate(ORDER) if stem.startswith(start)), len(ORDER))
    return kind, [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", stem)]


def _kind(file: str) -> str:
    """Return what a picture shows: its name without the number that tells those of a series apart.

    >>> _kind("traversal-10.png"), _kind("translations-worst.png")
    ('traversal', 'translations-worst')
    """
    return re.sub(r"-?\d+$", "", PurePath(file).stem)


def _label(trial: _Trial, *, with_seed: bool) -> str:
    return f"{trial.name}, seed {trial.seed}" if with_seed else trial.name


def _introduction(found: _Found) -> str:
    view, trials = found.view, found.trials
    seeds = {trial.seed for trial in trials}
    if view.kind != "confirm":
        whose = f"Trial {trials[0].number}, the best of the search {view.name}" if trials else ""
    elif len(seeds) == 1:
        whose = f"Seed {next(iter(seeds))} of {joined(trial.name for trial in trials)}, study {view.name}"
    else:
        named = joined(f"{trial.name} (seed {trial.seed})" for trial in trials)
        whose = f"Networks of {named}, study {view.name}"
    return f"{whose}. Each picture is of one network: it shows what a score means, and measures nothing."
