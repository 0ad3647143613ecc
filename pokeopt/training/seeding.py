"""Where random numbers come from: every stream follows from the trial's seed and its own name."""

from __future__ import annotations

import hashlib

import torch


def derive(seed: int, *names: str | int) -> int:
    """Return a seed in [0, 2^63) for one stream, like ``derive(3, "order", 7)`` for the image order of epoch 7.

    Streams of neighbouring seeds or epochs share nothing, which seed + epoch would not give.
    """
    text = "/".join(str(name) for name in (seed, *names))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little") >> 1


def generator(device: torch.device, seed: int, *names: str | int) -> torch.Generator:
    """Return a generator on a device for one stream."""
    return torch.Generator(device).manual_seed(derive(seed, *names))


def seed_default(seed: int, *names: str | int) -> None:
    """Seed torch's own generators, on the CPU and every GPU, which initialisation and dropout draw from."""
    torch.manual_seed(derive(seed, *names))


def default_state(device: torch.device) -> list[torch.Tensor]:
    """Return the state of the generators that layers on this device draw from."""
    states = [torch.get_rng_state()]
    if device.type == "cuda":
        states.append(torch.cuda.get_rng_state(device))
    return states


def restore_default(states: list[torch.Tensor], device: torch.device) -> None:
    """Set the generators to states that ``default_state`` gave on the same kind of device."""
    torch.set_rng_state(states[0].cpu())
    if device.type == "cuda" and len(states) > 1:
        torch.cuda.set_rng_state(states[1].cpu(), device)
