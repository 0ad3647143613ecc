"""A confirm study, summarised: what each declared arm scores, and what it changes with common seeds."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pokeopt.ablation import (
    ROPE,
    Effect,
    holm,
    level,
    paired_difference,
    reference_of,
    seeds_to_settle,
    superseded,
    tost,
)
from pokeopt.ablation.arms import BASELINE, BEST
from pokeopt.ablation.estimates import holm_levels
from pokeopt.ablation.predicates import FEWEST_SEEDS, smallest_that_counts
from pokeopt.records import TrialState
from pokeopt.report.arm_labels import arm_labels
from pokeopt.report.breakdown import breakdowns
from pokeopt.report.cells import MINUS, Cells, complete_cells, read_cells
from pokeopt.report.generative import chance_of, summarise_generative
from pokeopt.report.interactions import summarise_chains, summarise_crossings, summarise_path
from pokeopt.report.layers import read_layers
from pokeopt.report.mean_curves import mean_curves, stopping_rules
from pokeopt.report.outliers import with_outliers
from pokeopt.report.plan import claims_of, plan_of, test_share, verdicts_of
from pokeopt.report.predictions import TrialPredictions
from pokeopt.report.redrawn import redraw
from pokeopt.report.shift import summarise_shifts
from pokeopt.report.summary import AblationSummary, ArmSummary, Confusion, Hole, MetricSummary
from pokeopt.store import StudyView, TrialRow

if TYPE_CHECKING:
    from pokeopt.store import Store

__all__ = ["complete_cells", "scored_metric", "scored_parts", "summarise_confirm"]

ALPHA = 0.05


def summarise_confirm(store: Store, view: StudyView) -> AblationSummary:
    """Return the summary of a confirm study; cells that did not complete are holes, never scores."""
    cells = read_cells(store, view)
    plan = plan_of(view)
    metric = plan.metrics[0] if plan and plan.metrics else scored_metric(view, cells.known)
    direction = cells.direction_of(metric)
    part = metric.partition("/")[0]
    found = (row.seed for row in view.counted if row.seed is not None)
    seeds = tuple(view.attrs.get("seeds") or sorted(set(found)))
    parts = scored_parts(view, metric, [dict.fromkeys(cells.known)])
    share = test_share(view)
    directions = {name: cells.direction_of(name) for name in metric.split(MINUS)}
    smallest = smallest_that_counts(metric, cells.by_arm(metric), directions, ROPE)
    arms = _compare(_levels(view, cells, metric, parts, share), direction, share, smallest)
    arms = with_outliers(arms, cells, metric, direction)
    holes = _holes(arms, cells, seeds)
    known = [one for one in cells.predictions.values() if one is not None and part in one.parts]
    return AblationSummary(
        study=view.name,
        parent=view.attrs.get("parent"),
        mode=_mode(view),
        metric=metric,
        part=part,
        direction=direction,
        seeds=seeds,
        resample=str(view.attrs.get("resample", "train_val")),
        arms=arms,
        parts=parts,
        breakdowns=breakdowns(cells, part, known, {arm.id: arm.reference for arm in arms}, share),
        confusions=_confusions(arms, cells, part, is_plan=plan is not None),
        holes=holes,
        n_cells=len(set(cells.hashes.values())) * len(seeds),
        n_superseded=len(superseded(cells.hashes, view.counted)),
        states=view.states(),
        compute_s=sum(row.metric("wall_s") or 0.0 for row in view.trials),
        reference=next((arm.id for arm in arms if arm.reference is None), BASELINE),
        plan=plan,
        verdicts=verdicts_of(view, cells, holes, share),
        others=tuple(
            _further(name, cells, arms, share) for name in (plan.metrics[1:] if plan is not None else ())
        ),
        curves=mean_curves(cells, arms),
        crossings=summarise_crossings(arms, share),
        path=summarise_path(arms, share),
        chains=summarise_chains(arms, claims_of(view), metric, share),
        shifts=summarise_shifts(cells, arms, metric, parts, share),
        layers=read_layers(store, view, cells, arms),
        stopping=stopping_rules(cells, arms),
        objective=cells.objective,
        objective_direction=cells.direction,
        settings=_settings(view, cells, arms),
        generative=summarise_generative(cells, part, share),
        chance=chance_of(cells),
        redrawn=redraw(cells, arms, metric, str(view.attrs.get("resample", "train_val"))),
        external=dict(view.spec.get("external") or {}),
    )


def scored_metric(view: StudyView, known: Iterable[str]) -> str:
    """Return the test part's twin of the objective, since validation chose; the objective where there is
    none.
    """
    part, _, name = view.metrics[0].partition("/")
    twin = f"test/{name}"
    return twin if part == "val" and twin in set(known) else view.metrics[0]


def scored_parts(view: StudyView, metric: str, found: Any) -> tuple[str, ...]:
    """Return where a metric was measured: val, test, then the external sets in the file's order."""
    name = metric.partition("/")[2]
    values = list(found)
    no_part = {"train", "val", "test", "model", "cost"}
    external = sorted({key.partition("/")[0] for one in values for key in one} - no_part)
    declared = [part for part in (view.spec.get("external") or {}) if part in external]
    order = ["val", "test", *declared, *(part for part in external if part not in declared)]
    return tuple(part for part in order if any(f"{part}/{name}" in one for one in values))


def _mode(view: StudyView) -> str:
    """Return how the arms came about, in words."""
    mode = view.attrs.get("mode") or (view.spec.get("ablation") or {}).get("mode") or "as declared"
    return mode if isinstance(mode, str) else " and ".join(str(one) for one in mode)


def _settings(view: StudyView, cells: Cells, arms: Sequence[ArmSummary]) -> dict[str, Any]:
    """Return the configuration of the reference as it ran; as it was specified where no run is left."""
    for arm in arms:
        rows = cells.complete.get(arm.id) or {}
        if arm.reference is None and rows and (config := rows[min(rows)].config):
            return config
    return dict(view.spec)


def _reference(view: StudyView, arm_id: str, ids: Sequence[str]) -> str | None:
    """Return the arm that an arm is compared with; None for the reference of all."""
    first = str(view.attrs.get("reference") or BASELINE)
    if arm_id in (first, BASELINE):
        return None
    plan = view.attrs.get("plan")
    if plan and plan.get("design") != "leave-one-out":
        return first
    reference = reference_of(arm_id)
    return reference if reference in ids and reference != BASELINE else first


def _levels(
    view: StudyView, cells: Cells, metric: str, parts: tuple[str, ...], share: float | None
) -> list[ArmSummary]:
    first_of: dict[str, str] = {}
    labels = arm_labels(cells.arms)
    summaries = []
    name = metric.partition("/")[2]
    for arm in cells.arms:
        id_, rows = arm["id"], cells.complete[arm["id"]]
        prefix = arm.get("prefix")
        own = f"{arm['config_hash']}@{prefix['epochs']}" if prefix else arm["config_hash"]
        same_as = first_of.setdefault(own, id_)
        scores = cells.scores(id_, metric)
        levels = {part: level(cells.scores(id_, f"{part}/{name}"), test_share=share) for part in parts}
        summaries.append(
            ArmSummary(
                id=id_,
                label=labels[id_],
                changes={key: tuple(pair) for key, pair in (arm.get("changes") or {}).items()},
                reference=_reference(view, id_, [one["id"] for one in cells.arms]),
                scores=scores,
                level=level(scores, test_share=share),
                same_as=same_as if same_as != id_ else None,
                n_params=_mean(row.metric("n_params") for row in rows.values()),
                s_per_epoch=_mean(row.metric("s_per_epoch") for row in rows.values()),
                total_s=_total_s(cells, id_, rows) if rows else None,
                parts={part: found for part, found in levels.items() if found.n or not prefix},
                factors={str(key): str(value) for key, value in (arm.get("levels") or {}).items()},
                prefix_of=(str(prefix["of"]), int(prefix["epochs"])) if prefix else None,
            )
        )
    return summaries


def _total_s(cells: Cells, arm_id: str, rows: Mapping[int, TrialRow]) -> float:
    """Return the training time of an arm's runs; of a prefix, until its last epoch."""
    return sum(
        cells.metrics[arm_id].get(seed, {}).get("cost/wall_s", row.metric("wall_s") or 0.0)
        for seed, row in rows.items()
    )


def _compare(
    arms: list[ArmSummary], direction: str, share: float | None, smallest: float
) -> tuple[ArmSummary, ...]:
    """Add each arm's effect on its reference; Holm's family is all comparisons, shared ones counted once.

    ``smallest`` is the smallest difference that counts, in the metric's unit; 0 where none is known.
    """
    scores = {arm.id: arm.scores for arm in arms}
    effects = {
        arm.id: paired_difference(arm.scores, scores[arm.reference], test_share=share)
        for arm in arms
        if arm.reference in scores and arm.reference is not None
    }
    family = [arm.id for arm in arms if arm.id in effects and arm.same_as is None]
    p_values = [effects[id_].p for id_ in family]
    adjusted = dict(zip(family, holm(p_values), strict=True))
    tested_at = dict(zip(family, holm_levels(p_values, ALPHA), strict=True))
    alike = _within(arms, family, share, smallest) if smallest else frozenset()
    sign = 1 if direction == "maximize" else -1
    compared = []
    for arm in arms:
        effect = effects.get(arm.id)
        if effect is None or effect.n == 0:
            compared.append(arm)
            continue
        p_holm = adjusted.get(arm.id, adjusted.get(arm.same_as or "", effect.p))
        alpha = tested_at.get(arm.id, tested_at.get(arm.same_as or "", ALPHA))
        settled = effect.excludes_zero and p_holm is not None and p_holm < ALPHA and effect.n >= FEWEST_SEEDS
        compared.append(
            dataclasses.replace(
                arm,
                effect=effect,
                p_holm=p_holm,
                is_settled=settled,
                gain=None if effect.mean is None else sign * effect.mean,
                seeds_needed=None if settled else _needed(effect, alpha, share),
                within=smallest if {arm.id, arm.same_as} & alike else None,
            )
        )
    return tuple(compared)


def _needed(effect: Effect, alpha: float, share: float | None) -> int | None:
    n = seeds_to_settle(effect, alpha=alpha, test_share=share)
    return None if n is None else max(n, FEWEST_SEEDS)


def _within(
    arms: Sequence[ArmSummary], family: Sequence[str], share: float | None, smallest: float
) -> frozenset[str | None]:
    """Return the arms whose effect two one-sided tests put within the smallest difference that counts."""
    scores = {arm.id: arm.scores for arm in arms}
    tests = {
        arm.id: tost(arm.scores, scores[arm.reference], smallest, ALPHA, test_share=share)
        for arm in arms
        if arm.id in family and arm.reference is not None
    }
    adjusted = dict(zip(tests, holm([test.p for test in tests.values()]), strict=True))
    return frozenset(
        id_
        for id_, test in tests.items()
        if test.n >= FEWEST_SEEDS
        and (test.low == test.high == 0.0 if (p := adjusted[id_]) is None else p < ALPHA)
    )


def _further(metric: str, cells: Cells, arms: Sequence[ArmSummary], share: float | None) -> MetricSummary:
    scores = cells.by_arm(metric)
    return MetricSummary(
        metric=metric,
        direction=cells.direction_of(metric),
        levels={id_: level(values, test_share=share) for id_, values in scores.items() if values},
        effects={
            arm.id: paired_difference(scores[arm.id], scores[arm.reference], test_share=share)
            for arm in arms
            if arm.reference is not None and scores[arm.id] and scores.get(arm.reference)
        },
        scores=scores,
    )


def _confusions(
    arms: Sequence[ArmSummary], cells: Cells, part: str, *, is_plan: bool
) -> tuple[Confusion, ...]:
    """Return the matrices of every arm of a plan; of a search's ablation, those of the baseline and the best."""
    shown = [arm for arm in arms if arm.same_as is None and arm.prefix_of is None]
    if not is_plan:
        shown = [arm for arm in shown if arm.id in (BASELINE, BEST)]
    found = [_confusion(arm, cells.complete[arm.id], cells.predictions, part) for arm in shown]
    return tuple(confusion for confusion in found if confusion is not None)


def _confusion(
    arm: ArmSummary,
    rows: Mapping[int, TrialRow],
    predictions: Mapping[int, TrialPredictions | None],
    part: str,
) -> Confusion | None:
    """Sum an arm's confusion matrices over its seeds."""
    found = [p for row in rows.values() if (p := predictions[row.number]) is not None and part in p.parts]
    matrices = [matrix for p in found if (matrix := p.parts[part].confusion) is not None]
    if not matrices or len({matrix.shape for matrix in matrices}) > 1:
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
            row = cells.rows[arm.id].get(seed)
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
