"""What a reader should know of a data set before trusting a score on it, one line each."""

from __future__ import annotations

from collections import Counter

from pokeopt.data.dataset import Dataset


def oddities(dataset: Dataset) -> tuple[str, ...]:
    """Return a line for mixed sizes, for mixed modes and for equal images across parts, each naming an image.

    None of them stops a study: images are resized and converted, and an equal image is a fact to report.
    """
    lines = []
    sizes = [f"{width}x{height}" for width, height in dataset.sizes.tolist()]
    for what, values in (("size", sizes), ("mode", [str(mode) for mode in dataset.modes])):
        counts = Counter(values)
        if len(counts) == 1:
            continue
        usual, n = counts.most_common(1)[0]
        odd = next(i for i, value in enumerate(values) if value != usual)
        rest = f"{n} of {len(values)} images have {usual}"
        lines.append(f"{dataset.ids[odd]}: its {what} is {values[odd]}, {rest}; all are made alike")
    if dataset.duplicates_across_splits:
        left, right = dataset.duplicates_across_splits[0]
        more = len(dataset.duplicates_across_splits) - 1
        others = f", and {more} more pairs" if more else ""
        lines.append(
            f"{left}: the same image as {right}, in another part of the split{others}; scores may flatter"
        )
    return tuple(lines)
