"""An epoch that is under way: what it has gathered, and how it is taken up again in the middle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from pokeopt.training import seeding


@dataclass
class RunningEpoch:
    """How far an epoch is.

    Attributes:
        order: (n,) positions of the training part, in the order of training.
        generator: Draws the augmentation.
        cursor: Batches done.
        losses: The scalar of each batch.
        norms: The gradient's norm where it was measured.
        means: Of each batch, what ``Network`` measured of its terms.
        shares: Each term's share in the gradient of the first batch.
        labels: Of each batch of mixed images, the class of the larger share.
        logits: (n, K) in training mode, in the order of training, in one or more pieces.
        layers: Where torch's own generators, which dropout draws from, have to be set before the next batch.
        is_diverged: A loss was NaN or infinite.
    """

    order: Tensor
    generator: torch.Generator
    cursor: int = 0
    losses: list[Tensor] = field(default_factory=list)
    norms: list[Tensor] = field(default_factory=list)
    logits: list[Tensor] = field(default_factory=list)
    means: list[Tensor] = field(default_factory=list)
    labels: list[Tensor] = field(default_factory=list)
    shares: Tensor | None = None
    layers: list[Tensor] | None = None
    is_diverged: bool = False

    def state_dict(self, device: torch.device) -> dict[str, Any]:
        """Return the state after the last batch, with that of torch's own generators, as tensors and plain values."""
        return {
            "order": self.order,
            "cursor": self.cursor,
            "losses": torch.stack(self.losses) if self.losses else torch.zeros(0),
            "norms": torch.stack(self.norms) if self.norms else torch.zeros(0),
            "logits": torch.cat(self.logits) if self.logits else None,
            "means": torch.stack(self.means) if self.means else torch.zeros(0),
            "labels": torch.cat(self.labels) if self.labels else None,
            "shares": self.shares,
            "is_diverged": self.is_diverged,
            "device": device.type,
            "generator": self.generator.get_state(),
            "layers": self.layers or seeding.default_state(device),
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any], device: torch.device, seed: int) -> RunningEpoch:
        """Return the epoch of a state; on another kind of device its random streams start afresh."""
        generator = seeding.generator(device, seed, "augmentation", "moved", state["cursor"])
        is_same_device = state["device"] == device.type
        if is_same_device:
            generator.set_state(state["generator"])
        return cls(
            order=state["order"],
            generator=generator,
            cursor=state["cursor"],
            losses=list(state["losses"].to(device).unbind()),
            norms=list(state["norms"].to(device).unbind()),
            logits=[] if state["logits"] is None else [state["logits"].to(device)],
            means=list(state["means"].to(device).unbind()),
            labels=[] if state["labels"] is None else [state["labels"].to(device)],
            shares=None if state["shares"] is None else state["shares"].to(device),
            layers=state["layers"] if is_same_device else None,
            is_diverged=state["is_diverged"],
        )
