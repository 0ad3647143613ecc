"""The confirm study: declared arms x common seeds, full budget, no pruning. Effects are read here and nowhere else."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pokeopt.ablation.arms import Arm, build_arms
from pokeopt.ablation.cells import missing_cells, plan_cells
from pokeopt.records import TrialState
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
    return arms_between(spec, search, spec.ablation.mode, spec.ablation.top, spec.ablation.include)


def arms_between(
    spec: StudySpec, search: StudyView, mode: str, top: int | None, include: Sequence[str]
) -> list[Arm]:
    """Return the arms of a mode between the baseline and the search's best trial."""
    assert search.best is not None
    rows = [(row.params, row.value) for row in search.complete if row.value is not None]
    return build_arms(
        spec.space,
        spec.space.baseline(),
        dict(search.best.params),
        mode=mode,
        top=top,
        include=include,
        rows=rows,
        direction=direction(spec, spec.objective),
    )


@dataclass(frozen=True)
class Confirm:
    """What a confirm study is to hold.

    Attributes:
        name: The study.
        spec: Its task, objective and resources.
        arms: Declared arms, the reference first.
        seeds: Common to all.
        resample: What a seed redraws: ``train_val``, ``none`` or ``all``.
        fidelity: How near its source it is, for the record: exact, scaled, surrogate or smoke.
        first: Study attributes that its first launch stores.
        now: Study attributes that every launch stores: what is declared at present.
    """

    name: str
    spec: StudySpec
    arms: Sequence[Arm]
    seeds: Sequence[int]
    resample: str = "train_val"
    fidelity: str = "exact"
    first: Mapping[str, Any] = field(default_factory=dict)
    now: Mapping[str, Any] = field(default_factory=dict)


def confirm_of_search(
    spec: StudySpec, search: StudyView, arms: Sequence[Arm], mode: str, seeds: Sequence[int]
) -> Confirm:
    """Return the confirm study NAME.ablation of a search."""
    first = {"parent": search.name}
    first |= {key: search.attrs[key] for key in ("data_hash", "data") if key in search.attrs}
    best = search.best.number if search.best else None
    return Confirm(
        f"{search.name}.ablation", spec, arms, seeds, first=first, now={"search_best": best, "mode": [mode]}
    )


def open_confirm(wanted: Confirm, launch: Launch) -> Core:
    """Open or create a confirm study, enqueue the cells that are missing, and return its core.

    Arms that another mode declared stay while the search's best is the same; more seeds top up. What waits for an arm
    that is no longer declared is withdrawn; a cell that failed in an earlier launch is tried again.
    """
    spec = wanted.spec
    writer = writer_of(wanted, launch)
    with launch.store.ask_lock():
        stored = writer.study.user_attrs
        arms = [arm.as_attribute() for arm in wanted.arms]
        seeds = sorted({*stored.get("seeds", ()), *wanted.seeds})
        now = dict(wanted.now)
        if "mode" in now and stored.get("search_best") == now.get("search_best"):
            known = {arm["id"] for arm in arms}
            arms += [arm for arm in stored.get("arms", ()) if arm["id"] not in known]
            now["mode"] = list(dict.fromkeys([*_modes(stored), *now["mode"]]))
        declared = {"arms": arms, "reference": arms[0]["id"], "seeds": seeds, "resample": wanted.resample}
        writer.set_attrs({**declared, **now})
        _withdraw(writer, {arm["config_hash"] for arm in arms})
        _retry_failed(writer, {arm["config_hash"] for arm in arms})
        _enqueue_missing(writer, wanted, seeds)
    return build_core(spec, writer, ConfirmWork(), launch, wanted.fidelity)


def writer_of(wanted: Confirm, launch: Launch) -> StudyWriter:
    """Open or create a confirm study for writing."""
    spec = wanted.spec
    attrs = {
        "kind": "confirm",
        "spec": spec.resolved(),
        "metric": spec.objective,
        "metrics": list(spec.objectives),
        "versions": dict(versions()),
        "code_version": code_version(),
        **wanted.first,
    }
    return StudyWriter(launch.store, wanted.name, directions(spec), attrs)


def _modes(stored: Mapping[str, Any]) -> list[str]:
    return list(stored.get("mode", ()))


def _withdraw(writer: StudyWriter, hashes: Collection[str]) -> None:
    """End what waits for an arm that was changed or dropped."""
    for row in writer.rows():
        if row.state is TrialState.WAITING and row.attrs.get("config_hash") not in hashes:
            writer.withdraw(row)


def _retry_failed(writer: StudyWriter, hashes: Collection[str]) -> None:
    """Give the failed cells of declared arms another attempt: a launch is somebody's word that it is worth one."""
    for row in writer.rows():
        is_hole = row.state is TrialState.FAIL and row.replaced_by is None
        if is_hole and row.attrs.get("config_hash") in hashes:
            writer.enqueue_retry(row)


def _enqueue_missing(writer: StudyWriter, wanted: Confirm, seeds: Sequence[int]) -> None:
    """Enqueue the cells that no row holds; rows of arms that are gone stay."""
    rows = writer.rows()
    done = [_key(row) for row in rows if row.replaced_by is None]
    first = next_proposal(rows)
    for proposal, cell in enumerate(missing_cells(plan_cells(wanted.arms, seeds), done), start=first):
        attrs: dict[str, Any] = {
            "proposal": proposal,
            "phase": "confirm",
            "arm_id": cell.arm_id,
            "seed": cell.seed,
            "config_hash": cell.config_hash,
            "config": json.dumps(cell.config),
        }
        if wanted.resample != "train_val":
            attrs["resample"] = wanted.resample
        writer.enqueue(attrs)


def _key(row: TrialRow) -> tuple[str, int]:
    return str(row.attrs.get("config_hash")), int(row.seed if row.seed is not None else -1)
