"""What a data set holds, as plain values."""

from __future__ import annotations

from dataclasses import dataclass

from pokeopt.data.sources.base import PARTS


@dataclass(frozen=True)
class ClassRow:
    """One class.

    Attributes:
        name: The class.
        counts: Part (train, val, test, then the external sets) to number of images.
        shares: Part to share of the part's images, 0 to 1.
    """

    name: str
    counts: dict[str, int]
    shares: dict[str, float]

    @property
    def n_images(self) -> int:
        """The number of images in train, val and test."""
        return sum(self.counts[part] for part in PARTS)


@dataclass(frozen=True)
class Sample:
    """One image of the train part.

    Attributes:
        name: Its id.
        class_name: Its class.
        pictures: PNG bytes: as it was found, after each step, and as a network sees it.
    """

    name: str
    class_name: str
    pictures: tuple[bytes, ...]


@dataclass(frozen=True)
class DataDescription:
    """Plain values on one data configuration.

    Attributes:
        name: What the report calls the set.
        classes: One row a class, in the order of the labels.
        parts: Part to number of images, external sets last.
        n_groups: Number of groups; None where the source has none.
        groups_across: Number of groups with images both in train and in val or test.
        sizes: ((width, height), number of images), the most frequent first; originals, in pixels.
        modes: (Pillow's mode, number of images), the most frequent first.
        duplicates_within: Pairs of ids of equal images in one part.
        duplicates_across: Pairs of ids of equal images in different parts.
        stages: What ``Sample.pictures`` shows, in its order.
        samples: Images of each class, class by class.
        notes: What a reader should know of sizes, modes, values and labels, one line each.
    """

    name: str
    classes: tuple[ClassRow, ...]
    parts: dict[str, int]
    n_groups: int | None
    groups_across: int
    sizes: tuple[tuple[tuple[int, int], int], ...]
    modes: tuple[tuple[str, int], ...]
    duplicates_within: tuple[tuple[str, str], ...]
    duplicates_across: tuple[tuple[str, str], ...]
    stages: tuple[str, ...]
    samples: tuple[Sample, ...]
    notes: tuple[str, ...]

    @property
    def n_images(self) -> int:
        """The number of images in train, val and test."""
        return sum(self.parts[part] for part in PARTS)
