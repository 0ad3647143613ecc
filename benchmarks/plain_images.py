"""The plain loop's images: PNG files that Pillow decodes one by one, torchvision's transforms, a DataLoader."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, WeightedRandomSampler

from benchmarks.baselines import MODES, Facts
from pokeopt.registry import split_component

Batches = DataLoader[tuple[Tensor, ...]]
Augmentation = Sequence[tuple[str, Mapping[str, Any]]]  # names and settings, as our side has them


class Pictures(Dataset[tuple[Tensor, ...]]):
    """Images of a folder of classes, decoded when they are asked for.

    Args:
        folder: With a folder for each class.
        facts: Of the images.
        augmentation: Of each image.
    """

    def __init__(self, folder: Path, facts: Facts, augmentation: Augmentation) -> None:
        self.files = sorted(folder.glob("*/*.png"))
        self.labels = [int(file.parent.name) for file in self.files]
        self.mode = MODES[facts.channels]
        self.transform = build_transform(augmentation, facts)

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, i: int) -> tuple[Tensor, ...]:
        """Return (image, label)."""
        return self.transform(opened(self.files[i], self.mode)), torch.tensor(self.labels[i])


class Pairs(Pictures):
    """Images with a mask and the image to be made beside them; a flip turns all three."""

    def __init__(self, folder: Path, facts: Facts, augmentation: Augmentation) -> None:
        super().__init__(folder, facts, ())
        unknown = [name for name, _ in augmentation if name != "horizontal_flip"]
        if unknown:
            raise SystemExit(f"the plain loop for pairs knows no augmentation '{unknown[0]}'")
        self.flips = [settings["probability"] for _, settings in augmentation]

    def __getitem__(self, i: int) -> tuple[Tensor, ...]:
        """Return (image and mask, target, label)."""
        from torchvision.transforms import functional

        file = self.files[i]
        image, target = opened(file, self.mode), opened(file.with_suffix(".target"), self.mode)
        mask = opened(file.with_suffix(".mask"), "RGB")
        for probability in self.flips:
            if random.random() < probability:
                image, mask, target = (functional.hflip(one) for one in (image, mask, target))
        given = torch.cat([self.transform(image), self.transform(mask)])
        return given, self.transform(target), torch.tensor(self.labels[i])


def build_loaders(
    config: Mapping[str, Any], facts: Facts, folder: Path, n_workers: int, device: torch.device
) -> tuple[Batches, Batches]:
    """Return the DataLoaders of training and validation.

    Args:
        config: Resolved, as our side is given it.
        facts: Of the images.
        folder: With the images, see ``write_images``.
        n_workers: Of each DataLoader.
        device: Where the images go; those for a GPU are pinned.
    """
    training = config["training"]
    augmentation = [split_component(component) for component in training["augmentation"]]
    train, val = (
        Pairs(folder / part, facts, steps) if facts.is_paired else Pictures(folder / part, facts, steps)
        for part, steps in (("train", augmentation), ("val", []))
    )
    sampler = None
    if training["sampler"] == "weighted":
        counts = torch.bincount(torch.tensor(train.labels))
        sampler = WeightedRandomSampler([1 / counts[label].item() for label in train.labels], len(train))
    size, is_pinned = training["batch_size"], device.type == "cuda"
    train_loader = DataLoader(
        train,
        size,
        shuffle=sampler is None,
        sampler=sampler,
        num_workers=n_workers,
        pin_memory=is_pinned,
        drop_last=len(train) % size == 1,  # batch norm cannot normalise over a single image
    )
    return train_loader, DataLoader(val, size, num_workers=n_workers, pin_memory=is_pinned)


def unpacked(batch: list[Tensor]) -> tuple[Tensor, Tensor, Tensor]:
    """Return (what the network is given, what it should make, labels): without a target, the image itself."""
    return batch[0], batch[1] if len(batch) == 3 else batch[0], batch[-1]


def build_transform(augmentation: Augmentation, facts: Facts) -> Callable[[Image.Image], Tensor]:
    """Return torchvision's counterparts of our augmentations, then the way to a standardised tensor."""
    from torchvision import transforms

    steps: list[Any] = []
    for name, given in augmentation:
        if name == "horizontal_flip":
            steps.append(transforms.RandomHorizontalFlip(given["probability"]))
        elif name == "affine":
            move, scale = (given["translate"],) * 2, (1 - given["scale"], 1 + given["scale"])
            steps.append(transforms.RandomAffine(given["degrees"], move, scale, given["shear"]))
        elif name == "color_jitter":
            steps.append(transforms.ColorJitter(given["brightness"], given["contrast"], given["saturation"]))
        else:
            raise SystemExit(f"the plain loop knows no augmentation '{name}'")
    steps.append(transforms.ToTensor())
    if (facts.mean, facts.std) != ((0.0,), (1.0,)):
        steps.append(transforms.Normalize(facts.mean, facts.std))
    composed: Callable[[Image.Image], Tensor] = transforms.Compose(steps)
    return composed


def opened(file: Path, mode: str) -> Image.Image:
    """Return the decoded image of a file."""
    with Image.open(file) as image:
        return image.convert(mode)
