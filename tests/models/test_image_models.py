"""Laws of every family that makes images, over its settings."""

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from pokeopt.losses.base import Batch, LossContext
from pokeopt.losses.combine import build_loss
from pokeopt.models.base import ImageShape, traits_of
from pokeopt.registry import MODELS

K = 5
SMALL_AE = {"depth": 3, "channels": (4, 8, 8), "bottleneck": 64}
SMALL_PVAE = {"channels": (6, 4), "kernel": 3, "decoder_width": (12,), "decoder_channels": (4,)}
SMALL_UNET = {"depth": 3, "base": 4, "max_channels": 16}
COMPONENTS: dict[str, Mapping[str, Mapping[str, Any]]] = {
    "autoencoder": {"autoencoder": SMALL_AE},
    "variational": {"autoencoder": {**SMALL_AE, "variational": True, "input_noise": 0.1}},
    "plain": {"autoencoder": {**SMALL_AE, "residual": False, "head": False}},
    "one_stage": {"autoencoder": {"depth": 1, "channels": (4,), "bottleneck": 1}},
    "pvae": {"pvae": SMALL_PVAE},
    "tied": {"pvae": {**SMALL_PVAE, "nets": "tied"}},
    "frozen": {"pvae": {**SMALL_PVAE, "nets": "frozen"}},
    "published": {"pvae": {**SMALL_PVAE, "nets": "published", "activation": "relu", "output": "linear"}},
    "vae": {"pvae": {**SMALL_PVAE, "partitions": (10,), "partition_layers": 0}},
    "linear_encoder": {"pvae": {**SMALL_PVAE, "depth": 0, "channels": ()}},
    "full_resolution": {"pvae": {**SMALL_PVAE, "downsampling": 1, "decoder_channels": ()}},
    "unet": {"unet": SMALL_UNET},
    "no_skips": {"unet": {**SMALL_UNET, "skips": False, "output": "linear"}},
    "luma": {"unet": {**SMALL_UNET, "mask_channels": 1}},
    "binary": {"unet": {**SMALL_UNET, "mask_channels": 1, "mask_code": "binary"}},
}
MEMBERS = pytest.mark.parametrize("component", COMPONENTS.values(), ids=COMPONENTS)
SHAPE = ImageShape(channels=3, height=20, width=20)


def shape_for(model: Any, channels: int = 3, height: int = 20, width: int = 20) -> ImageShape:
    """Return a shape, with an RGB mask where the family translates."""
    return ImageShape(channels, height, width, 3 if model.task == "translation" else 0)


def build(component: Mapping[str, Any], shape: ImageShape | None = None, seed: int = 0) -> nn.Module:
    model = MODELS.make(component)
    torch.manual_seed(seed)
    network: nn.Module = model.build(shape or shape_for(model), K)
    return network


def images_for(shape: ImageShape, n: int = 2, seed: int = 0) -> Tensor:
    given = shape.channels + shape.condition
    return torch.rand(n, given, shape.height, shape.width, generator=torch.Generator().manual_seed(seed))


def batch_for(shape: ImageShape, n: int) -> Batch:
    images = images_for(shape, n)
    return Batch(images, torch.arange(n) % K, images[:, : shape.channels])


def default_loss(component: Mapping[str, Any]) -> nn.Module:
    context = LossContext(torch.full((K,), 4), K)
    return build_loss({"terms": dict(MODELS.make(component).terms)}, context)


@MEMBERS
@pytest.mark.parametrize("size", [(3, 16, 16), (1, 33, 47), (4, 31, 31), (3, 20, 17)], ids=str)
def test_an_image_comes_back_in_its_size(component: Mapping[str, Any], size: tuple[int, int, int]) -> None:
    """Sizes that no power of two divides, gray or RGBA, and one image alone."""
    shape = shape_for(MODELS.make(component), *size)
    network = build(component, shape).eval()
    outputs = network(images_for(shape, 1))
    assert outputs["image"].shape == (1, *size)
    if "latent" in outputs:
        assert outputs["latent"].shape == (1, network.latent_size)


@MEMBERS
def test_the_outputs_are_what_the_traits_promise(component: Mapping[str, Any]) -> None:
    """Each role has what its terms read, and the default loss has no other role."""
    model = MODELS.make(component)
    traits = traits_of(model)
    outputs = build(component).eval()(images_for(shape_for(model), 2))
    reads = {"reconstruction": {"image"}, "classification": {"logits"}, "prior": {"mean", "logvar"}}
    promised = {name for role in traits.roles for name in reads[role]}
    assert set(outputs) - {"latent"} == promised
    assert set(model.terms) == set(traits.roles)
    assert traits.task in ("reconstruction", "translation")
    assert traits.statistics == ((0.0,), (1.0,))
    if "logits" in outputs:
        assert outputs["logits"].shape == (2, K)
    if "mean" in outputs:
        assert outputs["mean"].shape == outputs["logvar"].shape == outputs["latent"].shape


@MEMBERS
def test_evaluation_is_deterministic_and_judges_each_image_alone(component: Mapping[str, Any]) -> None:
    """No noise, no sampling, and no word of the rest of the batch."""
    images = images_for(shape_for(MODELS.make(component)), 4)
    network = build(component).eval()
    together = network(images)
    torch.testing.assert_close(network(images), together, rtol=0, atol=0)
    torch.testing.assert_close(network(images[:1]), {key: value[:1] for key, value in together.items()})


@MEMBERS
def test_state_dict_holds_the_whole_model(component: Mapping[str, Any]) -> None:
    """A layer kept in a plain list is neither trained nor saved."""
    images = images_for(shape_for(MODELS.make(component)), 4)
    trained, resumed = build(component, seed=1), build(component, seed=2)
    trained(images)  # batch norm has seen something
    assert not torch.equal(resumed.eval()(images)["image"], trained.eval()(images)["image"])
    resumed.load_state_dict(trained.state_dict())
    torch.testing.assert_close(resumed(images), trained(images), rtol=0, atol=0)


@MEMBERS
def test_initial_weights_follow_from_the_seed(component: Mapping[str, Any]) -> None:
    """Two builds under one seed agree; another seed differs."""
    states = [build(component, seed=seed).state_dict() for seed in (3, 3, 4)]
    assert all(torch.equal(states[0][key], states[1][key]) for key in states[0])
    assert not all(torch.equal(states[0][key], states[2][key]) for key in states[0])


@MEMBERS
def test_the_gradient_reaches_every_parameter_that_is_trained(component: Mapping[str, Any]) -> None:
    """By the family's own loss; a bias before batch norm would get rounding errors only."""
    network = build(component).train()
    batch = batch_for(shape_for(MODELS.make(component)), 16)
    loss = default_loss(component)(network(batch.images), batch)
    assert torch.isfinite(loss)
    loss.backward()
    trained = {key: p for key, p in network.named_parameters() if p.requires_grad}
    dead = [key for key, p in trained.items() if p.grad is None or float(p.grad.abs().max()) < 1e-7]
    assert trained
    assert dead == []


@MEMBERS
def test_it_learns(component: Mapping[str, Any]) -> None:
    """Some steps on a few plain images lower the error of reconstruction, sampled or not."""
    model = MODELS.make(component)
    shape = shape_for(model)
    levels = torch.linspace(0.1, 0.9, 8)[:, None, None, None]
    images = levels.expand(8, shape.channels + shape.condition, 20, 20)
    batch = Batch(images, torch.arange(8) % K, images[:, : shape.channels])
    network = build(component)
    loss = build_loss({"terms": {"reconstruction": "mse"}}, LossContext(torch.ones(K), K))
    optimizer = torch.optim.Adam([p for p in network.parameters() if p.requires_grad], lr=5e-3)
    values: list[float] = []
    for _ in range(200):
        optimizer.zero_grad()
        error = loss(network(batch.images), batch)
        error.backward()
        optimizer.step()
        values.append(float(error.detach()))
        if values[-1] < 0.5 * values[0]:
            break
    assert values[-1] < 0.5 * values[0]


@MEMBERS
def test_mixed_precision_reaches_neither_image_nor_distribution(component: Mapping[str, Any]) -> None:
    """Under bf16 the step is finite, the image is float32, and about the one of full precision."""
    shape = shape_for(MODELS.make(component))
    network, batch = build(component), batch_for(shape, 4)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        outputs = network.train()(batch.images)
        loss = default_loss(component)(outputs, batch)
    loss.backward()
    assert loss.dtype == torch.float32
    assert torch.isfinite(loss)
    assert all(value.dtype == torch.float32 for name, value in outputs.items() if name != "logits")
    gradients = [p.grad for p in network.parameters() if p.requires_grad]
    assert all(gradient is not None and bool(gradient.isfinite().all()) for gradient in gradients)
    network.eval()
    with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16):
        rough = network(batch.images)["image"]
    torch.testing.assert_close(rough, network(batch.images)["image"].detach(), rtol=0, atol=0.05)


@MEMBERS
def test_the_memory_layout_changes_nothing(component: Mapping[str, Any]) -> None:
    """Channels-last memory holds the same numbers."""
    images = images_for(shape_for(MODELS.make(component)), 2)
    network = build(component).eval()
    expected = network(images)
    network.to(memory_format=torch.channels_last)
    torch.testing.assert_close(network(images.contiguous(memory_format=torch.channels_last)), expected)


@MEMBERS
def test_decode_is_the_second_half(component: Mapping[str, Any]) -> None:
    """The image of an image is that of its latent, wherever there is one."""
    network: Any = build(component).eval()
    outputs = network(images_for(shape_for(MODELS.make(component)), 3))
    assert hasattr(network, "decode") == ("latent" in outputs)
    if hasattr(network, "decode"):
        torch.testing.assert_close(network.decode(outputs["latent"]), outputs["image"])


@MEMBERS
def test_it_is_built_without_memory(component: Mapping[str, Any]) -> None:
    """Sizes are known before a weight is drawn."""
    model = MODELS.make(component)
    shape = shape_for(model)
    with torch.device("meta"):
        network = model.build(shape, K).eval()
        image = network(torch.zeros(1, shape.channels + shape.condition, 20, 20))["image"]
    assert image.shape == (1, 3, 20, 20)
    expected = sum(p.numel() for p in build(component).parameters())
    assert sum(p.numel() for p in network.parameters()) == expected


@pytest.mark.parametrize(
    "component", [COMPONENTS[name] for name in ("variational", "pvae", "vae")], ids=("ae", "pvae", "vae")
)
def test_training_samples_the_latent(component: Mapping[str, Any]) -> None:
    """From torch's default generator: the same seed draws the same, the next draw differs."""
    network, images = build(component).train(), images_for(SHAPE, 4)
    drawn = []
    for seed in (5, 5, 6):
        torch.manual_seed(seed)
        drawn.append(network(images)["image"])
    torch.testing.assert_close(drawn[0], drawn[1], rtol=0, atol=0)
    assert not torch.equal(drawn[0], drawn[2])


@pytest.mark.parametrize("component", [{"autoencoder": SMALL_AE}, {"pvae": SMALL_PVAE}], ids=str)
def test_noise_falls_on_the_input_in_training_alone(component: Mapping[str, Any]) -> None:
    """As strong as it says; without it, the encoder sees the images themselves."""
    (name, settings), seen = next(iter(component.items())), []
    for deviation in (0.0, 0.5):
        network = build({name: {**settings, "input_noise": deviation}})
        layers: Any = network.encoder
        first = next(part for part in layers.modules() if isinstance(part, nn.Conv2d))
        first.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
        network.train()(images_for(SHAPE, 16))
        network.eval()(images_for(SHAPE, 16))
    without, without_eval, with_noise, with_noise_eval = seen
    assert torch.equal(without, without_eval)
    assert torch.equal(with_noise_eval, without)
    assert float((with_noise - without).std()) == pytest.approx(0.5, rel=0.05)
