"""A search study, summarised: its trials as they ended, the best of them, and what seems to matter."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pokeopt.ablation.arms import changes, grouped
from pokeopt.records import TrialState
from pokeopt.registry import split_component
from pokeopt.report.confirm import scored_parts
from pokeopt.report.exploring import search_facts
from pokeopt.report.importances import PED
from pokeopt.report.predictions import read_predictions
from pokeopt.report.summary import Importance, SearchSummary, TrialSummary
from pokeopt.store import StudyView, TrialRow

if TYPE_CHECKING:
    from datetime import datetime

    from pokeopt.report.search_facts import SearchFacts
    from pokeopt.store import Store


def summarise_search(store: Store, view: StudyView) -> SearchSummary:
    """Return the summary of a search; rows that a retry replaced are left out of everything."""
    spec = view.spec
    has_baseline = bool(spec.get("baseline"))
    front = _front(view)
    rows = [row for row in view.counted if row.state is not TrialState.WAITING]
    baseline = next((row for row in rows if has_baseline and row.proposal == 0), None)
    best = view.best
    metrics = {row.number: _metrics(row) for row in rows}
    for row in (best, baseline):
        found = read_predictions(store, view.name, row.number) if row else None
        if row is not None and found is not None:
            metrics[row.number] |= found.metrics()
    parts = scored_parts(view, view.metrics[0], metrics.values())
    search = spec.get("search") or {}
    facts = search_facts(store, view)
    begun = min((row.started for row in rows if row.started), default=None)
    return SearchSummary(
        study=view.name,
        metrics=view.metrics,
        directions=view.directions,
        sampler=_component(search.get("sampler")),
        pruner=_component(search.get("pruner")),
        budget=search.get("trials"),
        epochs=_epochs(rows),
        n_seeds=int(search.get("seeds") or 1),
        states={state: n for state, n in view.states().items() if state not in ("retried", "waiting")},
        trials=tuple(
            _trial(row, view, metrics[row.number], parts, row is baseline, row.number in front, begun)
            for row in rows
        ),
        best=best.number if best else None,
        baseline=baseline.number if baseline else None,
        changed=changes(_baseline_values(view, baseline), best.params) if best else {},
        parts=parts,
        importance=_importance(facts, view),
        compute_s=sum(row.metric("wall_s") or 0.0 for row in view.trials),
        facts=facts,
    )


def _baseline_values(view: StudyView, baseline: TrialRow | None) -> Mapping[str, Any]:
    """Return the baseline's values by path: as the study holds them, else as its first trial ran them."""
    return view.attrs.get("baseline") or (baseline.params if baseline else {})


def _trial(
    row: TrialRow,
    view: StudyView,
    metrics: Mapping[str, float],
    parts: Sequence[str],
    is_baseline: bool,
    is_on_front: bool,
    begun: datetime | None,
) -> TrialSummary:
    name = view.metrics[0].partition("/")[2]
    cause = row.stop_cause.value if row.stop_cause else ""
    if cause == "pruner" and row.attrs.get("pruner"):
        cause = f"pruner {row.attrs['pruner']}"
    return TrialSummary(
        number=row.number,
        state=row.shown_state,
        cause=cause,
        rung=row.attrs.get("rung"),
        values=row.values if row.values and all(map(math.isfinite, row.values)) else (),
        params=grouped(row.params),
        curve={step: value for step, value in row.curve.items() if math.isfinite(value)},
        parts={part: metrics[f"{part}/{name}"] for part in parts if f"{part}/{name}" in metrics},
        best_step=row.attrs.get("best_step"),
        epochs_run=row.attrs.get("epochs_run", max(row.curve, default=None)),
        wall_s=row.metric("wall_s"),
        n_params=row.metric("n_params"),
        is_baseline=is_baseline,
        is_on_front=is_on_front,
        started_s=(row.started - begun).total_seconds() if begun and row.started else None,
        ended_s=(row.ended - begun).total_seconds() if begun and row.ended else None,
        worker=" ".join(str(row.attrs[key]) for key in ("host", "worker_pid") if row.attrs.get(key)),
    )


def _metrics(row: TrialRow) -> dict[str, float]:
    """Return the final metrics of a COMPLETE row; what others measured is no result."""
    if row.state is not TrialState.COMPLETE:
        return {}
    return {key: value for key in row.attrs if "/" in key and (value := row.metric(key)) is not None}


def _front(view: StudyView) -> frozenset[int]:
    """Return the COMPLETE trials that no other beats everywhere; none where there is one objective."""
    if len(view.directions) < 2:
        return frozenset()
    signs = [1 if direction == "minimize" else -1 for direction in view.directions]
    costs = {
        row.number: tuple(sign * value for sign, value in zip(signs, row.values, strict=True))
        for row in view.complete
        if row.values is not None
    }

    found: list[tuple[float, ...]] = []
    for cost in sorted(set(costs.values())):  # whoever beats another comes before it in this order
        if not any(all(a <= b for a, b in zip(other, cost, strict=True)) for other in found):
            found.append(cost)
    on_front = set(found)
    return frozenset(number for number, cost in costs.items() if cost in on_front)


def _importance(facts: SearchFacts, view: StudyView) -> Importance | None:
    """Return PED-ANOVA's importances of the COMPLETE rows that count; None where they are too few or all
    equal.
    """
    found = next((one for one in facts.evaluations if one.evaluator == PED and one.epoch is None), None)
    if found is None:
        return None
    states = [row.state for row in view.counted]
    return Importance(
        evaluator=found.evaluator,
        scores={name: share.mean for name, share in found.scores.items()},
        n_complete=found.n_trials,
        n_pruned=states.count(TrialState.PRUNED),
        n_failed=states.count(TrialState.FAIL),
    )


def _epochs(rows: Sequence[TrialRow]) -> int | None:
    """Return the largest epoch budget among the trials."""
    budgets = [row.config.get("training", {}).get("epochs") for row in rows]
    return max((int(epochs) for epochs in budgets if epochs is not None), default=None)


def _component(component: Any) -> str:
    return split_component(component)[0] if component else ""
