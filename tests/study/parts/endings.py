"""A model that ends its trial in every way there is; a plugin, as a user would write one."""

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from pokeopt.models.base import ImageShape
from pokeopt.registry import MODELS

GREEDY_ONCE = Path(os.environ.get("POKEOPT_TEST_FOLDER", ".")) / "greedy-once"
PIECE, MOST_TAKEN = 100 * 2**20, 6 * 2**30
Mode = Literal["fine", "stop", "bad", "error", "nan", "exit", "hang", "slow", "oom", "greedy"]


class Ending(nn.Module):
    """A linear classifier that meets its end in the second epoch of training."""

    def __init__(self, mode: Mode, n_in: int, n_classes: int, after: int) -> None:
        super().__init__()
        self.mode, self.after, self.n_batches = mode, after, 0
        self.linear = nn.Linear(n_in, n_classes)

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.linear(images.flatten(1))
        if not self.training:
            return logits * 0 if self.mode == "bad" else logits
        self.n_batches += 1
        if self.n_batches <= self.after:
            return logits
        if self.mode == "error":
            raise ValueError("boom")
        if self.mode == "nan":
            return logits * torch.nan
        if self.mode == "exit":
            os._exit(137)
        if self.mode == "hang":
            time.sleep(3600)
        if self.mode == "slow":
            time.sleep(2)
        if self.mode == "greedy" and not GREEDY_ONCE.exists():
            GREEDY_ONCE.touch()
            taken = []
            for _ in range(MOST_TAKEN // PIECE):
                taken.append(bytes([1]) * PIECE)
                time.sleep(0.05)
            time.sleep(20)
        if self.mode == "oom":
            raise torch.OutOfMemoryError("out of memory")
        return logits


@MODELS.register("ending")
@dataclass(frozen=True)
class EndingModel:
    """Ends as ``mode`` says, after so many batches of training."""

    mode: Mode = "fine"
    after: int = 12

    def build(self, image: ImageShape, n_classes: int) -> nn.Module:
        """Return a linear model from images (N, C, H, W) to logits (N, n_classes)."""
        return Ending(self.mode, image.channels * image.height * image.width, n_classes, self.after)
