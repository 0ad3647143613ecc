"""Searches of any size in a real store, in seconds."""

from __future__ import annotations

import datetime
import json
import math
from typing import Any

import numpy as np
import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from pokeopt.store import Store
from pokeopt.store.writing import StudyWriter

EPOCHS = 20
SPEC: dict[str, Any] = {
    "name": "big",
    "data": {"source": "creatures", "image_size": 64, "channels": "rgb", "limit": None},
    "search": {"sampler": "tpe", "pruner": "hyperband", "trials": 0, "seeds": 1, "seed": 0},
    "baseline": {"model.depth": 2},
}
DATA = {"classes": ["Fire", "Water"], "counts": {"train": [50, 70], "val": [10, 14], "test": [10, 14]}}
DISTRIBUTIONS: dict[str, optuna.distributions.BaseDistribution] = {
    "data.preprocess": CategoricalDistribution(["raw", "crop"]),
    "model.depth": IntDistribution(1, 4),
    "model.dropout": FloatDistribution(0.0, 0.6),
    "training.learning_rate": FloatDistribution(1e-4, 1e-1, log=True),
    "training.optimizer": CategoricalDistribution(["adam", "adamw", "sgd"]),
    "training.batch_size": CategoricalDistribution([16, 32, 64]),
    "training.momentum": FloatDistribution(0.5, 0.99),
}
DISTRIBUTION_JSON = {
    name: optuna.distributions.distribution_to_json(distribution)
    for name, distribution in DISTRIBUTIONS.items()
}
START = datetime.datetime(2026, 1, 5, 8, 0, 0)


def write_search(
    store: Store, n_trials: int, name: str = "big", *, n_objectives: int = 1, pruning: bool = True
) -> None:
    """Write a search whose score depends on depth and, by their product, on cropping and the learning rate."""
    rng = np.random.default_rng(7)
    metrics = ["val/macro_f1", "val/mse"][:n_objectives]
    directions = ("maximize", "minimize")[:n_objectives]
    spec = SPEC | {"name": name}
    known = {"kind": "search", "spec": spec, "metric": metrics[0], "metrics": metrics, "data": DATA}
    study = StudyWriter(store, name, directions, known).study
    _insert(store, study, [_trial(number, rng, n_objectives, pruning) for number in range(n_trials)])


def score_of(params: dict[str, Any]) -> float:
    """Return the score that a configuration deserves."""
    rate = (math.log10(params["training.learning_rate"]) + 4) / 3
    crop = params["data.preprocess"] == "crop"
    return 0.3 + 0.08 * int(params["model.depth"]) + (0.25 * (rate - 0.5) if crop else -0.25 * (rate - 0.5))


def _trial(number: int, rng: np.random.Generator, n_objectives: int, pruning: bool) -> FrozenTrial:
    params: dict[str, Any] = {
        "data.preprocess": str(rng.choice(["raw", "crop"])),
        "model.depth": int(rng.integers(1, 5)),
        "model.dropout": float(rng.uniform(0, 0.6)),
        "training.learning_rate": float(10 ** rng.uniform(-4, -1)),
        "training.optimizer": str(rng.choice(["adam", "adamw", "sgd"])),
        "training.batch_size": int(rng.choice([16, 32, 64])),
    }
    if params["training.optimizer"] == "sgd":
        params["training.momentum"] = float(rng.uniform(0.5, 0.99))
    top = score_of(params) + float(rng.normal(0, 0.02))
    is_failed = number % 50 == 49
    stop = (3 if rng.random() < 0.6 else 9) if pruning and number % 3 == 2 and not is_failed else EPOCHS
    noise = rng.normal(0, 0.01, stop)
    curve = {e: round(top * (1 - math.exp(-e / 4)) + float(noise[e - 1]), 6) for e in range(1, stop + 1)}
    is_pruned = stop < EPOCHS
    begun = START + datetime.timedelta(seconds=30.0 * (number // 4))
    attrs: dict[str, Any] = {
        "proposal": number, "host": "laptop", "worker_pid": 4000 + number % 4, "wall_s": 1.3 * stop,
        "n_params": 10_000 * 3 ** params["model.depth"], "epochs_run": stop, "device": "cpu",
        "stop_cause": "error" if is_failed else "pruner" if is_pruned else "budget",
        "config": json.dumps({"training": {"epochs": EPOCHS, "keep": "best"}}),
        "best_step": max(curve, key=lambda e: curve[e]),
    }  # fmt: skip
    if is_pruned:
        attrs |= {"pruner": "hyperband", "rung": stop}
    state = TrialState.FAIL if is_failed else TrialState.PRUNED if is_pruned else TrialState.COMPLETE
    values = [max(curve.values()), float(1 - top + rng.normal(0, 0.05))][:n_objectives]
    trial = create_trial(
        state=state,
        values=values if state is TrialState.COMPLETE else None,
        params=params,
        distributions={key: DISTRIBUTIONS[key] for key in params},
        user_attrs=attrs,
        intermediate_values=curve if n_objectives == 1 else {},
    )
    trial.number = number
    trial.datetime_start = begun
    trial.datetime_complete = begun + datetime.timedelta(seconds=1.4 * stop)
    return trial


def _insert(store: Store, study: optuna.Study, trials: list[FrozenTrial]) -> None:
    """Write finished trials into SQLite in a few statements: Optuna commits each by itself, 80 s for a thousand."""
    import sqlalchemy
    from optuna.storages._cached_storage import _CachedStorage
    from optuna.storages._rdb import models

    backend = store.storage._backend if isinstance(store.storage, _CachedStorage) else store.storage
    assert isinstance(backend, optuna.storages.RDBStorage)
    to_row = models.TrialIntermediateValueModel.intermediate_value_to_stored_repr
    tables: dict[Any, list[dict[str, Any]]] = {}

    def add(model: Any, **columns: Any) -> None:
        tables.setdefault(model.__table__, []).append(columns)

    for id_, trial in enumerate(trials, start=1):
        add(
            models.TrialModel, trial_id=id_, number=trial.number, study_id=study._study_id, state=trial.state.name,
            datetime_start=trial.datetime_start, datetime_complete=trial.datetime_complete,
        )  # fmt: skip
        for name, value in trial.params.items():
            distribution = trial.distributions[name]
            add(
                models.TrialParamModel, trial_id=id_, param_name=name,
                param_value=distribution.to_internal_repr(value), distribution_json=DISTRIBUTION_JSON[name],
            )  # fmt: skip
        for i, value in enumerate(trial.values or ()):
            add(models.TrialValueModel, trial_id=id_, objective=i, value=value, value_type="FINITE")
        for step, value in trial.intermediate_values.items():
            stored, type_ = to_row(value)
            add(
                models.TrialIntermediateValueModel, trial_id=id_, step=step, intermediate_value=stored,
                intermediate_value_type=type_.name,
            )  # fmt: skip
        for key, value in trial.user_attrs.items():
            add(models.TrialUserAttributeModel, trial_id=id_, key=key, value_json=json.dumps(value))
    with backend.engine.begin() as connection:
        for table, rows in tables.items():
            connection.execute(sqlalchemy.insert(table), rows)
