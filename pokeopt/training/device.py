"""The device of a trial: choosing it, sharing it, and what it was used for."""

from __future__ import annotations

import os
import resource
import sys
from pathlib import Path

import torch

from pokeopt.errors import TrialError

MB = 1e6


def choose_device(name: str) -> torch.device:
    """Return the device called ``auto``, ``cpu`` or ``cuda``; ``auto`` is the GPU where there is one.

    Raises:
        TrialError: If a GPU is asked for and there is none.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name == "cuda" and not torch.cuda.is_available():
        raise TrialError("device", "torch sees no GPU", "use device auto or cpu")
    return torch.device(name)


def prepare_device(device: torch.device, threads: int, memory_fraction: float, deterministic: bool) -> None:
    """Set this process up for one trial; everything is set, so that nothing of the trial before remains."""
    torch.set_num_threads(threads)
    if deterministic:
        # cuBLAS reads this when its first handle is made, and refuses to be deterministic without it
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    # to say so loads torch's compiler, which takes seconds
    if deterministic != torch.are_deterministic_algorithms_enabled():
        torch.use_deterministic_algorithms(deterministic)
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined] # it only serves debugging
    torch.backends.cudnn.deterministic = deterministic
    torch.backends.cudnn.benchmark = not deterministic
    if device.type == "cuda":
        torch.cuda.set_per_process_memory_fraction(memory_fraction, device)
        torch.cuda.reset_peak_memory_stats(device)
    else:
        _reset_peak_rss()


def release_device(device: torch.device) -> None:
    """Give cached GPU memory back, for the other trials on this GPU."""
    if device.type == "cuda":
        torch.cuda.empty_cache()


def peak_mem_mb(device: torch.device) -> float:
    """Return the most memory held since ``prepare_device``, in 10^6 bytes: of the GPU, or of the process."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / MB
    status = Path("/proc/self/status")
    if status.is_file():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024 / MB
    unit = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss: bytes there, kilobytes elsewhere
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / MB


def gpu_util_pct(device: torch.device) -> float | None:
    """Return how busy the GPU is now, in percent; None without a GPU or without NVIDIA's management library."""
    if device.type != "cuda":
        return None
    try:
        return float(torch.cuda.utilization(device))
    except (ModuleNotFoundError, RuntimeError):
        return None


def _reset_peak_rss() -> None:
    """Forget the peak of earlier trials in this process, where the kernel lets us (Linux)."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return
