"""Batches cut from byte images by index: no DataLoader, no float copy of the data set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from pokeopt.losses.base import Batch, LossContext
from pokeopt.models.base import ImageShape
from pokeopt.training.augmenting import Layers

Bytes = npt.NDArray[np.uint8]
Features = npt.NDArray[np.float32]
RESIDENT_SHARE = 0.25  # of the trial's GPU memory that images may fill; the rest is the network's


class PartImages:
    """The images of one part: left in the mapped cache on the CPU, on the GPU as a whole where they fit.

    Args:
        images: (M, C, H, W) bytes, or (M, F) features, the part's or those of the whole data set.
        labels: (M,) class indices.
        index: (N,) rows of the part, in its order; None takes all.
        device: Where batches are needed.
        resident: Move all images to the device now.
    """

    def __init__(
        self,
        images: Bytes | Features,
        labels: npt.NDArray[np.int64],
        index: npt.NDArray[np.int64] | None,
        device: torch.device,
        *,
        resident: bool = False,
    ) -> None:
        self.index = np.arange(len(images)) if index is None else index
        self.truth: npt.NDArray[np.int64] = np.asarray(labels)[self.index].astype(np.int64)
        self.device = device
        self._images = np.asarray(
            images
        )  # of a memory map, a plain view: indexing it is faster, and copies no more
        self._labels = torch.from_numpy(self.truth).to(device)
        self._resident = torch.from_numpy(images[self.index]).to(device) if resident else None

    def __len__(self) -> int:
        return len(self.index)

    def place(self, positions: Tensor) -> Tensor:
        """Return positions (n,) where ``batch`` wants them: one transfer an epoch instead of one a batch."""
        return positions if self._resident is None else positions.to(self.device)

    def batch(self, positions: Tensor) -> Batch:
        """Return the images (n, C, H, W) as bytes and labels (n,) at positions (n,) of the part, on the device."""
        if self._resident is not None:
            placed = self.place(positions)
            return Batch(self._resident[placed], self._labels[placed])
        images = torch.from_numpy(self._images[self.index[positions.numpy()]])
        if self.device.type == "cpu":
            return Batch(images, self._labels[positions])
        on_device = positions.to(self.device, non_blocking=True)
        return Batch(images.pin_memory().to(self.device, non_blocking=True), self._labels[on_device])

    def batches(self, size: int) -> Iterator[Batch]:
        """Yield the whole part in its order."""
        for positions in self.place(torch.arange(len(self))).split(size):
            yield self.batch(positions)


@dataclass(frozen=True)
class TrainingData:
    """What a network is trained and validated on.

    Attributes:
        train: The training part.
        val: The validation part; may be empty.
        shape: Of one image.
        classes: K names.
        mean: (C,) means of the training images' intensity in [0, 1], or what a network is used to.
        std: (C,) their standard deviations; 1 for a channel that is constant.
        channels: How those of a stored image are divided; None where all of them are the image's.
        slices: Name to which images of the validation part are in it.
    """

    train: PartImages
    val: PartImages
    shape: ImageShape
    classes: tuple[str, ...]
    mean: Tensor
    std: Tensor
    channels: Layers | None = None
    slices: Mapping[str, npt.NDArray[np.bool_]] = field(default_factory=dict)

    @property
    def layers(self) -> Layers:
        """How the channels of a stored image are divided."""
        return self.channels or Layers(self.shape.channels)

    def loss_context(self) -> LossContext:
        """Return what loss terms may know of the training part."""
        counts = np.bincount(self.train.truth, minlength=len(self.classes))
        return LossContext(torch.from_numpy(counts), len(self.classes))


def channel_statistics(images: Bytes, index: npt.NDArray[np.int64]) -> tuple[Tensor, Tensor]:
    """Return the mean (C,) and the standard deviation (C,) of the intensity in [0, 1] of the indexed images."""
    n_channels = images.shape[1]
    total, squares, n_pixels = np.zeros(n_channels), np.zeros(n_channels), 0
    for rows in np.array_split(index, max(1, len(index) // 256)):
        pixels = images[rows].astype(np.float32)
        total += pixels.sum(axis=(0, 2, 3), dtype=np.float64)
        squares += np.einsum("nchw,nchw->c", pixels, pixels, dtype=np.float64)
        n_pixels += pixels[:, 0].size
    mean = total / n_pixels
    std = np.sqrt(np.maximum(squares / n_pixels - mean**2, 0))
    std[std < 1e-3] = 255  # less than a hundredth of a grey level is rounding, not a signal
    return torch.from_numpy(mean / 255).float(), torch.from_numpy(std / 255).float()


def fits_on_device(n_bytes: int, device: torch.device, memory_fraction: float) -> bool:
    """Whether images of this size may stay in the GPU's memory for the whole trial."""
    if device.type != "cuda":
        return False
    total: int = torch.cuda.get_device_properties(device).total_memory
    return n_bytes <= RESIDENT_SHARE * memory_fraction * total


def batch_bounds(n_images: int, batch_size: int) -> list[tuple[int, int]]:
    """Return (start, stop) of each batch of an epoch.

    A last batch of one image joins the one before: batch norm cannot normalise over a single image.
    """
    starts = list(range(0, n_images, batch_size))
    if len(starts) > 1 and n_images - starts[-1] == 1:
        starts.pop()
    return list(zip(starts, [*starts[1:], n_images], strict=True))
