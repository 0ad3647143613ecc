"""Images made of latents that were drawn by chance."""

from __future__ import annotations

import numpy as np

from pokeopt.trial.pictures.layout import sheet
from pokeopt.trial.pictures.tiles import Pixels, as_intensity

COLUMNS = 8


def draw_samples(
    made: Pixels, drawn_from: str, real: Pixels | None = None, seed: int = 0
) -> dict[str, bytes]:
    """Return the sheet ``samples.png``, eight images a row.

    Args:
        made: (N, C, H, W), bytes or intensities in [0, 1].
        drawn_from: Where the latents come from, like "the standard normal distribution".
        real: (M, C, H, W), some real images, to compare how much two of them differ.
        seed: What drew the latents.
    """
    if not len(made):
        return {}
    compared = f", two real images by {_apart(real):.2f}" if real is not None and len(real) > 1 else ""
    spread = (
        f" Two of them differ by {_apart(made):.2f} on average{compared} (root mean square of the intensity)."
    )
    description = (
        f"{len(made)} images decoded from latents that were drawn from {drawn_from} (seed {seed}), all that were drawn."
        f"{spread if len(made) > 1 else ''} Samples that differ far less than real images are blurred or all alike."
    )
    content = sheet(
        [list(made[i : i + COLUMNS]) for i in range(0, len(made), COLUMNS)],
        title="Samples of the latent space",
        description=description,
        question="What does the network make of latents drawn by chance?",
    )
    return {"samples.png": content}


def _apart(images: Pixels) -> float:
    """Return the root mean square difference of two of N images, over all pairs."""
    intensity = as_intensity(images).reshape(len(images), -1).astype(np.float64)
    # the mean over pairs is twice the sample variance of each pixel
    return float(np.sqrt(2 * intensity.var(axis=0, ddof=1).mean()))
