"""The confirm study: declared arms x common seeds, full budget, no pruning. Effects are read here and nowhere else."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pokeopt.ablation.arms import Arm, build_arms
from pokeopt.ablation.cells import missing_cells, plan_cells
from pokeopt.spec import StudySpec
from pokeopt.store import StudyView
from pokeopt.store.rows import TrialRow
from pokeopt.store.writing import StudyWriter
from pokeopt.study.core import Core
from pokeopt.study.launch import Launch, build_core, code_version, direction, directions, versions
from pokeopt.study.retries import next_proposal
from pokeopt.study.work import ConfirmWork


def arms_of_search(spec: StudySpec, search: StudyView) -> list[Arm]:
    """Return the arms between the baseline and the search's best trial, as ``ablation:`` asks for them."""
    assert spec.ablation is not None
    assert search.best is not None
    rows = [(row.params, row.value) for row in search.complete if row.value is not None]
    return build_arms(
        spec.space,
        spec.space.baseline(),
        dict(search.best.params),
        mode=spec.ablation.mode,
        top=spec.ablation.top,
        include=spec.ablation.include,
        rows=rows,
        direction=direction(spec, spec.objective),
    )


def open_confirm(spec: StudySpec, name: str, search: StudyView, arms: Sequence[Arm], launch: Launch) -> Core:
    """Open or create ``name``, enqueue the cells that are missing, and return its core."""
    assert spec.ablation is not None
    attrs = {
        "kind": "confirm",
        "parent": search.name,
        "spec": spec.resolved(),
        "metric": spec.objective,
        "metrics": list(spec.objectives),
        "versions": dict(versions()),
        "code_version": code_version(),
        **{key: search.attrs[key] for key in ("data_hash", "data") if key in search.attrs},
    }
    writer = StudyWriter(launch.store, name, directions(spec), attrs)
    with launch.store.ask_lock():
        writer.set_attrs(
            {
                "arms": [arm.as_attribute() for arm in arms],
                "reference": arms[0].id,
                "seeds": list(spec.ablation.seeds),
                "search_best": search.best.number if search.best else None,
            }
        )
        _enqueue_missing(writer, arms, spec.ablation.seeds)
    return build_core(spec, writer, ConfirmWork(), launch)


def _enqueue_missing(writer: StudyWriter, arms: Sequence[Arm], seeds: Sequence[int]) -> None:
    """Enqueue the cells that no row holds; rows of arms that are gone stay."""
    rows = writer.rows()
    done = [_key(row) for row in rows if row.replaced_by is None]
    first = next_proposal(rows)
    for proposal, cell in enumerate(missing_cells(plan_cells(arms, seeds), done), start=first):
        attrs: Mapping[str, Any] = {
            "proposal": proposal,
            "phase": "confirm",
            "arm_id": cell.arm_id,
            "seed": cell.seed,
            "config_hash": cell.config_hash,
            "config": json.dumps(cell.config),
        }
        writer.enqueue(attrs)


def _key(row: TrialRow) -> tuple[str, int]:
    return str(row.attrs.get("config_hash")), int(row.seed if row.seed is not None else -1)
