"""All pictures of one kind: listed at once, drawn one by one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from PIL import Image

FEWEST = 3  # a class with fewer images cannot lie in every part
Pair = tuple[Image.Image, Image.Image, Image.Image]


@dataclass(frozen=True)
class Album:
    """The pictures of a kind.

    Attributes:
        version: Raised when a picture of the same cast and seed would come out otherwise.
        noun: What one picture is called.
        classes: Names of the classes, in the order of the labels.
        labels: (N,) int64.
        groups: (N,) what belongs together; None where nothing does.
        columns: What else is known of each picture, N rows.
        open: Row to picture; picklable, and may be called from several threads.
        open_pair: Row to (input, condition, output), or None.
    """

    version: int
    noun: str
    classes: tuple[str, ...]
    labels: npt.NDArray[np.int64]
    groups: npt.NDArray[np.str_] | None
    columns: pd.DataFrame
    open: Callable[[int], Image.Image]
    open_pair: Callable[[int], Pair] | None = None


def scaled_counts(counts: Mapping[str, int], share: float) -> dict[str, int]:
    """Return the share of each count; classes that would have fewer than three images are left out."""
    scaled = {kind: round(count * share) for kind, count in counts.items()}
    return {kind: count for kind, count in scaled.items() if count >= FEWEST}


def deal(
    types: Sequence[str], counts: Mapping[str, int], rng: np.random.Generator
) -> tuple[tuple[str, ...], npt.NDArray[np.int64]]:
    """Deal images to the members of each type in turn, in random order.

    Args:
        types: (M,) type of each member.
        counts: Type to number of images; a type without members is left out.
        rng: Draws who comes first, and the order of the images.

    Returns:
        The types that have images, sorted, and (N,) the member of each image.
    """
    there = tuple(sorted(kind for kind in counts if kind in types))
    dealt = [np.empty(0, np.int64)]
    for kind in there:
        members = rng.permutation([k for k, own in enumerate(types) if own == kind])
        dealt.append(np.resize(members, counts[kind]))
    return there, rng.permutation(np.concatenate(dealt)).astype(np.int64)


def labels_of(names: Sequence[str], classes: Sequence[str]) -> npt.NDArray[np.int64]:
    """Return the index of each name among the classes, (N,)."""
    number = {name: position for position, name in enumerate(classes)}
    return np.array([number[name] for name in names], dtype=np.int64)
