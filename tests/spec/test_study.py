"""The study around the space: names, objectives, search, resources, plugins, components of any family."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import pytest

from pokeopt.errors import SpecError
from pokeopt.registry import MODELS, SCHEDULES, Component, per_layer
from pokeopt.spec import StudySpec, load_study
from pokeopt.spec.study import seconds

Load = Callable[..., StudySpec]
Shipped = Callable[[Sequence[str]], StudySpec]
SHIPPED = sorted((Path(__file__).parents[2] / "search_spaces").glob("*.yaml"))


@dataclass(frozen=True)
class Probe:
    """A family that the spec has never seen."""

    required: str
    stages: int = 2
    channels: tuple[int, ...] = per_layer("stages", (8, 16))
    kernels: tuple[int, ...] = per_layer("stages", (3, 3))
    size: tuple[int, int] = (3, 5)
    mode: Literal["a", "b"] | None = None
    rate: float | None = None
    head: Annotated[Component, SCHEDULES] = "constant"
    weights: Path = Path("none.pt")


@pytest.fixture
def probe(monkeypatch: pytest.MonkeyPatch) -> None:
    MODELS.names()
    monkeypatch.setitem(MODELS._members, "probe", Probe)


@pytest.mark.usefixtures("probe")
def test_a_family_is_read_from_its_annotations(load: Load, tmp_path: Path) -> None:
    space = load(
        "model:\n"
        "  family: probe\n"
        "  required: yes\n"
        "  stages: {int: [1, 3]}\n"
        "  channels: {int: [4, 32], per: model.stages}\n"
        "  kernels: 5\n"
        "  size: [7, 9]\n"
        "  mode: {choice: [a, b, null]}\n"
        "  rate: {float: [0, 1], when: {model.mode: a}}\n"
        "  head: {choice: [constant, {step: {gamma: {float: [0.1, 0.5]}}}]}\n"
        "  weights: some.pt\n"
    ).space
    values = {
        "model.stages": 2,
        "model.channels.0": 4,
        "model.channels.1": 32,
        "model.mode": "a",
        "model.rate": 1,
        "model.head": "step",
        "model.head.step.gamma": 0.5,
    }
    space.check(values)
    assert space.config(values)["model"] == {
        "family": "probe",
        "required": "yes",
        "stages": 2,
        "channels": [4, 32],
        "kernels": [5, 5],
        "size": [7, 9],
        "mode": "a",
        "rate": 1.0,
        "head": {"step": {"gamma": 0.5, "every": 5}},
        "weights": str(tmp_path / "some.pt"),
    }


@pytest.mark.usefixtures("probe")
@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("stages: 1", "'required' is missing"),
        ("required: 5", "expected text, got 5"),
        ("required: {choice: [x, y], when: {model.stages: 2}}", "cannot be left out by 'when'"),
        ("required: x, size: [1, 2, 3]", "expected 2 values, got 3"),
        ("required: x, size: {int: [1, 2], per: model.stages}", "is one value, not one a layer"),
        ("required: x, mode: c", "did you mean|known: a, b"),
        ("required: x, rate: none", "write null"),
        ("required: x, head: stepp", "did you mean 'step'"),
        ("required: x, head: {step: {gama: 1}}", "did you mean 'gamma'"),
        ("required: x, channels: [1, 2], kernels: [1, 2, 3]", "have different lengths"),
        ("required: x, channels: [1, a]", "expected a whole number, got 'a'"),
        ("required: x, stages: {float: [1, 2]}", "expected a whole number"),
    ],
)
def test_settings_are_checked_by_their_annotations(load: Load, model: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        load(f"model: {{family: probe, {model}}}")


@pytest.mark.parametrize("name", ["a.ablation", "x.e3", ".hidden", "a/b", "", "a b", "../x"])
def test_names_that_are_ours_or_no_files_are_refused(load: Load, name: str) -> None:
    with pytest.raises(SpecError):
        load(f"name: '{name}'")
    with pytest.raises(SpecError):
        load("", name=name)


def test_the_argument_wins_over_the_file_over_its_stem(load: Load) -> None:
    assert load("").name == "space"
    assert load("name: mine").name == "mine"
    assert load("name: mine", name="yours").name == "yours"
    renamed = load("name: mine").with_name("mine-2")
    assert renamed.name == renamed.resolved()["name"] == "mine-2"
    assert StudySpec.from_resolved(renamed.resolved()) == renamed


def test_several_objectives(load: Load) -> None:
    spec = load(
        "objectives: [{metric: val/macro_f1}, {metric: model/n_params}]\nsearch: {prune_on: val/macro_f1}"
    )
    assert spec.objectives == ("val/macro_f1", "model/n_params")
    assert spec.objective == spec.prune_on == "val/macro_f1"
    with pytest.raises(SpecError, match="no curve over epochs"):
        load("objectives: [{metric: model/n_params}, {metric: val/macro_f1}]")
    with pytest.raises(SpecError, match="nothing may be chosen by"):
        load("objectives: [{metric: val/macro_f1}, {metric: val/loss}]\nsearch: {prune_on: test/loss}")


def test_constraints(load: Load) -> None:
    (constraint,) = load("constraints: [{metric: model/n_params, max: 1e6}]").constraints
    assert (constraint.metric, constraint.minimum, constraint.maximum) == ("model/n_params", None, 1e6)
    with pytest.raises(SpecError, match="needs min or max"):
        load("constraints: [{metric: model/n_params}]")
    with pytest.raises(SpecError, match="min must not be above max"):
        load("constraints: [{metric: model/n_params, min: 2, max: 1}]")


def test_ablation_seeds_are_a_count_or_a_list(load: Load) -> None:
    base = "training: {batch_size: {choice: [16, 32]}}\nbaseline: {training.batch_size: 16}\n"
    for text, seeds in (("{}", (0, 1, 2, 3, 4)), ("{seeds: 3}", (0, 1, 2)), ("{seeds: [3, 7]}", (3, 7))):
        ablation = load(f"{base}ablation: {text}").ablation
        assert ablation is not None
        assert ablation.seeds == seeds


@pytest.mark.parametrize(("text", "value"), [("90s", 90), ("30m", 1800), ("2h", 7200), ("0.5h", 1800)])
def test_durations(text: str, value: float) -> None:
    assert seconds(text) == value


@pytest.mark.parametrize("text", ["30", "m", "-3m", "0s", "1h30m", "3 d", "", "1e3s"])
def test_durations_need_a_number_and_a_unit(text: str) -> None:
    with pytest.raises(ValueError, match="a duration is like"):
        seconds(text)


def test_a_pruner_may_wrap_another(load: Load) -> None:
    pruner = load(
        "search: {pruner: {patient: {pruner: {median: {n_warmup_steps: 2}}, patience: 3}}}"
    ).search.pruner
    assert pruner["patient"]["pruner"]["median"]["n_warmup_steps"] == 2
    assert pruner["patient"]["patience"] == 3


@pytest.mark.parametrize("sampler", ["grid", "brute_force"])
def test_exhaustive_samplers_take_a_float_with_a_step(load: Load, sampler: str) -> None:
    text = f"model: {{family: mlp, dropout: {{float: [0, 0.5], step: 0.25}}}}\nsearch: {{sampler: {sampler}}}"
    assert load(text).search.sampler_name == sampler


def test_plugins_are_imported_before_names_are_looked_up(load: Load, tmp_path: Path) -> None:
    (tmp_path / "parts.py").write_text(
        "from dataclasses import dataclass\n"
        "from pokeopt.registry import SCHEDULES\n"
        "@SCHEDULES.register('spec_test_ramp')\n"
        "@dataclass(frozen=True)\n"
        "class Ramp:\n"
        "    slope: float = 1.0\n"
    )
    try:
        spec = load("plugins: [./parts.py]\ntraining: {schedule: spec_test_ramp}")
        assert spec.plugins == (str(tmp_path / "parts.py"),)
        assert spec.space.config({})["training"]["schedule"] == {"spec_test_ramp": {"slope": 1.0}}
    finally:
        SCHEDULES._members.pop("spec_test_ramp", None)


def test_a_broken_plugin_is_one_line(load: Load, tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("raise RuntimeError('first\\nsecond')\n")
    with pytest.raises(SpecError, match="cannot be imported") as caught:
        load("plugins: [broken.py]")
    assert len(str(caught.value).splitlines()) == 1


def test_the_spec_is_frozen(shipped: Shipped) -> None:
    spec = shipped([])
    with pytest.raises(dataclasses.FrozenInstanceError):
        spec.name = "other"  # type: ignore[misc]
    spec.resolved()["search"]["trials"] = 0
    assert spec.resolved()["search"]["trials"] > 0


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_search_space_loads(path: Path) -> None:
    spec = load_study(path)
    assert spec.name == path.stem
    assert spec.space.config(spec.space.baseline())


def test_a_stored_study_is_read_without_torch_ray_or_families(shipped: Shipped, tmp_path: Path) -> None:
    stored = tmp_path / "spec.json"
    stored.write_text(json.dumps(shipped([]).resolved()))
    code = (
        "import json, sys\n"
        "from pokeopt.spec import StudySpec\n"
        f"spec = StudySpec.from_resolved(json.load(open({str(stored)!r})))\n"
        "spec.space.config(spec.space.baseline())\n"
        "found = {'torch', 'torchvision', 'ray', 'pokeopt.models'} & set(sys.modules)\n"
        "sys.exit(str(found) if found else 0)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_external_sets_of_their_own(load: Load, tmp_path: Path) -> None:
    spec = load(
        "external:\n"
        "  field: {source: csv, images: pictures, labels: field.csv, limit: 50}\n"
        "  raw: {of: test, preprocess: []}\n"
        "data: {source: creatures, preprocess: [silhouette_crop]}\n"
    )
    config = spec.space.config({})
    assert config["external"]["field"] == {
        "source": "csv",
        "images": str(tmp_path / "pictures"),
        "labels": str(tmp_path / "field.csv"),
        "limit": 50,
        "id": "Id",
        "label": "label",
        "group": None,
        "part": None,
        "preprocess": config["data"]["preprocess"],
    }
    assert set(spec.external) == {"field", "raw"}


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ("a: {}", "'source' is missing"),
        ("a: {of: val}", "expected one of test"),
        ("a: {of: test, image_size: 3}", "has no key 'image_size'"),
        ("a: {source: creatures, image_size: 3}", "takes its image_size from data"),
        ("a: {of: test, preprocess: {choice: {x: []}}}", "cannot be searched"),
        ("a/b: {of: test}", "cannot be called 'a/b'"),
        ("cost: {of: test}", "cannot be called 'cost'"),
        ("a: test", "expected a mapping, got 'test'"),
    ],
)
def test_wrong_external_sets_are_refused(load: Load, part: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        load(f"external: {{{part}}}")


def test_a_word_that_may_be_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights by their name, or in a file beside the one that names them; ``--set`` starts at the working directory."""
    (tmp_path / "own.pt").touch()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    space = tmp_path / "space.yaml"
    model = "model: {family: transfer, backbone: squeezenet1_1, weights: WEIGHTS}"
    text = f"data: {{source: digits}}\n{model}\nbaseline: null\n"
    space.write_text(text.replace("WEIGHTS", "own.pt"))
    assert load_study(space).space.config({})["model"]["weights"] == str(tmp_path / "own.pt")
    space.write_text(text.replace("WEIGHTS", "none"))
    assert load_study(space).space.config({})["model"]["weights"] == "none"
    by_set = load_study(space, ["model.weights=../own.pt"]).space.config({})["model"]["weights"]
    assert Path(by_set).resolve() == tmp_path / "own.pt"
