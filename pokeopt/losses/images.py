"""What the terms for images compare."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from pokeopt.errors import ShapeError
from pokeopt.losses.base import Batch


def made_and_wanted(term: str, outputs: Mapping[str, Tensor], batch: Batch) -> tuple[Tensor, Tensor]:
    """Return the images that were made and those that should have been, (N, C, H, W) both, float32.

    Args:
        term: Name of the loss term, for the error.
        outputs: With the network's ``image``.
        batch: With its ``target``.

    Raises:
        ShapeError: If they differ in shape, which torch would broadcast, or if there is no target.
    """
    made, wanted = outputs["image"].float(), batch.target_intensity().float()
    if made.shape != wanted.shape:
        what = f"image {tuple(made.shape)} does not match target {tuple(wanted.shape)}"
        raise ShapeError(term, what, "let the network return images of the target's shape")
    return made, wanted
