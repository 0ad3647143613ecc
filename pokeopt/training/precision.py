"""Number formats: fp32, or mixed with bf16 or fp16 where the products are."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch

from pokeopt.errors import SpecError
from pokeopt.registry import nearest

DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}


def choose_precision(name: str, device: torch.device) -> str:
    """Return ``fp32``, ``bf16`` or ``fp16``.

    ``auto`` is fp32 on the CPU; on CUDA it is bf16, or fp16 where the GPU has no bf16.
    """
    known = ("auto", "fp32", *DTYPES)
    if name not in known:
        raise SpecError("training.precision", f"no precision is called '{name}'", nearest(name, known))
    if name != "auto":
        return name
    if device.type != "cuda":
        return "fp32"
    return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp16"


def autocast(precision: str, device: torch.device) -> AbstractContextManager[object]:
    """Return the context in which a network computes."""
    if precision == "fp32":
        return nullcontext()
    return torch.autocast(device.type, dtype=DTYPES[precision])


def make_scaler(precision: str, device: torch.device) -> torch.amp.GradScaler:
    """Return the scaler that keeps fp16 gradients from vanishing; it does nothing in the other formats."""
    return torch.amp.GradScaler(device.type, enabled=precision == "fp16")
