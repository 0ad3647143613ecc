"""The peer of our training loop: PyTorch as its tutorials have it, with the same network.

PNG files decoded by Pillow one by one, torchvision's transforms, a DataLoader, float32 images in torch's usual memory
layout, an optimizer with torch's defaults, a validation after each epoch; for mixed precision, torch.autocast.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from sklearn.metrics import f1_score
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.baselines import Facts, read_facts
from benchmarks.plain_images import Batches, build_loaders, unpacked
from pokeopt.models.base import ImageShape
from pokeopt.registry import split_component
from pokeopt.training.recipe import make_model

OPTIMIZERS: Mapping[str, Callable[..., torch.optim.Optimizer]] = {
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
}
Outputs = Any  # what a network of the family returns: logits, or a mapping of outputs


def start(
    config: Mapping[str, Any], folder: Path, seed: int, device: torch.device, threads: int, n_workers: int
) -> Iterator[float]:
    """Build a network and return an iterator that trains it: one epoch and its validation score at each step.

    Args:
        config: Resolved, as our side is given it.
        folder: Of images, see ``write_images``.
        seed: Starts torch's and Python's generators.
        device: Where to train.
        threads: CPU threads.
        n_workers: Of the DataLoaders.
    """
    torch.set_num_threads(threads)
    torch.manual_seed(seed)
    random.seed(seed)
    facts = read_facts(folder)
    network = build_network(config, facts).to(device)
    optimizer = build_optimizer(config, network)
    train_loader, val_loader = build_loaders(config, facts, folder, n_workers, device)

    def epoch() -> float:
        train(network, optimizer, train_loader, config, device)
        return validate(network, val_loader, config, device)

    return (epoch() for _ in range(config["training"]["epochs"]))


def train(
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    loader: Batches,
    config: Mapping[str, Any],
    device: torch.device,
) -> float:
    """Train for an epoch and return the sum of its losses."""
    loss_of, is_mixed = LOSSES[config["model"]["family"]], config["training"]["precision"] == "bf16"
    network.train()
    total = 0.0
    for batch in loader:
        images, target, labels = (part.to(device) for part in unpacked(batch))
        optimizer.zero_grad()
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=is_mixed):
            loss = loss_of(network(images), target, labels, config)
        loss.backward()
        optimizer.step()
        total += loss.item()
    return total


def validate(network: nn.Module, loader: Batches, config: Mapping[str, Any], device: torch.device) -> float:
    """Return the macro-F1 of a classifier, or the mean squared error of the images that another network makes."""
    is_mixed = config["training"]["precision"] == "bf16"
    network.eval()
    truth, predicted, squares, n_images = [], [], 0.0, 0
    with torch.no_grad():
        for batch in loader:
            images, target, labels = (part.to(device) for part in unpacked(batch))
            with torch.autocast(device.type, dtype=torch.bfloat16, enabled=is_mixed):
                outputs = network(images)
            n_images += len(images)
            if isinstance(outputs, Tensor):
                predicted += outputs.argmax(1).tolist()
                truth += labels.tolist()
            else:
                squares += functional.mse_loss(outputs["image"], target).item() * len(images)
    return float(f1_score(truth, predicted, average="macro")) if predicted else squares / n_images


def build_network(config: Mapping[str, Any], facts: Facts) -> nn.Module:
    """Return the family's network, as our side builds it."""
    condition = 3 if facts.is_paired else 0
    shape = ImageShape(facts.channels, facts.size, facts.size, condition)
    return make_model(config["model"]).build(shape, facts.n_classes)


def build_optimizer(config: Mapping[str, Any], network: Any) -> torch.optim.Optimizer:
    """Return the optimizer of the configuration, with torch's defaults for what it does not say."""
    training = config["training"]
    name, settings = split_component(training["optimizer"])
    rate = training["learning_rate"]
    groups = [{"params": [p for p in network.parameters() if p.requires_grad], "lr": rate}]
    if hasattr(network, "parameter_groups"):
        groups = [{"params": list(p), "lr": rate * factor} for factor, p in network.parameter_groups()]
    betas = (settings["beta1"], settings["beta2"])
    return OPTIMIZERS[name](groups, betas=betas, eps=settings["eps"], weight_decay=training["weight_decay"])


def classified(outputs: Outputs, target: Tensor, labels: Tensor, config: Any) -> Tensor:  # noqa: ARG001
    """Return the cross-entropy."""
    return functional.cross_entropy(outputs, labels)


def autoencoded(outputs: Outputs, target: Tensor, labels: Tensor, config: Any) -> Tensor:  # noqa: ARG001
    """Return log(MSE) + log(CE)."""
    error = functional.mse_loss(outputs["image"], target)
    return error.log() + functional.cross_entropy(outputs["logits"], labels).log()


def sampled(outputs: Outputs, target: Tensor, labels: Tensor, config: Any) -> Tensor:  # noqa: ARG001
    """Return the squared error and the weighed divergence."""
    mean, logvar = outputs["mean"], outputs["logvar"]
    divergence: Tensor = (mean**2 + logvar.exp() - 1 - logvar).sum(1).mean() / 2
    weight: float = config["loss"]["weights"]["prior"]
    error = functional.mse_loss(outputs["image"], target)
    return error + weight * divergence


def translated(outputs: Outputs, target: Tensor, labels: Tensor, config: Any) -> Tensor:  # noqa: ARG001
    """Return the squared error."""
    return functional.mse_loss(outputs["image"], target)


LOSSES: Mapping[str, Callable[[Outputs, Tensor, Tensor, Any], Tensor]] = {
    "mlp": classified,
    "cnn": classified,
    "transfer": classified,
    "autoencoder": autoencoded,
    "pvae": sampled,
    "unet": translated,
}
