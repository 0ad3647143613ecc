"""What comes back of images that an autoencoder takes in: some by chance, and the worst."""

from __future__ import annotations

from pokeopt.trial.pictures.choosing import PARTS, random_rows, worst_rows
from pokeopt.trial.pictures.comparisons import Comparison, error_text
from pokeopt.trial.pictures.tiles import Pixels


def draw_reconstructions(
    images: Pixels, made: Pixels, n: int = 8, seed: int = 0, part: str = "test"
) -> dict[str, bytes]:
    """Return the sheets ``reconstructions.png`` and, where more images than it shows, ``reconstructions-worst.png``.

    Args:
        images: (N, C, H, W), what the network was given and should make, bytes or intensities in [0, 1].
        made: (N, C, H, W), what it made, likewise.
        n: Images a sheet.
        seed: Draws those of the first.
        part: Where the images are from.
    """
    if not len(images):
        return {}
    compared = Comparison({"input": images}, images, made)
    part = PARTS.get(part, part)
    n_images, mean = len(images), compared.errors.mean()
    shown = min(n, n_images)
    sheets = {
        "reconstructions.png": compared.drawn(
            random_rows(n_images, n, seed),
            title=f"Reconstructions of random {part} images",
            description=f"{shown} of the {n_images} {part} images looked at, drawn by chance (seed {seed}). "
            f"The mean MSE of these {n_images} is {error_text(mean)}.",
            question="What comes back of an image?",
        )
    }
    if n_images > n:
        worst = worst_rows(compared.errors, n)
        ratio = compared.errors[worst[0]] / mean if mean else 1.0
        sheets["reconstructions-worst.png"] = compared.drawn(
            worst,
            title=f"The worst reconstructions of {part} images",
            description=f"The {shown} with the largest error of the {n_images} {part} images looked at, the largest "
            f"first: it is {ratio:.1f} times the mean, {error_text(mean)}.",
            question="Of which images does least come back?",
        )
    return sheets
