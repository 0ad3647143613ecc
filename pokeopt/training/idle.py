"""Parameters that do not learn: unknown to the optimizer, or without a gradient."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from torch import Tensor, nn


def unregistered(module: nn.Module, known: Collection[nn.Parameter]) -> list[str]:
    """Return the names of tensors that ask for a gradient and that no optimizer will ever move.

    They lie in a plain list or dict, where torch does not look for layers, or in none of the optimizer's groups.

    Args:
        module: The network.
        known: What the optimizer was given.

    Source: the PVAE's published code keeps its partition layers in plain lists, so that they are never trained.
    """
    moved = {id(parameter) for parameter in known}
    found = {
        id(parameter): name
        for name, parameter in module.named_parameters()
        if parameter.requires_grad and id(parameter) not in moved
    }
    registered = {id(parameter) for parameter in module.parameters()}
    for path, submodule in module.named_modules():
        for key, value in vars(submodule).items():
            if key in ("_parameters", "_modules", "_buffers"):
                continue
            for name, tensor in _tensors(value, f"{path}.{key}" if path else key):
                if id(tensor) not in registered and id(tensor) not in moved:
                    found.setdefault(id(tensor), name)
    return list(found.values())


def without_gradient(module: nn.Module, known: Collection[nn.Parameter]) -> list[str]:
    """Return the names of trained parameters whose gradient of the last batch was absent or zero throughout.

    Those that are frozen until their turn comes ask for no gradient, and are not named.

    None where there was no batch: a training that was continued after its last one says nothing.
    """
    if all(parameter.grad is None for parameter in known):
        return []
    moved = {id(parameter) for parameter in known}
    return [
        name
        for name, parameter in module.named_parameters()
        if id(parameter) in moved
        and parameter.requires_grad
        and (parameter.grad is None or not bool(parameter.grad.count_nonzero()))
    ]


def _tensors(value: Any, name: str) -> Iterator[tuple[str, Tensor]]:
    """Yield the trainable tensors in a plain attribute, by name."""
    if isinstance(value, nn.Module):
        for inner, parameter in value.named_parameters():
            if parameter.requires_grad:
                yield f"{name}.{inner}", parameter
    elif isinstance(value, Tensor):
        if value.requires_grad and value.is_leaf:
            yield name, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _tensors(item, f"{name}.{key}")
    elif isinstance(value, (list, tuple)):
        for i, item in enumerate(value):
            yield from _tensors(item, f"{name}.{i}")
