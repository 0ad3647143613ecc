"""What a network made of the same images after some of its epochs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from pokeopt.trial.pictures.comparisons import MSE, error_text, squared_errors
from pokeopt.trial.pictures.layout import sheet
from pokeopt.trial.pictures.tiles import Pixels

MOST_EPOCHS = 6


def draw_snapshots(
    wanted: Pixels, by_epoch: Mapping[int, Pixels], images: Pixels | None = None
) -> dict[str, bytes]:
    """Return the sheet ``snapshots.png``: a row an image, a column an epoch, the first and the last among them.

    Args:
        wanted: (M, C, H, W), what should be made, bytes or intensities in [0, 1].
        by_epoch: Epoch to what was made after it, (M, C, H, W); 0 is the untrained network.
        images: (M, C, H, W), what the network was given, where that is something else.
    """
    if not by_epoch or not len(wanted):
        return {}
    epochs = chosen_epochs(sorted(by_epoch))
    errors = {epoch: float(squared_errors(by_epoch[epoch], wanted).mean()) for epoch in epochs}
    starts = {"wanted": wanted} if images is None else {"input": images, "wanted": wanted}
    first, last = epochs[0], epochs[-1]
    change = f"from {error_text(errors[first])} after epoch {first} to {error_text(errors[last])} after epoch {last}"
    description = (
        f"Each row is one fixed image and what the network made of it as it was trained. Above each column the mean "
        f"MSE of these images ({MSE}), which went {change}."
    )
    content = sheet(
        [
            [*(start[i] for start in starts.values()), *(by_epoch[epoch][i] for epoch in epochs)]
            for i in range(len(wanted))
        ],
        column_labels=[*starts, *(f"epoch {epoch}\nMSE {error_text(errors[epoch])}" for epoch in epochs)],
        title="The same images as training went on",
        description=description,
        question="How did what the network makes change over the epochs?",
    )
    return {"snapshots.png": content}


def chosen_epochs(epochs: Sequence[int], most: int = MOST_EPOCHS) -> list[int]:
    """Return at most ``most`` of ascending epochs: first, last, and evenly between them.

    >>> chosen_epochs([1, 2, 3, 4, 5, 6, 7, 8, 9], 3)
    [1, 5, 9]
    """
    places = np.linspace(0, len(epochs) - 1, min(most, len(epochs))).round().astype(int)
    return [epochs[place] for place in np.unique(places).tolist()]
