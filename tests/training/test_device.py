"""Devices and number formats, as far as a machine without a GPU can show."""

import numpy as np
import pytest
import torch

from pokeopt.errors import SpecError, TrialError
from pokeopt.training import device
from pokeopt.training.precision import choose_precision, make_scaler

CPU = torch.device("cpu")


def test_peak_memory_is_that_of_this_trial() -> None:
    """A worker is used again: what an earlier trial held is not counted."""
    device.prepare_device(CPU, threads=1, memory_fraction=1.0, deterministic=False)
    before = device.peak_mem_mb(CPU)
    held = np.ones(200_000_000, dtype=np.uint8)
    with_it = device.peak_mem_mb(CPU)
    assert with_it > before + 150
    del held
    device.prepare_device(CPU, threads=1, memory_fraction=1.0, deterministic=False)
    assert device.peak_mem_mb(CPU) < with_it - 150


def test_auto_falls_back_to_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert device.choose_device("auto") == device.choose_device("cpu") == CPU
    with pytest.raises(TrialError, match="no GPU"):
        device.choose_device("cuda")
    assert device.gpu_util_pct(CPU) is None


def test_precision() -> None:
    """Auto is exact on the CPU; only fp16 needs its gradients scaled."""
    assert choose_precision("auto", CPU) == "fp32"
    assert choose_precision("bf16", CPU) == "bf16"
    with pytest.raises(SpecError, match="fp16"):
        choose_precision("fp17", CPU)
    assert [make_scaler(name, CPU).is_enabled() for name in ("fp32", "bf16", "fp16")] == [False, False, True]
