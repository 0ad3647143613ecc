"""A stored study to evidence: what its rows, curves and predictions say, and nothing that they do not."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pokeopt.ablation.arms import reference_of
from pokeopt.errors import SpecError
from pokeopt.records import StopCause, TrialState
from pokeopt.registry import split_component
from pokeopt.report.cells import Cells, read_cells
from pokeopt.report.checks.evidence import ArmFacts, Ending, Evidence, Run
from pokeopt.report.dataset import steps_text
from pokeopt.report.predictions import TrialPredictions, read_predictions
from pokeopt.report.words import plain
from pokeopt.spec.space import Space
from pokeopt.store import StudyView, TrialRow
from pokeopt.store.evaluations import read_evaluations

if TYPE_CHECKING:
    from pokeopt.spec.params import Param
    from pokeopt.store import Store

COMPOSITE = ("best", "best-", "path.")  # arms of a search's ablation whose several changes are their purpose
JOINT = ("factorial", "fractional", "path", "leave-one-out")  # designs whose arms move several factors
MOST_LEVELS = 12  # of a whole-numbered parameter, to be looked at level by level


def gather(store: Store, view: StudyView) -> Evidence:
    """Return the evidence of one study."""
    return _confirm(store, view) if view.kind == "confirm" else _search(store, view)


def _search(store: Store, view: StudyView) -> Evidence:
    """Read the logs of the best and the baseline trial; of the others how they ended."""
    ended = [row for row in view.counted if row.state not in (TrialState.RUNNING, TrialState.WAITING)]
    baseline = next((row for row in ended if row.proposal == 0 and view.spec.get("baseline")), None)
    chosen = {
        row.number: row
        for row in (baseline, view.best)
        if row is not None and row.state is TrialState.COMPLETE
    }
    read = {number: read_predictions(store, view.name, number) for number in chosen}
    runs = tuple(
        _run(row, read[number], _curve(store, view, number), name=f"trial {number}", arm=f"trial {number}")
        for number, row in chosen.items()
    )
    runs += _evaluated(store, view)
    axes = _axes(view.spec)
    return Evidence(
        study=view.name,
        kind="search",
        metric=_scored(view.metrics[0], runs),
        direction=view.directions[0],
        selected_on=_selected_on(view),
        compared=view.metrics,
        runs=runs,
        counts=_counts(view, read.values()),
        duplicates=_duplicates(view),
        preprocess={"": _preprocess(view.spec, view.best.config if view.best else {})},
        probes=_probes(view.spec),
        axes=tuple(axis for axis in axes if axis.kind != "categorical"),
        best=dict(view.best.params) if view.best else {},
        endings=tuple(Ending(_levels(row, axes), row.state is TrialState.COMPLETE) for row in ended),
    )


def _confirm(store: Store, view: StudyView) -> Evidence:
    cells = read_cells(store, view)
    plan = view.attrs.get("plan") or {}
    own = [arm for arm in cells.arms if not arm.get("prefix")]
    own = [
        arm for i, arm in enumerate(own) if arm["config_hash"] not in {one["config_hash"] for one in own[:i]}
    ]
    runs = tuple(
        _run(
            row,
            cells.predictions[row.number],
            _curve(store, view, row.number),
            f"arm {arm['id']}, seed {seed}",
            arm["id"],
        )
        for arm in own
        for seed, row in sorted(cells.complete[arm["id"]].items())
    )
    configs = {arm["id"]: _first_config(cells, arm["id"]) for arm in own}
    endings = tuple(
        Ending({"arm": arm["id"]}, row.state is TrialState.COMPLETE)
        for arm in own
        for row in cells.rows.get(arm["id"], {}).values()
        if row.state not in (TrialState.RUNNING, TrialState.WAITING)
    )
    metrics = tuple(plan.get("metrics") or ())
    claims = tuple(str(claim["metric"]) for claim in plan.get("claims", ()))
    is_own = bool(metrics) and " - " not in metrics[0]  # no run has logged a difference of two metrics
    return Evidence(
        study=view.name,
        kind="confirm",
        metric=metrics[0] if is_own else _scored(view.metrics[0], runs),
        direction=cells.direction_of(metrics[0]) if is_own else view.directions[0],
        selected_on=_selected_on(view),
        compared=tuple(dict.fromkeys([*metrics, *claims, *view.metrics])),
        runs=runs,
        arms=tuple(_arm(arm, configs, view, cells) for arm in own),
        counts=_counts(view, cells.predictions.values()),
        duplicates=_duplicates(view),
        preprocess={arm: _preprocess(view.spec, config) for arm, config in configs.items()},
        probes=_probes(view.spec),
        endings=endings,
        seeds=_pairs(cells, own, view),
        is_quick=bool(plan.get("is_quick")),
    )


def _run(
    row: TrialRow,
    predictions: TrialPredictions | None,
    curve: Sequence[Mapping[str, Any]],
    name: str,
    arm: str,
) -> Run:
    training = row.config.get("training") or {}
    rule = training.get("early_stopping", "none")
    parts = predictions.parts if predictions else {}
    objective = [value for step, value in sorted(row.curve.items()) if step > 0]
    return Run(
        name=name,
        arm=arm,
        metrics={key: value for key in row.attrs if "/" in key and (value := row.metric(key)) is not None},
        recomputed=predictions.metrics() if predictions else {},
        sizes={part: len(found.truth) for part, found in parts.items()},
        n_networks=max((found.n_networks for found in parts.values()), default=1),
        wall_s=row.metric("wall_s"),
        learning_rates=tuple(
            float(step["lr"]) for step in curve if step.get("lr") is not None and step["step"] > 0
        ),
        curve=tuple(objective),
        stopping=split_component(rule) if rule else None,
        stopped_early=row.stop_cause is StopCause.EARLY_STOP,
        gpu_util_pct=row.metric("gpu_util_pct"),
        unregistered=tuple(row.attrs.get("unregistered") or ()),
        no_gradient=tuple(row.attrs.get("no_gradient") or ()),
    )


def _curve(store: Store, view: StudyView, number: int) -> list[dict[str, Any]]:
    """Return the epochs of a trial as stored; none where the file is gone or torn."""
    content = store.read_artifact(view.name, number, "curves.json")
    try:
        return list(json.loads(content)["steps"]) if content is not None else []
    except (KeyError, TypeError, ValueError):
        return []


def _arm(
    arm: Mapping[str, Any], configs: Mapping[str, Mapping[str, Any]], view: StudyView, cells: Cells
) -> ArmFacts:
    id_, plan = str(arm["id"]), view.attrs.get("plan") or {}
    reference = str(view.attrs.get("reference", "")) if plan else reference_of(id_)
    sizes = [n for row in cells.complete[id_].values() if (n := row.metric("n_params")) is not None]
    return ArmFacts(
        id=id_,
        changes=tuple(arm.get("changes", {})),
        config=configs[id_],
        n_params=sum(sizes) / len(sizes) if sizes else None,
        reference="" if id_ == reference else reference,
        is_path=plan.get("design") in JOINT if plan else id_.startswith(COMPOSITE),
    )


def _first_config(cells: Cells, arm: str) -> Mapping[str, Any]:
    return next((row.config for _, row in sorted(cells.rows.get(arm, {}).items()) if row.config), {})


def _pairs(cells: Cells, arms: Sequence[Mapping[str, Any]], view: StudyView) -> dict[str, int]:
    """Return how many seeds each arm shares with its reference; of a lone arm, how many it has."""
    complete = cells.complete
    told = str(view.attrs.get("reference", "")) if view.attrs.get("plan") else ""
    found = {}
    for arm in arms:
        reference = told or reference_of(arm["id"])
        if arm["id"] != reference and reference in complete:
            found[str(arm["id"])] = len(complete[arm["id"]].keys() & complete[reference].keys())
    return found


def _scored(objective: str, runs: Sequence[Run]) -> str:
    """Return the test part's twin of the objective where it was measured."""
    part, _, name = objective.partition("/")
    twin = f"test/{name}"
    return (
        twin
        if part == "val" and any(twin in run.metrics or twin in run.recomputed for run in runs)
        else objective
    )


def _selected_on(view: StudyView) -> tuple[str, ...]:
    """Return what chose something: the objectives, what was pruned on, the constraints."""
    search = view.spec.get("search") or {}
    limits = [str(one["metric"]) for one in view.spec.get("constraints") or () if "metric" in one]
    return tuple(dict.fromkeys([*view.metrics, *filter(None, [search.get("prune_on")]), *limits]))


def _evaluated(store: Store, view: StudyView) -> tuple[Run, ...]:
    """Return what kept models scored on further sets, as runs that know nothing but that.

    Sets of one name and of other images are other parts: two values of them are no two values of one quantity.
    """
    found = read_evaluations(store, view.name)
    images = {
        str(one["data"]): {other["data_hash"] for other in found if other["data"] == one["data"]}
        for one in found
    }
    return tuple(
        Run(
            name=str(one["model"]),
            arm=str(one["model"]),
            metrics={
                **{name: value for name, value in one["local"].items() if name.startswith("test/")},
                **{
                    f"{_as_part(one, is_only=len(images[one['data']]) == 1)}/{name}": value
                    for name, value in one["metrics"].items()
                },
            },
        )
        for one in found
        if one["local"]
    )


def _as_part(evaluation: Mapping[str, Any], *, is_only: bool) -> str:
    """Return a set's name as the first word of a metric; no set is mistaken for a part of the study, or for another."""
    name = str(evaluation["data"]).replace("/", " ")
    if not is_only:
        name = f"{name} {str(evaluation['data_hash'])[:6]}"
    return f"{name} set" if name in ("train", "val", "test", "model", "cost") else name


def _duplicates(view: StudyView) -> tuple[tuple[str, str], ...] | None:
    found = (view.attrs.get("data") or {}).get("duplicates_across_splits")
    return None if found is None else tuple((str(a), str(b)) for a, b in found)


def _counts(view: StudyView, predictions: Any) -> dict[str, dict[str, int]]:
    """Return part to class to images: as the driver counted them, else as the first stored predictions show."""
    told = view.attrs.get("data") or {}
    if told.get("counts"):
        return {
            part: dict(zip(told["classes"], counts, strict=False)) for part, counts in told["counts"].items()
        }
    first: TrialPredictions | None = next((found for found in predictions if found is not None), None)
    parts = first.parts.items() if first else ()
    return {
        part: dict(zip(first.classes, found.support, strict=False)) if first else {}
        for part, found in parts
        if found.probabilities is not None
    }


def _probes(spec: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(name for name, section in (spec.get("external") or {}).items() if "of" in section)


def _preprocess(spec: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, str]:
    """Return part to its preparation in words; ``train`` is what the configuration has."""
    data = config.get("data") or {}
    if "preprocess" not in data:
        return {}
    trained = steps_text(data["preprocess"])
    external = config.get("external") or spec.get("external") or {}
    return {"train": trained} | {
        name: trained if one.get("preprocess") is None else steps_text(one["preprocess"])
        for name, one in external.items()
    }


def _axes(spec: Mapping[str, Any]) -> tuple[Param, ...]:
    """Return the searched leaves; none where the stored specification is not whole."""
    sections = ("data", "external", "model", "loss", "training")
    try:
        return tuple(Space({key: spec[key] for key in sections}, spec.get("baseline")).params)
    except (KeyError, TypeError, SpecError):
        return ()


def _levels(row: TrialRow, axes: Sequence[Param]) -> dict[str, str]:
    """Return the values of a trial's parameters that have few."""
    few = {
        axis.path
        for axis in axes
        if axis.kind == "categorical" or (axis.kind == "int" and axis.high - axis.low < MOST_LEVELS)
    }
    return {key: plain(value) for key, value in row.params.items() if key in few}


def muted(view: StudyView) -> dict[str, str]:
    """Return code to reason: as the last launch had it, else as the specification has it; a plan's come first."""
    own = view.attrs.get("mute", view.spec.get("mute")) or {}
    return {**own, **((view.attrs.get("plan") or {}).get("mute") or {})}
