"""Random spaces: what is suggested fits, follows the rules, and survives being stored."""

from __future__ import annotations

import json
import random
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pokeopt.errors import SpecError
from pokeopt.spec import Space, StudySpec, load_study

MARKED = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


class RandomTrial:
    """Draws as Optuna would, from a seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1, log: bool = False) -> int:  # noqa: ARG002
        return self.random.randrange(low, high + 1, step)

    def suggest_float(
        self,
        name: str,  # noqa: ARG002
        low: float,
        high: float,
        *,
        step: float | None = None,
        log: bool = False,  # noqa: ARG002
    ) -> float:
        if step is None:
            return self.random.uniform(low, high)
        return min(low + step * self.random.randint(0, round((high - low) / step)), high)

    def suggest_categorical(self, name: str, choices: Any) -> Any:  # noqa: ARG002
        return self.random.choice(list(choices))


def ints(low: int, high: int) -> st.SearchStrategy[Any]:
    pairs = st.tuples(st.integers(low, high), st.integers(low, high)).filter(lambda pair: pair[0] < pair[1])
    marker = st.builds(
        lambda pair, log: {"int": list(pair), **({"log": True} if log else {})}, pairs, st.booleans()
    )
    choice = st.lists(st.integers(low, high), min_size=1, max_size=4, unique=True).map(
        lambda found: {"choice": found}
    )
    return st.one_of(st.integers(low, high), marker, choice)


def floats(low: float, high: float) -> st.SearchStrategy[Any]:
    number = st.floats(low, high)
    pairs = st.tuples(number, number).filter(lambda pair: pair[0] < pair[1])
    marker = pairs.map(lambda pair: {"float": list(pair)})
    stepped = st.integers(1, 4).map(lambda n: {"float": [low, high], "step": (high - low) / n})
    return st.one_of(number, marker, stepped)


def choices(*values: Any) -> st.SearchStrategy[Any]:
    some = st.lists(st.sampled_from(values), min_size=1, unique_by=repr)
    return st.one_of(st.sampled_from(values), some.map(lambda found: {"choice": found}))


SGD = st.builds(lambda momentum: {"sgd": {"momentum": momentum}}, floats(0.0, 0.9))
ROTATE = st.builds(lambda degrees: {"rotate": {"degrees": degrees}}, floats(1.0, 20.0))


@st.composite
def models(draw: st.DrawFn) -> dict[str, Any]:
    """Draw an MLP: every way of giving depth and width."""
    model: dict[str, Any] = {"family": "mlp"}
    if draw(st.booleans()):
        model["depth"] = draw(ints(1, 4))
    is_layered = draw(st.booleans())
    width = draw(ints(4, 64))
    if is_layered and isinstance(width, dict):
        width["per"] = "model.depth"
    if not is_layered and "depth" not in model and draw(st.booleans()):
        width = draw(st.lists(st.integers(4, 64), min_size=1, max_size=3))
    model["width"] = width
    model["activation"] = draw(choices("relu", "gelu", "none"))
    model["batch_norm"] = draw(choices(True, False))
    dropout = draw(floats(0.0, 0.5))
    if isinstance(dropout, dict) and isinstance(model["batch_norm"], dict):
        dropout["when"] = {"model.batch_norm": model["batch_norm"]["choice"][0]}
    model["dropout"] = dropout
    return model


@st.composite
def files(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a search-space file."""
    optimizer = draw(st.one_of(st.just("adam"), SGD, SGD.map(lambda sgd: {"choice": ["adam", sgd, "adamw"]})))
    augmentation = draw(
        st.one_of(
            st.just([]),
            ROTATE.map(lambda rotate: [rotate]),
            ROTATE.map(
                lambda rotate: {"choice": {"none": [], "turn": [rotate], "both": ["horizontal_flip", rotate]}}
            ),
        )
    )
    weight_decay = draw(floats(0.0, 0.1))
    if isinstance(weight_decay, dict) and draw(st.booleans()):
        weight_decay["when"] = {"training.optimizer": ["adam"]}
    return {
        "data": {
            "source": "creatures",
            "preprocess": draw(st.sampled_from([[], {"choice": {"raw": [], "crop": ["silhouette_crop"]}}])),
        },
        "model": draw(models()),
        "loss": {"combine": draw(choices("sum", "log_sum"))},
        "training": {
            "optimizer": optimizer,
            "augmentation": augmentation,
            "weight_decay": weight_decay,
            "batch_size": draw(choices(16, 32, 64)),
        },
    }


def load(file: dict[str, Any]) -> StudySpec:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "space.yaml"
        path.write_text(json.dumps(file))  # JSON is YAML
        return load_study(path)


@MARKED
@given(files(), st.integers(0, 2**16))
def test_suggested_values_make_a_configuration_that_is_stored_whole(file: dict[str, Any], seed: int) -> None:
    spec = load(file)
    values = spec.space.suggest(RandomTrial(seed))
    spec.space.check(values)
    assert spec.space.active(values) == values
    config = spec.space.config(values)
    assert json.loads(json.dumps(config)) == config
    assert len(config["model"]["width"]) == config["model"]["depth"]
    assert not _markers(config)

    stored = StudySpec.from_resolved(json.loads(json.dumps(spec.resolved())))
    assert stored == spec
    assert stored.resolved() == spec.resolved()
    assert stored.space.params == spec.space.params
    assert stored.space.suggest(RandomTrial(seed)) == values
    assert stored.space.config(values) == config


@MARKED
@given(files(), st.integers(0, 2**16))
def test_any_configuration_may_be_the_baseline(file: dict[str, Any], seed: int) -> None:
    values = load(file).space.suggest(RandomTrial(seed))
    spec = load({**file, "baseline": values})
    assert spec.space.baseline() == values
    assert StudySpec.from_resolved(spec.resolved()).space.baseline() == values
    for path in values:
        rest = {key: value for key, value in values.items() if key != path}
        try:
            other = load({**file, "baseline": rest})
        except SpecError:
            continue
        assert other.space.baseline() == values  # only what follows from the rest may be left out


@MARKED
@given(files(), st.integers(0, 2**16))
def test_a_configuration_fixed_by_set_leaves_nothing_to_search(file: dict[str, Any], seed: int) -> None:
    space = load(file).space
    values = space.suggest(RandomTrial(seed))
    config = space.config(values)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "space.yaml"
        path.write_text(json.dumps(file))
        sets = [
            f"{section}={json.dumps(config[section])}" for section in ("data", "model", "loss", "training")
        ]
        fixed = load_study(path, sets)
    assert fixed.space.params == ()
    assert fixed.space.config({}) == config


@MARKED
@given(files(), st.integers(0, 2**16), st.integers(0, 2**16))
def test_moves_stay_inside_the_space(file: dict[str, Any], first: int, second: int) -> None:
    start = load(file).space.suggest(RandomTrial(first))
    space = load({**file, "baseline": start}).space
    target = space.suggest(RandomTrial(second))
    here = start
    for factor in space.factors():
        once = space.move(here, target, factor.key)
        space.check(once)
        assert space.active(once) == once
        assert space.config(once)
        here = once
    assert _settled(space, here, target) == target


def _settled(space: Space, here: dict[str, Any], target: dict[str, Any]) -> dict[str, Any]:
    """Move every factor once more: layers cut while their counter was small come back."""
    for factor in space.factors():
        here = space.move(here, target, factor.key)
    return here


def _markers(tree: Any) -> bool:
    if isinstance(tree, dict):
        return bool({"int", "float", "choice", "when", "per"} & set(tree)) or any(
            map(_markers, tree.values())
        )
    return isinstance(tree, list) and any(map(_markers, tree))
