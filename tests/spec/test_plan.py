"""Plans: arms on a base, designs, claims; and every malformed plan is refused in one line."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pokeopt.errors import SpecError
from pokeopt.spec import PlanSpec, load_plan
from pokeopt.spec.claims import Claim
from pokeopt.spec.designs import DESIGNS, Level, combinations
from pokeopt.spec.nodes import Node, Place

FOLDER = Path(__file__).parents[1] / "malformed_plans"
MALFORMED = sorted(path for path in FOLDER.glob("*.yaml") if path.stem != "base")
BASE = """
data: {source: digits, image_size: 8, channels: gray, limit: 120}
model: {family: mlp, depth: {int: [1, 3]}, width: {int: [4, 64], per: model.depth}, dropout: {float: [0.0, 0.5]}}
training:
  epochs: 4
  optimizer: {choice: [adam, {sgd: {momentum: 0.5}}]}
  augmentation: {choice: {none: [], moved: [shift]}}
baseline: {model.depth: 2, model.width: [16, 8], model.dropout: 0.25, training.optimizer: adam,
           training.augmentation: none}
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
