"""What only the data proves wrong names the file and line to mend, whichever command finds it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pokeopt import api
from pokeopt.errors import UserError
from pokeopt.store import open_store
from pokeopt.study.planning import make_plan
from pokeopt.study.planning_cells import plan_ablation

SPACE = """
data:
  source: digits
  image_size: 8
  channels: gray
  limit: 120
model: {family: mlp, depth: 1, width: 8, dropout: {float: [0.0, 0.5]}}
training: {epochs: 1}
baseline: {model.dropout: 0.0}
search: {trials: 1, pruner: none, sampler: random}
resources: {workers: 0}
"""
WRONG_IN_SPACE = [
    (("  limit: 120", "  limit: 2"), 6, "data.limit", "a limit of 2"),
    (("  limit: 120", "  limit: 120\n  split: {by: nope}"), 7, "data.split.by", "no column 'nope'"),
    (("  limit: 120", "  split:\n    seed: 1\n    by: group"), 8, "data.split.by", "have no groups"),
    (
        ("source: digits", "source: folder\n  path: ./nowhere"),
        4,
        "data.path",
        "nowhere: there is no such folder",
    ),
    (
        ("training:", "external:\n  far: {source: folder, path: away}\ntraining:"),
        9,
        "external.far.path",
        "away: ",
    ),
    (("training:", "objective: {metric: val/f1/nope}\ntraining:"), 8, "objective.metric", "called 'nope'"),
    (
        ("training:", "constraints: [{metric: val/f1/nope, min: 0}]\ntraining:"),
        8,
        "constraints",
        "called 'nope'",
    ),
]
WRONG_IN_PLAN = [
    ("metrics: [test/f1/nope]", 6, "metrics", "called 'nope'"),
    ("metrics:\n  - test/accuracy\n  - test/f1/nope", 8, "metrics", "called 'nope'"),
    ("claims:\n  - {says: x, order: [a, b], metric: val/f1/nope}", 7, "claims.metric", "called 'nope'"),
    ("set: {data.limit: 2}", 6, "data.limit", "a limit of 2"),
    ("arms: {a: {}, b: {data.split: {by: nope}}}", 6, "data.split.by", "no column 'nope'"),
    (
        "arms:\n  a: {}\n  b:\n    data.source: folder\n    data.path: ./nowhere",
        10,
        "data.path",
        "no such folder",
    ),
]


COMMANDS: dict[str, Callable[[Path], object]] = {
    "run": lambda path: api.run(path, home=path.parent / "home", report=False),
    "plan": lambda path: make_plan(path, home=path.parent / "home"),
    "plan of arms": lambda path: plan_ablation(path, home=path.parent / "home"),
    "ablate": lambda path: api.ablate([path], home=path.parent / "home", report=False, workers=0),
}


@pytest.mark.parametrize(("change", "line", "key", "what"), WRONG_IN_SPACE)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_search_space_is_blamed_by_its_line(
    tmp_path: Path, command: str, change: tuple[str, str], line: int, key: str, what: str
) -> None:
    if key == "constraints" and command not in ("run", "plan"):
        pytest.skip("arms have no constraints")
    space, plan = tmp_path / "space.yaml", tmp_path / "plan.yaml"
    space.write_text(SPACE.replace(*change))
    plan.write_text("base: space.yaml\nmetrics: [model/n_params]\narms: {a: {}}\n")
    with pytest.raises(UserError) as caught:
        COMMANDS[command](space if command in ("run", "plan") else plan)
    assert caught.value.where == f"{space}:{line} ({key})"
    assert what in caught.value.what
    assert open_store(None, tmp_path / "home").names() == []


@pytest.mark.parametrize(("text", "line", "key", "what"), WRONG_IN_PLAN)
@pytest.mark.parametrize("command", ["plan of arms", "ablate"])
def test_a_plan_is_blamed_by_its_line(
    tmp_path: Path, command: str, text: str, line: int, key: str, what: str
) -> None:
    (tmp_path / "space.yaml").write_text(SPACE)
    path = tmp_path / "plan.yaml"
    arms = "" if text.startswith("arms") else "arms: {a: {}, b: {model.dropout: 0.5}}"
    path.write_text(f"# a plan\nbase: space.yaml\nseeds: 1\nquestion: what?\n{arms}\n{text}\n")
    with pytest.raises(UserError) as caught:
        COMMANDS[command](path)
    assert caught.value.where == f"{path}:{line} ({key})"
    assert what in caught.value.what


def test_a_plan_is_not_valid_under_the_name_of_a_search(tmp_path: Path) -> None:
    """Planning says what running would say."""
    space, plan = tmp_path / "space.yaml", tmp_path / "plan.yaml"
    space.write_text(SPACE)
    plan.write_text("name: space\nbase: space.yaml\narms: {a: {}}\n")
    assert plan_ablation(plan, home=tmp_path / "home").n_done == 0
    api.run(space, home=tmp_path / "home", report=False)
    for command in ("plan of arms", "ablate"):
        with pytest.raises(UserError, match="a search is called 'space' already"):
            COMMANDS[command](plan)
