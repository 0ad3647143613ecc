"""A backbone in a stem and four stages, whatever it is built of: what can be frozen and unfrozen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from torch import nn

N_STAGES = 4
# Parts of a network that are opened, so that what lies in them is a unit of its own; every other part is one unit.
OPENED = ("features", "layers", "blocks", "trunk_output", "encoder", "encoder.layers", "classifier")


@dataclass(frozen=True)
class Stages:
    """Which part of a backbone belongs to which stage.

    Attributes:
        modules: Of stage 0, the stem, to stage 4, the last: names of modules, in the order of the forward pass.
    """

    modules: tuple[tuple[str, ...], ...]

    def of(self, parameter: str) -> int:
        """Return the stage of a parameter, by its name.

        What lies in no unit is the stem's: a transformer's class token and its positions.
        """
        for stage, names in enumerate(self.modules):
            if any(parameter.startswith(f"{name}.") for name in names):
                return stage
        return 0


def divide(backbone: nn.Module) -> Stages:
    """Divide a backbone into stem and stages.

    Its units are taken in the order of the forward pass. Those without parameters are left out; one that holds nothing
    but vectors, a norm, stays with the unit before it. A new group begins at each unit that makes the maps smaller.

    1. Five groups are stem and stages: ResNet (``layer1`` to ``layer4`` are the stages), ResNeXt, VGG, DenseNet,
       RegNet, EfficientNet, MobileNet, MNASNet, MaxViT, GoogLeNet, Inception.
    2. Otherwise the first unit is the stem. Four groups behind it are the stages: ConvNeXt.
    3. Otherwise the units behind it are shared out evenly: a ViT's layers, a Swin's resolutions, two fire modules each
       of a SqueezeNet, one convolution each of an AlexNet, ``stage2`` to ``conv5`` of a ShuffleNet.
    """
    units = list(_units(backbone))
    groups = _groups(units)
    if len(groups) != 1 + N_STAGES:
        stem, behind = units[:1], units[1:]
        groups = [stem, *_groups(behind)]
        if len(groups) != 1 + N_STAGES:
            bounds = [len(behind) * i // N_STAGES for i in range(N_STAGES + 1)]
            groups = [stem, *(behind[bounds[i] : bounds[i + 1]] for i in range(N_STAGES))]
    return Stages(tuple(tuple(name for unit in group for name in unit.names) for group in groups))


@dataclass
class _Unit:
    names: list[str]
    is_smaller: bool  # than the maps of the unit before it


def _units(backbone: nn.Module) -> Iterator[_Unit]:
    unit, is_smaller = None, False
    for name, module in _parts(backbone):
        is_smaller = is_smaller or _makes_smaller(module)
        dimensions = [parameter.ndim for parameter in module.parameters()]
        if not dimensions:
            continue
        if unit is not None and max(dimensions) < 2:
            unit.names.append(name)
            continue
        if unit is not None:
            yield unit
        unit, is_smaller = _Unit([name], is_smaller), False
    if unit is not None:
        yield unit


def _parts(module: nn.Module, prefix: str = "") -> Iterator[tuple[str, nn.Module]]:
    for name, part in module.named_children():
        if prefix + name in OPENED:
            yield from _parts(part, f"{prefix}{name}.")
        else:
            yield prefix + name, part


def _makes_smaller(module: nn.Module) -> bool:
    strides = (getattr(part, "stride", 1) for part in module.modules())
    return any(max(stride if isinstance(stride, Sequence) else (stride,)) > 1 for stride in strides)


def _groups(units: Sequence[_Unit]) -> list[list[_Unit]]:
    groups: list[list[_Unit]] = []
    for unit in units:
        if unit.is_smaller or not groups:
            groups.append([])
        groups[-1].append(unit)
    return groups
