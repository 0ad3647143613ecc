"""A network for ImageNet without its classifier: images in, features out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from pokeopt.errors import SpecError
from pokeopt.models.backbones.efficientnet_lite import LITE0, EfficientNetLite0
from pokeopt.models.backbones.stages import Stages, divide
from pokeopt.models.backbones.weights import NONE, fit, read_weights, size_of
from pokeopt.registry import nearest

RGB = 3


@dataclass(frozen=True)
class Backbone:
    """A network that gives features.

    Attributes:
        module: Images (N, 3, H, W), standardised as it is used to, to (N, n_features).
        n_features: Numbers of an image's features.
        stages: Its division.
        size_px: Side that images are to be resized to; None takes them as they are.
    """

    module: nn.Module
    n_features: int
    stages: Stages
    size_px: int | None


def check_backbone(name: str) -> None:
    """Refuse a name that is neither torchvision's nor ours.

    Raises:
        ValueError: It begins with ``backbone``.
    """
    known = [LITE0, *_torchvision_names()]
    if name not in known:
        hint = nearest(name, known)
        what = f"backbone must be {LITE0} or a classification model of torchvision, got '{name}'"
        raise ValueError(f"{what}; {hint}" if hint.startswith("did") else what)


def load_backbone(name: str, weights: str, size_px: int | None, height: int, width: int) -> Backbone:
    """Build a backbone with its weights; on device meta without reading or drawing any.

    Args:
        name: As ``check_backbone`` takes it.
        weights: As ``check_weights`` takes it.
        size_px: Side that images are resized to; None leaves them, and gives a network of one size its own.
        height: Rows of the images before that.
        width: Their columns.

    Raises:
        SpecError: If images of this size are too small for it, or the weights do not fit.
        TrialError: If the weights cannot be downloaded.
    """
    if size_px is None and _option_of_size(name) is not None:
        size_px = size_of(name, weights)
    module = _without_memory(name, size_px)
    shape = (height, width) if size_px is None else (size_px, size_px)
    n_features = _count_features(module, name, shape)
    device = torch.empty(0).device
    if device.type != "meta":
        if weights == NONE:
            module = _cut(_construct(name, size_px), name)
        else:
            fit(module, read_weights(name, weights), name)
            module.to(device)
    return Backbone(module, n_features, divide(module), size_px)


def _torchvision_names() -> list[str]:
    from torchvision import models

    names: list[str] = models.list_models(module=models)
    return names


def _option_of_size(name: str) -> str | None:
    """Return the option by which torchvision is told the one size that a network takes; None if it takes any."""
    return {"vit": "image_size", "maxvit": "input_size"}.get(name.split("_")[0])


def _construct(name: str, size_px: int | None) -> nn.Module:
    if name == LITE0:
        return EfficientNetLite0()
    from torchvision.models import get_model

    options: dict[str, Any] = {}
    if (option := _option_of_size(name)) is not None and size_px is not None:
        options[option] = size_px if option == "image_size" else (size_px, size_px)
    if name in ("googlenet", "inception_v3"):  # they were trained on images of another standardisation
        options = {"aux_logits": False, "transform_input": True, "init_weights": True}
    module: nn.Module = get_model(name, weights=None, **options)
    return module


def _without_memory(name: str, size_px: int | None) -> nn.Module:
    """Return the backbone on device meta: weights that are to be replaced are neither drawn nor stored.

    Raises:
        SpecError: If the network cannot be of this size.
    """
    try:
        with torch.device("meta"):
            try:
                return _cut(_construct(name, size_px), name)
            except NotImplementedError:  # RegNet computes its widths by tensors, and reads them
                with torch.device("cpu"):
                    return _cut(_construct(name, size_px), name).to("meta")
    except (RuntimeError, AssertionError, ValueError) as error:
        what = f"{name} cannot take images of {size_px} x {size_px} px: {' '.join(str(error).split())}"
        raise SpecError("model.input_size", what, "leave it out for the size that it is made for") from error


def _cut(module: Any, name: str) -> nn.Module:
    """Take a network's classifier away, so that it returns what the classifier was given, (N, F).

    Of a VGG and an AlexNet all linear layers go, which are most of their weights and fit one image size; the mean over
    the last maps takes their place. Of the others only the last layer goes. Dropout goes: the head has its own.
    """
    if name.startswith(("vgg", "alexnet")):
        module.avgpool, module.classifier = nn.AdaptiveAvgPool2d(1), nn.Identity()
    elif name.startswith("squeezenet"):
        module.classifier = nn.AdaptiveAvgPool2d(1)
    else:
        attribute = next(a for a in ("fc", "head", "heads", "classifier") if hasattr(module, a))
        last = getattr(module, attribute)
        if attribute == "classifier" and isinstance(last, nn.Sequential):
            last[-1] = nn.Identity()
            for i, layer in enumerate(last):
                if isinstance(layer, nn.Dropout):
                    last[i] = nn.Identity()
        else:
            setattr(module, attribute, nn.Identity())
    if hasattr(module, "dropout"):
        module.dropout = nn.Identity()
    backbone: nn.Module = module
    return backbone


def _count_features(module: nn.Module, name: str, shape: tuple[int, int]) -> int:
    """Send an image without memory through the backbone: it says how many features there are, and whether it fits.

    Raises:
        SpecError: If it is too small.
    """
    module.eval()
    try:
        with torch.inference_mode(), torch.device("meta"):
            return int(module(torch.zeros(1, RGB, *shape)).shape[1])
    except (RuntimeError, AssertionError, ValueError) as error:
        what = f"{name} cannot take images of {shape[0]} x {shape[1]} px: {' '.join(str(error).split())}"
        raise SpecError("model.input_size", what, "set it to 224, say, to have images enlarged") from error
