"""One value an image, of images that a network made: what image metrics are means of."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from pokeopt.losses.base import Batch

Values = dict[str, npt.NDArray[np.float32]]
SMALLEST_WINDOW, WINDOW = 3, 7  # of the structural similarity, in pixels


def image_values(outputs: Mapping[str, Tensor], batch: Batch, wanted: Collection[str]) -> Values:
    """Return the values (N,) of each image of a batch, by name.

    Args:
        outputs: Of the network in evaluation mode.
        batch: With the images that should have been made.
        wanted: Costly values to compute, too: ``structural_similarity``, ``sharpness``.

    Returns:
        ``squared_error`` and ``absolute_error`` of intensities; ``divergence`` in nats where there is a latent
        distribution; ``head_hit``, 0 or 1, where there are logits; and the wanted ones.
    """
    made, target = outputs["image"].float(), batch.target_intensity()
    difference = (made - target).flatten(1)
    values = {"squared_error": difference.square().mean(1), "absolute_error": difference.abs().mean(1)}
    if "logvar" in outputs:
        mean, logvar = outputs["mean"].float(), outputs["logvar"].float()
        values["divergence"] = (mean.square() + logvar.exp() - 1 - logvar).sum(1) / 2
    if "logits" in outputs:
        values["head_hit"] = (outputs["logits"].argmax(1) == batch.labels).float()
    if "sharpness" in wanted:
        values["sharpness"] = _gradient(made) / _gradient(target).clamp_min(1e-6)
    found = {name: value.cpu().numpy().astype(np.float32) for name, value in values.items()}
    if "structural_similarity" in wanted:
        found["structural_similarity"] = _similarity(made.clamp(0, 1), target)
    return found


def _gradient(images: Tensor) -> Tensor:
    """Return the mean size of the gradient of each image, (N,), by Sobel's filter."""
    sobel = torch.tensor([[1.0, 2.0, 1.0], [0.0, 0.0, 0.0], [-1.0, -2.0, -1.0]], device=images.device) / 8
    grey = images.mean(dim=1, keepdim=True)
    across, down = functional.conv2d(grey, torch.stack([sobel.T, sobel])[:, None]).unbind(1)
    return (across.square() + down.square()).sqrt().flatten(1).mean(1)


def _similarity(made: Tensor, target: Tensor) -> npt.NDArray[np.float32]:
    """Return the structural similarity of each pair of images, (N,); a window is no larger than an image."""
    from skimage.metrics import structural_similarity

    smaller = min(made.shape[-2:])
    window = min(WINDOW, smaller - (smaller + 1) % 2)
    if window < SMALLEST_WINDOW:
        return np.full(len(made), np.nan, dtype=np.float32)
    pairs = zip(made.cpu().numpy(), target.cpu().numpy(), strict=True)
    each = [
        structural_similarity(one, other, win_size=window, data_range=1.0, channel_axis=0)  # type: ignore[no-untyped-call]
        for one, other in pairs
    ]
    return np.asarray(each, dtype=np.float32)
