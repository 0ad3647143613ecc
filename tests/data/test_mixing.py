"""Laws of the augmentations that mix: a class has the share in the labels that it has in the image."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from pokeopt.errors import SpecError
from pokeopt.registry import AUGMENTATIONS

NAMES = [name for name in AUGMENTATIONS.names() if AUGMENTATIONS.get(name).kind == "labels"]
N_CLASSES = 4
INTENSITY = torch.tensor([0.0, 0.25, 0.5, 1.0])  # of all pixels of a class's images


def plain(n_images: int = 8, channels: int = 3, height: int = 12, width: int = 10) -> tuple[Tensor, Tensor]:
    """Return images whose intensity tells their class, and their one-hot shares."""
    labels = torch.arange(n_images) % N_CLASSES
    images = INTENSITY[labels].reshape(-1, 1, 1, 1).repeat(1, channels, height, width)
    return images, F.one_hot(labels, N_CLASSES).float()


def mix(component: Any, images: Tensor, shares: Tensor, seed: int = 0) -> tuple[Tensor, Tensor]:
    mixed: tuple[Tensor, Tensor] = AUGMENTATIONS.make(component)(
        images, shares, torch.Generator().manual_seed(seed)
    )
    return mixed


def test_the_documents_mixings_are_there() -> None:
    assert {"mixup", "cutmix"} <= set(NAMES)


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("name", NAMES)
def test_shares_are_those_of_the_image(name: str, channels: int, seed: int) -> None:
    """The mean intensity of a mixture is that of its classes, each weighted by its share."""
    before, one_hot = plain(channels=channels)
    images, shares = mix({name: {"alpha": 1.0}}, before, one_hot, seed)
    assert (images.shape, images.dtype) == (before.shape, before.dtype)
    assert (shares.shape, shares.dtype) == (one_hot.shape, one_hot.dtype)
    assert 0 <= images.min() <= images.max() <= 1
    torch.testing.assert_close(shares.sum(dim=1), torch.ones(8))
    torch.testing.assert_close(images.mean(dim=(1, 2, 3)), shares @ INTENSITY)


@pytest.mark.parametrize("name", NAMES)
def test_a_mixture_may_be_mixed_again(name: str) -> None:
    images, shares = plain()
    for seed, again in enumerate((*NAMES, name)):
        images, shares = mix({again: {"alpha": 1.0}}, images, shares, seed)
    torch.testing.assert_close(shares.sum(dim=1), torch.ones(8))
    assert ((shares > 0).sum(dim=1) > 2).any()


@pytest.mark.parametrize("name", NAMES)
def test_each_batch_has_a_draw_of_its_own(name: str) -> None:
    shares = torch.stack([mix({name: {"alpha": 1.0}}, *plain(), seed)[1] for seed in range(20)])
    assert len(torch.unique(shares.flatten(1), dim=0)) > 10
    largest = shares.amax(dim=2)  # of each image of each batch
    torch.testing.assert_close(largest, largest[:, :1].expand_as(largest))  # one share for a batch


@pytest.mark.parametrize("name", NAMES)
def test_a_generator_decides_all(name: str) -> None:
    for one, other in zip(mix(name, *plain(), seed=5), mix(name, *plain(), seed=5), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)
    generator = torch.Generator().manual_seed(5)
    augment = AUGMENTATIONS.make({name: {"alpha": 1.0}})
    shares = torch.stack([augment(*plain(), generator)[1] for _ in range(8)])
    assert len(torch.unique(shares.flatten(1), dim=0)) > 4  # it moves on


@pytest.mark.parametrize("name", NAMES)
def test_the_default_generator_is_left_alone(name: str) -> None:
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    mixed = mix(name, *plain())
    torch.testing.assert_close(torch.rand(3), expected, rtol=0, atol=0)
    torch.manual_seed(2)  # nor does it matter what its state is
    torch.testing.assert_close(mix(name, *plain()), mixed, rtol=0, atol=0)


@pytest.mark.parametrize("name", NAMES)
def test_the_batch_is_left_alone(name: str) -> None:
    images, shares = plain()
    mix({name: {"alpha": 1.0}}, images, shares, seed=3)
    for one, other in zip((images, shares), plain(), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)


@pytest.mark.parametrize("name", NAMES)
def test_one_image_is_mixed_with_itself(name: str) -> None:
    images, shares = plain(1)
    for one, other in zip(mix(name, images, shares), (images, shares), strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("name", NAMES)
def test_probability_is_that_of_a_batch(name: str) -> None:
    _, shares = plain()
    settings = {"alpha": 1.0, "probability": 0.5}
    is_mixed = [not torch.equal(mix({name: settings}, *plain(), seed)[1], shares) for seed in range(100)]
    assert 25 < sum(is_mixed) < 75
    never = mix({name: {"probability": 0.0}}, *plain())
    torch.testing.assert_close(never, plain(), rtol=0, atol=0)


@pytest.mark.parametrize("settings", [{"alpha": 0.0}, {"alpha": -1.0}, {"probability": 1.5}])
@pytest.mark.parametrize("name", NAMES)
def test_settings_out_of_range_are_refused(name: str, settings: dict[str, float]) -> None:
    with pytest.raises(SpecError, match=f"{next(iter(settings))} must be"):
        AUGMENTATIONS.make({name: settings})


@pytest.mark.gpu
@pytest.mark.parametrize("name", NAMES)
def test_on_cuda(name: str) -> None:
    """Draws from a CPU generator give the same mixture on both devices."""
    images, shares = (one.cuda() for one in plain())
    torch.cuda.manual_seed(1)
    before = torch.cuda.get_rng_state()
    mixed = mix(name, images, shares)
    assert {one.device for one in mixed} == {images.device}
    torch.testing.assert_close(tuple(one.cpu() for one in mixed), mix(name, *plain()))
    torch.testing.assert_close(torch.cuda.get_rng_state(), before, rtol=0, atol=0)
