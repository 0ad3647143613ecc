"""A confirm study, summarised: what each declared arm scores, and what it changes with common seeds."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pokeopt.ablation import (
    holm,
    level,
    paired_difference,
    reference_of,
    rows_by_arm,
    seeds_to_settle,
    superseded,
)
from pokeopt.ablation.arms import BASELINE, BEST
from pokeopt.records import TrialState
from pokeopt.report.breakdown import breakdowns
from pokeopt.report.predictions import TrialPredictions, read_predictions
from pokeopt.report.summary import AblationSummary, ArmSummary, Confusion, Hole
from pokeopt.store import StudyView, TrialRow

if TYPE_CHECKING:
    from pokeopt.store import Store

ALPHA = 0.05
Cells = Mapping[str, Mapping[int, TrialRow]]
MetricsByRow = Mapping[int, Mapping[str, float]]


def summarise_confirm(store: Store, view: StudyView) -> AblationSummary:
    """Return the summary of a confirm study; cells that did not complete are holes, never scores."""
    arms = _declared_arms(view)
    hashes = _hashes(arms)
    cells, complete = _cells(view, hashes), complete_cells(view)
    used = {row.number: row for rows in complete.values() for row in rows.values()}
    predictions = {number: read_predictions(store, view.name, number) for number in sorted(used)}
    metrics = {number: _metrics(row, predictions[number], view.metrics[0]) for number, row in used.items()}
    metric = scored_metric(view, metrics)
    part = metric.partition("/")[0]
    seeds = tuple(
        view.attrs.get("seeds") or sorted({row.seed for row in view.counted if row.seed is not None})
    )
    parts = scored_parts(view, metric, metrics.values())
    summaries = _compare(_levels(arms, complete, metrics, metric, parts), view.directions[0])
    known = [found for found in predictions.values() if found is not None and part in found.parts]
    return AblationSummary(
        study=view.name,
        parent=view.attrs.get("parent"),
        mode=str((view.spec.get("ablation") or {}).get("mode", "as declared")),
        metric=metric,
        part=part,
        direction=view.directions[0],
        seeds=seeds,
        resample=str(view.attrs.get("resample", "train_val")),
        arms=summaries,
        parts=parts,
        breakdowns=breakdowns(complete, metrics, part, known),
        confusions=tuple(
            confusion
            for arm in summaries
            if arm.id in (BASELINE, BEST) and arm.same_as is None
            if (confusion := _confusion(arm, complete[arm.id], predictions, part))
        ),
        holes=_holes(summaries, cells, seeds),
        n_cells=len(set(hashes.values())) * len(seeds),
        n_superseded=len(superseded(hashes, view.counted)),
        states=view.states(),
        compute_s=sum(row.metric("wall_s") or 0.0 for row in view.trials),
    )


def scored_metric(view: StudyView, metrics: Mapping[int, Mapping[str, float]]) -> str:
    """Return the test part's twin of the objective, since validation chose; the objective where there is
    none.
    """
    part, _, name = view.metrics[0].partition("/")
    twin = f"test/{name}"
    return twin if part == "val" and any(twin in values for values in metrics.values()) else view.metrics[0]


def scored_parts(view: StudyView, metric: str, found: Any) -> tuple[str, ...]:
    """Return where a metric was measured: val, test, then the external sets in the file's order."""
    name = metric.partition("/")[2]
    values = list(found)
    external = sorted({key.partition("/")[0] for one in values for key in one} - {"train", "val", "test"})
    declared = [part for part in (view.spec.get("external") or {}) if part in external]
    order = ["val", "test", *declared, *(part for part in external if part not in declared)]
    return tuple(part for part in order if any(f"{part}/{name}" in one for one in values))


def complete_cells(view: StudyView) -> dict[str, dict[int, TrialRow]]:
    """Return arm id -> seed -> the row that gave its score."""
    return {
        arm: {seed: row for seed, row in rows.items() if row.state is TrialState.COMPLETE}
        for arm, rows in _cells(view, _hashes(_declared_arms(view))).items()
    }


def _cells(view: StudyView, hashes: Mapping[str, str]) -> Cells:
    """Return arm id -> seed -> its row, a COMPLETE one where there is one."""
    ended_last = sorted(view.counted, key=lambda row: (row.state is TrialState.COMPLETE, row.number))
    return rows_by_arm(hashes, ended_last)


def _hashes(arms: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    return {arm["id"]: arm["config_hash"] for arm in arms}


def _declared_arms(view: StudyView) -> list[dict[str, Any]]:
    """Return the study's arms; from its rows where none are declared."""
    if arms := view.attrs.get("arms"):
        return list(arms)
    found: dict[str, dict[str, Any]] = {}
    for row in view.counted:
        if row.arm_id is not None:
            hash_ = row.attrs.get("config_hash", row.arm_id)
            found[row.arm_id] = {"id": row.arm_id, "label": row.arm_id, "changes": {}, "config_hash": hash_}
    return sorted(found.values(), key=lambda arm: (arm["id"] == BEST, arm["id"] != BASELINE))


def _metrics(row: TrialRow, predictions: TrialPredictions | None, objective: str) -> dict[str, float]:
    """Return the final metrics of a row, those of stored predictions recomputed."""
    told = {objective: row.value} if row.value is not None else {}
    stored = {key: value for key in row.attrs if "/" in key and (value := row.metric(key)) is not None}
    return told | stored | (predictions.metrics() if predictions else {})


def _levels(
    arms: Sequence[Mapping[str, Any]],
    complete: Cells,
    metrics: MetricsByRow,
    metric: str,
    parts: tuple[str, ...],
) -> list[ArmSummary]:
    first_of: dict[str, str] = {}
    summaries = []
    name = metric.partition("/")[2]
    for arm in arms:
        rows = complete[arm["id"]]
        same_as = first_of.setdefault(arm["config_hash"], arm["id"])

        def scores(key: str, rows: Mapping[int, TrialRow] = rows) -> dict[int, float]:
            found = {seed: metrics[row.number].get(key) for seed, row in sorted(rows.items())}
            return {seed: value for seed, value in found.items() if value is not None}

        summaries.append(
            ArmSummary(
                id=arm["id"],
                label=arm["label"],
                changes={key: tuple(pair) for key, pair in arm["changes"].items()},
                reference=None if arm["id"] == BASELINE else reference_of(arm["id"]),
                scores=scores(metric),
                level=level(scores(metric)),
                same_as=same_as if same_as != arm["id"] else None,
                n_params=_mean(row.metric("n_params") for row in rows.values()),
                s_per_epoch=_mean(row.metric("s_per_epoch") for row in rows.values()),
                total_s=sum(row.metric("wall_s") or 0.0 for row in rows.values()) if rows else None,
                parts={p: level(scores(f"{p}/{name}")) for p in parts},
            )
        )
    return summaries


def _compare(arms: list[ArmSummary], direction: str) -> tuple[ArmSummary, ...]:
    """Add each arm's effect on its reference; Holm's family is all comparisons, shared ones counted once."""
    scores = {arm.id: arm.scores for arm in arms}
    effects = {
        arm.id: paired_difference(arm.scores, scores[arm.reference])
        for arm in arms
        if arm.reference in scores and arm.reference is not None
    }
    family = [arm.id for arm in arms if arm.id in effects and arm.same_as is None]
    adjusted = dict(zip(family, holm([effects[id_].p for id_ in family]), strict=True))
    sign = 1 if direction == "maximize" else -1
    compared = []
    for arm in arms:
        effect = effects.get(arm.id)
        if effect is None or effect.n == 0:
            compared.append(arm)
            continue
        p_holm = adjusted.get(arm.id, adjusted.get(arm.same_as or "", effect.p))
        settled = effect.excludes_zero and p_holm is not None and p_holm < ALPHA
        compared.append(
            dataclasses.replace(
                arm,
                effect=effect,
                p_holm=p_holm,
                is_settled=settled,
                gain=None if effect.mean is None else sign * effect.mean,
                seeds_needed=None if settled else seeds_to_settle(effect),
            )
        )
    return tuple(compared)


def _confusion(
    arm: ArmSummary,
    rows: Mapping[int, TrialRow],
    predictions: Mapping[int, TrialPredictions | None],
    part: str,
) -> Confusion | None:
    """Sum an arm's confusion matrices over its seeds."""
    found = [p for row in rows.values() if (p := predictions[row.number]) is not None and part in p.parts]
    matrices = [matrix for p in found if (matrix := p.parts[part].confusion) is not None]
    if not matrices:
        return None
    table = tuple(tuple(int(count) for count in line) for line in np.sum(matrices, axis=0))
    n_runs = sum(p.parts[part].n_networks for p in found)
    return Confusion(arm.id, arm.label, part, found[0].classes, table, n_runs)


def _holes(arms: Sequence[ArmSummary], cells: Cells, seeds: Sequence[int]) -> tuple[Hole, ...]:
    holes = []
    for arm in arms:
        if arm.same_as is not None:
            continue
        for seed in seeds:
            row = cells[arm.id].get(seed)
            if row is None:
                holes.append(Hole(arm.id, seed, "not run", "", ""))
            elif row.state is not TrialState.COMPLETE:
                cause = row.stop_cause.value if row.stop_cause else ""
                message = str(row.attrs.get("error", ""))
                holes.append(Hole(arm.id, seed, row.shown_state, cause, message))
    return tuple(holes)


def _mean(values: Any) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
