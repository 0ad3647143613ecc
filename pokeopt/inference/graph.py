"""What is exported: bytes in, probabilities or images out; normalisation and softmax are part of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from pokeopt.errors import StudyError
from pokeopt.models.base import ImageShape, StandardisedModel, named_outputs, traits_of
from pokeopt.registry import MODELS
from pokeopt.training.recipe import make_model

Bytes = npt.NDArray[np.uint8]
Outputs = dict[str, npt.NDArray[np.float32]]
BATCH_NUMBERS = 2**22  # bytes of a batch: some 340 images of 64x64 in colour
CONDITION = 3  # channels of a condition: it is read as RGB


class Graph(nn.Module):
    """A trained network that takes images as they are stored, and returns what a user wants of it.

    Args:
        module: The network with its statistics.
    """

    def __init__(self, module: StandardisedModel) -> None:
        super().__init__()
        self.module = module.eval()

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Return the outputs, in the order of ``output_names``, of images (N, C, H, W), uint8.

        ``probabilities`` (N, K) sum to 1; ``image`` (N, C, H, W) is an intensity, about [0, 1]; ``latent`` is (N, D).
        """
        return tuple(self._named(images).values())

    def _named(self, images: Tensor) -> dict[str, Tensor]:
        found = named_outputs(self.module(images))
        named: dict[str, Tensor] = {}
        if "logits" in found:
            named["probabilities"] = found["logits"].float().softmax(dim=1)
        named.update({name: found[name].float() for name in ("image", "latent") if name in found})
        return named

    def output_names(self, shape: tuple[int, int, int]) -> tuple[str, ...]:
        """Return the names of what it returns for images of this shape."""
        with torch.inference_mode():
            return tuple(self._named(torch.zeros(2, *shape, dtype=torch.uint8)))


def run_graph(graph: Any, names: Sequence[str], images: Bytes) -> Outputs:
    """Return the outputs by name for bytes (N, C, H, W), computed batch by batch on the CPU."""
    size = max(1, BATCH_NUMBERS // max(1, images[0].size)) if len(images) else 1
    pieces: list[tuple[Tensor, ...]] = []
    with torch.inference_mode():
        for start in range(0, max(len(images), 1), size):
            pieces.append(graph(torch.from_numpy(np.array(images[start : start + size]))))
    return {
        name: torch.cat([piece[i] for piece in pieces]).numpy().astype(np.float32)
        for i, name in enumerate(names)
    }


def build_module(
    config: Mapping[str, Any], n_classes: int, state: Mapping[str, Tensor], where: str
) -> StandardisedModel:
    """Return the network of a configuration with these weights, on the CPU.

    Raises:
        StudyError: If the weights do not fit the configuration.
    """
    data = config["data"]
    model = make_model(config["model"])
    condition = CONDITION if traits_of(model).task == "translation" else 0
    channels = {"rgb": 3, "rgba": 4, "gray": 1}[data["channels"]]
    shape = ImageShape(channels, data["image_size"], data["image_size"], condition)
    mean, std = state["mean"].flatten().clone(), state["std"].flatten().clone()  # no shared memory
    reason = ""
    # pretrained weights would be overwritten: they need not be there, unless they decide on the network's form
    for settings in _without_download(config["model"]):
        module = StandardisedModel(make_model(settings).build(shape, n_classes), mean, std)
        try:
            module.load_state_dict(dict(state))
        except RuntimeError as error:
            reason = " ".join(str(error).split())
            continue
        return module.eval()
    raise StudyError(where, f"the weights do not fit the configuration: {reason}", "retrain the model")


def _without_download(model: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    known = MODELS.settings(model["family"])
    return [{**model, "weights": "none"}, model] if "weights" in known else [model]
