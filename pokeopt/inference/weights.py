"""Trained weights of a study: those of a trial's kept epoch while its checkpoint is there, and retrained ones."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pokeopt.errors import StoreError, UserError
from pokeopt.inference.card import Card
from pokeopt.inference.graph import CONDITION, Graph, build_module
from pokeopt.models.base import traits_of
from pokeopt.records import TrialState
from pokeopt.registry import import_plugins
from pokeopt.store import Store, StudyView, TrialRow
from pokeopt.study.seeding import derive_seed
from pokeopt.training.checkpoint import FILE_NAME, read_checkpoint
from pokeopt.training.recipe import make_model

PARTS_TRAINED = ("train+val", "train")  # what retrained weights may have seen; the larger first


@dataclass(frozen=True)
class Trained:
    """A trained network on the CPU, and its card.

    Attributes:
        position: Its place among the networks of its trial.
    """

    graph: Graph
    card: Card
    position: int = 0


def find_trial(view: StudyView, number: int | None) -> TrialRow:
    """Return a COMPLETE trial of a study: the best, or that of a number.

    Raises:
        UserError: If there is no such trial, or the study has none that is best.
        StoreError: If no trial is complete.
    """
    if number is None:
        if view.kind != "search":
            parent = view.attrs.get("parent")
            mend = f"name {parent}, or give --trial N" if parent else "give --trial N"
            raise UserError(view.name, "a confirm study has arms, not a best trial", mend)
        if view.best is None:
            raise StoreError(view.name, "no trial is complete", f"see pokeopt show {view.name}")
        return view.best
    row = next((row for row in view.trials if row.number == number), None)
    if row is None:
        what = f"there is no trial {number}; the last is {len(view.trials) - 1}"
        raise UserError(view.name, what, f"see pokeopt show {view.name}")
    if row.state is not TrialState.COMPLETE or row.replaced_by is not None:
        what = f"trial {number} is {row.shown_state}, not complete"
        raise UserError(view.name, what, f"see pokeopt show {view.name}")
    return row


def models_dir(store: Store, view: StudyView, row: TrialRow) -> Path:
    """Return the folder of a trial's retrained weights."""
    return store.models_dir / f"{view.name}-{row.number}"


def trial_networks(store: Store, view: StudyView, row: TrialRow) -> list[Trained]:
    """Return the networks of a trial at its kept epoch, one a seed.

    Raises:
        StoreError: If its checkpoint is gone, or not of this trial.
    """
    folder = store.checkpoints_dir / view.name / str(row.proposal)
    state = read_checkpoint(folder) if (folder / FILE_NAME).is_file() else None
    where = f"{view.name} trial {row.number}"
    retrain = f"run pokeopt retrain {view.name} --trial {row.number}"
    if state is None:
        raise StoreError(where, "the weights of this trial were not kept", retrain)
    groups = state.get("groups", ())
    steps = [group["kept_step"] for group in groups]
    if not steps or max(steps) != row.attrs.get("best_step"):
        raise StoreError(where, "its checkpoint is of another epoch than its scores", retrain)
    import_plugins(view.spec.get("plugins") or ())
    weights = [(group["kept_step"], one) for group in groups for one in group["kept_weights"]]
    metrics = {name: value for name in row.attrs if "/" in name and (value := row.metric(name)) is not None}
    return [
        _trained(
            view,
            row,
            one,
            where,
            {
                "weights": "trial",
                "trained_on": "train",
                "seed": _seed(view, row, position),
                "epochs": int(step),
                "metrics": metrics,
            },
            position,
        )
        for position, (step, one) in enumerate(weights)
    ]


def retrained_networks(store: Store, view: StudyView, row: TrialRow, on: str | None = None) -> list[Trained]:
    """Return the retrained networks of a trial, by seed; none where there are none.

    Args:
        on: ``train`` or ``train+val``; None takes the larger of those that are there.
    """
    import_plugins(view.spec.get("plugins") or ())
    for part in PARTS_TRAINED if on is None else (on,):
        files = sorted((models_dir(store, view, row) / part).glob("seed-*.pt"), key=_seed_of)
        if files:
            return [read_weights(file) for file in files]
    return []


def write_weights(path: Path, state: Mapping[str, Tensor], card: Card) -> None:
    """Write the weights of one network with their card; an old file is replaced at once or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        torch.save({"card": card.as_json(), "state": {k: v.cpu() for k, v in state.items()}}, draft)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def read_card(path: Path) -> Card:
    """Return the card of a file that ``write_weights`` wrote.

    Raises:
        StoreError: If it cannot be read.
    """
    return Card.from_json(_read(path)["card"], str(path))


def read_weights(path: Path) -> Trained:
    """Return what ``write_weights`` wrote.

    Raises:
        StoreError: If it cannot be read.
    """
    found = _read(path)
    card = Card.from_json(found["card"], str(path))
    module = build_module(card.config, len(card.classes), found["state"], str(path))
    return Trained(Graph(module), card)


def make_card(
    view: StudyView,
    row: TrialRow,
    state: Mapping[str, Tensor],
    outputs: Sequence[str],
    own: Mapping[str, Any],
) -> Card:
    """Return the card of weights of a trial's configuration; ``own`` says how they were trained."""
    config = row.config
    task = traits_of(make_model(config["model"])).task
    data = view.attrs.get("data", {})
    versions = {"pokeopt": row.attrs.get("code_version") or "", **view.attrs.get("versions", {})}
    return Card(
        study=view.name,
        trial=row.number,
        task=task,
        classes=tuple(data.get("classes", ())),
        image_size=int(config["data"]["image_size"]),
        channels=str(config["data"]["channels"]),
        condition_channels=CONDITION if task == "translation" else 0,
        preprocess=tuple(config["data"]["preprocess"]),
        outputs=tuple(outputs),
        mean=tuple(state["mean"].flatten().tolist()),
        std=tuple(state["std"].flatten().tolist()),
        config={key: config[key] for key in ("data", "model", "loss", "training")},
        data={
            "name": data.get("name", ""),
            "data_hash": row.attrs.get("data_hash", ""),
            "split_hash": row.attrs.get("split_hash", ""),
        },
        versions={name: str(text) for name, text in versions.items() if text},
        plugins=tuple(view.spec.get("plugins") or ()),
        **own,
    )


def _trained(
    view: StudyView,
    row: TrialRow,
    state: Mapping[str, Tensor],
    where: str,
    own: Mapping[str, Any],
    position: int,
) -> Trained:
    classes = view.attrs.get("data", {}).get("classes", ())
    graph = Graph(build_module(row.config, len(classes), state, where))
    bare = make_card(view, row, state, (), own)
    card = make_card(view, row, state, graph.output_names(bare.input_shape), own)
    return Trained(graph, card, position)


def _read(path: Path) -> Mapping[str, Any]:
    try:
        found: Mapping[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # whatever a damaged file raises
        raise StoreError(str(path), "the weights cannot be read", "remove the file and retrain") from error
    return found


def _seed(view: StudyView, row: TrialRow, position: int) -> int:
    """Return the seed of a trial's network: a cell has one, a search derives those of its trials."""
    if position == 0:
        return int(row.seed or 0)
    return derive_seed(view.spec["search"]["seed"], int(row.proposal or 0), f"network {position}")


def _seed_of(path: Path) -> int:
    return int(path.stem.rpartition("-")[2])
