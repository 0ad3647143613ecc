"""The pictures of a finished trial: what its first network sees, makes and gets wrong."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from pokeopt.data.dataset import read_source
from pokeopt.data.images import to_rgba
from pokeopt.data.sources.base import SourceTable
from pokeopt.data.split import choose_limited
from pokeopt.registry import split_component
from pokeopt.training import seeding
from pokeopt.training.augmenting import augmented
from pokeopt.training.batches import PartImages
from pokeopt.training.network import Network
from pokeopt.training.outputs import PartOutputs
from pokeopt.training.partitions import DEAD_BELOW
from pokeopt.trial import pictures
from pokeopt.trial.prepare import Prepared

Pictures = dict[str, bytes]
Drawing = Generator[None, None, Pictures]
Originals = dict[str, npt.NDArray[np.uint8]]  # id to RGBA (H, W, 4)
MOST_MADE = 256  # images that are made to choose some from
PREPROCESSED, AUGMENTED, DRAWS, TRAVERSED, SAMPLES = 24, 3, 7, 3, 24


def draw_pictures(
    prepared: Prepared,
    network: Network,
    test: PartOutputs | None,
    snapshots: Mapping[int, Tensor],
    metrics: Mapping[str, float],
) -> Drawing:
    """Return the pictures of a network at its kept epoch, file name to PNG; yield now and then.

    Args:
        prepared: The trial.
        network: With the weights of the kept epoch.
        test: What it says of the test part; None without one.
        snapshots: Epoch to the images that it then made of the first validation images, bytes.
        metrics: The network's, by whole name.
    """
    drawn = _found(prepared, network.task)
    yield
    drawn |= _augmentations(prepared, network)
    yield
    if network.task == "classification":
        return drawn | _mistakes(prepared, test)
    drawn |= yield from _made(prepared, network)
    drawn |= _snapshots(prepared, snapshots)
    yield
    if hasattr(network.module.network, "decode"):
        drawn |= yield from _samples(prepared, network)
        drawn |= yield from _traversals(prepared, network, metrics)
    return drawn


def _found(prepared: Prepared, task: str) -> Pictures:
    """Draw images as they were found and what each preprocessing step leaves of them."""
    data = prepared.task.config["data"]

    @cache  # listed only where a sheet is drawn anew
    def listed() -> tuple[SourceTable, npt.NDArray[np.int64]]:
        table = read_source(data, Path(prepared.task.cache_dir).parent)
        return table, choose_limited(table, data.get("limit"), data["split"]["seed"])

    def open_rows(rows: npt.NDArray[np.int64]) -> Originals:
        table, known = listed()
        return {str(table.ids[known[row]]): to_rgba(table.open(int(known[row]))) for row in rows.tolist()}

    drawn: Pictures = {}
    if task != "translation":  # whose pairs a sheet of their own shows
        drawn |= _kept(prepared, "examples", lambda: _examples(prepared, open_rows))
    if data["preprocess"]:
        drawn |= _kept(
            prepared,
            "preprocessing",
            lambda: pictures.draw_preprocessing(
                open_rows(_spaced(prepared.dataset.train, PREPROCESSED)),
                data["preprocess"],
                data["image_size"],
                data["channels"],
            ),
        )
    return drawn


def _kept(prepared: Prepared, name: str, draw: Callable[[], Pictures]) -> Pictures:
    """Return a sheet that is the same for every trial on these images: from the cache, else drawn and kept there."""
    known = Path(prepared.task.cache_dir) / "pictures" / f"{prepared.dataset.data_hash}-{name}.png"
    if known.is_file():
        return {f"{name}.png": known.read_bytes()}
    drawn = draw()
    known.parent.mkdir(parents=True, exist_ok=True)
    for content in drawn.values():
        draft = known.with_suffix(f".{os.getpid()}.draft")
        draft.write_bytes(content)
        draft.replace(known)
    return drawn


def _examples(prepared: Prepared, open_rows: Callable[[npt.NDArray[np.int64]], Originals]) -> Pictures:
    dataset = prepared.dataset
    labels = dataset.labels[dataset.train]
    sizes = np.bincount(labels, minlength=len(dataset.classes))
    largest = np.argsort(-sizes, kind="stable")[: pictures.MOST_CLASSES]
    order = largest if len(sizes) > pictures.MOST_CLASSES else np.arange(len(sizes))
    of_class = {k: dataset.train[labels == k] for k in order.tolist()}
    examples = {
        dataset.classes[k]: open_rows(rows[pictures.random_rows(len(rows), pictures.EACH)])
        for k, rows in of_class.items()
    }
    return pictures.draw_examples(examples, len(dataset.classes), len(dataset.train))


def _augmentations(prepared: Prepared, network: Network) -> Pictures:
    steps = prepared.recipe.augmentation
    if not steps:
        return {}
    data = prepared.data
    chosen = _spaced(np.arange(len(data.train)), AUGMENTED)
    generator = seeding.generator(network.device, network.seed, "pictures", "augmentation")
    # in one batch, so that images which mix have others to mix with
    stored = data.train.batch(torch.from_numpy(np.tile(chosen, DRAWS)))
    drawn = augmented(stored, steps, generator, data.layers, network.task, len(data.classes))
    images = _first_channels(drawn.images, data.layers.image)
    names = [split_component(one)[0] for one in prepared.task.config["training"]["augmentation"]]
    originals = _first_channels(stored.images[: len(chosen)], data.layers.image)
    draws = images.reshape(DRAWS, len(chosen), *images.shape[1:]).swapaxes(0, 1)
    return pictures.draw_augmentations(originals, draws, names)


def _mistakes(prepared: Prepared, test: PartOutputs | None) -> Pictures:
    if test is None or test.probabilities is None:
        return {}
    dataset = prepared.dataset
    part = PartImages(dataset.images, dataset.labels, dataset.test, torch.device("cpu"))
    images = np.asarray(dataset.images)[dataset.test]
    drawn = pictures.draw_confusion(test.probabilities, part.truth, dataset.classes)
    return drawn | pictures.draw_worst(images, test.probabilities, part.truth, dataset.classes)


def _made(prepared: Prepared, network: Network) -> Drawing:
    """Draw what comes out of test images, or of validation images where there is no test part."""
    dataset, layers = prepared.dataset, prepared.data.layers
    part, rows = ("test", dataset.test) if len(dataset.test) else ("val", dataset.val)
    rows = _spaced(rows, MOST_MADE)
    images = PartImages(dataset.images, dataset.labels, rows, network.device)
    made = []
    for batch in images.batches(64):
        made.append(_first_channels(network.look(batch)["image"].float(), layers.image))
        yield
    stored = np.asarray(dataset.images)[rows]
    if network.task == "reconstruction":
        return pictures.draw_reconstructions(stored, np.concatenate(made), part=part)
    return pictures.draw_translations(
        stored[:, : layers.image],
        stored[:, layers.image : layers.given],
        stored[:, layers.given :],
        np.concatenate(made),
        dataset.slices(rows),
        part=part,
    )


def _snapshots(prepared: Prepared, snapshots: Mapping[int, Tensor]) -> Pictures:
    if not snapshots:
        return {}
    layers = prepared.data.layers
    stored = prepared.data.val.batch(torch.arange(len(next(iter(snapshots.values()))))).images.cpu().numpy()
    wanted = stored[:, layers.given :] if layers.target else stored
    given = stored[:, : layers.image] if layers.target else None
    by_epoch = {epoch: images.cpu().numpy() for epoch, images in snapshots.items()}
    return pictures.draw_snapshots(wanted, by_epoch, given)


def _samples(prepared: Prepared, network: Network) -> Drawing:
    """Draw images of latents from the prior where there is one, else from a normal fitted to the validation part."""
    latents = yield from _latents(prepared, network)
    if latents is None:
        return {}
    generator = seeding.generator(torch.device("cpu"), network.seed, "pictures", "samples")
    drawn = torch.randn(SAMPLES, latents.shape[1], generator=generator)
    source = "the standard normal distribution"
    if "prior" not in network.loss.terms:
        drawn = latents.mean(0).cpu() + drawn * latents.std(0).cpu()
        source = "a normal distribution with the mean and spread of each number over validation images"
    with torch.inference_mode():
        images = network.module.network.decode(drawn.to(network.device)).float().clamp(0, 1).cpu().numpy()
    real = prepared.data.val.batch(torch.arange(min(64, len(prepared.data.val)))).images.cpu().numpy()
    return pictures.draw_samples(images, source, real, network.seed)


def _traversals(prepared: Prepared, network: Network, metrics: Mapping[str, float]) -> Drawing:
    decoder = network.module.network
    partitions = getattr(decoder, "partitions", None)
    latents = yield from _latents(prepared, network)
    if not partitions or latents is None:
        return {}
    chosen = torch.from_numpy(_spaced(np.arange(len(latents)), TRAVERSED))
    images = prepared.data.val.batch(chosen).images.cpu().numpy()
    drawn: Pictures = {}
    start = 0
    for number, size in enumerate(partitions):
        decoded = []
        for scale in pictures.SCALES:
            scaled = latents[chosen].clone()
            scaled[:, start : start + size] *= scale
            with torch.inference_mode():
                decoded.append(decoder.decode(scaled).float().clamp(0, 1).cpu().numpy())
        effect = metrics[f"val/partition_effect/{number}"]
        of_each = np.stack(decoded, axis=1)
        drawn |= pictures.draw_traversal(number, size, of_each, effect, DEAD_BELOW, images)
        start += size
        yield
    return drawn


def _latents(prepared: Prepared, network: Network) -> Generator[None, None, Tensor | None]:
    """Return the latents (N, D) of some validation images; None where there are too few."""
    found: list[Any] = []
    for batch in prepared.data.val.batches(64):
        outputs = network.look(batch)
        if "latent" not in outputs:
            return None
        found.append(outputs["latent"].float())
        yield
        if len(found) * 64 >= MOST_MADE:
            break
    return torch.cat(found) if found and sum(map(len, found)) > 1 else None


def _first_channels(images: Tensor, n: int) -> npt.NDArray[Any]:
    found: npt.NDArray[Any] = images[:, :n].detach().cpu().numpy()
    return found


def _spaced(rows: npt.NDArray[np.int64], n: int) -> npt.NDArray[np.int64]:
    """Return at most ``n`` of the rows, evenly between them."""
    if len(rows) <= n:
        return rows
    return rows[np.linspace(0, len(rows) - 1, n).astype(np.int64)]
