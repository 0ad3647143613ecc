"""The test images of whose wrong class a classifier was surest."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from pokeopt.trial.pictures.choosing import PARTS, worst_rows
from pokeopt.trial.pictures.layout import sheet
from pokeopt.trial.pictures.lettering import spelt
from pokeopt.trial.pictures.tiles import Pixels

COLUMNS = 6


def draw_worst(
    images: Pixels,
    probabilities: npt.NDArray[np.floating],
    truth: npt.NDArray[np.int64],
    classes: Sequence[str],
    n: int = 12,
    part: str = "test",
) -> dict[str, bytes]:
    """Return the sheet ``worst.png`` of the most confidently wrong images; none where all are right.

    Args:
        images: (N, C, H, W), as the network was given them.
        probabilities: (N, K), of one network.
        truth: (N,) class indices.
        classes: K names.
        n: Images shown at most.
        part: Where the images are from.
    """
    part = PARTS.get(part, part)
    said = probabilities.argmax(axis=1)
    confidence = probabilities.max(axis=1)
    is_wrong = said != truth
    n_wrong = int(is_wrong.sum())
    if not n_wrong:
        return {}
    rows = worst_rows(np.where(is_wrong, confidence, -1.0), min(n, n_wrong)).tolist()
    names = [spelt(name, f"class {number}") for number, name in enumerate(classes)]
    labels = [f"true {names[truth[row]]}\nsaid {names[said[row]]} {confidence[row]:.2f}" for row in rows]
    lowest = confidence[rows[-1]]
    description = (
        f"{n_wrong} of {len(truth)} {part} images are taken for another class; these are the {len(rows)} that the "
        f"network was surest of, the surest first (probability {confidence[rows[0]]:.2f} down to {lowest:.2f}). "
        f"Below each image its true class, then what the network said and how probable it held that."
    )
    content = sheet(
        [[images[row] for row in rows[i : i + COLUMNS]] for i in range(0, len(rows), COLUMNS)],
        tile_labels=[labels[i : i + COLUMNS] for i in range(0, len(labels), COLUMNS)],
        tile_px=96,
        title=f"The most confident mistakes on {part} images",
        description=description,
        question="Which mistakes was the network surest of?",
    )
    return {"worst.png": content}
