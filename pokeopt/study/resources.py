"""How many trials at a time, and what each may use."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from pokeopt.errors import SpecError
from pokeopt.spec import ResourcesSpec

GPU_DEVICES = ("nvidia[0-9]*", "kfd", "dxg")  # NVIDIA, AMD, Windows' Linux
TRIALS_PER_GPU = 4  # small image models leave a GPU mostly idle


@dataclass(frozen=True)
class Placement:
    """What was made of ``resources``: every ``auto`` is a number.

    Attributes:
        workers: Trials at a time; 0 runs them in this process.
        cpus_per_trial: CPU cores, and torch threads, of a trial.
        gpus_per_trial: GPUs of a trial; below 1 several share one.
    """

    workers: int
    cpus_per_trial: int
    gpus_per_trial: float

    @property
    def device(self) -> str:
        """What a trial is told: ``auto`` takes the GPU that Ray gave it, if torch can use it."""
        return "auto" if self.gpus_per_trial > 0 or self.workers == 0 else "cpu"


def place(resources: ResourcesSpec, n_cpus: int | None = None, n_gpus: int | None = None) -> Placement:
    """Return the placement on a machine (or cluster) of so many cores and GPUs; by default this machine's."""
    cpus = n_cpus if n_cpus is not None else available_cpus()
    gpus = n_gpus if n_gpus is not None else available_gpus()
    cpus_per_trial = 1 if resources.cpus_per_trial == "auto" else int(resources.cpus_per_trial)
    if resources.gpus_per_trial == "auto":
        gpus_per_trial = (
            max(1 / TRIALS_PER_GPU, min(1.0, gpus / max(cpus // cpus_per_trial, 1))) if gpus else 0.0
        )
    else:
        gpus_per_trial = float(resources.gpus_per_trial)
    if gpus_per_trial > gpus:
        what = f"a trial wants {gpus_per_trial:g} GPUs and there are {gpus}"
        raise SpecError("resources.gpus_per_trial", what, "set it to 0 or auto")
    if cpus_per_trial > cpus:
        what = f"a trial wants {cpus_per_trial} cores and there are {cpus}"
        raise SpecError("resources.cpus_per_trial", what, "set it to auto")
    if resources.workers != "auto":
        return Placement(int(resources.workers), cpus_per_trial, gpus_per_trial)
    return Placement(
        max(1, min(cpus // cpus_per_trial, _by_gpu(gpus_per_trial, gpus, cpus))),
        cpus_per_trial,
        gpus_per_trial,
    )


def available_cpus() -> int:
    """Return the cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def available_gpus() -> int:
    """Return the GPUs that torch can use; torch is loaded only where there is a device to ask about."""
    if not any(any(Path("/dev").glob(pattern)) for pattern in GPU_DEVICES):
        return 0
    import torch

    return torch.cuda.device_count() if torch.cuda.is_available() else 0


def auto_precision(placement: Placement) -> str:
    """Return what ``training.precision: auto`` means where trials are placed so."""
    if placement.device == "cpu" or available_gpus() == 0:
        return "fp32"
    import torch

    return "bf16" if torch.cuda.is_bf16_supported() else "fp16"


def _by_gpu(fraction: float, gpus: int, otherwise: int) -> int:
    """Return how many trials the GPUs hold: a trial never straddles two of them in part."""
    if fraction == 0:
        return otherwise
    return int(gpus // fraction) if fraction >= 1 else gpus * int(1 / fraction + 1e-9)
