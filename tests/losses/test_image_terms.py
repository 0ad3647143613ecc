"""Laws of every term for images and for the prior of a latent."""

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import Tensor

from pokeopt.errors import ShapeError, SpecError
from pokeopt.losses.base import Batch, LossContext, LossFunction
from pokeopt.registry import LOSSES

Component = str | Mapping[str, Any]
NAMES = {
    role: [name for name in LOSSES.names() if role in LOSSES.get(name).roles]
    for role in ("reconstruction", "prior")
}
IMAGES: list[Component] = [*NAMES["reconstruction"], {"mse_l1": {"l1_share": 0.1}}]
PRIORS: list[Component] = [*NAMES["prior"], {"kl": {"free_nats": 2.0}}]
OF_IMAGES = pytest.mark.parametrize("component", IMAGES, ids=str)
OF_PRIORS = pytest.mark.parametrize("component", PRIORS, ids=str)
ALL = pytest.mark.parametrize("component", [*IMAGES, *PRIORS], ids=str)


def build(component: Component) -> LossFunction:
    term: LossFunction = LOSSES.make(component).build(LossContext(torch.tensor([1]), 1))
    return term


def batch_of(target: Tensor) -> Batch:
    return Batch(target, torch.zeros(len(target), dtype=torch.int64), target)


def example(n: int = 6, seed: int = 0) -> tuple[dict[str, Tensor], Batch]:
    """Return outputs of some network, and what it should have made."""
    generator = torch.Generator().manual_seed(seed)
    image, target = torch.rand(2, n, 3, 8, 8, generator=generator)
    mean, logvar = torch.randn(2, n, 10, generator=generator)
    return {"image": image, "mean": mean, "logvar": logvar}, batch_of(target)


def test_the_terms_are_there() -> None:
    """Each role of a network that makes images has some."""
    assert set(NAMES["reconstruction"]) >= {"mse", "l1", "mse_l1", "bce"}
    assert NAMES["prior"] == ["kl"]


@ALL
def test_a_doubled_batch_changes_nothing(component: Component) -> None:
    """A loss is a mean over images: the batch size is no hidden factor of the learning rate."""
    outputs, batch = example()
    assert batch.target is not None
    doubled = {name: torch.cat([value, value]) for name, value in outputs.items()}
    twice = batch_of(torch.cat([batch.target, batch.target]))
    torch.testing.assert_close(build(component)(doubled, twice), build(component)(outputs, batch))


@ALL
def test_it_is_a_mean_of_its_images(component: Component) -> None:
    """And one image is enough."""
    outputs, batch = example()
    pieces = [
        build(component)({name: value[i : i + 1] for name, value in outputs.items()}, piece)
        for i, piece in enumerate(batch.split(6))
    ]
    torch.testing.assert_close(torch.stack(pieces).mean(), build(component)(outputs, batch))


@ALL
def test_the_result_is_a_scalar_in_full_precision(component: Component) -> None:
    """From outputs in half precision, and under autocast."""
    outputs, batch = example()
    outputs["image"] = 0.1 + 0.8 * outputs["image"]  # in bf16 the last thousandths below 1 are 1
    term = build(component)
    expected = term(outputs, batch)
    assert expected.shape == ()
    half = {name: value.bfloat16() for name, value in outputs.items()}
    for given in (outputs, half):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            found = term(given, batch)
        assert found.dtype == term(given, batch).dtype == torch.float32
        torch.testing.assert_close(found, expected, rtol=0.02, atol=0.02)


@OF_IMAGES
def test_an_image_is_best_at_the_truth(component: Component) -> None:
    """Nothing costs less than the target itself, and no image less than nothing."""
    _, batch = example()
    assert batch.target is not None
    term, target = build(component), batch.target
    best = float(term({"image": target}, batch))
    assert best >= 0
    for image in (1 - target, target.flip(3), (target + 0.05).clamp(0, 1), torch.full_like(target, 0.5)):
        assert float(term({"image": image}, batch)) > best


@OF_IMAGES
def test_bytes_and_intensities_are_one_target(component: Component) -> None:
    """255 is 1."""
    outputs, _ = example()
    target = torch.randint(0, 256, (6, 3, 8, 8), dtype=torch.uint8)
    as_floats = build(component)(outputs, batch_of(target / 255))
    torch.testing.assert_close(build(component)(outputs, batch_of(target)), as_floats)


@OF_IMAGES
@pytest.mark.parametrize("scale", [0.0, 1.0, 1e3, -1e3])
def test_images_have_finite_values_and_gradients(component: Component, scale: float) -> None:
    """At the borders of the range and outside of it, whatever the target."""
    outputs, _ = example()
    for target in (torch.zeros(6, 3, 8, 8), torch.ones(6, 3, 8, 8), outputs["image"]):
        image = (scale * outputs["image"]).requires_grad_()
        loss = build(component)({"image": image}, batch_of(target))
        loss.backward()
        assert torch.isfinite(loss)
        assert image.grad is not None
        assert image.grad.isfinite().all()


@OF_IMAGES
@pytest.mark.parametrize("shape", [(6, 3, 8, 9), (6, 1, 8, 8), (1, 3, 8, 8)])
def test_other_shapes_are_refused(component: Component, shape: tuple[int, ...]) -> None:
    """Torch would broadcast two of them, and train towards the wrong thing."""
    _, batch = example()
    with pytest.raises(ShapeError, match="does not match"):
        build(component)({"image": torch.rand(shape)}, batch)


@OF_IMAGES
def test_there_must_be_something_to_make(component: Component) -> None:
    outputs, batch = example()
    with pytest.raises(ShapeError, match="no images to be made"):
        build(component)(outputs, Batch(batch.images, batch.labels))


def test_each_is_its_formula() -> None:
    """Means over all numbers, in intensity (squared) and nats."""
    outputs, batch = example()
    made, wanted = outputs["image"].double(), batch.target_intensity().double()
    mse, l1 = (made - wanted).square().mean(), (made - wanted).abs().mean()
    cross_entropy = -(wanted * made.log() + (1 - wanted) * (1 - made).log()).mean()
    expected: list[tuple[Component, Tensor]] = [
        ("mse", mse),
        ("l1", l1),
        ("mse_l1", (mse + l1) / 2),
        ({"mse_l1": {"l1_share": 0.25}}, 0.75 * mse + 0.25 * l1),
        ({"mse_l1": {"l1_share": 0.0}}, mse),
        ({"mse_l1": {"l1_share": 1.0}}, l1),
        ("bce", cross_entropy),
    ]
    for component, value in expected:
        torch.testing.assert_close(build(component)(outputs, batch), value.float())


def test_cross_entropy_of_an_image_teaches_through_a_saturated_sigmoid() -> None:
    """The gradient of the number before the sigmoid is made minus wanted, however sure and wrong."""
    numbers = torch.tensor([-40.0, -5.0, 0.0, 5.0, 14.0]).reshape(1, 1, 1, 5).requires_grad_()
    target = torch.tensor([1.0, 1.0, 0.5, 0.0, 0.0]).reshape(1, 1, 1, 5)
    build("bce")({"image": numbers.sigmoid()}, batch_of(target)).backward()
    assert numbers.grad is not None
    made = numbers.detach().sigmoid()
    torch.testing.assert_close(5 * numbers.grad[..., 1:], (made - target)[..., 1:], rtol=1e-2, atol=1e-6)
    assert numbers.grad.isfinite().all()


@OF_PRIORS
def test_the_prior_is_best_at_the_standard_normal(component: Component) -> None:
    """Mean 0 and log-variance 0; elsewhere it is no less, and far away it is more."""
    term, (_, batch) = build(component), example()
    zeros = torch.zeros(6, 10)
    best = float(term({"mean": zeros, "logvar": zeros}, batch))
    assert best >= 0
    for mean, logvar in ((zeros + 1, zeros), (zeros, zeros + 1), (zeros, zeros - 2)):
        assert float(term({"mean": mean, "logvar": logvar}, batch)) > best
        assert float(term({"mean": 1e-3 * mean, "logvar": 1e-3 * logvar}, batch)) >= best


@OF_PRIORS
@pytest.mark.parametrize("scale", [0.0, 1e-6, 1.0, 10.0])
def test_the_prior_has_finite_values_and_gradients(component: Component, scale: float) -> None:
    """Over all that a network's log-variance is held in."""
    outputs, batch = example()
    mean = (scale * outputs["mean"]).requires_grad_()
    logvar = (scale * outputs["logvar"]).clamp(-30, 20).detach().requires_grad_()
    loss = build(component)({"mean": mean, "logvar": logvar}, batch)
    loss.backward()
    assert torch.isfinite(loss)
    for given in (mean, logvar):
        assert given.grad is not None
        assert given.grad.isfinite().all()


def test_the_divergence_is_that_of_the_distributions() -> None:
    """As torch computes it for each number, summed over the latent and averaged over the images."""
    outputs, batch = example()
    made = torch.distributions.Normal(outputs["mean"], torch.exp(outputs["logvar"] / 2))
    standard = torch.distributions.Normal(0.0, 1.0)
    expected = torch.distributions.kl_divergence(made, standard).sum(1)
    torch.testing.assert_close(build("kl")(outputs, batch), expected.mean())
    floored = build({"kl": {"free_nats": 9.0}})(outputs, batch)
    torch.testing.assert_close(floored, expected.clamp_min(9.0).mean())


def test_free_nats_are_free() -> None:
    """Below them nothing pulls at the latent; above them, as without."""
    for scale, is_free in ((0.1, True), (3.0, False)):
        outputs, batch = example()
        mean = (scale * outputs["mean"]).requires_grad_()
        given = {"mean": mean, "logvar": torch.zeros(6, 10)}
        build({"kl": {"free_nats": 2.0}})(given, batch).backward()
        assert mean.grad is not None
        assert (not bool(mean.grad.any())) == is_free


def test_small_divergences_are_exact() -> None:
    """v^2 / 4 a number near 0, where exp(v) - 1 - v in single precision is noise."""
    tiny = torch.full((1, 10), 1e-3)
    loss = build("kl")({"mean": torch.zeros(1, 10), "logvar": tiny}, example(1)[1])
    assert float(loss) == pytest.approx(10 * 1e-6 / 4, rel=1e-2)


def test_squared_error_prefers_the_mean_and_absolute_error_the_median() -> None:
    """What the choice between them decides: of 0, 0, 1 the best single answers are 1/3 and 0."""
    target = torch.tensor([0.0, 0.0, 1.0]).reshape(3, 1, 1, 1)
    answers = torch.linspace(0, 1, 31)
    best = {
        name: float(
            answers[
                torch.stack(
                    [build(name)({"image": a.expand(3, 1, 1, 1)}, batch_of(target)) for a in answers]
                ).argmin()
            ]
        )
        for name in ("mse", "l1", "bce")
    }
    assert best == pytest.approx({"mse": 1 / 3, "l1": 0.0, "bce": 1 / 3})


@pytest.mark.parametrize(
    ("component", "named"),
    [
        ({"mse_l1": {"l1_share": 1.5}}, "l1_share"),
        ({"mse_l1": {"l1_share": -0.1}}, "l1_share"),
        ({"kl": {"free_nats": -1.0}}, "free_nats"),
    ],
    ids=str,
)
def test_impossible_settings_are_named(component: Component, named: str) -> None:
    with pytest.raises(SpecError) as caught:
        LOSSES.make(component)
    assert caught.value.what.split(" ")[0] == named
