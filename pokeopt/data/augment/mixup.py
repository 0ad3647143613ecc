"""Blend images and their classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pokeopt.data.augment.mixing import Mixing
from pokeopt.registry import AUGMENTATIONS


@AUGMENTATIONS.register("mixup")
@dataclass(frozen=True)
class MixUp(Mixing):
    """Blend the intensity of each image with that of the one before it, and their classes by the same share.

    Source: Zhang et al., "mixup: Beyond Empirical Risk Minimization", 2018, which takes alpha from [0.1, 0.4].
    """

    transform: ClassVar[str] = "MixUp"

    alpha: float = 0.2
