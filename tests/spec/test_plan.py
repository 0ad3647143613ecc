"""Plans: arms on a base, designs, claims; and every malformed plan is refused in one line."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pokeopt.errors import SpecError
from pokeopt.spec import PlanSpec, load_plan, load_study
from pokeopt.spec.claims import Claim
from pokeopt.spec.designs import DESIGNS, Level, combinations
from pokeopt.spec.nodes import Node, Place

FOLDER = Path(__file__).parents[1] / "malformed_plans"
MALFORMED = sorted(path for path in FOLDER.glob("*.yaml") if path.stem != "base")
BASE = """
data:
  source: digits
  image_size: 8
  channels: gray
  limit: 120
  preprocess: {choice: {raw: [], closed: [{closing: {iterations: {int: [1, 9]}}}]}}
model: {family: mlp, depth: {int: [1, 3]}, width: {int: [4, 64], per: model.depth}, dropout: {float: [0.0, 0.5]}}
training:
  epochs: 4
  optimizer: {choice: [adam, {sgd: {momentum: 0.5}}]}
  schedule: {choice: {constant: constant, later: {step: {every: {int: [1, 9]}}}}}
  augmentation: {choice: {none: [], moved: [shift, {rotate: {degrees: {int: [1, 90]}}}]}}
loss: {terms: {classification: {choice: [cross_entropy, {focal: {gamma: {float: [0.5, 5.0]}}}]}}}
baseline: {model.depth: 2, model.width: [16, 8], model.dropout: 0.25, training.optimizer: adam, data.preprocess: raw,
           training.augmentation: none, training.augmentation.rotate.degrees: 15, training.schedule: constant,
           loss.terms.classification: cross_entropy, loss.terms.classification.focal.gamma: 1.5,
           data.preprocess.closing.iterations: 5}
"""


def plan_of(folder: Path, text: str, **options: Any) -> PlanSpec:
    """Write a base and a plan, and load the plan."""
    (folder / "base.yaml").write_text(BASE)
    path = folder / "plan.yaml"
    path.write_text(f"base: base.yaml\n{text}")
    return load_plan(path, **options)


@pytest.mark.parametrize("path", MALFORMED, ids=lambda path: path.stem)
def test_malformed_plan_is_refused_in_one_line(path: Path) -> None:
    expected = path.read_text(encoding="utf-8").splitlines()[0].removeprefix("# expect: ")
    with pytest.raises(SpecError) as caught:
        load_plan(path)
    error = caught.value
    assert expected in str(error)
    assert len(str(error).splitlines()) == 1
    assert error.where.startswith(str(path))
    assert error.mend


def test_an_arm_is_the_base_then_set_then_its_own(tmp_path: Path) -> None:
    plan = plan_of(
        tmp_path,
        "set: {training.epochs: 7, training.optimizer: sgd, model.dropout: 0.1}\n"
        "arms: {a: {}, b: {training.optimizer: adam, training.augmentation: moved}, c: {model.width: [32]},\n"
        "       d: {training.optimizer: {sgd: {momentum: 0.9}}}}\n",
    )
    a, b, c, d = (arm.config for arm in plan.arms)
    assert all(config["training"]["epochs"] == 7 for config in (a, b, c, d))
    assert all(config["model"]["dropout"] == 0.1 for config in (a, b, c, d))
    assert (a["model"]["width"], a["training"]["augmentation"]) == ([16, 8], [])
    assert a["training"]["optimizer"]["sgd"]["momentum"] == 0.5
    assert d["training"]["optimizer"]["sgd"]["momentum"] == 0.9
    assert "adam" in str(b["training"]["optimizer"])  # the arm's own wins over 'set'
    assert "shift" in str(b["training"]["augmentation"])  # a label of the base's choice
    assert (c["model"]["width"], c["model"]["depth"]) == ([32], 1)  # a list's length sets the counter
    assert plan.arms[0].changes == {}
    assert set(plan.arms[2].changes) == {"model.width"}


def test_an_arms_mapping_replaces_what_set_says_below_it(tmp_path: Path) -> None:
    plan = plan_of(
        tmp_path,
        "set: {model.dropout: 0.4}\narms: {a: {}, b: {model: {family: mlp, depth: 1, width: 12}}}\n",
    )
    assert plan.arms[0].config["model"]["dropout"] == 0.4
    assert plan.arms[1].config["model"]["dropout"] != 0.4


def test_quick_covers_set_and_seeds(tmp_path: Path) -> None:
    text = (
        "seeds: 10\nset: {training.epochs: 50, data.limit: 100}\narms: {a: {}}\n"
        "quick: {seeds: 2, set: {training.epochs: 1}}\n"
    )
    full, quick = plan_of(tmp_path, text), plan_of(tmp_path, text, quick=True)
    assert (full.name, quick.name) == ("plan", "plan.quick")
    assert (len(full.seeds), len(quick.seeds)) == (10, 2)
    assert (full.is_quick, quick.is_quick) == (False, True)
    assert quick.arms[0].config["training"]["epochs"] == 1
    assert quick.arms[0].config["data"]["limit"] == 100


def test_another_base_and_more_seeds(tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text(BASE.replace("epochs: 4", "epochs: 9"))
    plan = plan_of(
        tmp_path, "seeds: [4, 2]\narms: {a: {}}\n", base=tmp_path / "other.yaml", sets=("model.dropout=0.5",)
    )
    assert plan.arms[0].config["training"]["epochs"] == 9
    assert plan.arms[0].config["model"]["dropout"] == 0.5
    assert plan.seeds == (4, 2)
    assert plan_of(tmp_path, "seeds: [4, 2]\narms: {a: {}}\n", seeds=3).seeds == (0, 1, 2)


def test_prefixes_name_the_longest_arm(tmp_path: Path) -> None:
    plan = plan_of(
        tmp_path,
        "prefixes: true\nmetrics: [val/macro_f1]\n"
        "arms: {e2: {training.epochs: 2}, e9: {training.epochs: 9}, e5: {training.epochs: 5}}\n",
    )
    assert [arm.prefix for arm in plan.arms] == [("e9", 2), None, ("e9", 5)]


def test_a_retuned_arm_searches_from_its_own_value(tmp_path: Path) -> None:
    plan = plan_of(
        tmp_path,
        "set: {training.learning_rate: 3e-3}\nretune: {training.learning_rate: {float: [1e-4, 1e-2], log: true}}\n"
        "retune_trials: 5\narms: {a: {}, b: {model.dropout: 0.5}, c: {training.learning_rate: 1e-3}}\n",
    )
    a, b, c = plan.arms
    assert a.search is not None
    assert b.search is not None
    assert c.search is None  # it says its own rate: there is nothing to tune
    assert a.search.search.trials == 5
    assert (a.search.baseline or {})["training.learning_rate"] == 3e-3
    assert b.search.space.config(b.search.space.baseline())["model"]["dropout"] == 0.5


RETUNED = "training.learning_rate: {float: [1e-4, 1e-2], log: true}"


@pytest.mark.parametrize("base", ["file", "trial"])
@pytest.mark.parametrize(
    ("retune", "paths"),
    [
        (f"{{{RETUNED}}}", ["training.learning_rate"]),
        (f"{{{RETUNED}, model.dropout: {{float: [0.0, 0.5]}}}}", ["model.dropout", "training.learning_rate"]),
        ("{model.width: {int: [4, 64], per: model.depth}}", ["model.width.0", "model.width.1"]),
        ("{training.optimizer: {choice: [adam, adamw]}}", ["training.optimizer"]),
    ],
)
def test_an_arm_is_retuned_over_these_keys_only(
    tmp_path: Path, base: str, retune: str, paths: list[str]
) -> None:
    """Whatever else the base searches stays at the arm's value, so that arms differ in what they say."""
    text = f"retune: {retune}\narms: {{a: {{}}, b: {{training.batch_size: 64}}}}\n"
    plan = plan_of(tmp_path, text) if base == "file" else plan_on_trial(tmp_path, text)
    assert set(plan.retune) == set(yaml_keys(retune))
    for arm in plan.arms:
        assert arm.search is not None
        space = arm.search.space
        assert [param.path for param in space.params] == paths
        assert space.config(space.baseline()) == arm.config
        drawn = space.config({**space.corners()[1], **space.corners()[0]})
        for path in (path.rstrip(".01") for path in paths):
            drawn, config = without(drawn, path), without(arm.config, path)
        if len(paths) == 1:
            assert drawn == config


def yaml_keys(text: str) -> list[str]:
    """Return the dotted keys in a line of YAML."""
    return re.findall(r"(?:model|training)\.\w+(?=:)", text)


def without(config: Mapping[str, Any], key: str) -> dict[str, Any]:
    """Return a configuration without one of its keys."""
    section, _, name = key.partition(".")
    return {**config, section: {one: value for one, value in config[section].items() if one != name}}


def plan_on_trial(folder: Path, text: str) -> PlanSpec:
    """Write the same base as a study whose only trial is its baseline, and load a plan on that."""
    (folder / "base.yaml").write_text(BASE)
    spec = load_study(folder / "base.yaml")
    path = folder / "on_trial.yaml"
    path.write_text(f"base: {{study: base}}\n{text}")
    return load_plan(path, trial_of=lambda *_: (spec.resolved(), spec.space.baseline()))


ARMS = [
    "{}",
    "{model.depth: 3}",
    "{model.depth: 1}",
    "{model.depth: 5}",  # more than its range
    "{model.width: 7}",
    "{model.width: [7, 5]}",
    "{model.width: [7, 5, 9]}",
    "{model.width: [7, 5, 9, 3]}",
    "{model.width: 7, model.depth: 3}",
    "{model.width: 7, model.depth: 5}",
    "{model.width: [7, 5, 9, 3], model.depth: 4}",
    "{model.width: 128}",
    "{model: {family: mlp, width: 12}}",
    "{model: {family: cnn}}",
    "{training.optimizer: sgd}",
    "{training.optimizer: {sgd: {momentum: 0.9}}}",
    "{training.optimizer: sgd, training.optimizer.sgd.momentum: 0.9}",
    "{training.augmentation: moved}",
    "{training.augmentation: moved, training.augmentation.rotate.degrees: 20}",
    "{data.preprocess: closed}",
    "{data.preprocess: closed, data.preprocess.closing.iterations: 3}",
    "{loss.terms.classification: focal}",
    "{loss.combine: log_sum}",
    "{data.source: creatures}",
    "{training.epochs: 9, model.dropout: 0.9}",
]


@pytest.mark.parametrize("arm", ARMS)
def test_an_arm_means_the_same_on_a_file_and_on_a_stored_trial(tmp_path: Path, arm: str) -> None:
    """Also with what was set before it: layers, labels and conditions follow one rule."""
    text = f"set: {{training.weight_decay: 0.1}}\narms: {{a: {{}}, b: {arm}}}\n"
    on_file, on_trial = plan_of(tmp_path, text), plan_on_trial(tmp_path, text)
    assert [one.config for one in on_trial.arms] == [one.config for one in on_file.arms]
    assert on_trial.arms[1].changes == on_file.arms[1].changes
    assert (arm == "{}") == (not on_file.arms[1].changes)


@pytest.mark.parametrize(
    ("arm", "what"),
    [
        ("{objective.metric: val/accuracy}", "an arm cannot change 'objective.metric'"),
        ("{name: other}", "an arm cannot change 'name'"),
        ("{resources.workers: 1}", "an arm cannot change 'resources.workers'"),
        ("{search.trials: 3}", "an arm cannot change 'search.trials'"),
        ("{model.dropout: {float: [0.0, 0.1]}}", "'model.dropout' is searched in it"),
        ("{training: {optimizer: {choice: [adam, sgd]}}}", "'training' is searched in it"),
        ("{training.optimizer.sgd.momentum: 0.1}", "so the key changes nothing; set training.optimizer, too"),
        ("{baseline.training.augmentation.rotate.degrees: 3}", "so the key changes nothing"),
        ("{model.width: [7, 5], model.depth: 3}", "'width' has 2 values, but model.depth is 3"),
        ("{loss.terms.classification: bare_focal}", "no loss term is called"),
        ("{training.schedule: later}", "has no value for 'training.schedule.step.every' ("),
    ],
)
@pytest.mark.parametrize("base", ["file", "trial"])
def test_a_key_that_cannot_act_is_refused_at_the_arms_line(
    tmp_path: Path, base: str, arm: str, what: str
) -> None:
    load = plan_of if base == "file" else plan_on_trial
    with pytest.raises(SpecError) as caught:
        load(tmp_path, f"arms:\n  a: {{}}\n  b: {arm}\n")
    if base == "file":
        assert what in str(caught.value)
    assert ".yaml:4 (" in caught.value.where
    assert "arm 'b'" in caught.value.what or "an arm" in caught.value.what


def test_an_arm_may_give_another_baseline(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, "arms: {a: {}, b: {baseline.model.dropout: 0.5}}\n")
    assert plan.arms[1].changes == {"model.dropout": (0.25, 0.5)}


def test_a_factor_may_be_idle_in_some_arms_but_not_in_all(tmp_path: Path) -> None:
    factors = "{loss.combine: [sum, log_sum], loss.weights.classification: [1.0, 2.0]}"
    plan = plan_of(tmp_path, f"design: factorial\nfactors: {factors}\n")
    assert len({str(arm.config) for arm in plan.arms}) == 3  # of four: only a sum has weights
    with pytest.raises(SpecError, match="so the key changes nothing"):
        plan_of(tmp_path, "factors: {training.optimizer.sgd.momentum: [0.0, 0.9]}\n")


@pytest.mark.parametrize(
    ("quick", "key"),
    [
        ("3", "quick"),
        ("[a]", "quick"),
        ("{seeds: x}", "quick.seeds"),
        ("{seeds: 0}", "quick.seeds"),
        ("{set: [a]}", "quick.set"),
        ("{set: {training.nope: 3}}", "training.nope"),
        ("{set: {nope: 3}}", "nope"),
        ("{set: {training.epochs: -1}}", "training.epochs"),
    ],
)
@pytest.mark.parametrize("is_quick", [False, True])
def test_a_faulty_quick_setting_is_refused_in_a_full_run_too(
    tmp_path: Path, quick: str, key: str, is_quick: bool
) -> None:
    with pytest.raises(SpecError) as caught:
        plan_of(tmp_path, f"arms: {{a: {{}}}}\nquick: {quick}\n", quick=is_quick)
    assert caught.value.where.endswith(f"plan.yaml:3 ({key})")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("unit: search\narms: {a: {}}\n", "there is nothing to search"),
        ("retune: {training.learning_rate: 3}\narms: {a: {}}\n", "expected a range or a choice to search"),
        (
            "retune: {training.learning_rate: {float: [0.1, 1.0]}}\narms: {a: {}}\n",
            "arm 'a': 0.001 is not in [0.1, 1.0]",
        ),
    ],
)
def test_a_search_without_a_key_is_refused(tmp_path: Path, text: str, what: str) -> None:
    with pytest.raises(SpecError, match=re.escape(what)) as caught:
        plan_on_trial(tmp_path, text)
    assert "on_trial.yaml:2 (" in caught.value.where


def test_a_whole_search_needs_a_searched_key(tmp_path: Path) -> None:
    fixed = "{model: {family: mlp}, training: {epochs: 1}, data.preprocess: [], loss: {}}"
    with pytest.raises(SpecError, match="arm 'b': nothing is searched") as caught:
        plan_of(tmp_path, f"unit: search\narms:\n  a: {{}}\n  b: {fixed}\n")
    assert "plan.yaml:5 (arms.b)" in caught.value.where


def test_a_claim_survives_its_json(tmp_path: Path) -> None:
    plan = plan_of(
        tmp_path,
        "arms: {a: {}, b: {model.dropout: 0.5}, c: {model.dropout: 0.4}}\nclaims:\n"
        "  - {says: order, order: [a, [b, c]], reported: {a: 0.4, b: [0.5, 0.6]}, section: Results}\n"
        "  - {says: diff, diff: {arm: b, from: a, min: 0.1, max: 0.5}, metric: val/accuracy}\n"
        "  - {says: over, diff: {arm: b, from: a, over: {arm: c, from: a}}}\n"
        "  - {says: equal, equal: [a, b], within: 0.02}\n"
        "  - {says: threshold, threshold: {arm: b, max: 0.9}}\n"
        "  - {says: ratio, ratio: {arm: a, to: b, min: 2}, metric: cost/wall_s}\n"
        "  - {says: gap, diff: {arm: a, from: b}, metric: train/macro_f1 - val/macro_f1}\n"
        "  - {says: looks, qual: true}\n"
        "  - {says: fast, qual: it needs a GPU., reported: {a: 24}}\n",
    )
    assert [claim.kind for claim in plan.claims] == [
        "order", "diff", "diff", "equal", "threshold", "ratio", "diff", "qual", "qual",
    ]  # fmt: skip
    assert [Claim.from_dict(one) for one in plan.as_attribute()["claims"]] == list(plan.claims)
    order = plan.claims[0]
    assert order.groups == (("a",), ("b", "c"))
    assert order.reported == {"a": (0.4,), "b": (0.5, 0.6)}
    assert order.metric == "test/macro_f1"  # the test part's twin of the objective
    assert plan.claims[2].arm_ids == ("b", "a", "c")
    assert [claim.why for claim in plan.claims[-2:]] == ["", "it needs a GPU"]


def test_the_line_of_a_faulty_arm_is_named(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=re.escape("plan.yaml:4")):
        plan_of(tmp_path, "arms:\n  a: {}\n  b: {training.optimizer: adamm}\n")


def levels(sizes: list[int]) -> dict[str, list[Level]]:
    """Return factors of so many levels each."""
    place = Place("plan", 1, Path())
    return {f"f{i}": [Level(str(j), Node(j, place)) for j in range(n)] for i, n in enumerate(sizes)}


@given(st.lists(st.integers(2, 4), min_size=1, max_size=4), st.sampled_from(DESIGNS))
def test_every_design_begins_with_the_reference_and_repeats_nothing(sizes: list[int], design: str) -> None:
    factors = levels(sizes)
    if design == "fractional" and (len(sizes) < 3 or set(sizes) != {2}):
        with pytest.raises(ValueError, match="fractional"):
            combinations(factors, design)
        return
    arms = combinations(factors, design)
    first = arms[0]
    assert first.id == "baseline"
    assert all(first.levels[key] is factor[0] for key, factor in factors.items())
    assert len({arm.id for arm in arms}) == len(arms)
    if len(sizes) > 1 or design not in ("leave-one-out",):
        assert len({tuple(level.label for level in arm.levels.values()) for arm in arms}) == len(arms)


@given(st.lists(st.integers(2, 4), min_size=1, max_size=4))
def test_a_factorial_has_every_combination(sizes: list[int]) -> None:
    found = {
        tuple(level.label for level in arm.levels.values())
        for arm in combinations(levels(sizes), "factorial")
    }
    assert found == set(itertools.product(*([str(j) for j in range(n)] for n in sizes)))


@pytest.mark.parametrize("n", [3, 4, 5])
def test_half_a_factorial_is_balanced_in_every_pair(n: int) -> None:
    """In the half that is kept, every pair of factors sees its four combinations equally often (n > 2)."""
    arms = combinations(levels([2] * n), "fractional")
    assert len(arms) == 2 ** (n - 1)
    for a, b in itertools.combinations([f"f{i}" for i in range(n)], 2):
        counts = Counter((arm.levels[a].label, arm.levels[b].label) for arm in arms)
        assert set(counts.values()) == {2 ** (n - 3)}
        assert len(counts) == 4
