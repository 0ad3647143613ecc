"""What an ablation plan asks for, before anything runs: its arms, cells, model sizes, time."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pokeopt.spec import PlanSpec, load_plan
from pokeopt.spec.plan import PlannedArm
from pokeopt.store import Store, open_store
from pokeopt.study.ablations import trial_of
from pokeopt.study.launch import placement_of
from pokeopt.study.planning import Speed, earlier_speed, measure_speed, total_s
from pokeopt.study.plans import prepare_plan


@dataclass(frozen=True)
class PlannedCells:
    """One arm.

    Attributes:
        declared: What the plan says of it, key to value.
        n_params: Parameters of its network.
        note: Where it is trained otherwise than once a seed.
    """

    id: str
    declared: Mapping[str, Any]
    n_params: int
    epochs: int
    note: str


@dataclass(frozen=True)
class AblationPlan:
    """What running a plan would take.

    Attributes:
        n_cells: Networks to train, those that are stored already included.
        n_done: Cells that are stored already.
        total_s: Upper estimate for the cells that are missing; None without ``speed``.
    """

    name: str
    path: str
    question: str
    base: str
    fidelity: str
    document: str
    design: str
    metrics: tuple[str, ...]
    claims: tuple[str, ...]
    seeds: tuple[int, ...]
    resample: str
    arms: tuple[PlannedCells, ...]
    parts: Mapping[str, int]
    n_cells: int
    n_done: int
    workers: int
    speed: Speed | None
    total_s: float | None

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return dataclasses.asdict(self)


def plan_ablation(
    path: str | Path,
    *,
    quick: bool = False,
    seeds: int | None = None,
    base: str | Path | None = None,
    fidelity: str | None = None,
    sets: Sequence[str] = (),
    storage: str | None = None,
    home: Path,
    measure: bool = False,
) -> AblationPlan:
    """Check a plan against its data and say what running it would take.

    Args:
        path: The plan.
        quick: Its quick setting.
        seeds: Of each arm, instead of the plan's.
        base: Another search-space file to start from.
        fidelity: What to call it then: exact, scaled or surrogate.
        sets: ``KEY=VALUE`` changes, made before each arm's own.
        storage: Where earlier cells are looked up.
        home: Folder of the image cache.
        measure: Time about 20 batches of each arm instead of looking up earlier cells.

    Raises:
        UserError: If the plan or its data cannot be used.
    """
    from pokeopt.trial import sizes

    store = open_store(storage, home)
    plan = load_plan(
        path,
        quick=quick,
        seeds=seeds,
        base=base,
        fidelity=fidelity,
        sets=tuple(sets),
        trial_of=lambda name, n: trial_of(store, name, n),
    )
    facts = prepare_plan(plan, store)
    classes = facts["data"]["classes"]
    workers = max(placement_of(plan.study).workers, 1)
    trained = [arm for arm in plan.arms if arm.prefix is None]
    speed = _timed(plan, trained, store, home) if measure else earlier_speed(plan.name, storage, home)
    n_done = _done(plan, store)
    return AblationPlan(
        name=plan.name,
        path=str(path),
        question=plan.question,
        base=plan.base,
        fidelity="smoke" if plan.is_quick else plan.fidelity,
        document=plan.document,
        design=plan.design,
        metrics=plan.metrics,
        claims=tuple(f"{claim.kind}: {claim.says}" for claim in plan.claims),
        seeds=plan.seeds,
        resample=plan.resample,
        arms=tuple(
            PlannedCells(
                arm.id,
                arm.declared,
                sizes(arm.config, len(classes)).n_params,
                int(arm.config["training"]["epochs"]),
                _note(plan, arm.prefix, arm.search is not None),
            )
            for arm in plan.arms
        ),
        parts={part: sum(facts["data"]["counts"][part]) for part in ("train", "val", "test")},
        n_cells=len(trained) * len(plan.seeds),
        n_done=n_done,
        workers=workers,
        speed=speed,
        total_s=_left_s(plan, trained, n_done, speed, workers),
    )


def _left_s(
    plan: PlanSpec, trained: Sequence[PlannedArm], n_done: int, speed: Speed | None, workers: int
) -> float | None:
    """Return an upper estimate for the cells that are missing, the searches before or in them included."""
    left = len(trained) * len(plan.seeds) - n_done
    if not left:
        return 0.0 if speed is not None else None
    of_arm = [arm.search.search.trials * arm.search.search.seeds if arm.search else 0 for arm in trained]
    if plan.unit == "search":  # a cell is a search; an upper estimate takes the missing ones for the largest
        networks, searches = left * max(of_arm), left
    else:  # tuned once an arm, then trained
        networks, searches = left + sum(of_arm), sum(map(bool, of_arm))
    epochs = max(int(arm.config["training"]["epochs"]) for arm in trained)
    return total_s(speed, epochs, networks, workers, n_studies=1 + searches)


def _timed(plan: PlanSpec, trained: Sequence[PlannedArm], store: Store, home: Path) -> Speed:
    from pokeopt.data import load_data

    first = trained[0].config
    data = load_data(first["data"], store.cache_dir, external=first.get("external") or {})
    return measure_speed(plan.study, [arm.config for arm in trained], data, home)


def _note(plan: PlanSpec, prefix: tuple[str, int] | None, is_searched: bool) -> str:
    if prefix is not None:
        return f"read from the first {prefix[1]} epochs of {prefix[0]}"
    if plan.unit == "search":
        return "a whole search each"
    return "tuned first" if is_searched else ""


def _done(plan: PlanSpec, store: Store) -> int:
    """Return how many cells of the arms as they are now have a result."""
    if plan.name not in store.names():
        return 0
    view = store.load(plan.name, exact=True)
    hashes = {arm["id"]: arm["config_hash"] for arm in view.attrs.get("arms", ())}
    stored = {(row.attrs.get("config_hash"), row.seed) for row in view.complete}
    trained = {hashes.get(arm.id) for arm in plan.arms if arm.prefix is None}
    return sum((hash_, seed) in stored for hash_ in trained for seed in plan.seeds)
