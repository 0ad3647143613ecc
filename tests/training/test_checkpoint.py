"""Checkpoints are whole or not there; random streams are apart."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest
import torch

from pokeopt.records import CHECKPOINT_STEP_FILE
from pokeopt.training import checkpoint, seeding

FILES = {checkpoint.FILE_NAME, CHECKPOINT_STEP_FILE}


def test_what_is_written_is_read(tmp_path: Path) -> None:
    weights = torch.rand(3)
    state = {"weights": weights, "step": 4, "curve": [0.1, float("nan")], "name": "val/f1", "none": None}
    checkpoint.write_checkpoint(tmp_path / "new", state)
    read = checkpoint.read_checkpoint(tmp_path / "new")
    assert read is not None
    assert torch.equal(read["weights"], weights)
    assert {key: repr(read[key]) for key in state} == {key: repr(state[key]) for key in state}
    assert {file.name for file in (tmp_path / "new").iterdir()} == FILES


def test_a_failed_write_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk, an interrupt: nothing half-written, nothing left over."""
    checkpoint.write_checkpoint(tmp_path, {"step": 1})

    def fail(state: Any, file: Any) -> None:
        file.write(b"half")
        raise OSError("no space left on device")

    monkeypatch.setattr(torch, "save", fail)
    with pytest.raises(OSError, match="no space"):
        checkpoint.write_checkpoint(tmp_path, {"step": 2})
    assert checkpoint.read_checkpoint(tmp_path) == {"step": 1}
    assert {file.name for file in tmp_path.iterdir()} == FILES


def test_what_a_killed_writer_left_is_removed(tmp_path: Path) -> None:
    """It is as large as a checkpoint, and nobody would look for it."""
    (tmp_path / f".{checkpoint.FILE_NAME}.4711").write_bytes(b"half")
    checkpoint.write_checkpoint(tmp_path, {"step": 1})
    assert {file.name for file in tmp_path.iterdir()} == FILES


def test_its_step_is_known_without_loading_it(tmp_path: Path) -> None:
    checkpoint.write_checkpoint(tmp_path, {"weights": torch.rand(3)}, step=7)
    assert json.loads((tmp_path / CHECKPOINT_STEP_FILE).read_text()) == {"step": 7}


def test_a_damaged_one_counts_as_none(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Starting anew costs time, failing would cost the trial."""
    checkpoint.write_checkpoint(tmp_path, {"weights": torch.rand(100)})
    file = tmp_path / checkpoint.FILE_NAME
    file.write_bytes(file.read_bytes()[:300])
    with caplog.at_level(logging.WARNING):
        assert checkpoint.read_checkpoint(tmp_path) is None
    assert str(file) in caplog.text


def test_removing(tmp_path: Path) -> None:
    checkpoint.remove_checkpoint(tmp_path)
    checkpoint.write_checkpoint(tmp_path, {"step": 1})
    checkpoint.remove_checkpoint(tmp_path)
    assert checkpoint.read_checkpoint(tmp_path) is None


def test_streams_are_apart() -> None:
    """Neighbouring seeds and epochs share no stream, and the same name is the same stream everywhere."""
    names = ("order", "layers")
    seeds = {seeding.derive(seed, name, epoch) for seed in range(5) for name in names for epoch in range(5)}
    assert len(seeds) == 50
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert seeding.derive(3, "order", 7) == 1037918587415109364
