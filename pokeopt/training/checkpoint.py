"""Checkpoints: one file, replaced at once or not at all."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path
from typing import Any

import torch

from pokeopt.records import CHECKPOINT_STEP_FILE

FILE_NAME = "checkpoint.pt"
CHECKPOINT_EVERY_S = 30.0

log = logging.getLogger(__name__)


def write_checkpoint(folder: Path, state: dict[str, Any], step: int = 0) -> None:
    """Write a state of tensors and plain values; a reader sees the old file or the new one, even after a power cut.

    Args:
        folder: Where the checkpoint of one trial lies.
        state: What to write.
        step: The newest step in it; it is written beside, after the weights, for those that do not load them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f".{FILE_NAME}.{os.getpid()}"
    try:
        with temporary.open("wb") as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(folder / FILE_NAME)
        (folder / CHECKPOINT_STEP_FILE).write_text(json.dumps({"step": step}))
    finally:
        _remove_temporary(folder)
    _sync(folder)


def read_checkpoint(folder: Path) -> dict[str, Any] | None:
    """Return the state, its tensors on the CPU; None if there is no checkpoint, or none that can be read."""
    file = folder / FILE_NAME
    if not file.is_file():
        return None
    try:
        state: dict[str, Any] = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # whatever a damaged file raises, starting anew mends it
        log.warning("%s cannot be read and is ignored: %s", file, error)
        return None
    return state


def remove_checkpoint(folder: Path) -> None:
    """Remove the checkpoint, if there is one."""
    for name in (FILE_NAME, CHECKPOINT_STEP_FILE):
        (folder / name).unlink(missing_ok=True)
    _remove_temporary(folder)


def _remove_temporary(folder: Path) -> None:
    """Remove our own unfinished file, and those of processes that were killed while writing."""
    for file in folder.glob(f".{FILE_NAME}.*"):
        file.unlink(missing_ok=True)


def _sync(folder: Path) -> None:
    """Make the new name last; without it the rename itself may be lost."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
