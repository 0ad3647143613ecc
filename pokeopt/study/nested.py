"""Searches inside an ablation: one that tunes an arm first, or that is the arm itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pokeopt.ablation.arms import Arm
from pokeopt.records import StopCause
from pokeopt.spec import PlanSpec, StudySpec
from pokeopt.store import StudyView
from pokeopt.store.writing import StudyWriter
from pokeopt.study.confirm import Confirm, writer_of
from pokeopt.study.facts import prepare_data
from pokeopt.study.launch import Launch, Outcome, drive
from pokeopt.study.retries import next_proposal
from pokeopt.study.search import open_search, search_attrs

COPIED = (
    "n_params",
    "flops",
    "device",
    "precision",
    "threads",
    "data_hash",
    "split_hash",
    "best_step",
    "host",
)


def tuned_configs(plan: PlanSpec, launch: Launch) -> tuple[dict[str, dict[str, Any]], Outcome | None]:
    """Give each arm its own small search; return arm id -> its best configuration.

    The searches are studies of their own, PLAN.ARM.tune; they are resumed like any other. The second value is how a
    search ended that did not reach its end.
    """
    configs: dict[str, dict[str, Any]] = {}
    for arm in plan.arms:
        if arm.search is None:
            continue
        view, outcome = _search(arm.search, f"{plan.name}.{arm.id}.tune", launch)
        if outcome.stopped or outcome.failure or view.best is None:
            return configs, outcome if outcome.stopped or outcome.failure else Outcome("no_trial", None)
        configs[arm.id] = arm.search.space.config(view.best.params)
    return configs, None


def run_searches(plan: PlanSpec, wanted: Confirm, launch: Launch) -> Outcome:
    """Run one search per (arm, seed), PLAN.ARM.sSEED, and enter each one's best trial as that cell.

    A cell's metrics are those of its search's best trial; its cost is that of the whole search.
    """
    writer = writer_of(wanted, launch)
    seeds = sorted({*writer.study.user_attrs.get("seeds", ()), *wanted.seeds})
    searches = {arm.id: arm.search for arm in plan.arms if arm.search is not None}
    arms = [_with_search(arm, searches[arm.id]) for arm in wanted.arms]
    declared = {"arms": [arm.as_attribute() for arm in arms], "reference": arms[0].id, "seeds": seeds}
    writer.set_attrs({**declared, "resample": "none", **wanted.now})
    outcome = Outcome("", None)
    for seed in seeds:
        for arm in arms:
            name = f"{plan.name}.{arm.id}.s{seed}"
            view, outcome = _search(_seeded(searches[arm.id], seed), name, launch)
            if outcome.stopped or outcome.failure:
                return outcome
            if view.best is not None:
                _enter(writer, arm, seed, view)
    return outcome


def _search(spec: StudySpec, name: str, launch: Launch) -> tuple[StudyView, Outcome]:
    spec = replace(spec, name=name, ablation=None, closed={**spec.closed, "name": name, "ablation": None})
    facts = prepare_data(spec, launch.store)
    outcome = drive(open_search(spec, name, search_attrs(spec, facts, None), launch, None), launch)
    return launch.store.load(name, exact=True), outcome


def _seeded(spec: StudySpec, seed: int) -> StudySpec:
    search = {**spec.closed["search"], "seed": seed}
    return replace(spec, search=replace(spec.search, seed=seed), closed={**spec.closed, "search": search})


def _with_search(arm: Arm, spec: StudySpec) -> Arm:
    """Return the arm with its search in its configuration: that is what tells such arms apart."""
    search = {key: value for key, value in spec.closed["search"].items() if key != "seed"}
    return replace(
        arm, config={**arm.config, "search": search, "space": [str(param) for param in spec.space.params]}
    )


def _enter(writer: StudyWriter, arm: Arm, seed: int, view: StudyView) -> None:
    """Enter a finished search as a COMPLETE cell; a search that has grown since replaces what was entered of it."""
    best = view.best
    assert best is not None
    with writer.store.ask_lock():
        rows = writer.rows()
        same = [row for row in rows if row.attrs.get("config_hash") == arm.config_hash and row.seed == seed]
        old = same[-1] if same else None
        if old is not None and old.attrs.get("search_trial") == best.number:
            return
        attrs: Mapping[str, Any] = {
            "proposal": next_proposal(rows) if old is None else old.proposal,
            "retry_of": old.number if old is not None else None,
            "phase": "confirm",
            "arm_id": arm.id,
            "seed": seed,
            "config_hash": arm.config_hash,
            "config": json.dumps(best.config),
            "search": view.name,
            "search_trial": best.number,
        }
        writer.enqueue({key: value for key, value in attrs.items() if value is not None})
        trial = writer.ask(None)
        known = {key: best.attrs[key] for key in COPIED if key in best.attrs}
        scores = {key: value for key in best.attrs if "/" in key and (value := best.metric(key)) is not None}
        cost = {
            "wall_s": sum(row.metric("wall_s") or 0.0 for row in view.trials),
            "epochs_run": sum(int(row.attrs.get("epochs_run") or 0) for row in view.trials),
        }
        files = {}
        for filename in ("predictions.npz", "curves.json"):
            content = writer.store.read_artifact(view.name, best.number, filename)
            if content is not None:
                files[filename] = content
        writer.finish(trial, StopCause.BUDGET, best.values, {**known, **scores, **cost}, files)
