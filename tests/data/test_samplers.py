"""Laws of every image sampler: positions of the training part, the same for a generator, as balanced as promised."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from pokeopt.registry import IMAGE_SAMPLERS

NAMES = IMAGE_SAMPLERS.names()
COUNTS = (60, 30, 12)
sizes = st.lists(st.integers(1, 30), min_size=1, max_size=5)


def labels_of(counts: tuple[int, ...]) -> Tensor:
    """Return shuffled labels, so that position says nothing of class."""
    labels = torch.repeat_interleave(torch.arange(len(counts)), torch.tensor(counts))
    return labels[torch.randperm(len(labels), generator=torch.Generator().manual_seed(1))]


def draw(name: str, labels: Tensor, seed: int = 0) -> Tensor:
    indices: Tensor = IMAGE_SAMPLERS.make(name).indices(labels, torch.Generator().manual_seed(seed))
    return indices


def test_the_documents_samplers_are_there() -> None:
    assert {"oversample", "shuffle", "undersample", "weighted"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
@given(counts=sizes, seed=st.integers(0, 99))
def test_every_position_exists(name: str, counts: list[int], seed: int) -> None:
    labels = labels_of(tuple(counts))
    indices = draw(name, labels, seed)
    assert indices.dtype == torch.int64
    assert len(indices) > 0
    assert int(indices.min()) >= 0
    assert int(indices.max()) < len(labels)


@pytest.mark.parametrize("name", NAMES)
def test_a_generator_decides_all_and_epochs_differ(name: str) -> None:
    labels, generator = labels_of(COUNTS), torch.Generator().manual_seed(4)
    sampler = IMAGE_SAMPLERS.make(name)
    first, second = sampler.indices(labels, generator), sampler.indices(labels, generator)
    assert torch.equal(first, draw(name, labels, seed=4))
    assert not torch.equal(first, second)


@pytest.mark.parametrize("name", NAMES)
def test_the_order_does_not_tell_the_class(name: str) -> None:
    labels = labels_of((200, 200))
    drawn = labels[draw(name, labels)]
    assert 0.3 < float(drawn[: len(drawn) // 2].float().mean()) < 0.7


@given(counts=sizes)
def test_shuffle_takes_every_image_once(counts: list[int]) -> None:
    labels = labels_of(tuple(counts))
    assert torch.equal(draw("shuffle", labels).sort().values, torch.arange(len(labels)))


@given(counts=sizes)
def test_undersample_takes_the_rarest_count_of_each_class_without_repeats(counts: list[int]) -> None:
    labels = labels_of(tuple(counts))
    indices = draw("undersample", labels)
    assert len(torch.unique(indices)) == len(indices)
    assert torch.bincount(labels[indices]).tolist() == [min(counts)] * len(counts)


@given(counts=sizes)
def test_oversample_takes_every_image_and_the_largest_count_of_each_class(counts: list[int]) -> None:
    labels = labels_of(tuple(counts))
    indices = draw("oversample", labels)
    assert len(torch.unique(indices)) == len(labels)
    assert torch.bincount(labels[indices]).tolist() == [max(counts)] * len(counts)
    repeats = torch.bincount(indices)
    for label in range(len(counts)):  # no image of a class is shown much oftener than another
        assert int(repeats[labels == label].max() - repeats[labels == label].min()) <= 1


def test_weighted_draws_classes_equally() -> None:
    labels = labels_of(tuple(100 * count for count in COUNTS))
    indices = draw("weighted", labels)
    assert len(indices) == len(labels)
    shares = torch.bincount(labels[indices]) / len(labels)
    torch.testing.assert_close(shares, torch.full((3,), 1 / 3), rtol=0, atol=0.02)


@pytest.mark.parametrize("name", NAMES)
def test_a_class_without_images_is_no_matter(name: str) -> None:
    labels = torch.tensor([0, 2, 2, 2])  # a class may have no image in a redrawn training part
    assert set(labels[draw(name, labels)].tolist()) <= {0, 2}


@pytest.mark.gpu
@pytest.mark.parametrize("name", NAMES)
def test_on_cuda(name: str) -> None:
    labels = labels_of(COUNTS).cuda()
    indices = IMAGE_SAMPLERS.make(name).indices(labels, torch.Generator("cuda").manual_seed(0))
    assert indices.device.type == "cuda"
    assert int(indices.max()) < len(labels)
