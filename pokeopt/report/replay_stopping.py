"""Early stopping replayed: every rule is asked after each epoch of stored curves of runs that went to their end."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pokeopt.ablation import Level, level
from pokeopt.errors import PokeoptError
from pokeopt.records import StopCause, TrialState
from pokeopt.registry import STOPPING_RULES, split_component
from pokeopt.report.thinning import thinned
from pokeopt.report.words import plain
from pokeopt.store import StudyView, TrialRow

MOST_RUNS = 200  # of more, evenly spaced ones
FEWEST_EPOCHS = 5
PATIENCES = ({"patience": {"epochs": 3}}, {"patience": {"epochs": 5}}, {"patience": {"epochs": 10}})


@dataclass(frozen=True)
class Replay:
    """What a rule would have done to the runs.

    Attributes:
        rule: Its name and settings.
        is_own: Whether the study itself ran under it.
        n_runs: Runs that went to their end.
        n_stopped: Of them, those that it would have stopped.
        saved: Share of all epochs that would not have been trained.
        lost: Score of the full run minus that of the stopped one, positive where something was lost, over the
            runs; the interval is Student's t.
        worst: The largest loss.
        n_same: Runs that would have kept the same score.
    """

    rule: str
    is_own: bool
    n_runs: int
    n_stopped: int
    saved: float
    lost: Level
    worst: float
    n_same: int


@dataclass(frozen=True)
class Replays:
    """The replay of one study's runs.

    Attributes:
        metric: The objective, on whose curves rules look.
        n_full: Runs that went to their end, ``n_different`` of them with a curve that no other of their seed has;
            ``n_used`` of those were replayed. Equal curves, as of arms that differ in a rule alone that never fired,
            are one measurement.
    """

    study: str
    metric: str
    n_full: int
    n_different: int
    n_used: int
    n_epochs: tuple[int, int]
    rules: tuple[Replay, ...]


def replay_stopping(view: StudyView) -> Replays | None:
    """Return what every known rule would have done to a study's runs; None where no run has a whole curve."""
    full = [row for row in view.counted if _is_full(row)]
    if not full:
        return None
    different: dict[Any, TrialRow] = {}
    for row in full:
        different.setdefault(_measured(row), row)
    used = thinned(list(different.values()), MOST_RUNS)
    sign = 1.0 if view.directions[0] == "maximize" else -1.0
    curves = [([sign * row.curve[step] for step in sorted(row.curve)], _keeps_best(row)) for row in used]
    own = {_key(rule) for rule in (_own_rule(row) for row in full) if rule is not None}
    rules = [
        replay for key in _rules(own) if (replay := _replay(json.loads(key), curves, key in own)) is not None
    ]
    lengths = [len(row.curve) for row in used]
    return Replays(
        view.name,
        view.metrics[0],
        len(full),
        len(different),
        len(used),
        (min(lengths), max(lengths)),
        tuple(rules),
    )


def _replay(component: Any, curves: Iterable[tuple[list[float], bool]], is_own: bool) -> Replay | None:
    try:
        rule = STOPPING_RULES.make(component)
    except PokeoptError:  # a plug-in's rule that has no defaults, or is not here
        return None
    lost: dict[int, float] = {}
    stopped = trained = total = 0
    for i, (scores, keeps_best) in enumerate(curves):
        end = next((n for n in range(1, len(scores)) if rule.should_stop(scores[:n])), len(scores))
        kept = (max(scores), max(scores[:end])) if keeps_best else (scores[-1], scores[end - 1])
        lost[i] = kept[0] - kept[1]
        stopped += end < len(scores)
        trained += end
        total += len(scores)
    same = sum(loss == 0 for loss in lost.values())
    name, settings = split_component(component)
    words = ", ".join(f"{key} {plain(value)}" for key, value in settings.items())
    return Replay(
        f"{name}: {words}" if words else name,
        is_own,
        len(lost),
        stopped,
        1 - trained / total,
        level(lost),
        max(lost.values()),
        same,
    )


def _rules(own: Iterable[str]) -> list[str]:
    """Return the rules to try, without repetition: those of the runs, some patiences, every other's defaults."""
    others: list[Mapping[str, Any]] = list(PATIENCES)
    for name in STOPPING_RULES.names():
        if name not in ("none", "patience"):
            settings = STOPPING_RULES.settings(name)
            others.append({name: {key: setting.default for key, setting in settings.items()}})
    written = []
    for rule in others:
        try:
            written.append(_key(rule))
        except TypeError:  # a setting without a default
            continue
    return list(dict.fromkeys([*sorted(own), *written]))


def _own_rule(row: TrialRow) -> Mapping[str, Any] | None:
    """Return the rule that a run was under, all settings filled in; None for none."""
    component = (row.config.get("training") or {}).get("early_stopping") or "none"
    name, settings = split_component(component)
    if name == "none" or name not in STOPPING_RULES.names():
        return None
    defaults = {key: setting.default for key, setting in STOPPING_RULES.settings(name).items()}
    return {name: defaults | settings}


def _key(rule: Mapping[str, Any]) -> str:
    return json.dumps(rule, sort_keys=True)


def _keeps_best(row: TrialRow) -> bool:
    return bool((row.config.get("training") or {}).get("keep", "best") == "best")


def _measured(row: TrialRow) -> tuple[int | None, bool, tuple[tuple[int, float], ...]]:
    """Return what a replay sees of a run: copies of one training of one seed are equal in it."""
    return row.seed, _keeps_best(row), tuple(sorted(row.curve.items()))


def _is_full(row: TrialRow) -> bool:
    """Whether a run went to its end and its curve has every epoch from 1."""
    steps: Sequence[int] = sorted(row.curve)
    return (
        row.state is TrialState.COMPLETE
        and row.stop_cause is StopCause.BUDGET
        and len(steps) >= FEWEST_EPOCHS
        and steps == list(range(1, len(steps) + 1))
    )
