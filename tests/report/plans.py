"""Confirm studies of plans: arms whose networks are right with a given chance, with curves, claims and holes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pokeopt.ablation import config_hash
from pokeopt.spec.claims import Claim

if TYPE_CHECKING:
    from tests.report.conftest import Builder

CONFIG = {
    "data": {"source": "creatures", "image_size": 64, "limit": 600, "preprocess": []},
    "model": {"family": "cnn"},
    "loss": {"terms": {"classification": "cross_entropy"}},
    "training": {
        "epochs": 20,
        "batch_size": 16,
        "optimizer": "adam",
        "learning_rate": 1e-3,
        "schedule": "constant",
        "early_stopping": "none",
        "keep": "best",
        "sampler": "shuffle",
    },
}


def claim(says: str, kind: str, metric: str = "test/macro_f1", **fields: Any) -> Claim:
    """Return a claim."""
    return Claim(says=says, kind=kind, metric=metric, **fields)  # type: ignore[arg-type]


def curve(top: float, seed: int, epochs: int = 20, stop: int | None = None) -> bytes:
    """Return curves.json of a run that learns towards ``top``."""
    rng = np.random.default_rng(seed)
    steps = []
    for step in range(1, (stop or epochs) + 1):
        share = 1 - float(np.exp(-step / 5))
        metrics = {
            "val/macro_f1": top * share + float(rng.normal(0, 0.01)),
            "train/macro_f1": min(1.0, 1.05 * top * share),
            "train/total_loss": 2.2 * float(np.exp(-step / 6)) + 0.1,
        }
        steps.append(
            {"step": step, "metrics": metrics, "by_seed": [metrics], "lr": 1e-3, "wall_s": 0.4 * step}
        )
    return json.dumps({"steps": steps}).encode()


def plan_study(
    builder: Builder,
    name: str,
    arms: Mapping[str, float],
    *,
    seeds: int = 5,
    claims: Sequence[Claim] = (),
    changes: Mapping[str, Mapping[str, Any]] | None = None,
    levels: Mapping[str, Mapping[str, str]] | None = None,
    prefixes: Mapping[str, tuple[str, int]] | None = None,
    holes: Sequence[tuple[str, int]] = (),
    noise: float = 0.01,
    stop: Mapping[str, int] | None = None,
    files: Mapping[str, bytes] | None = None,
    parts: Sequence[str] = ("val", "test"),
    rule: Any = "none",
    with_predictions: bool = True,
    **told: Any,
) -> None:
    """Add the confirm study of a plan; ``arms`` maps an arm's id to the chance that its network is right."""
    first = next(iter(arms))
    prefixes = prefixes or {}
    hashes = {id_: config_hash({"arm": prefixes[id_][0] if id_ in prefixes else id_}) for id_ in arms}
    declared = []
    for id_ in arms:
        arm: dict[str, Any] = {
            "id": id_,
            "label": id_,
            "changes": dict((changes or {}).get(id_, {})),
            "config_hash": hashes[id_],
        }
        if levels:
            arm["levels"] = dict(levels[id_])
        if id_ in prefixes:
            arm["prefix"] = {"of": prefixes[id_][0], "epochs": prefixes[id_][1]}
        declared.append(arm)
    plan = {
        "name": name,
        "path": f"studies/001/{name}.yaml",
        "document": "001_7f7c1d607897ad18.txt",
        "section": "Task 2",
        "question": "Does it matter?",
        "fidelity": "scaled",
        "base": "search_spaces/cnn.yaml",
        "metrics": ["test/macro_f1"],
        "design": "arms",
        "factors": {},
        "claims": [one.as_dict() for one in claims],
        "note": "",
        "mute": {},
        "is_quick": False,
        "seeds": list(range(seeds)),
        "resample": "train_val",
        "retune": [],
        "unit": "network",
        **told,
    }
    study = builder.study(
        name,
        "confirm",
        arms=declared,
        seeds=list(range(seeds)),
        reference=first,
        plan=plan,
        data=builder.data,
    )
    rng = np.random.default_rng(len(name))
    config = json.dumps({**CONFIG, "training": {**CONFIG["training"], "early_stopping": rule}})  # type: ignore[dict-item]
    for seed in range(seeds):
        shared = float(rng.normal(0, noise))
        for i, id_ in enumerate(arms):
            if id_ in prefixes:
                continue
            cell = {
                "arm_id": id_,
                "seed": seed,
                "phase": "confirm",
                "config_hash": hashes[id_],
                "config": config,
            }
            if (id_, seed) in holes:
                builder.row(
                    study, cause="error", attrs={**cell, "error": "boom", "error_type": "RuntimeError"}
                )
                continue
            chance = arms[id_] + shared + float(rng.normal(0, noise))
            metrics = {
                "val/macro_f1": chance,
                "test/macro_f1": chance - 0.01,
                "best_step": 18,
                "cost/wall_s": 8.0 + i,
            }
            stopped = (stop or {}).get(id_)
            own = {"curves.json": curve(chance, 100 * seed + i, stop=stopped), **(files or {})}
            if with_predictions:
                own["predictions.npz"] = builder.predictions(chance, 100 * seed + i, parts)
            cause = "early_stop" if stopped else "budget"
            builder.row(study, cause=cause, values=[chance], attrs=cell | metrics, files=own)
