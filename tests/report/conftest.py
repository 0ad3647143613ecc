"""Real Optuna studies on SQLite, small: a search with every ending, and a confirm study with predictions."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import optuna
import pytest
from optuna.artifacts import upload_artifact
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState, create_trial

from pokeopt.ablation import config_hash
from pokeopt.store import Store, open_store
from pokeopt.store.writing import StudyWriter

CLASSES = ("Bug", "Fighting", "Fire", "Grass", "Ground", "Normal", "Poison", "Rock", "Water")
SUPPORT = (11, 9, 11, 9, 7, 18, 14, 8, 20)
SPEC: dict[str, Any] = {
    "name": "mlp",
    "path": "search_spaces/mlp.yaml",
    "data": {
        "source": "creatures", "image_size": 64, "channels": "rgb", "limit": None,
        "split": {"train": 0.7, "val": 0.15, "test": 0.15, "by": "class", "seed": 0},
        "preprocess": {"choice": {"raw": [], "crop": ["silhouette_crop"]}},
    },
    "external": {
        "uncropped": {"of": "test", "preprocess": []},
        "new_species": {"source": "creatures", "part": "new"},
    },
    "search": {"sampler": "tpe", "pruner": "hyperband", "trials": 20, "seeds": 1, "seed": 0},
    "baseline": {"data.preprocess": "raw", "model.depth": 2, "model.width": [256, 128]},
}  # fmt: skip
DATA = {
    "classes": list(CLASSES),
    "counts": {"train": [50, 40, 52, 41, 34, 85, 65, 37, 94], "val": list(SUPPORT), "test": list(SUPPORT)},
    "external": {"uncropped": 107, "new_species": 400},
    "duplicates_across_splits": [],
}


def predictions(accuracy: float, seed: int, parts: Sequence[str] = ("val", "test", "uncropped")) -> bytes:
    """Return predictions.npz of a network of that accuracy (less on uncropped images)."""
    rng = np.random.default_rng(seed)
    truth = np.repeat(np.arange(len(CLASSES)), SUPPORT)
    arrays: dict[str, Any] = {"classes": np.array(CLASSES)}
    for part in parts:
        chance = 0.15 if part == "uncropped" else accuracy
        wrong = (truth + rng.choice([1, 3, 4], size=truth.size)) % len(CLASSES)
        predicted = np.where(rng.random(truth.size) < chance, truth, wrong)
        arrays[f"{part}/ids"] = np.array([f"{part}-{i}" for i in range(truth.size)])
        arrays[f"{part}/truth"] = truth
        arrays[f"{part}/probabilities"] = np.eye(len(CLASSES), dtype=np.float32)[predicted][None]
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


@dataclass
class Builder:
    """Writes finished rows into studies of one store."""

    store: Store
    predictions = staticmethod(predictions)
    data: ClassVar[dict[str, Any]] = DATA

    def study(self, name: str, kind: str, spec: Mapping[str, Any] = SPEC, **attrs: Any) -> optuna.Study:
        """Return a new study."""
        metrics = attrs.pop("metrics", ["val/macro_f1"])
        directions = attrs.pop("directions", ("maximize",) * len(metrics))
        known = {"kind": kind, "spec": dict(spec), "metric": metrics[0], "metrics": metrics, **attrs}
        return StudyWriter(self.store, name, directions, known).study

    def row(
        self,
        study: optuna.Study,
        *,
        cause: str = "budget",
        values: Sequence[float] | None = None,
        params: Mapping[str, Any] | None = None,
        curve: Mapping[int, float] | None = None,
        attrs: Mapping[str, Any] | None = None,
        files: Mapping[str, bytes] | None = None,
    ) -> None:
        """Add one finished row with its artifacts."""
        number = len(study.get_trials(deepcopy=False))
        state = {"budget": TrialState.COMPLETE, "early_stop": TrialState.COMPLETE}.get(
            cause, TrialState.PRUNED
        )
        if cause in ("error", "no_metric", "hung", "worker_died", "driver_died", "interrupted"):
            state = TrialState.FAIL
        facts = {
            "proposal": number, "stop_cause": cause, "device": "cpu", "threads": 1, "precision": "fp32",
            "seed": 0, "data_hash": "d" * 64, "code_version": "0.1.0", "wall_s": 4.0 + number % 3, "s_per_epoch": 0.41,
            "n_params": 3_183_625, "epochs_run": max(curve or {20: 0}), "host": "laptop",
        }  # fmt: skip
        study.add_trial(
            create_trial(  # running at first: a finished trial takes no artifact
                state=TrialState.RUNNING,
                params=dict(params or {}),
                distributions={name: distribution(name, value) for name, value in (params or {}).items()},
                intermediate_values=dict(curve or {}),
                user_attrs=facts | dict(attrs or {}),
            )
        )
        for filename, content in (files or {}).items():
            path = self.store.home / filename
            path.write_bytes(content)
            upload_artifact(
                artifact_store=self.store.artifact_store,
                file_path=str(path),
                study_or_trial=study.get_trials(deepcopy=False)[number],
                storage=self.store.storage,
            )
        told = list(values) if values is not None and state is TrialState.COMPLETE else None
        study.tell(number, told, state=state)

    def search(self, name: str = "mlp", n_trials: int = 20) -> None:
        """Add a search with every ending; the best trial is the last but one."""
        study = self.study(name, "search", data=DATA)
        rng = np.random.default_rng(1)
        causes = {
            3: "pruner",
            5: "nan",
            6: "pruner",
            8: "error",
            9: "worker_died",
            11: "oom",
            13: "timeout",
            14: "pruner",
        }
        for number in range(n_trials):
            crop = number > 0 and rng.random() < 0.7
            depth = 2 if number == 0 else int(rng.integers(1, 4))
            params: dict[str, Any] = {
                "data.preprocess": "crop" if crop else "raw",
                "model.depth": depth,
                **{f"model.width.{i}": 256 >> i for i in range(depth)},
                "training.optimizer": "adam" if number == 0 else str(rng.choice(["adam", "adamw", "sgd"])),
                "training.learning_rate": 1e-3 if number == 0 else float(10 ** rng.uniform(-4, -2)),
            }
            top = (
                (0.8 if crop else 0.2)
                + float(rng.normal(0, 0.03))
                + (0.08 if number == n_trials - 2 and crop else 0)
            )
            cause = causes.get(number, "budget")
            last = 20 if cause == "budget" else int(rng.integers(2, 9))
            noise = rng.normal(0, 0.01, last)
            curve = {e: top * (1 - float(np.exp(-e / 5))) + float(noise[e - 1]) for e in range(1, last + 1)}
            attrs: dict[str, Any] = {"best_step": max(curve, key=lambda e: curve[e]), "split_hash": "5" * 64}
            attrs["config"] = json.dumps({"training": {"epochs": 20}})
            files = {}
            if cause == "budget":
                attrs |= {"test/macro_f1": top - 0.01, "val/macro_f1": max(curve.values())}
                files = {"predictions.npz": predictions(top, number)} if number in (0, n_trials - 2) else {}
            elif cause == "pruner":
                attrs |= {"pruner": "hyperband", "rung": last}
            elif cause == "error":
                attrs |= {
                    "error_type": "ValueError",
                    "error": "Traceback (most recent call last):\n  ...\nValueError: boom",
                }
                curve = {}
            if number == 10:
                attrs |= {"retry_of": 9, "proposal": 9}
            self.row(
                study, cause=cause, values=[max(curve.values())] if curve else None, params=params,
                curve=curve, attrs=attrs, files=files,
            )  # fmt: skip

    def confirm(
        self,
        name: str = "mlp.ablation",
        seeds: int = 5,
        arms: Mapping[str, float] | None = None,
        holes: Sequence[tuple[str, int]] = (),
        with_predictions: bool = True,
        **attrs: Any,
    ) -> None:
        """Add a confirm study; ``arms`` maps an arm's id to the chance that its network is right."""
        chances: Mapping[str, float] = arms or {
            "baseline": 0.2, "data.preprocess=crop": 0.8, "training.learning_rate=0.003162": 0.21,
            "model.width=[512,300]": 0.25, "best": 0.86,
        }  # fmt: skip
        declared: list[dict[str, Any]] = [
            {
                "id": id_,
                "label": id_.replace("=", " = ", 1),
                "changes": {id_.partition("=")[0]: [None, id_.partition("=")[2]]} if "=" in id_ else {},
                "config_hash": config_hash({"arm": id_}),
            }
            for id_ in chances
        ]
        study = self.study(
            name, "confirm", arms=declared, seeds=list(range(seeds)), reference="baseline",
            parent=name.removesuffix(".ablation"), data=DATA, **attrs,
        )  # fmt: skip
        for seed in range(seeds):
            for i, arm in enumerate(declared):
                chance = chances[arm["id"]] + 0.01 * seed
                cell = {
                    "arm_id": arm["id"], "seed": seed, "phase": "confirm", "config_hash": arm["config_hash"],
                    "split_hash": f"{seed}" * 64,
                }  # fmt: skip
                if (arm["id"], seed) in holes:
                    self.row(
                        study,
                        cause="error",
                        attrs={**cell, "error": "CUDA <out> of luck", "error_type": "RuntimeError"},
                    )
                    continue
                metrics = {"val/macro_f1": chance, "test/macro_f1": chance - 0.01, "test/f1/Bug": chance}
                files = {"predictions.npz": predictions(chance, 100 * seed + i)} if with_predictions else {}
                self.row(study, values=[chance], attrs=cell | metrics, files=files)


def distribution(name: str, value: Any) -> optuna.distributions.BaseDistribution:
    if name == "data.preprocess":
        return CategoricalDistribution(["raw", "crop"])
    if name == "training.optimizer":
        return CategoricalDistribution(["adam", "adamw", "sgd"])
    if isinstance(value, str):
        return CategoricalDistribution([value])
    if isinstance(value, int):
        return IntDistribution(1, 1024)
    return FloatDistribution(1e-4, 1e-1, log=True)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(home=tmp_path / ".pokeopt")


@pytest.fixture
def builder(store: Store) -> Builder:
    return Builder(store)


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A search and its ablation, made once for tests that only read."""
    store = open_store(home=tmp_path_factory.mktemp("home") / ".pokeopt")
    made = Builder(store)
    made.search()
    made.confirm(holes=[("model.width=[512,300]", 3)])
    return store
