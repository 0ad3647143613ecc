"""An exported file answers as the trial did, in an environment that knows nothing of pokeopt."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from pokeopt.cli import main
from pokeopt.errors import StoreError, UserError
from pokeopt.inference import export_model, load_model
from pokeopt.inference.card import Card
from pokeopt.store import Store
from tests.families import FAMILIES
from tests.inference.conftest import Studied

LIGHT = Path(__file__).parents[2] / "docs" / "light_inference.py"
# an environment with that framework, numpy and Pillow alone, as far as imports can tell
FRESH = """
import importlib.machinery, runpy, sys
class Installed:
    def find_spec(self, name, path=None, target=None):
        known = name.split(".")[0] not in {absent!r}
        return importlib.machinery.PathFinder.find_spec(name, path, target) if known else None
sys.meta_path[:] = [*sys.meta_path[:2], Installed()]  # after what is built in
sys.argv = {argv!r}
runpy.run_path(sys.argv[0], run_name="__main__")
assert not {absent!r} & sys.modules.keys()
"""
EACH = [
    pytest.param(family, suffix, marks=pytest.mark.slow if family == "transfer" else ())
    for family in FAMILIES
    for suffix in (".pt2", ".onnx")
]
NOT_NEEDED = {"pokeopt", "optuna", "ray", "torchvision", "sklearn", "pandas", "pydantic", "typer", "skimage"}


def stored_test(store: Store, name: str) -> dict[str, np.ndarray]:
    """Return what the best trial stored of its test part: id to probabilities."""
    best = store.load(name).best
    assert best is not None
    content = store.read_artifact(name, best.number, "predictions.npz")
    assert content is not None
    with np.load(io.BytesIO(content)) as arrays:
        return dict(zip(arrays["test/ids"].tolist(), arrays["test/probabilities"][0], strict=True))


@pytest.mark.parametrize(("family", "suffix"), EACH)
def test_every_family_answers_as_its_trial(
    studied: Studied, family: str, suffix: str, tmp_path: Path
) -> None:
    """In batches of any size; the command itself has compared file, network and stored predictions."""
    store = studied(family)
    result = export_model(store, family, tmp_path / f"model{suffix}")
    assert result.difference <= 1e-5
    assert result.from_trial is not None
    assert result.from_trial <= 1e-5
    model = load_model(result.path)
    assert json.loads(model.card.as_json()) == json.loads(result.card.as_json())
    channels, height, width = model.card.input_shape
    images = np.random.default_rng(0).integers(0, 256, (7, channels, height, width)).astype(np.uint8)
    (_, run), *_ = model.members
    whole, first = run(images), run(images[:1])
    for name in model.card.outputs:
        assert len(whole[name]) == 7
        np.testing.assert_allclose(first[name], whole[name][:1], atol=1e-5)
    assert [path.name for path in tmp_path.iterdir()] == [f"model{suffix}"], "nothing else is left"


@pytest.mark.parametrize("suffix", [".pt2", ".onnx"])
def test_the_light_example_needs_one_framework_alone(
    studied: Studied, folder: Path, suffix: str, tmp_path: Path
) -> None:
    """From files on disk to the probabilities that the trial stored, preprocessing included."""
    store = studied("mlp")
    file = export_model(store, "mlp", tmp_path / f"model{suffix}").path
    absent = NOT_NEEDED | ({"onnxruntime", "onnx"} if suffix == ".pt2" else {"torch"})
    code = FRESH.format(absent=absent, argv=[str(LIGHT), str(file), str(folder / "images")])
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    rows = {row["Id"]: row for row in csv.DictReader(io.StringIO(done.stdout))}
    for name, probabilities in stored_test(store, "mlp").items():
        found = [float(rows[name][label]) for label in ("square", "tall", "wide")]
        np.testing.assert_allclose(found, probabilities, atol=1e-5)


def test_the_file_has_its_card_and_its_page(studied: Studied, tmp_path: Path) -> None:
    file = export_model(studied("cnn"), "cnn", tmp_path / "model.pt2").path
    inside = {"card.json": "", "model_card.md": ""}
    torch.export.load(file, extra_files=inside)
    card = Card.from_json(inside["card.json"], "here")
    assert (card.study, card.classes, card.preprocess) == (
        "cnn",
        ("square", "tall", "wide"),
        ({"silhouette_crop": {"padding": 0.05, "dark": 32, "gap_px": 2}},),
    )
    assert "test/macro_f1" in card.metrics
    assert "silhouette_crop" in inside["model_card.md"]


def test_weights_that_are_not_the_trials_are_refused(studied: Studied, tmp_path: Path) -> None:
    """A checkpoint that was changed since gives other predictions than the trial stored."""
    store = copied(studied("mlp"), tmp_path)
    best = store.load("mlp").best
    assert best is not None
    file = store.checkpoints_dir / "mlp" / str(best.proposal) / "checkpoint.pt"
    state = torch.load(file, weights_only=True)
    state["groups"][0]["kept_weights"][0]["network.1.weight"] *= 1.01
    torch.save(state, file)
    with pytest.raises(StoreError, match="differ from those of the trial"):
        export_model(store, "mlp", tmp_path / "model.pt2")
    assert not list(tmp_path.glob("*.pt2"))
    assert not list(tmp_path.glob(".*"))


def test_without_kept_weights_it_says_what_to_run(studied: Studied, tmp_path: Path) -> None:
    store = copied(studied("mlp"), tmp_path)
    shutil.rmtree(store.checkpoints_dir)
    with pytest.raises(StoreError, match="run pokeopt retrain mlp --trial"):
        export_model(store, "mlp", tmp_path / "model.pt2")


def test_what_is_no_model_is_refused_in_one_line(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for name in ("a.pt2", "a.onnx"):
        (tmp_path / name).write_text("no model")
        assert main(["predict", str(tmp_path / name), str(tmp_path), "-o", str(tmp_path / "x.csv")]) == 2
        lines = capfd.readouterr().err.splitlines()
        assert len(lines) == 1
        assert lines[0].startswith(f"error: {tmp_path / name}: this is no ")
    program = torch.export.export(torch.nn.Linear(2, 2), (torch.zeros(2, 2),))
    torch.export.save(program, tmp_path / "foreign.pt2")
    with pytest.raises(UserError, match="no card of pokeopt"):
        load_model(tmp_path / "foreign.pt2")


def test_a_name_of_no_format_is_refused(studied: Studied, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"end it with \.pt2"):
        export_model(studied("mlp"), "mlp", tmp_path / "model.pth")


def copied(store: Store, folder: Path) -> Store:
    """Return a copy of a store, to be damaged."""
    from pokeopt.store import open_store

    shutil.copytree(store.home, folder / "state")
    return open_store(None, folder / "state")
