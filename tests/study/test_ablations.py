"""Plans as they are run: interleaved cells, resumed, topped up, changed, failed and tried again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pokeopt import api
from pokeopt.errors import IdentityError, UserError
from pokeopt.records import TrialState
from pokeopt.store import StudyView, open_store
from pokeopt.study.planning import STARTING_S, TRIAL_S
from pokeopt.study.planning_cells import plan_ablation

BASE = """
data: {source: digits, image_size: 8, channels: gray, limit: 120}
model: {family: mlp, depth: 1, width: {int: [4, 32]}, dropout: {float: [0.0, 0.5]}}
training: {epochs: 2, batch_size: 32, optimizer: {choice: [adam, sgd]}, learning_rate: 1e-3}
baseline: {model.width: 8, model.dropout: 0.0, training.optimizer: adam}
search: {trials: 3, pruner: none, sampler: random}
resources: {workers: 0}
"""
PLAN = """
base: base.yaml
seeds: 2
metrics: [test/macro_f1, train/macro_f1 - val/macro_f1]
arms: {narrow: {}, wide: {model.width: 32}, same: {model.width: 8}}
claims:
  - {says: "wide is better", diff: {arm: wide, from: narrow}}
"""


class Desk:
    """A folder with a base and plans, and their store."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "base.yaml").write_text(BASE)

    def write(self, text: str = PLAN, name: str = "plan") -> Path:
        path = self.folder / f"{name}.yaml"
        path.write_text(text)
        return path

    def ablate(self, *plans: Path, **options: Any) -> api.AblateResult:
        options = {"workers": 0, "report": False, **options}
        return api.ablate(plans, home=self.folder / "home", **options)

    def view(self, name: str = "plan") -> StudyView:
        return open_store(None, self.folder / "home").load(name)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def cells(view: StudyView) -> list[tuple[str | None, int | None]]:
    return [(row.arm_id, row.seed) for row in view.counted]


def test_arms_are_interleaved_and_equal_ones_share_their_cells(desk: Desk) -> None:
    result = desk.ablate(desk.write())
    view = desk.view()
    assert result.exit_code == 0
    assert cells(view) == [("narrow", 0), ("wide", 0), ("narrow", 1), ("wide", 1)]
    assert [arm["id"] for arm in view.attrs["arms"]] == ["narrow", "wide", "same"]
    assert view.attrs["reference"] == "narrow"
    assert view.attrs["plan"]["claims"][0]["says"] == "wide is better"
    assert all(row.attrs["phase"] == "confirm" for row in view.complete)
    by_seed: dict[Any, set[Any]] = {}
    for row in view.complete:
        by_seed.setdefault(row.seed, set()).add(row.attrs["split_hash"])
    assert all(len(hashes) == 1 for hashes in by_seed.values())  # arms of one seed see one split
    assert by_seed[0] != by_seed[1]


def test_more_seeds_top_up_and_fewer_lose_nothing(desk: Desk) -> None:
    plan = desk.write()
    desk.ablate(plan)
    first = {row.number: row.ended for row in desk.view().complete}
    desk.ablate(plan, seeds=3)
    view = desk.view()
    assert cells(view)[4:] == [("narrow", 2), ("wide", 2)]
    assert {row.number: row.ended for row in view.complete if row.number in first} == first
    desk.ablate(plan)
    assert desk.view().attrs["seeds"] == [0, 1, 2]
    assert len(desk.view().trials) == 6


def test_a_changed_arm_gets_new_cells_and_the_old_ones_stay(desk: Desk) -> None:
    desk.ablate(desk.write())
    desk.ablate(desk.write(PLAN.replace("model.width: 32", "model.width: 16")))
    view = desk.view()
    assert cells(view)[4:] == [("wide", 0), ("wide", 1)]
    hashes = {arm["config_hash"] for arm in view.attrs["arms"]}
    assert [row.attrs["config_hash"] in hashes for row in view.trials] == [
        True,
        False,
        True,
        False,
        True,
        True,
    ]


def test_what_waits_for_a_dropped_arm_is_withdrawn_and_comes_back_with_it(desk: Desk) -> None:
    plan = desk.write()
    stopped = desk.ablate(plan, timeout_s=0.001)
    assert stopped.exit_code == 1
    assert stopped.n_holes == 4
    assert {row.state for row in desk.view().trials} == {TrialState.WAITING}
    desk.ablate(desk.write(PLAN.replace(", wide: {model.width: 32}", "").replace("arm: wide", "arm: same")))
    view = desk.view()
    withdrawn = [row for row in view.trials if row.state is TrialState.FAIL]
    assert [row.arm_id for row in withdrawn] == ["wide", "wide"]
    assert all("withdrawn" in row.attrs["error"] for row in withdrawn)
    assert len(view.complete) == 2
    assert desk.ablate(desk.write()).exit_code == 0
    assert sorted(cells(desk.view()), key=str) == sorted(
        [(a, s) for a in ("narrow", "wide") for s in (0, 1)], key=str
    )


def test_a_failed_cell_is_a_hole_and_the_next_launch_tries_it_again(desk: Desk) -> None:
    part = desk.folder / "parts.py"
    text = PLAN.replace("same: {model.width: 8}", "odd: {training.sampler: broken}").replace(
        "arms:", "set: {}\narms:"
    )
    (desk.folder / "base.yaml").write_text(BASE + f"plugins: [{part}]\n")
    broken = (
        "from dataclasses import dataclass\nimport torch\n"
        "from pokeopt.registry import IMAGE_SAMPLERS\n"
        "@IMAGE_SAMPLERS.register('broken')\n@dataclass(frozen=True)\nclass Broken:\n"
        "    'Raises until a file lies beside it.'\n"
        "    def indices(self, labels, generator):\n"
        "        import pathlib\n"
        "        if not pathlib.Path(__file__).with_name('mended').exists():\n"
        "            raise RuntimeError('out of luck')\n"
        "        return torch.randperm(len(labels), generator=generator, device=generator.device)\n"
    )
    part.write_text(broken)
    plan = desk.write(text)
    result = desk.ablate(plan)
    assert (result.exit_code, result.n_holes) == (1, 2)
    holes = [row for row in desk.view().counted if row.state is TrialState.FAIL]
    assert [(row.arm_id, row.seed) for row in holes] == [("odd", 0), ("odd", 1)]
    assert all("out of luck" in row.attrs["error"] for row in holes)
    (desk.folder / "mended").touch()
    result = desk.ablate(plan)
    assert (result.exit_code, result.n_holes) == (0, 0)
    assert len(desk.view().complete) == 6


def test_prefix_arms_train_nothing(desk: Desk) -> None:
    plan = desk.write(
        "base: base.yaml\nseeds: 2\nprefixes: true\nmetrics: [val/macro_f1]\n"
        "arms: {short: {training.epochs: 1}, long: {training.epochs: 3}}\n"
    )
    assert desk.ablate(plan).exit_code == 0
    assert cells(desk.view()) == [("long", 0), ("long", 1)]


def test_resampling_all_redraws_the_test_part(desk: Desk) -> None:
    desk.ablate(desk.write(PLAN + "resample: all\n"))
    splits = {(row.seed, row.attrs["split_hash"]) for row in desk.view().complete}
    assert len(splits) == 2
    ids = [_test_ids(desk, row.number) for row in desk.view().complete]
    assert ids[0] == ids[1] != ids[2] == ids[3]


def test_without_resampling_seeds_share_the_split(desk: Desk) -> None:
    desk.ablate(desk.write(PLAN + "resample: none\n"))
    assert len({row.attrs["split_hash"] for row in desk.view().complete}) == 1


def _test_ids(desk: Desk, number: int) -> frozenset[str]:
    from pokeopt.report.predictions import read_predictions

    found = read_predictions(open_store(None, desk.folder / "home"), "plan", number)
    assert found is not None
    content = open_store(None, desk.folder / "home").read_artifact("plan", number, "predictions.npz")
    assert content is not None
    import io

    import numpy as np

    with np.load(io.BytesIO(content)) as stored:
        key = next(name for name in stored.files if "test" in name and "id" in name)
        return frozenset(stored[key].tolist())


def test_retuned_arms_run_what_their_search_found(desk: Desk) -> None:
    plan = desk.write(
        "base: base.yaml\nseeds: 2\nretune_trials: 3\n"
        "retune: {training.learning_rate: {float: [1e-4, 1e-1], log: true}}\n"
        "arms: {adam: {}, sgd: {training.optimizer: sgd}}\n"
    )
    assert desk.ablate(plan).exit_code == 0
    for arm in ("adam", "sgd"):
        search = desk.view(f"plan.{arm}.tune")
        assert search.kind == "search"
        assert search.best is not None
        rates = {row.config["training"]["learning_rate"] for row in desk.view().complete if row.arm_id == arm}
        assert rates == {search.best.params["training.learning_rate"]}


@pytest.mark.parametrize(
    ("more", "networks", "studies"),
    [
        ("arms: {a: {}, b: {model.width: 4}}\n", 4, 1),
        (
            "retune_trials: 3\nretune: {model.dropout: {float: [0, 0.9]}}\narms: {a: {}, b: {model.width: 4}}\n",
            10,
            3,
        ),
        ("unit: search\narms: {a: {search.sampler: random}, b: {search.sampler: tpe}}\n", 12, 5),
    ],
)
def test_the_estimate_counts_searches(desk: Desk, more: str, networks: int, studies: int) -> None:
    """Two arms with two seeds; tuned first by 3 trials each; each a search of 3 trials."""
    plan = desk.write(f"base: base.yaml\nseeds: 2\n{more}")
    found = plan_ablation(plan, home=desk.folder / "home", measure=True)
    assert found.n_cells == 4
    assert found.speed is not None
    epochs = max(arm.epochs for arm in found.arms)
    each = TRIAL_S + epochs * found.speed.mean
    assert found.total_s == pytest.approx(studies * STARTING_S + networks * each / found.workers)


def test_a_whole_search_is_one_cell(desk: Desk) -> None:
    plan = desk.write(
        "base: base.yaml\nseeds: 2\nunit: search\n"
        "arms: {random: {search.sampler: random}, tpe: {search.sampler: tpe}}\n"
    )
    assert desk.ablate(plan).exit_code == 0
    view = desk.view()
    assert cells(view) == [("random", 0), ("tpe", 0), ("random", 1), ("tpe", 1)]
    for row in view.complete:
        search = desk.view(row.attrs["search"])
        assert len(search.counted) == 3
        assert search.best is not None
        assert row.metric("test/macro_f1") == search.best.metric("test/macro_f1")
    assert desk.ablate(plan).exit_code == 0  # nothing is entered twice
    assert len(desk.view().trials) == 4


def test_a_plan_starts_from_a_searchs_best(desk: Desk) -> None:
    api.run(desk.folder / "base.yaml", name="found", home=desk.folder / "home", ablation=False, report=False)
    best = desk.view("found").best
    assert best is not None
    plan = desk.write(
        "base: {study: found, trial: best}\nseeds: 1\narms: {best: {}, dry: {model.dropout: 0.0, model.width: 4}}\n"
    )
    assert desk.ablate(plan).exit_code == 0
    first, second = desk.view().complete
    assert first.config["model"]["width"] == [best.params["model.width"]]
    assert (second.config["model"]["width"], second.config["model"]["dropout"]) == ([4], 0.0)


def test_modes_stand_side_by_side_in_a_searchs_ablation(desk: Desk) -> None:
    api.run(desk.folder / "base.yaml", name="found", home=desk.folder / "home", ablation=False, report=False)
    for mode in ("one-at-a-time", "leave-one-out", "path"):
        assert desk.ablate(study="found", mode=mode, seeds=1).exit_code == 0
    view = desk.view("found.ablation")
    ids = [arm["id"] for arm in view.attrs["arms"]]
    assert {"baseline", "best"} <= set(ids)
    assert any(id_.startswith("best-") for id_ in ids)
    assert view.attrs["mode"] == ["one-at-a-time", "leave-one-out", "path"]
    keys = [(row.attrs["config_hash"], row.seed) for row in view.counted]
    assert len(set(keys)) == len(keys)  # cells of one configuration are shared between modes


def test_changed_images_are_another_experiment(desk: Desk) -> None:
    desk.ablate(desk.write())
    with pytest.raises(IdentityError, match="images or labels have changed"):
        desk.ablate(desk.write("set: {data.limit: 90}\n" + PLAN))


@pytest.mark.parametrize(
    ("options", "part"),
    [
        ({"study": "nothing"}, "nothing"),
        ({"mode": "path"}, "--mode"),
        ({}, "no plan is named"),
    ],
)
def test_wrong_words_are_one_line(desk: Desk, options: dict[str, Any], part: str) -> None:
    with pytest.raises(UserError, match=part):
        desk.ablate(**options)


def test_a_name_belongs_to_one_kind(desk: Desk) -> None:
    api.run(desk.folder / "base.yaml", name="plan", home=desk.folder / "home", ablation=False, report=False)
    with pytest.raises(UserError, match="a search is called 'plan'"):
        desk.ablate(desk.write())


def test_a_smoke_test_keeps_one_checkpoint(desk: Desk) -> None:
    plan = desk.write(PLAN + "quick: {seeds: 2, set: {}}\n")
    desk.ablate(plan)
    desk.ablate(plan, quick=True)
    kept = {
        name: len(list((desk.folder / "home" / "checkpoints" / name).glob("*/checkpoint.pt")))
        for name in ("plan", "plan.quick")
    }
    assert kept == {"plan": 4, "plan.quick": 1}
