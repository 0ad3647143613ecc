"""What the note of a trial says: its score, why it stopped, what it changed, its numbers."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pokeopt.records import StopCause, TrialState

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

OURS = "*Written by pokeopt when the trial ended.*"
MOST_ROWS = 24  # in a table
ERROR_LETTERS = 600
ENDS = {
    StopCause.BUDGET: "Ran to its end",
    StopCause.EARLY_STOP: "Stopped early by its stopping rule",
    StopCause.PRUNER: "Pruned",
    StopCause.NAN: "Diverged (its loss or score was no longer finite)",
    StopCause.OOM: "Out of memory",
    StopCause.TIMEOUT: "Too slow (past `resources.trial_timeout`)",
    StopCause.ERROR: "Failed",
    StopCause.NO_METRIC: "Failed, for it gave no score",
    StopCause.HUNG: "Killed (no word from it for `resources.hang_timeout`)",
    StopCause.WORKER_DIED: "Its worker process died",
    StopCause.DRIVER_DIED: "The process that drove it died",
    StopCause.INTERRUPTED: "Interrupted",
}
LEFT_OUT = frozenset({"best_epoch", "epochs_to_90pct", "oscillation", "n_overpredicted", "max_pred_share"})
COSTS = {"wall_s": "seconds", "n_params": "parameters", "peak_mem_mb": "peak memory, MB"}


def trial_note(
    trial: FrozenTrial, study_attrs: Mapping[str, Any], cause: StopCause, values: tuple[float, ...] | None
) -> str:
    """Return the note of a trial as Markdown.

    Args:
        trial: The row, with the attributes of its end.
        study_attrs: The study's user attributes: metrics, baseline, arms.
        cause: Why it ended.
        values: The objectives of a COMPLETE trial.
    """
    attrs = trial.user_attrs
    changes = _changes(trial, study_attrs)
    parts = [_headline(trial, study_attrs, cause, values), _ending(attrs, cause)]
    parts += [_changed_table(changes, bool(study_attrs.get("baseline") or attrs.get("arm_id")))]
    parts += [_numbers(trial, cause), OURS]
    return "\n\n".join(part for part in parts if part)


def _headline(
    trial: FrozenTrial,
    study_attrs: Mapping[str, Any],
    cause: StopCause,
    values: tuple[float, ...] | None,
) -> str:
    """Return the score, with the epoch it was read at."""
    attrs = trial.user_attrs
    metrics = list(study_attrs.get("metrics", ()))
    who = f"Arm **{attrs['arm_id']}**, seed {attrs.get('seed')}. " if attrs.get("arm_id") else ""
    if cause.state is TrialState.COMPLETE and values:
        scores = [f"{name} **{_text(value)}**" for name, value in zip(metrics, values, strict=False)]
        at = f", read at epoch {attrs['best_step']}" if attrs.get("best_step") is not None else ""
        return f"{who}{', '.join(scores)}{at}."
    reported = trial.intermediate_values
    if not reported:
        return f"{who}No score."
    last = max(reported)
    name = metrics[0] if metrics else "score"
    return f"{who}No score to rank: {name} was {_text(reported[last])} after epoch {last}."


def _ending(attrs: Mapping[str, Any], cause: StopCause) -> str:
    """Return why it stopped, and where."""
    epochs = json.loads(attrs.get("config", "{}")).get("training", {}).get("epochs")
    run = attrs.get("epochs_run")
    where = f": {run} of {epochs} epochs" if run is not None and epochs is not None else ""
    text = ENDS[cause]
    if cause is StopCause.PRUNER:
        rung = f", rung {attrs['rung']}" if attrs.get("rung") is not None else ""
        text = f"Pruned by {attrs.get('pruner', 'the pruner')}{rung}"
    lines = [f"{text}{where}."]
    error = str(attrs.get("error", "")).strip()
    if error:
        lines.append(f"```\n{error.splitlines()[-1][:ERROR_LETTERS]}\n```")
    if (before := attrs.get("retry_of")) is not None:
        lines.append(f"Takes the place of trial {before}, from its checkpoint where there was one.")
    return "\n\n".join(lines)


def _changes(trial: FrozenTrial, study_attrs: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Return what differs from the baseline, (there, here); without a baseline every parameter, (None, here)."""
    arm_id = trial.user_attrs.get("arm_id")
    for arm in study_attrs.get("arms", ()):
        if arm["id"] == arm_id:
            return {key: (pair[0], pair[1]) for key, pair in arm.get("changes", {}).items()}
    baseline = study_attrs.get("baseline") or {}
    return {
        key: (baseline.get(key), value)
        for key, value in trial.params.items()
        if key not in baseline or baseline[key] != value
    }


def _changed_table(changes: Mapping[str, tuple[Any, Any]], has_reference: bool) -> str:
    if not changes:
        return "Nothing differs from the baseline." if has_reference else ""
    if has_reference:
        rows = [f"| {key} | {_text(there)} | {_text(here)} |" for key, (there, here) in changes.items()]
        head = "| changed | baseline | here |\n| --- | --- | --- |"
    else:
        rows = [f"| {key} | {_text(here)} |" for key, (_, here) in changes.items()]
        head = "| parameter | value |\n| --- | --- |"
    return "\n".join([head, *_cut(rows)])


def _numbers(trial: FrozenTrial, cause: StopCause) -> str:
    """Return the scores that are no class's and describe no curve, and what the trial cost."""
    found = {}
    if cause.state is TrialState.COMPLETE:
        found = {
            key: value
            for key, value in sorted(trial.user_attrs.items())
            if _is_score(key) and _is_number(value)
        }
    costs = {label: trial.user_attrs.get(key) for key, label in COSTS.items()}
    found |= {label: value for label, value in costs.items() if _is_number(value)}
    if not found:
        return ""
    rows = [f"| {key} | {_text(value)} |" for key, value in found.items()]
    return "\n".join(["| measured | |", "| --- | --- |", *_cut(rows)])


def _cut(rows: list[str]) -> list[str]:
    if len(rows) <= MOST_ROWS:
        return rows
    n_cells = rows[0].count("|") - 2
    return [*rows[:MOST_ROWS], f"| and {len(rows) - MOST_ROWS} more |{' |' * n_cells}"]


def _is_score(key: str) -> bool:
    part, _, name = key.partition("/")
    return bool(name) and "/" not in name and part not in ("train", "model", "cost") and name not in LEFT_OUT


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _text(value: Any) -> str:
    """Return a value as a cell holds it.

    >>> [_text(value) for value in (None, True, 0.123456, 134217, [256, 128], "a|b")]
    ['', 'true', '0.1235', '134217', '[256, 128]', 'a/b']
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1000 else f"{value:.0f}"
    return str(value).replace("|", "/").replace("\n", " ")
