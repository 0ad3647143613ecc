"""What is measured of networks that make images: the probe, the terms' gradients, the parts of a latent, values."""

from collections.abc import Generator
from typing import TypeVar

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch import Tensor, nn

from pokeopt.losses.base import Batch
from pokeopt.training.gradients import gradient_shares
from pokeopt.training.partitions import partition_effects
from pokeopt.training.probe import Probe
from pokeopt.training.values import image_values

T = TypeVar("T")


def returned(steps: Generator[None, None, T]) -> T:
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: T = end.value
            return result


def blobs(n_classes: int, spread: float) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    truth = np.repeat(np.arange(n_classes), 40)
    centres = rng.normal(0, 1, (n_classes, 6))
    return (centres[truth] + rng.normal(0, spread, (len(truth), 6))).astype(np.float32), truth


@pytest.mark.parametrize("n_classes", [2, 3])
def test_the_probe_is_scikit_learns_logistic_regression(n_classes: int) -> None:
    latents, truth = blobs(n_classes, spread=1.0)
    probe = returned(Probe.fit(latents, truth))
    standardised = (latents - latents.mean(0)) / latents.std(0)
    expected = LogisticRegression(max_iter=1000).fit(standardised, truth).predict(standardised)
    hits = probe.hits(torch.from_numpy(latents), torch.from_numpy(truth))
    assert (hits == (expected == truth)).mean() > 0.98
    assert 0.5 < hits.mean() < 1


def test_a_probe_of_one_class_and_of_constant_latents() -> None:
    """Nothing to tell apart, or nothing to tell it by, is no error."""
    one = returned(Probe.fit(np.ones((4, 3), np.float32), np.full(4, 7)))
    assert one.hits(torch.ones(2, 3), torch.tensor([7, 1])).tolist() == [1, 0]
    flat = returned(Probe.fit(np.ones((4, 3), np.float32), np.array([0, 0, 0, 1])))
    assert flat.hits(torch.ones(1, 3), torch.tensor([0])).tolist() == [1]


def test_gradient_shares_by_hand() -> None:
    """Terms 3a and b^2 of shared parameters weigh |3| and |2b|, times their weights in the sum."""
    a = nn.Parameter(torch.tensor(2.0))
    terms = {"reconstruction": 3 * a, "classification": a**2}
    combined = terms["reconstruction"] + 0.5 * terms["classification"]
    shares = gradient_shares(terms, combined, [a])
    torch.testing.assert_close(shares, torch.tensor([3 / 5, 2 / 5]))
    combined.backward()
    assert a.grad is not None
    torch.testing.assert_close(a.grad, torch.tensor(5.0))


def test_gradient_shares_look_at_what_all_terms_reach() -> None:
    """A head that only one term trains is no part of the comparison."""
    shared, head = nn.Parameter(torch.tensor(1.0)), nn.Parameter(torch.tensor(100.0))
    terms = {"reconstruction": 2 * shared, "classification": 2 * shared + head**2}
    shares = gradient_shares(terms, terms["reconstruction"] + terms["classification"], [shared, head])
    torch.testing.assert_close(shares, torch.tensor([0.5, 0.5]))


class _Decoder:
    """Paints the first unit, half of the second, and never the third."""

    def decode(self, latent: Tensor) -> Tensor:
        return (latent[:, :1] + latent[:, 1:2] / 2)[:, :, None, None].expand(-1, 1, 4, 4)


def test_partition_effects_by_hand() -> None:
    effects = returned(partition_effects(_Decoder(), torch.zeros(5, 3), (2, 1)))
    assert effects == pytest.approx([0.75, 0.0])


def test_values_of_images() -> None:
    """A perfect copy has no error, full similarity and sharpness 1; a blurred one is less sharp."""
    target = torch.rand(3, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    batch = Batch(target, torch.zeros(3, dtype=torch.int64), target=target)
    wanted = ("sharpness", "structural_similarity")
    same = image_values({"image": target}, batch, wanted)
    blurred = image_values({"image": torch.nn.functional.avg_pool2d(target, 3, 1, 1)}, batch, wanted)
    assert same["squared_error"].tolist() == [0, 0, 0]
    np.testing.assert_allclose(same["structural_similarity"], 1)
    np.testing.assert_allclose(same["sharpness"], 1)
    assert (blurred["sharpness"] < 0.8).all()
    assert (blurred["structural_similarity"] < 0.9).all()
    assert (blurred["squared_error"] > 0).all()


def test_values_do_not_depend_on_the_batch() -> None:
    generator = torch.Generator().manual_seed(1)
    target, made = torch.rand(4, 1, 9, 9, generator=generator), torch.rand(4, 1, 9, 9, generator=generator)
    mean, logvar = torch.randn(4, 5, generator=generator), torch.randn(4, 5, generator=generator)
    outputs = {"image": made, "mean": mean, "logvar": logvar, "logits": torch.eye(4)}
    labels = torch.tensor([0, 1, 0, 3])
    together = image_values(outputs, Batch(target, labels, target=target), ("sharpness",))
    assert together["head_hit"].tolist() == [1, 1, 0, 1]
    for i in range(4):
        part = {name: value[i : i + 1] for name, value in outputs.items()}
        alone = image_values(
            part, Batch(target[i : i + 1], labels[i : i + 1], target=target[i : i + 1]), ("sharpness",)
        )
        for name, values in together.items():
            assert alone[name][0] == pytest.approx(values[i], rel=1e-5)


def test_divergence_is_zero_at_the_prior_only() -> None:
    image = torch.zeros(2, 1, 4, 4)
    mean, logvar = torch.tensor([[0.0], [1.0]]), torch.zeros(2, 1)
    values = image_values(
        {"image": image, "mean": mean, "logvar": logvar}, Batch(image, torch.zeros(2), target=image), ()
    )
    assert values["divergence"].tolist() == [0.0, 0.5]
