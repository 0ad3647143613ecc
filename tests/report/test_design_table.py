"""What a study's design says: the settings that all arms share, and none that an arm changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pokeopt.report import render_html, summarise
from pokeopt.report.arm_labels import arm_labels
from pokeopt.report.design_table import design_table, fixed, introduction
from tests.report.plans import claim, plan_study

if TYPE_CHECKING:
    from tests.report.conftest import Builder

SETTINGS: dict[str, Any] = {
    "data": {"image_size": 64, "limit": None},
    "model": {"family": "mlp", "depth": 2, "width": [256, 128], "activation": "relu", "batch_norm": False},
    "loss": {"terms": {"reconstruction": "mse", "prior": {"kl": {"beta": 0.5}}}},
    "training": {
        "epochs": 5,
        "optimizer": {"adam": {"beta1": 0.9}},
        "augmentation": [{"horizontal_flip": {"probability": 0.5}}],
        "sampler": "undersample",
        "early_stopping": "none",
    },
}


@pytest.mark.parametrize(
    ("changed", "shown", "hidden"),
    [
        ((), ["mlp (width [256, 128], activation relu, batch norm off)", "sampler undersample"], ["depth"]),
        (("training.sampler",), ["epochs 5", "augmentation horizontal_flip (probability 0.5)"], ["sampler"]),
        (("model.width",), ["model mlp (activation relu, batch norm off)"], ["width", "depth"]),
        (("model.depth",), ["activation relu"], ["width", "depth"]),
        (("model.family",), ["image size 64"], ["mlp", "relu"]),
        (("model",), ["image size 64"], ["mlp", "relu"]),
        (("loss.terms.reconstruction",), ["loss kl (beta 0.5)"], ["mse"]),
        (("training.optimizer.adam.beta1",), ["epochs 5"], ["adam"]),
    ],
)
def test_fixed_is_what_no_arm_changes(changed: tuple[str, ...], shown: list[str], hidden: list[str]) -> None:
    text = fixed(SETTINGS, changed)
    assert all(words in text for words in shown), text
    assert not any(words in text for words in hidden), text


def test_a_plan_does_not_call_fixed_what_its_arms_vary(builder: Builder) -> None:
    changes: dict[str, dict[str, Any]] = {"b": {"training.learning_rate": [1e-3, 1e-2]}}
    plan_study(builder, "p", {"a": 0.3, "b": 0.8}, changes=changes, seeds=2)
    (study,) = summarise(builder.store, "p").studies
    assert study.ablation is not None
    assert study.ablation.plan is not None
    told = dict(introduction(study.ablation, study.ablation.plan).items)["Fixed"]
    assert "batch size 16" in told
    assert "learning rate" not in told


def test_arms_of_a_design_are_called_by_the_last_key(builder: Builder) -> None:
    ids = ("baseline", "training.learning_rate=0.01", "loss.terms.reconstruction=l1")
    claims = [claim("so", "diff", arm=ids[1], other="baseline", minimum=0.0)]
    plan_study(builder, "p", dict.fromkeys(ids, 0.5), design="one-at-a-time", seeds=2, claims=claims)
    (study,) = summarise(builder.store, "p").studies
    assert study.ablation is not None
    assert [arm.label for arm in study.ablation.arms] == [
        "baseline",
        "learning rate = 0.01",
        "reconstruction = l1",
    ]
    page = render_html(summarise(builder.store, "p"))
    assert "learning rate = 0.01 \N{MINUS SIGN} baseline" in page, "claims call them so, too"
    alike = [{"id": "model.dropout=0.5"}, {"id": "head.dropout=0.5"}]
    assert arm_labels(alike) == {one["id"]: one["id"] for one in alike}, "two arms keep their names apart"


def test_a_long_setting_is_broken_into_lines_and_told_once(builder: Builder) -> None:
    """A cell of a table is one line, over its neighbour where it is long, unless it is asked to wrap."""
    plain = {"family": "cnn", "channels": [16, 32, 64, 128], "kernel": 3, "activation": "relu"}
    other = {"family": "mlp", "width": [256, 128], "activation": "relu"}
    changes: dict[str, dict[str, Any]] = {"b": {"model": [plain, other]}, "c": {"training.epochs": [2, 4]}}
    plan_study(builder, "p", {"a": 0.3, "b": 0.8, "c": 0.5}, changes=changes, seeds=2)
    (study,) = summarise(builder.store, "p").studies
    assert study.ablation is not None
    found = design_table(study.ablation, "d")
    texts = {str(row[0].text): [(str(cell.text), cell.look) for cell in row[1:-1]] for row in found.rows}
    assert texts == {
        "a": [("family cnn, channels [16, 32, 64, 128], kernel 3", "same wrap"), ("2", "same")],
        "b": [("family mlp, width [256, 128]", ""), ("2", "same")],
        "c": [("as a", "same"), ("4", "")],
    }
    assert "those are shown that differ" in found.caption
