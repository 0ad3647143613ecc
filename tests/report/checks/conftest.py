"""A confirm study without a fault, into which a test plants one."""

from __future__ import annotations

import copy
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pokeopt.ablation import config_hash
from pokeopt.metrics import score
from pokeopt.report.checks import Check, run_checks
from pokeopt.store import open_store
from tests.report.conftest import Builder

CLASSES = ("Fire", "Grass", "Rock", "Water")
CONFIG: dict[str, Any] = {
    "data": {"source": "digits", "image_size": 8, "channels": "gray", "preprocess": ["silhouette_crop"]},
    "external": {},
    "model": {"family": "mlp", "depth": 2, "width": [32, 16]},
    "loss": {"terms": {"classification": "cross_entropy"}, "combine": "sum"},
    "training": {"epochs": 20, "learning_rate": 1e-3, "optimizer": "adam", "early_stopping": "none"},
}


@dataclass
class Cell:
    """One cell before it is written; a test may change anything of it."""

    arm: str
    seed: int
    n_right: dict[str, int]
    support: tuple[int, ...] = (20, 20, 20, 20)
    config: dict[str, Any] = field(default_factory=lambda: copy.deepcopy(CONFIG))
    attrs: dict[str, Any] = field(default_factory=dict)
    rates: list[float] = field(default_factory=lambda: [1e-3] * 20)
    curve: dict[int, float] = field(default_factory=lambda: {e: 0.8 - 0.5 / e for e in range(1, 21)})
    cause: str = "budget"
    keeps_predictions: bool = True


Plant = Callable[[Cell], None]


def sound(cell: Cell) -> None:
    """Plant nothing."""


@dataclass
class Planter:
    """Writes such studies, and checks them."""

    builder: Builder

    def codes(self, plant: Plant = sound, **settings: Any) -> set[str]:
        """Return the codes of what is found in a study with a planted fault."""
        return {check.code for check in self.checks(plant, **settings)}

    def checks(
        self,
        plant: Plant = sound,
        *,
        arms: Mapping[str, list[str]] | None = None,
        seeds: int = 5,
        metric: str = "val/macro_f1",
        **attrs: Any,
    ) -> tuple[Check, ...]:
        """Write a study and return what is found in it.

        Args:
            plant: Changes a cell before it is written.
            arms: Arm id to the keys that it declares, reference first.
            seeds: Of each arm.
            metric: The objective.
            attrs: Study attributes.
        """
        declared = arms or {"plain": [], "wide": ["model.width"]}
        cells = [self._cell(arm, i, seed) for seed in range(seeds) for i, arm in enumerate(declared)]
        for cell in cells:
            if cell.arm == "wide":
                cell.config["model"]["width"] = [48, 16]
            plant(cell)
        hashes = {arm: config_hash({"arm": arm}) for arm in declared}
        told = {
            "arms": [
                {
                    "id": arm,
                    "label": arm,
                    "config_hash": hashes[arm],
                    "changes": {key: [None, 1] for key in keys},
                }
                for arm, keys in declared.items()
            ],
            "reference": next(iter(declared)),
            "seeds": list(range(seeds)),
            "plan": {"metrics": ["test/macro_f1"], "design": "arms", "claims": [], "mute": {}}
            | attrs.pop("plan", {}),
        }
        study = self.builder.study("s", "confirm", spec={"name": "s"}, metrics=[metric], **told, **attrs)
        for cell in cells:
            self._write(study, cell, hashes[cell.arm])
        store = self.builder.store
        return run_checks(store, [store.load("s")])

    def _cell(self, arm: str, position: int, seed: int) -> Cell:
        right = 62 + 2 * position + seed % 3
        return Cell(arm, seed, {"val": right, "test": right + 1})

    def _write(self, study: Any, cell: Cell, hash_: str) -> None:
        arrays: dict[str, Any] = {"classes": np.array(CLASSES)}
        measured = {"train/loss": 0.3121 + 0.001 * cell.seed}
        for part, n_right in cell.n_right.items():
            truth = np.repeat(np.arange(len(CLASSES)), cell.support)
            order = np.random.default_rng([cell.seed, n_right]).permutation(len(truth))
            predicted = (truth + 1) % len(CLASSES)
            predicted[order[:n_right]] = truth[order[:n_right]]
            rows = (np.eye(len(CLASSES))[predicted] * 0.9 + 0.025).astype(np.float32)
            arrays |= {
                f"{part}/ids": order.astype(str),
                f"{part}/truth": truth,
                f"{part}/probabilities": rows[None],
            }
            measured |= {f"{part}/{name}": value for name, value in score(truth, rows, CLASSES).items()}
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **arrays)
        steps = [{"step": e, "metrics": {}, "lr": rate, "wall_s": e} for e, rate in enumerate(cell.rates, 1)]
        files = {"predictions.npz": buffer.getvalue()} if cell.keeps_predictions else {}
        attrs: dict[str, Any] = {
            "arm_id": cell.arm,
            "seed": cell.seed,
            "config_hash": hash_,
            "phase": "confirm",
        }
        attrs |= {"config": json.dumps(cell.config), "wall_s": 40.0 + cell.seed + sum(map(ord, cell.arm)) / 7}
        attrs |= {"unregistered": [], "no_gradient": [], **measured, **cell.attrs}
        self.builder.row(
            study,
            cause=cell.cause,
            values=[0.8],
            curve=cell.curve,
            attrs=attrs,
            files={**files, "curves.json": json.dumps({"steps": steps}).encode()},
        )


@pytest.fixture
def planter(tmp_path: Path) -> Planter:
    """Return a planter on a journal, which takes a row's many attributes faster than SQLite."""
    return Planter(Builder(open_store(f"journal:///{tmp_path}/journal.log", home=tmp_path / ".pokeopt")))
