"""Checks on studies that really ran, in this process: seconds, on scikit-learn's digits."""

from __future__ import annotations

from pathlib import Path

import pytest

from pokeopt import api
from pokeopt.report import summarise
from pokeopt.report.checks import Check
from pokeopt.store import open_store

SPACE = """
name: tiny
data: {{source: digits, image_size: 8, channels: gray, limit: 300}}
model: {model}
training: {{epochs: 2, batch_size: 32, learning_rate: {{float: [1e-4, 1e-2], log: true}}}}
baseline: {{training.learning_rate: {rate}}}
search: {{sampler: random, pruner: none, trials: 1, seed: 3}}
resources: {{workers: 0}}
"""
MLP = "{family: mlp, depth: 1, width: 16, dropout: 0.0}"
PLUGIN = '''
from dataclasses import dataclass

from torch import nn

from pokeopt.registry import MODELS


@MODELS.register("plain_list")
@dataclass(frozen=True)
class PlainList:
    """A network that keeps its first layer where torch does not look."""

    task = "classification"

    def build(self, image, n_classes):
        return Network(image.numel, n_classes)


class Network(nn.Module):
    def __init__(self, n_in, n_classes):
        super().__init__()
        self.layers = [nn.Linear(n_in, 32)]
        self.head = nn.Linear(32, n_classes)

    def forward(self, images):
        return self.head(self.layers[0](images.flatten(1)).relu())
'''


def run(folder: Path, text: str) -> tuple[Check, ...]:
    path = folder / "tiny.yaml"
    path.write_text(text)
    result = api.run(path, home=folder / "home", report=False)
    assert result.exit_code == 0, result.message
    (study,) = summarise(open_store(home=folder / "home"), "tiny").studies
    return study.checks


def test_a_layer_in_a_plain_list(tmp_path: Path) -> None:
    (tmp_path / "plain_list.py").write_text(PLUGIN)
    text = SPACE.format(model="{family: plain_list}", rate=1e-3) + "plugins: [plain_list.py]\n"
    (check,) = [check for check in run(tmp_path, text) if check.code == "PK16"]
    assert (
        check.says
        == "2 tensors not registered with the model: network.layers.0.weight and network.layers.0.bias."
    )


@pytest.mark.parametrize(("rate", "is_found"), [("1e-2", True), ("1e-3", False)])
def test_an_optimum_at_the_edge(tmp_path: Path, rate: str, is_found: bool) -> None:
    found = run(tmp_path, SPACE.format(model=MLP, rate=rate))
    edge = [check.says for check in found if check.code == "PK06"]
    assert edge == ["The best training.learning_rate is 0.01, at the upper end of [0.0001, 0.01]."] * is_found
    assert not {check.code for check in found} & {"PK02", "PK09", "PK16", "PK17", "PK18"}


def test_a_check_is_muted_and_counts_again_at_a_later_launch(tmp_path: Path) -> None:
    text = SPACE.format(model=MLP, rate="1e-2")
    reasons = {check.code: check.muted for check in run(tmp_path, text + 'mute: {PK06: "as far as we go"}\n')}
    assert reasons["PK06"] == "as far as we go"
    assert {check.muted for check in run(tmp_path, text)} == {""}
