"""``ablate`` and ``plan`` of an ablation plan, as a person types them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run

BASE = """
data: {source: digits, image_size: 8, channels: gray, limit: 120}
model: {family: mlp, depth: 1, width: {int: [4, 32]}}
training: {epochs: 1, learning_rate: 1e-3}
baseline: {model.width: 8}
search: {trials: 2, pruner: none}
resources: {workers: 0}
"""
PLAN = """
question: "Does width matter?"
base: base.yaml
seeds: 2
arms: {narrow: {}, wide: {model.width: 32}}
claims:
  - {says: "wide is better", diff: {arm: wide, from: narrow}}
quick: {seeds: 1, set: {data.limit: 60}}
"""


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    (tmp_path / "base.yaml").write_text(BASE)
    path = tmp_path / "plans" / "width.yaml"
    path.parent.mkdir()
    path.write_text(PLAN.replace("base.yaml", "../base.yaml"))
    return path


def test_a_plan_is_looked_at_run_and_looked_at_again(run: Run, plan: Path, tmp_path: Path) -> None:
    code, out, err = run("plan", str(plan))
    assert (code, err) == (0, "")
    assert "2 arms, 2 seeds: 4 cells" in out
    assert "Does width matter?" in out
    assert "claim  diff: wide is better" in out
    assert not (tmp_path / ".pokeopt/pokeopt.db").exists()
    other = tmp_path / "other.yaml"
    other.write_text(BASE.replace("depth: 1", "depth: 2"))
    asked = run("plan", str(plan), "--seeds", "5", "--base", str(other), "--fidelity", "scaled")[1]
    assert "2 arms, 5 seeds: 10 cells" in asked
    assert "fidelity scaled" in asked
    code, out, err = run("ablate", str(plan), "--workers", "0")
    assert (code, err) == (0, "")
    assert "width: 4 of 4 cells complete, by test/macro_f1" in out
    assert (tmp_path / "reports" / "width.html").stat().st_size > 10_000
    assert "4 of them stored" in run("plan", str(plan))[1]
    code, out, _ = run("ablate", str(plan), "--workers", "0", "--json")
    result = json.loads(out)
    assert code == result["exit_code"] == result["n_holes"] == 0
    assert [arm["id"] for arm in result["studies"][0]["arms"]] == ["narrow", "wide"]


def test_a_folder_as_a_smoke_test(run: Run, plan: Path, tmp_path: Path) -> None:
    other = plan.with_name("depth.yaml")
    other.write_text(plan.read_text().replace("wide: {model.width: 32}", "wide: {model.depth: 2}"))
    code, out, err = run("ablate", str(plan.parent), "--quick", "--workers", "0")
    assert (code, err) == (0, "")
    assert "depth.quick: 2 of 2 cells complete" in out
    assert "width.quick: 2 of 2 cells complete" in out
    page = (tmp_path / "reports" / "plans.quick.html").read_text(encoding="utf-8")
    assert "does width matter?" in page.lower()
    assert run("list")[1].count("confirm") == 2


def test_a_search_is_ablated_by_its_name(run: Run, plan: Path, tmp_path: Path) -> None:
    assert run("run", "base.yaml", "--name", "found", "--no-report")[0] == 0
    code, out, _ = run("ablate", "--study", "found", "--mode", "path", "--seeds", "1", "--workers", "0")
    assert code == 0
    assert "found.ablation" in out
    assert (tmp_path / "reports" / "found.html").exists()


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("ablate",), "no plan is named"),
        (("ablate", "nowhere.yaml"), "there is no such file"),
        (("ablate", "empty"), "no plan lies in this folder"),
        (("ablate", "base.yaml"), "a plan has no key"),
        (("ablate", "--study", "nothing"), "nothing"),
        (("ablate", "PLAN", "--mode", "path"), "it belongs to --study"),
        (("ablate", "PLAN", "--study", "mlp"), "not from a plan"),
        (("ablate", "PLAN", "--seeds", "0"), "must be at least 1"),
        (("ablate", "PLAN", "--fidelity", "exactly"), "is no fidelity"),
        (("ablate", "PLAN", "--set", "model.widht=3"), "model.widht"),
        (("ablate", "PLAN", "--base", "nowhere.yaml"), "there is no such file"),
        (("plan", "PLAN", "--base", "nowhere.yaml"), "there is no such file"),
        (("plan", "PLAN", "--seeds", "0"), "must be at least 1"),
        (("plan", "base.yaml", "--quick"), "--quick: base.yaml is a search-space file"),
        (("plan", "base.yaml", "--fidelity", "scaled"), "--fidelity: base.yaml is a search-space file"),
    ],
)
def test_wrong_words_are_one_line_and_nothing_is_written(
    run: Run, plan: Path, tmp_path: Path, words: tuple[str, ...], part: str
) -> None:
    (tmp_path / "empty").mkdir()
    code, out, err = run(*(str(plan) if word == "PLAN" else word for word in words))
    assert (code, out) == (2, "")
    assert part in err
    assert len(err.strip().splitlines()) == 1
    assert not (tmp_path / ".pokeopt/pokeopt.db").exists()
