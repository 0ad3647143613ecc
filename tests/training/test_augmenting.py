"""What augmentations do to an image, its condition, its target and its label."""

import pytest
import torch
from torch import Tensor

from pokeopt.losses.base import Batch
from pokeopt.registry import AUGMENTATIONS
from pokeopt.training.augmenting import Layers, augmented, divided, kind_of

PAIR = Layers(image=3, condition=3, target=3)
OF_KIND = {
    kind: [n for n in AUGMENTATIONS.names() if kind_of(AUGMENTATIONS.get(n)) == kind]
    for kind in ("geometry", "colour", "corruption", "labels")
}


def pairs(n: int = 6) -> Tensor:
    """Return bytes (n, 9, 16, 16) in which the target is the mean of image and condition: a linear relation."""
    generator = torch.Generator().manual_seed(0)
    halves = 2 * torch.randint(0, 128, (n, 6, 16, 16), generator=generator)
    return torch.cat([halves, (halves[:, :3] + halves[:, 3:]) // 2], dim=1).to(torch.uint8)


def run(name: str, stack: Tensor, layers: Layers, task: str) -> Batch:
    labels = torch.arange(len(stack)) % 3
    generator = torch.Generator().manual_seed(1)
    return augmented(Batch(stack, labels), [AUGMENTATIONS.make(name)], generator, layers, task, 3)


@pytest.mark.parametrize("name", OF_KIND["geometry"])
def test_image_condition_and_target_move_together(name: str) -> None:
    """A relation between them that holds at every pixel still holds after any move."""
    batch = run(name, pairs(), PAIR, "translation")
    assert batch.target is not None
    torch.testing.assert_close(batch.target, (batch.images[:, :3] + batch.images[:, 3:]) / 2)
    assert not torch.equal(batch.images, divided(pairs() / 255, batch.labels, PAIR, "translation").images)


@pytest.mark.parametrize("name", OF_KIND["colour"] + OF_KIND["corruption"])
def test_in_a_translation_colours_and_noise_change_the_image_alone(name: str) -> None:
    before = divided(pairs() / 255, torch.zeros(6), PAIR, "translation")
    after = run(name, pairs(), PAIR, "translation")
    assert after.target is not None
    assert before.target is not None
    assert torch.equal(after.images[:, 3:], before.images[:, 3:])
    assert torch.equal(after.target, before.target)
    assert not torch.equal(after.images[:, :3], before.images[:, :3])


@pytest.mark.parametrize(
    "name", [name for kind in ("geometry", "colour", "corruption") for name in OF_KIND[kind]]
)
def test_a_reconstruction_has_a_clean_target(name: str) -> None:
    """It is the image that the network sees, but without the noise."""
    stack = pairs()[:, :3]
    batch = run(name, stack, Layers(3), "reconstruction")
    assert batch.target is not None
    if name in OF_KIND["corruption"]:
        assert torch.equal(batch.target, stack / 255)
        assert not torch.equal(batch.images, batch.target)
    else:
        assert torch.equal(batch.images, batch.target)


def test_noise_comes_last() -> None:
    """Wherever it stands in the list: what moves the image moves the target, too."""
    stack, labels = pairs()[:, :3], torch.zeros(6, dtype=torch.int64)
    results = []
    for names in (["noise", "horizontal_flip"], ["horizontal_flip", "noise"]):
        steps = [AUGMENTATIONS.make(name) for name in names]
        generator = torch.Generator().manual_seed(2)
        results.append(augmented(Batch(stack, labels), steps, generator, Layers(3), "reconstruction", 1))
    assert torch.equal(results[0].images, results[1].images)


@pytest.mark.parametrize("name", OF_KIND["labels"])
def test_mixed_images_have_shares(name: str) -> None:
    batch = run(name, pairs()[:, :3], Layers(3), "classification")
    assert batch.shares is not None
    torch.testing.assert_close(batch.shares.sum(1), torch.ones(6))
    assert run("horizontal_flip", pairs()[:, :3], Layers(3), "classification").shares is None
