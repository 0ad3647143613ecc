"""One network: memory, precision, clipping, divergence."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
import torch
from torch import Tensor, nn

from pokeopt.models.base import ImageShape
from pokeopt.training.batches import TrainingData
from pokeopt.training.network import Network
from pokeopt.training.recipe import Recipe

CPU = torch.device("cpu")
MakeRecipe = Callable[..., Recipe]


class Greedy(nn.Module):
    """A linear classifier that has room for so many images."""

    def __init__(self, image: ImageShape, n_classes: int, room: int) -> None:
        super().__init__()
        self.head, self.room = nn.Linear(image.numel, n_classes), room

    def forward(self, images: Tensor) -> Tensor:
        if self.training and len(images) > self.room:
            raise torch.OutOfMemoryError(f"{len(images)} images do not fit")
        logits: Tensor = self.head(images.flatten(1))
        return logits


@dataclass(frozen=True)
class GreedyModel:
    room: int = 4

    def build(self, image: ImageShape, n_classes: int) -> nn.Module:
        return Greedy(image, n_classes, self.room)


def train(recipe: Recipe, data: TrainingData, precision: str = "fp32") -> tuple[Network, dict[str, float]]:
    network = Network(recipe, data, 0, CPU, precision)
    for _ in network.train_epoch(1, []):
        pass
    return network, network.finish_epoch()


@pytest.mark.parametrize(("room", "pieces"), [(100, 1), (8, 2), (4, 4)])
def test_a_batch_that_does_not_fit_is_cut(
    data: TrainingData, recipe: MakeRecipe, room: int, pieces: int
) -> None:
    """In two, then in four; the gradients add up to those of the whole batch."""
    roomy, whole = train(replace(recipe(), model=GreedyModel(100)), data)
    tight, cut = train(replace(recipe(), model=GreedyModel(room)), data)
    assert tight.pieces == pieces
    assert cut == pytest.approx(whole, rel=1e-4)
    torch.testing.assert_close(tight.module.state_dict(), roomy.module.state_dict(), rtol=1e-3, atol=1e-4)


def test_a_batch_that_does_not_fit_in_four_is_an_error(data: TrainingData, recipe: MakeRecipe) -> None:
    with pytest.raises(torch.OutOfMemoryError):
        train(replace(recipe(), model=GreedyModel(3)), data)


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_mixed_precision_learns_much_the_same(data: TrainingData, recipe: MakeRecipe, precision: str) -> None:
    """The weights stay fp32, and all steps of an epoch are finite."""
    network, metrics = train(recipe(), data, precision)
    _, exact = train(recipe(), data)
    assert all(p.dtype == torch.float32 for p in network.module.parameters())
    assert metrics["train/loss"] == pytest.approx(exact["train/loss"], abs=0.1)


def test_clipping_bounds_the_gradient(data: TrainingData, recipe: MakeRecipe) -> None:
    """The norm that is shown is the one before."""
    network, metrics = train(recipe(gradient_clip=1e-3), data)
    gradients = [p.grad for p in network.parameters if p.grad is not None]
    assert float(torch.nn.utils.get_total_norm(gradients)) == pytest.approx(1e-3, rel=1e-3)
    assert metrics["train/grad_norm"] > 0.1


def test_training_metrics_are_those_of_the_images_drawn(data: TrainingData, recipe: MakeRecipe) -> None:
    """One term without weights: the mean of the batches, weighted by their size, is the pooled cross-entropy."""
    _, metrics = train(recipe(batch_size=7), data)
    assert metrics["train/total_loss"] == pytest.approx(metrics["train/loss"], rel=1e-5)


def test_a_network_that_diverges_says_so_at_once(data: TrainingData, recipe: MakeRecipe) -> None:
    """At the next look, not at the end of the epoch."""
    network = Network(
        recipe(batch_size=1, model={"family": "mlp", "batch_norm": False}), data, 0, CPU, "fp32"
    )
    with torch.no_grad():
        next(network.module.parameters()).fill_(float("nan"))
    batches = sum(1 for _ in network.train_epoch(1, []))
    assert network.is_diverged
    assert batches < 60 < len(data.train)
    assert list(network.finish_epoch()) == ["train/total_loss"]


def test_augmented_images_reach_the_network(data: TrainingData, recipe: MakeRecipe) -> None:
    """In [0, 1], in order, drawn from a generator that follows from the seed."""
    seen: list[Tensor] = []

    def darken(images: Tensor, generator: torch.Generator) -> Tensor:
        factors = torch.rand(len(images), 1, 1, 1, generator=generator)
        seen.append(factors.flatten())
        assert 0 <= float(images.min()) <= float(images.max()) <= 1
        return images * factors

    for _ in range(2):
        train(replace(recipe(), augmentation=(darken,)), data)
    half = len(seen) // 2
    assert torch.equal(torch.cat(seen[:half]), torch.cat(seen[half:]))
    assert len(torch.cat(seen[:half]).unique()) == len(data.train)


@dataclass(frozen=True)
class ConvModel:
    def build(self, image: ImageShape, n_classes: int) -> nn.Module:
        return nn.Sequential(
            nn.Conv2d(image.channels, 8, 3),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(8, n_classes),
        )


def test_convolutions_get_channels_last(data: TrainingData, recipe: MakeRecipe) -> None:
    """Weights and images: one of them alone would be converted in every layer."""
    network = Network(replace(recipe(), model=ConvModel()), data, 0, CPU, "fp32")
    seen = []
    convolution = next(part for part in network.module.modules() if isinstance(part, nn.Conv2d))
    convolution.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    next(network.train_epoch(1, []))
    assert convolution.weight.is_contiguous(memory_format=torch.channels_last)
    assert seen[0].is_contiguous(memory_format=torch.channels_last)
