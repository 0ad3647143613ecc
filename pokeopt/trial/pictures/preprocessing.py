"""What each preprocessing step leaves of an image, from the one that keeps least to the one that keeps most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pokeopt.data.images import apply_steps, to_square
from pokeopt.errors import DataError
from pokeopt.registry import PREPROCESSING, split_component
from pokeopt.trial.pictures.choosing import spread_rows
from pokeopt.trial.pictures.layout import sheet
from pokeopt.trial.pictures.tiles import Bytes

ROWS = 6


@dataclass(frozen=True)
class Strip:
    """One image on its way.

    Attributes:
        stages: RGBA (H, W, 4) as it was found, then after each step that went well.
        seen: (C, H, W), what a network is given; None where a step failed.
        kept: Share of the original's pixels that the last stage holds and that are not black.
    """

    stages: tuple[Bytes, ...]
    seen: Bytes | None
    kept: float


def draw_preprocessing(
    originals: Mapping[str, Bytes],
    components: Sequence[str | Mapping[str, Any]],
    size_px: int,
    channels: str,
    n: int = ROWS,
) -> dict[str, bytes]:
    """Return the sheet ``preprocessing.png``: a row an image, a column a stage; none where there is no step.

    Args:
        originals: Id to image, RGBA (H, W, 4), some of which are shown: those at which a step fails, then from the one
            of which least is left to the one of which most is, where mistakes of the steps lie.
        components: The steps as a file gives them.
        size_px: Height and width of what a network sees.
        channels: ``rgb``, ``rgba`` or ``gray``.
        n: Images shown at most.
    """
    if not components or not originals:
        return {}
    strips = [_strip(image, components, size_px, channels, id_) for id_, image in originals.items()]
    names = [split_component(component)[0].replace("_", " ") for component in components]
    failed = [strip for strip in strips if strip.seen is None]
    went = [strip for strip in strips if strip.seen is not None]
    shown = failed[: n // 2]
    shown += (
        [went[row] for row in spread_rows(np.array([strip.kept for strip in went]), n - len(shown))]
        if went
        else []
    )
    shares = [strip.kept for strip in went] or [0.0]
    untouched = sum(_is_untouched(strip) for strip in went)
    description = (
        f"Each row is one image: as it was found, after each step, and as a network sees it. Of {len(strips)} images "
        f"the steps keep {np.mean(shares):.0%} of the pixels on average ({min(shares):.0%} to {max(shares):.0%}; each "
        f"row says its own; black ones are not counted), leave {untouched} as they were and fail at {len(failed)}. "
        "The rows go from the least kept to the most, since what goes wrong stands at both ends."
    )
    content = sheet(
        [_tiles(strip, len(names)) for strip in shown],
        ["a step fails" if strip.seen is None else f"keeps {100 * strip.kept:.0f} %" for strip in shown],
        ["as found", *names, f"{size_px}x{size_px} {channels}"],
        title="Preprocessing, step by step",
        description=description.replace("%", " %"),
        question="What do the preprocessing steps leave of an image, and where do they fail?",
    )
    return {"preprocessing.png": content}


def _strip(image: Bytes, components: Sequence[Any], size_px: int, channels: str, id_: str) -> Strip:
    steps = [PREPROCESSING.make(component) for component in components]
    stages = [image]
    for count in range(1, len(steps) + 1):
        try:
            # from the start: the state that steps hand on is then the one that they would see
            stages.append(apply_steps(image, steps[:count], id_))
        except DataError:
            return Strip(tuple(stages), None, 0.0)
    last = stages[-1]
    kept = int(last[..., :3].any(axis=2).sum()) / (image.shape[0] * image.shape[1])
    return Strip(tuple(stages), to_square(last, size_px, channels), kept)


def _is_untouched(strip: Strip) -> bool:
    return np.array_equal(strip.stages[0], strip.stages[-1])


def _tiles(strip: Strip, n_steps: int) -> list[Bytes | None]:
    missing = [None] * (n_steps + 1 - len(strip.stages))
    return [*strip.stages, *missing, strip.seen]
