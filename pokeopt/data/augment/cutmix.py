"""Paste a piece of one image into another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pokeopt.data.augment.mixing import Mixing
from pokeopt.registry import AUGMENTATIONS


@AUGMENTATIONS.register("cutmix")
@dataclass(frozen=True)
class CutMix(Mixing):
    """Replace a box of each image by that of the one before it, whose class gets the box's share of the pixels.

    A batch has one box; it is cut where it leaves the image.

    Source: Yun et al., "CutMix: Regularization Strategy to Train Strong Classifiers with Localizable Features",
    2019, which takes alpha = 1.
    """

    transform: ClassVar[str] = "CutMix"
