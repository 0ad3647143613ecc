"""Early stopping replayed on curves: the rules that train, asked after each epoch."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from pokeopt.records import TrialState
from pokeopt.report.cost_figures import replay_table
from pokeopt.report.replay_stopping import Replay, replay_stopping
from pokeopt.store import StudyView, TrialRow

RISE_AND_FALL = [0.1, 0.5, 0.6, 0.5, 0.4, 0.3, 0.2, 0.2, 0.1, 0.1]
LATE_BEST = [0.1, 0.5, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.9, 0.8]


def view(
    curves: list[list[float]],
    direction: str = "maximize",
    cause: str = "budget",
    seeds: list[int] | None = None,
    **training: Any,
) -> StudyView:
    rows = tuple(
        TrialRow(
            i, TrialState.COMPLETE, (max(curve, default=0.0),), {},
            {"stop_cause": cause, "config": json.dumps({"training": training}), "seed": seeds[i] if seeds else i},
            dict(enumerate(curve, start=1)), None, None,
        )
        for i, curve in enumerate(curves)
    )  # fmt: skip
    return StudyView("s", "search", {}, {}, ("val/macro_f1",), (direction,), rows)


def replayed(found: StudyView, rule: str) -> Replay:
    replays = replay_stopping(found)
    assert replays is not None
    return next(one for one in replays.rules if one.rule.startswith(rule))


def test_patience_saves_epochs_and_may_lose_score() -> None:
    rule = replayed(view([RISE_AND_FALL, LATE_BEST]), "patience: epochs 3")
    assert (rule.n_stopped, rule.n_runs, rule.n_same) == (2, 2, 1)
    assert rule.saved == pytest.approx((4 + 5) / 20)  # stops after epochs 6 and 5
    assert rule.worst == pytest.approx(0.9 - 0.5)
    assert rule.lost.mean == pytest.approx(0.2)


def test_an_error_is_lost_where_it_grows() -> None:
    mirrored = [[-value for value in curve] for curve in (RISE_AND_FALL, LATE_BEST)]
    up, down = (
        replayed(found, "patience: epochs 3")
        for found in (view([RISE_AND_FALL, LATE_BEST]), view(mirrored, "minimize"))
    )
    assert up.saved == down.saved
    assert up.worst == pytest.approx(down.worst)


def test_a_run_that_keeps_its_last_epoch_may_gain_by_stopping() -> None:
    rule = replayed(view([RISE_AND_FALL], keep="last"), "patience: epochs 3")
    assert rule.worst == pytest.approx(0.1 - 0.3)


def test_the_studys_own_rule_is_named() -> None:
    own = {"range": {"below": 0.05, "over": 3}}
    rule = replayed(view([LATE_BEST], early_stopping=own), "range: below 0.05, over 3")
    assert rule.is_own
    assert rule.saved == pytest.approx(0.5)  # epochs 3 to 5 are the first three that move by less
    assert not replayed(view([LATE_BEST]), "range: below 0.02").is_own


def test_copies_of_one_training_count_once() -> None:
    """Arms that differ in a rule that never fired train the same curve at one seed: that is one measurement."""
    curves = [RISE_AND_FALL, RISE_AND_FALL, RISE_AND_FALL, LATE_BEST]
    found = replay_stopping(view(curves, seeds=[0, 0, 1, 1]))
    assert found is not None
    assert (found.n_full, found.n_different, found.n_used) == (4, 3, 3)
    assert {rule.n_runs for rule in found.rules} == {3}
    caption = replay_table(found, "r").caption
    assert "4 runs that went to their end (10 epochs), with 3 different curves: equal" in caption


def test_only_whole_runs_are_replayed() -> None:
    assert replay_stopping(view([RISE_AND_FALL], cause="early_stop")) is None
    assert replay_stopping(view([[]])) is None
    assert replay_stopping(view([RISE_AND_FALL[:4]])) is None


def test_rules_need_no_torch() -> None:
    code = (
        "import sys; from pokeopt.registry import STOPPING_RULES; from pokeopt.report import replay_stopping;"
        "print(STOPPING_RULES.make('patience').should_stop([0.1]), sorted({'torch', 'ray'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "False []"
