"""What ``run`` says at its end: what was found, where it lies, and the next two commands to copy."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pokeopt.cli.output import print_facts, print_table, say
from pokeopt.cli.words import counts, duration, plural, score, setting
from pokeopt.report.confirm import summarise_confirm
from pokeopt.report.words import MINUS, digits_for, interval, number

if TYPE_CHECKING:
    from pokeopt.ablation import Effect
    from pokeopt.api import RunResult
    from pokeopt.report.summary import AblationSummary, ArmSummary
    from pokeopt.store import Store, StudyView, TrialRow


def print_summary(
    result: RunResult, store: Store, elapsed_s: float, typed: Sequence[str], place: Sequence[str] = ()
) -> None:
    """Print the end of a run.

    Args:
        result: What ``api.run`` returned.
        store: Where it is stored.
        elapsed_s: Seconds that this command took.
        typed: The words of this command.
        place: ``--storage`` and ``--home`` as they were given, for the commands to copy.
    """
    search, confirm = result.search, result.confirm
    best = search.best
    say()
    say(f"{search.name}: {trial_counts(search)}; this command took {duration(elapsed_s)}")
    if best is None:
        say("no trial was completed")
    else:
        say(f"best trial {best.number}: {score_line(search, best)}")
        print_changes(search, best)
    if confirm is not None:
        say()
        print_effects(summarise_confirm(store, confirm))
    if result.message and result.exit_code != 1:
        say()
        say(result.message)
    for note in result.notes:
        say()
        say(f"note: {note}")
    say()
    facts = {"report": str(result.report_path)} if result.report_path else {}
    print_facts({**facts, "store": _address(store), **result.tracked})
    say()
    for command in next_commands(result, typed, place):
        say(f"  {command}")


def trial_counts(view: StudyView) -> str:
    """Return how many trials have ended, of how many, and how: ``5 of 12 trials (4 complete, 1 pruned)``."""
    states = {state: n for state, n in view.states().items() if state != "waiting"}
    ended = sum(row.ended is not None for row in view.counted)
    budget = view.spec.get("search", {}).get("trials") if view.kind == "search" else None
    total = max(budget or 0, len(view.counted))
    return f"{ended} of {plural(total, 'trial')} ({counts(states) or 'none has begun'})"


def next_commands(result: RunResult, typed: Sequence[str], place: Sequence[str] = ()) -> tuple[str, str]:
    """Return the two commands that a person most likely wants now, ready to copy.

    Args:
        result: What ``api.run`` returned.
        typed: The words of this command, which goes on with the study if it is given again.
        place: ``--storage`` and ``--home`` as they were given.
    """

    def command(*words: str) -> str:
        return shlex.join(["pokeopt", *words, *place])

    name, best = result.search.name, result.search.best
    if result.stopped_by is not None:
        again = [word for word in typed if word != "--fresh"]  # it would start one more
        return shlex.join(["pokeopt", *again]), command("show", name)
    if best is None:
        last = result.search.trials[-1:]
        return command("show", name, *(str(row.number) for row in last)), command("doctor", "--store")
    return command("show", name, str(best.number)), command("dashboard")


def score_line(view: StudyView, row: TrialRow) -> str:
    """Return a trial's objectives with their names, and the test score beside the first."""
    values = [f"{name} {score(value)}" for name, value in zip(view.metrics, row.values or (), strict=False)]
    test = test_metric(view.metrics[0])
    if (on_test := row.metric(test)) is not None:
        values.append(f"{test} {score(on_test)}")
    return ", ".join(values)


def test_metric(objective: str) -> str:
    """Return the same metric on the test part.

    >>> test_metric("val/f1/Fire")
    'test/f1/Fire'
    """
    return "test/" + objective.partition("/")[2]


test_metric.__test__ = False  # type: ignore[attr-defined]  # its name is no test's


def baseline_row(view: StudyView) -> TrialRow | None:
    """Return the baseline's row of a search: proposal 0, if the file has a baseline."""
    if not view.spec.get("baseline"):
        return None
    return next((row for row in view.counted if row.proposal == 0), None)


def changed_values(view: StudyView, row: TrialRow) -> dict[str, tuple[Any, Any]]:
    """Return what differs from the baseline, key to (from, to); without a baseline, all."""
    from pokeopt.ablation.arms import changes

    baseline = baseline_row(view)
    return changes(baseline.params if baseline else {}, row.params)


def print_changes(view: StudyView, row: TrialRow) -> None:
    """Print the parameters that differ from the baseline's, beside the baseline's."""
    changed = changed_values(view, row)
    if not changed:
        say("it is the baseline itself")
        return
    cells = [("  " + key, setting(to), setting(start)) for key, (start, to) in changed.items()]
    if baseline_row(view) is None:
        print_table(["  parameter", "value"], [line[:2] for line in cells])
    else:
        print_table(["  parameter", "value", "baseline"], cells)


def print_effects(ablation: AblationSummary) -> None:
    """Print the arms of a confirm study: mean, and difference from the reference with its 95 % interval.

    They are the report's own numbers, with as many digits as their spread deserves.
    """
    done = ablation.n_cells - len(ablation.holes)
    say(f"{ablation.study}: {done} of {plural(ablation.n_cells, 'cell')} complete, by {ablation.metric}")
    rows = []
    for arm in ablation.arms:
        mean = number(arm.level.mean, digits_for(arm.level.sd, arm.level.mean))
        rows.append(("  " + arm.label, str(arm.level.n), mean, *_difference(arm.effect)))
    print_table(
        ["  arm", "seeds", "mean", "change", "95 % interval"], rows, right=("seeds", "mean", "change")
    )


def as_plain(result: RunResult, store: Store) -> dict[str, Any]:
    """Return a run's result as JSON values."""
    best = result.search.best
    confirm = None
    if result.confirm is not None:
        confirm = ablation_as_plain(summarise_confirm(store, result.confirm))
    return {
        "name": result.search.name,
        "states": result.search.states(),
        "metrics": list(result.search.metrics),
        "best": trial_as_plain(best) if best else None,
        "confirm": confirm,
        "report": result.report_path,
        "stopped_by": result.stopped_by,
        "message": result.message,
        "notes": list(result.notes),
        "tracked": dict(result.tracked),
        "exit_code": result.exit_code,
    }


def ablation_as_plain(ablation: AblationSummary) -> dict[str, Any]:
    """Return a confirm study as JSON values."""
    return {
        "name": ablation.study,
        "metric": ablation.metric,
        "n_cells": ablation.n_cells,
        "n_holes": len(ablation.holes),
        "arms": [_arm_as_plain(arm) for arm in ablation.arms],
    }


def trial_as_plain(row: TrialRow) -> dict[str, Any]:
    """Return a trial as JSON values: everything that is stored of it but its files."""
    facts = {key: value for key, value in row.attrs.items() if key != "config" and "/" not in key}
    return {
        "number": row.number,
        "state": row.state,
        "shown_state": row.shown_state,
        "values": row.values,
        "params": row.params,
        "metrics": {key: value for key, value in row.attrs.items() if "/" in key},
        "curve": row.curve,
        "started": row.started,
        "ended": row.ended,
        "replaced_by": row.replaced_by,
        "attributes": facts,
        "config": row.config,
    }


def _difference(effect: Effect | None) -> tuple[str, str]:
    if effect is None or effect.mean is None:
        return "", ""
    digits = digits_for(effect.sd, effect.mean)
    ends = interval(effect.low, effect.high, digits, sign=True)
    return number(effect.mean, digits, sign=True).replace(MINUS, "-"), ends.replace(MINUS, "-")


def _arm_as_plain(arm: ArmSummary) -> dict[str, Any]:
    effect = asdict(arm.effect) if arm.effect else None
    return {
        "id": arm.id,
        "scores": arm.scores,
        "mean": arm.level.mean,
        "p_holm": arm.p_holm,
        "effect": effect,
    }


def _address(store: Store) -> str:
    if store.file is None:
        return store.url
    here = Path.cwd()
    return str(store.file.relative_to(here) if store.file.is_relative_to(here) else store.file)
