"""What a frozen backbone makes of the images, computed once for all trials that share it."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from filelock import FileLock

from pokeopt.data import Dataset
from pokeopt.models.base import ImageShape, Model, StandardisedModel
from pokeopt.training.precision import autocast

BATCH = 32
VERSION = 1  # raise it when the features of the same weights would come out otherwise


def frozen_features(
    model: Model,
    dataset: Dataset,
    statistics: tuple[torch.Tensor, torch.Tensor],
    cache_dir: Path,
    device: torch.device,
    precision: str,
) -> npt.NDArray[np.float32] | None:
    """Return the features (M, F) of all images of a data set, memory-mapped; None where training changes them.

    Args:
        model: A family; its ``features_key`` names what the features are computed with, None or nothing where seeds or
            training decide on it.
        dataset: Its images.
        statistics: Means and standard deviations that they are standardised with.
        cache_dir: Folder of the image cache.
        device: Where to compute.
        precision: ``fp32``, ``bf16`` or ``fp16``.
    """
    key = getattr(model, "features_key", None)
    if key is None:
        return None
    _, channels, height, width = dataset.images.shape
    named = json.dumps([VERSION, key, dataset.data_hash, precision, device.type])
    file = cache_dir / "features" / f"{hashlib.sha256(named.encode()).hexdigest()[:32]}.npy"
    if not file.is_file():
        file.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{file}.lock"):
            if not file.is_file():
                network = model.build(ImageShape(channels, height, width), len(dataset.classes))
                module = StandardisedModel(network, *statistics).to(device).eval()
                draft = file.with_suffix(f".{os.getpid()}.draft")
                with draft.open("wb") as opened:
                    np.save(opened, _computed(module, dataset, device, precision))
                draft.replace(file)
    features: npt.NDArray[np.float32] = np.load(file, mmap_mode="r")
    return features


def _computed(
    module: StandardisedModel, dataset: Dataset, device: torch.device, precision: str
) -> npt.NDArray[np.float32]:
    rows = []
    for start in range(0, len(dataset.images), BATCH):
        images = torch.from_numpy(np.array(dataset.images[start : start + BATCH])).to(device)
        with torch.inference_mode(), autocast(precision, device):
            rows.append(module.network.features(module.standardised(images)).float().cpu().numpy())
    return np.concatenate(rows)
