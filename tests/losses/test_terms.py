"""Laws of every classification term."""

from collections.abc import Mapping

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from pokeopt.errors import SpecError
from pokeopt.losses.base import Batch, LossContext, LossFunction
from pokeopt.registry import LOSSES

K = 5
COUNTS = torch.tensor([10, 20, 30, 5, 35])
NAMES = [name for name in LOSSES.names() if "classification" in LOSSES.get(name).roles]
COMPONENTS: list[str | Mapping[str, object]] = [
    *NAMES,
    {"cross_entropy": {"on": "softmax"}},
    {"cross_entropy": {"on": "log_softmax"}},
    {"focal": {"gamma": 0.5}},
]
TERMS = pytest.mark.parametrize("component", COMPONENTS, ids=str)


def build(component: str | Mapping[str, object]) -> LossFunction:
    term: LossFunction = LOSSES.make(component).build(LossContext(COUNTS, K))
    return term


def batch_of(labels: Tensor) -> Batch:
    return Batch(torch.zeros(len(labels), 3, 4, 4), labels)


def in_shares(batch: Batch) -> Batch:
    """Return the same batch, its labels said as shares."""
    return Batch(batch.images, batch.labels, shares=functional.one_hot(batch.labels, K).float())


def mixed(n: int = 12, seed: int = 2) -> Batch:
    """Return a batch in which each image is of two classes."""
    generator = torch.Generator().manual_seed(seed)
    labels, others = torch.randint(0, K, (2, n), generator=generator)
    share = torch.rand(n, 1, generator=generator)
    shares = share * functional.one_hot(labels, K) + (1 - share) * functional.one_hot(others, K)
    return Batch(torch.zeros(n, 3, 4, 4), labels, shares=shares)


def example(seed: int = 0, n: int = 12) -> tuple[dict[str, Tensor], Batch]:
    generator = torch.Generator().manual_seed(seed)
    logits = 3 * torch.randn(n, K, generator=generator)
    return {"logits": logits}, batch_of(torch.randint(0, K, (n,), generator=generator))


@TERMS
def test_a_doubled_batch_changes_nothing(component: str) -> None:
    """A loss is a mean: the batch size is no hidden factor of the learning rate."""
    term = build(component)
    outputs, batch = example()
    doubled = {"logits": outputs["logits"].repeat(2, 1)}
    torch.testing.assert_close(term(doubled, batch_of(batch.labels.repeat(2))), term(outputs, batch))


@TERMS
def test_it_is_lowest_at_the_truth(component: str) -> None:
    """Certain and right beats every other answer, and no answer is worth less than nothing."""
    term = build(component)
    labels = torch.arange(K).repeat(3)
    right = 30 * functional.one_hot(labels, K).float()
    best = float(term({"logits": right}, batch_of(labels)))
    assert best >= 0
    for logits in (right.roll(1, dims=1), torch.zeros_like(right), 0.1 * right):
        assert float(term({"logits": logits}, batch_of(labels))) > best


@TERMS
@pytest.mark.parametrize("scale", [0.0, 1.0, 1e3])
def test_values_and_gradients_stay_finite(component: str, scale: float) -> None:
    """However sure a network is, and of whatever."""
    outputs, batch = example()
    logits = (scale * outputs["logits"]).requires_grad_()
    loss = build(component)({"logits": logits}, batch)
    loss.backward()
    assert torch.isfinite(loss)
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()


@TERMS
def test_half_precision_logits_are_summed_in_full(component: str) -> None:
    """Mixed precision may not reach the loss."""
    outputs, batch = example()
    assert build(component)({"logits": outputs["logits"].bfloat16()}, batch).dtype == torch.float32


@TERMS
def test_an_unmixed_image_costs_what_its_label_costs(component: str) -> None:
    """A share of 1 is the class itself: the same value and the same gradient."""
    outputs, batch = example()
    found = []
    for given in (batch, in_shares(batch)):
        logits = outputs["logits"].clone().requires_grad_()
        loss = build(component)({"logits": logits}, given)
        loss.backward()
        found.append((loss.detach(), logits.grad))
    torch.testing.assert_close(found[1], found[0])


@TERMS
def test_mixed_images_keep_the_laws(component: str) -> None:
    """Doubled, in half precision, very sure, and one alone."""
    term, batch = build(component), mixed()
    logits = example()[0]["logits"].requires_grad_()
    assert batch.shares is not None
    doubled = Batch(batch.images.repeat(2, 1, 1, 1), batch.labels.repeat(2), shares=batch.shares.repeat(2, 1))
    torch.testing.assert_close(
        term({"logits": logits.repeat(2, 1)}, doubled), term({"logits": logits}, batch)
    )
    assert term({"logits": logits.bfloat16()}, batch).dtype == torch.float32
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert term({"logits": logits.bfloat16()}, batch).dtype == torch.float32
    assert torch.isfinite(term({"logits": logits[:1]}, batch.split(12)[0]))
    loss = term({"logits": 1e3 * logits}, batch)
    loss.backward()
    assert torch.isfinite(loss)
    assert logits.grad is not None
    assert logits.grad.isfinite().all()


@TERMS
def test_a_mixed_image_lies_between_its_classes(component: str) -> None:
    """It costs, class by class, its share of what each class alone would."""
    logits = example(n=1)[0]["logits"]
    image = torch.zeros(1, 3, 4, 4)
    by_class = [build(component)({"logits": logits}, Batch(image, torch.tensor([k]))) for k in (1, 3)]
    shares = torch.tensor([[0.0, 0.7, 0.0, 0.3, 0.0]])
    found = build(component)({"logits": logits}, Batch(image, torch.tensor([1]), shares=shares))
    weights = torch.tensor([0.7, 0.3])
    if component == "weighted_cross_entropy":
        weights = weights / COUNTS[[1, 3]]
        weights = weights / weights.sum()
    torch.testing.assert_close(found, (weights * torch.stack(by_class)).sum())


def test_cross_entropy_is_lowest_where_probabilities_are_the_shares() -> None:
    """The answer to a mixed image is its mixture."""
    batch = mixed()
    assert batch.shares is not None
    term = build("cross_entropy")
    best = term({"logits": batch.shares.clamp_min(1e-9).log()}, batch)
    for seed in range(5):
        assert term(example(seed)[0], batch) > best


def test_focal_without_gamma_is_cross_entropy() -> None:
    """Its definition."""
    outputs, batch = example()
    torch.testing.assert_close(
        build({"focal": {"gamma": 0.0}})(outputs, batch), build("cross_entropy")(outputs, batch)
    )


def test_focal_agrees_with_its_formula() -> None:
    """(1 - p)^gamma * -ln p."""
    outputs, batch = example()
    p = outputs["logits"].softmax(1)[torch.arange(12), batch.labels]
    torch.testing.assert_close(
        build({"focal": {"gamma": 2.0}})(outputs, batch), ((1 - p) ** 2 * -p.log()).mean()
    )


def test_every_class_has_the_same_say() -> None:
    """Over the training part itself, each class sums to 1 / K of the weight."""
    labels = torch.repeat_interleave(torch.arange(K), COUNTS)
    logits = torch.randn(len(labels), K, generator=torch.Generator().manual_seed(1))
    nats = functional.cross_entropy(logits, labels, reduction="none")
    by_class = torch.stack([nats[labels == k].mean() for k in range(K)])
    weighted = build("weighted_cross_entropy")({"logits": logits}, batch_of(labels))
    torch.testing.assert_close(weighted, by_class.mean())


def test_a_class_without_training_images_is_no_division_by_zero() -> None:
    """A small part can miss a class."""
    term = LOSSES.make("weighted_cross_entropy").build(LossContext(torch.tensor([4, 0]), 2))
    loss = term({"logits": torch.zeros(2, 2)}, batch_of(torch.tensor([0, 1])))
    assert torch.isfinite(loss)


def test_softmax_placement_is_what_it_says() -> None:
    """On softmax the loss has a floor above 0; on log_softmax nothing changes."""
    outputs, batch = example()
    torch.testing.assert_close(
        build({"cross_entropy": {"on": "log_softmax"}})(outputs, batch),
        build("cross_entropy")(outputs, batch),
    )
    certain = {"logits": 1e4 * functional.one_hot(batch.labels, K).float()}
    floor = torch.tensor(1 + (K - 1) / torch.e).log()
    torch.testing.assert_close(build({"cross_entropy": {"on": "softmax"}})(certain, batch), floor)


@pytest.mark.parametrize(
    "component", [{"focal": {"gamma": -1.0}}, {"cross_entropy": {"on": "sigmoid"}}], ids=str
)
def test_impossible_settings(component: Mapping[str, object]) -> None:
    with pytest.raises(SpecError):
        LOSSES.make(component)
