"""Batches cut by index."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pokeopt.training.batches import PartImages, TrainingData, batch_bounds, channel_statistics

CPU = torch.device("cpu")


@given(st.integers(1, 500), st.integers(1, 70))
def test_bounds_cover_every_image_once(n_images: int, batch_size: int) -> None:
    """And no batch of one is left over, which batch norm could not take."""
    bounds = batch_bounds(n_images, batch_size)
    assert [i for start, stop in bounds for i in range(start, stop)] == list(range(n_images))
    sizes = [stop - start for start, stop in bounds]
    assert max(sizes) <= batch_size + 1
    assert batch_size == 1 or n_images == 1 or min(sizes) > 1


@pytest.mark.parametrize("resident", [False, True])
def test_batches_hold_the_images_that_were_asked_for(resident: bool) -> None:
    """Positions count within the part, in its order."""
    images = np.arange(10 * 3 * 2 * 2, dtype=np.uint8).reshape(10, 3, 2, 2)
    labels = np.arange(10) + 100
    part = PartImages(images, labels, np.array([7, 2, 5]), CPU, resident=resident)
    batch = part.batch(torch.tensor([2, 0]))
    assert batch.images.dtype == torch.uint8
    assert (batch.images.numpy() == images[[5, 7]]).all()
    assert batch.labels.tolist() == [105, 107]
    assert torch.cat([batch.labels for batch in part.batches(2)]).tolist() == [107, 102, 105]


def test_a_read_only_map_is_read_without_a_copy_or_a_warning(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """The cache is shared by all workers."""
    file = tmp_path_factory.mktemp("cache") / "images.npy"
    np.save(file, np.full((4, 1, 2, 2), 9, dtype=np.uint8))
    part = PartImages(np.load(file, mmap_mode="r"), np.zeros(4, dtype=np.int64), None, CPU)
    assert int(part.batch(torch.tensor([3])).images.sum()) == 36


def test_statistics_are_those_of_the_indexed_images() -> None:
    """Mean and population standard deviation of the intensity, channel by channel."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (600, 3, 5, 7), dtype=np.uint8)
    images[:, 2] = 255  # an alpha channel without holes
    index = np.sort(rng.choice(600, 400, replace=False))
    mean, std = channel_statistics(images, index)
    expected = images[index] / 255
    np.testing.assert_allclose(mean, expected.mean(axis=(0, 2, 3)), rtol=1e-5)
    np.testing.assert_allclose(std[:2], expected.std(axis=(0, 2, 3))[:2], rtol=1e-5)
    assert float(std[2]) == 1


def test_the_loss_context_counts_the_training_part(data: TrainingData) -> None:
    context = data.loss_context()
    assert context.n_classes == 3
    assert int(context.class_counts.sum()) == len(data.train) == 90
