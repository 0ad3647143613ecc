"""Parts from outside: a file named under ``plugins:`` adds to a family as one of the package's own files would."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pokeopt import api
from pokeopt.errors import SpecError
from pokeopt.records import TrialState
from pokeopt.registry import AUGMENTATIONS, IMAGE_SAMPLERS, LOSSES, MODELS, SOURCES, import_plugins
from pokeopt.spec import json_schema, load_study

FOLDER = Path(__file__).parent / "plugins"
FAMILIES = {
    "shades": SOURCES,
    "mean_shade": MODELS,
    "brier": LOSSES,
    "invert": AUGMENTATIONS,
    "without": IMAGE_SAMPLERS,
}
FILES = [str(FOLDER / f"{name}.py") for name in FAMILIES]
# two trials, plain and inverted; an epoch is one step, from a network to which all classes are alike
SPACE = """
name: outside
data: {{source: shades, per_class: 20, image_size: 8, channels: gray}}
model: {{family: mean_shade, gain: 2.0}}
loss: {{terms: {{classification: {{brier: {{scale: 3.0}}}}}}}}
training:
  epochs: 1
  batch_size: 64
  sampler: {{without: {{label: 0}}}}
  augmentation: {{choice: {{plain: [], inverted: [{{invert: {{probability: 1.0}}}}]}}}}
  optimizer: {{sgd: {{momentum: 0.0}}}}
  learning_rate: 0.5
baseline: {{training.augmentation: plain}}
search: {{sampler: brute_force, pruner: none, trials: 2}}
resources: {{workers: 0}}
plugins: {plugins}
"""


@pytest.fixture(autouse=True)
def _families_of_their_own(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give every family back as it was: other tests walk through their members."""
    for family in FAMILIES.values():
        family.names()  # loads the package's own
        monkeypatch.setattr(family, "_members", dict(family._members))
    known = set(sys.modules)
    yield
    for name in set(sys.modules) - known:
        if name.startswith("pokeopt_plugin_"):
            del sys.modules[name]


@pytest.fixture
def space(tmp_path: Path) -> Path:
    """Write the search space."""
    path = tmp_path / "outside.yaml"
    path.write_text(SPACE.format(plugins=json.dumps(FILES)), encoding="utf-8")
    return path


def test_a_study_of_parts_from_outside(space: Path, tmp_path: Path) -> None:
    """Each of the five is in the configuration, and does to the scores what no part of the package would."""
    result = api.run(space, home=tmp_path / "home", reports_dir=tmp_path)
    assert result.exit_code == 0, result.message
    plain, inverted = result.search.trials
    for row in (plain, inverted):
        assert row.state is TrialState.COMPLETE
        config, scores = row.config, row.attrs
        # source
        assert (config["data"]["source"], config["data"]["per_class"]) == ("shades", 20)
        # model: a weight and a bias for each class
        assert config["model"] == {"family": "mean_shade", "gain": 2.0}
        assert scores["model/n_params"] == 6
        # loss: 3 * (K - 1) / K before the first step; cross-entropy would be ln 3
        assert config["loss"]["terms"] == {"classification": {"brier": {"scale": 3.0}}}
        assert scores["train/total_loss"] == pytest.approx(2.0, abs=1e-6)
        # sampler: what was never drawn is never named
        assert config["training"]["sampler"] == {"without": {"label": 0}}
        assert scores["val/pred_share/black"] == 0
    # augmentation: who has seen negatives only takes white for gray, and gray for white
    assert plain.config["training"]["augmentation"] == []
    assert inverted.config["training"]["augmentation"] == [{"invert": {"probability": 1.0}}]
    assert plain.attrs["test/accuracy"] == pytest.approx(2 / 3)
    assert inverted.attrs["test/accuracy"] == 0
    assert result.search.attrs["data"]["classes"] == ["black", "gray", "white"]
    assert result.report_path is not None
    page = result.report_path.read_text(encoding="utf-8")
    assert page.startswith("<!DOCTYPE html>")
    assert all(name in page for name in FAMILIES)


def test_the_schema_lists_them() -> None:
    import_plugins(FILES)
    schema = json_schema()
    sections, components = schema["properties"], schema["$defs"]
    models = [one["title"] for one in sections["model"]["anyOf"][0]["anyOf"]]
    sources = [one["title"] for one in sections["data"]["anyOf"]]
    assert "mean_shade" in models
    assert "shades" in sources
    for name in ("brier", "invert", "without"):
        options = components[FAMILIES[name].kind.replace(" ", "_")]["anyOf"]
        assert [one["const"] for one in options if one.get("const") == name] == [name]
        assert [one for one in options if name in one.get("properties", {})], f"{name} has no settings there"


@pytest.mark.parametrize(
    ("key", "wrong", "name"),
    [
        ("data.source", "shadse", "shades"),
        ("model.family", "mean_shad", "mean_shade"),
        ("loss.terms.classification", "brir", "brier"),
        ("training.augmentation", "[invertt]", "invert"),
        ("training.sampler", "witout", "without"),
        ("model.gian", "1.0", "gain"),
    ],
)
def test_a_wrong_name_is_answered_with_theirs(space: Path, key: str, wrong: str, name: str) -> None:
    with pytest.raises(SpecError) as caught:
        load_study(space, [f"{key}={wrong}"])
    assert caught.value.mend == f"did you mean '{name}'?"


def test_two_of_one_name_are_refused(tmp_path: Path) -> None:
    """Which of two files is meant must never depend on which was imported first."""
    copy = tmp_path / "copy.py"
    copy.write_text((FOLDER / "brier.py").read_text(encoding="utf-8"), encoding="utf-8")
    import_plugins(FILES)
    with pytest.raises(SpecError, match="two loss terms are called 'brier'"):
        import_plugins([str(copy)])


def test_a_name_of_ours_is_refused_where_the_plugin_is_named(tmp_path: Path) -> None:
    """In a process of its own: whether the family was looked up before must not matter."""
    (tmp_path / "twice.py").write_text(
        "from pokeopt.registry import OPTIMIZERS\n@OPTIMIZERS.register('adam')\ndef mine(): pass\n"
    )
    space = tmp_path / "space.yaml"
    space.write_text("data: {source: digits}\nmodel: {family: mlp}\nplugins: [twice.py]\n")
    code = f"from pokeopt.spec import load_study\nload_study({str(space)!r})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert f"{space}:3 (plugins): " in done.stderr
    assert "two optimizers are called 'adam'" in done.stderr
