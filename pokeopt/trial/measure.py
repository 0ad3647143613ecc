"""How large a configuration's model is and how fast it trains, without training it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count, islice
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from pokeopt.models.base import ImageShape, traits_of
from pokeopt.records import TrialTask
from pokeopt.registry import import_plugins
from pokeopt.training.device import choose_device, prepare_device, release_device
from pokeopt.training.network import Network
from pokeopt.training.recipe import make_model
from pokeopt.trial.prepare import prepare

CHANNELS = {"rgb": 3, "rgba": 4, "gray": 1}
WARM_UP_BATCHES = 3  # the first ones allocate, and choose kernels on a GPU


@dataclass(frozen=True, slots=True)
class ModelSize:
    """What a model holds and costs.

    Attributes:
        n_params: Parameters, frozen ones included.
        flops: Floating-point operations of one image's forward pass, in matrix products and convolutions only;
            one multiplication with its addition counts 2.
    """

    n_params: int
    flops: int


def measure_model(module: nn.Module, image: ImageShape) -> ModelSize:
    """Return the size of a network that takes images of this shape; it is left in evaluation mode."""
    like = next(module.parameters())
    given = image.channels + image.condition
    example = torch.zeros(1, given, image.height, image.width, device=like.device)
    module.eval()
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        module(example)
    return ModelSize(sum(p.numel() for p in module.parameters()), counter.get_total_flops())


def measure_layers(module: nn.Module, image: ImageShape) -> list[dict[str, Any]]:
    """Return the layers of a network in the order in which one image passes them; it is left in evaluation mode.

    Each has ``name``, ``kind``, ``shape`` of its output without the batch, ``n_params`` (frozen ones included),
    ``n_trained`` of them and ``flops`` as in ``ModelSize``. A layer that is passed twice stands once, with the
    operations of both.
    """
    like = next(module.parameters())
    example = torch.zeros(1, image.channels + image.condition, image.height, image.width, device=like.device)
    leaves = {part: name for name, part in module.named_modules() if not any(part.children())}
    rows: dict[str, dict[str, Any]] = {}

    def note(part: nn.Module, _: Any, output: Any) -> None:
        tensor = output[0] if isinstance(output, (tuple, list)) else output
        own = list(part.parameters(recurse=False))
        rows[leaves[part]] = {
            "name": leaves[part],
            "kind": type(part).__name__,
            "shape": list(tensor.shape[1:]) if isinstance(tensor, torch.Tensor) else [],
            "n_params": sum(weights.numel() for weights in own),
            "n_trained": sum(weights.numel() for weights in own if weights.requires_grad),
            "flops": 0,
        }

    hooks = [part.register_forward_hook(note) for part in leaves]
    module.eval()
    try:
        with torch.inference_mode(), FlopCounterMode(display=False) as counter:
            module(example)
    finally:
        for hook in hooks:
            hook.remove()
    for path, counts in counter.get_flop_counts().items():
        name = path.partition(".")[2]  # the first word is the network's class
        if name in rows:
            rows[name]["flops"] = sum(counts.values())
    return list(rows.values())


def sizes(config: Mapping[str, Any], n_classes: int) -> ModelSize:
    """Return the size of a resolved configuration's model; no weight is drawn and no memory filled.

    Raises:
        SpecError: If the model or a setting does not exist or is out of its range.
    """
    data = config["data"]
    model = make_model(config["model"])
    condition = CHANNELS["rgb"] if traits_of(model).task == "translation" else 0
    image = ImageShape(CHANNELS[data["channels"]], data["image_size"], data["image_size"], condition)
    with torch.device("meta"):
        return measure_model(model.build(image, n_classes), image)


def time_batches(task: TrialTask, n: int = 20) -> float:
    """Return the seconds that one network of a task takes for one training batch, mean over ``n``.

    Raises what ``run`` raises before its first epoch.
    """
    import_plugins(task.plugins)
    device = choose_device(task.device)
    prepare_device(device, task.threads, task.memory_fraction, task.deterministic)
    prepared = prepare(task, device)
    network = Network(prepared.recipe, prepared.data, task.seeds[0], device, prepared.precision)

    def endless() -> Any:
        for epoch in count(1):
            yield from network.train_epoch(epoch, [])
            network.running = None

    batches = endless()
    try:
        for _ in islice(batches, WARM_UP_BATCHES):
            pass
        _wait(device)
        started_at = time.perf_counter()
        for _ in islice(batches, n):
            pass
        _wait(device)
        return (time.perf_counter() - started_at) / n
    finally:
        release_device(device)


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
