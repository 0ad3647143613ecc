"""``export``: a trial's network as one file, checked on real images before it gets its name."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pokeopt.data import Dataset, load_data
from pokeopt.errors import StoreError
from pokeopt.inference.card import Card
from pokeopt.inference.graph import Bytes, run_graph
from pokeopt.inference.opening import choose_network
from pokeopt.inference.package import check_suffix, read_package, write_package
from pokeopt.inference.weights import Trained
from pokeopt.registry import import_plugins
from pokeopt.store import Store

TOLERANCE = 1e-5  # of a probability or an intensity
MOST_CHECKED = 64  # images


@dataclass(frozen=True)
class ExportResult:
    """What ``export`` leaves.

    Attributes:
        path: The file.
        card: What it says of itself.
        n_bytes: Its size.
        n_checked: Images on which file and network were compared.
        difference: The largest between the outputs of the two.
        from_trial: The largest between the file's predictions and those that the trial stored; None where these are
            not to be compared: retrained weights, or a trial that did not compute in 32 bits on the CPU.
    """

    path: Path
    card: Card
    n_bytes: int
    n_checked: int
    difference: float
    from_trial: float | None


def export_model(
    store: Store,
    name: str,
    output: Path,
    *,
    trial: int | None = None,
    weights: str | None = None,
    seed: int | None = None,
) -> ExportResult:
    """Write a network of a study to one file, and check it against the network on images of the study.

    Args:
        store: Where the study lies.
        name: The study.
        output: A file that ends with ``.pt2`` or ``.onnx``.
        trial: This trial instead of the best.
        weights: ``retrained`` or ``trial``; by default retrained ones where there are some.
        seed: The network of this seed; by default the first.

    Raises:
        UserError: If an option or the name of the file cannot be used, or the images are gone.
        StoreError: If the weights are not there, or the file does not answer as the network does; no file is left then.
    """
    check_suffix(output)
    view = store.load(name)
    network = choose_network(store, view, trial, weights, seed)
    card = network.card
    import_plugins(card.plugins)
    dataset = load_data(card.config["data"], store.cache_dir)
    draft = output.with_name(f".checked-{output.name}")
    try:
        write_package(network.graph, card, draft)
        difference, n_checked = _against_network(network, draft, dataset)
        from_trial = _against_trial(store, network, draft, dataset)
        worst = max(difference, from_trial or 0.0)
        if not worst <= TOLERANCE:
            whose = "the network" if difference == worst else "the trial"
            what = f"the file's answers differ from those of {whose} by up to {worst:.2g}"
            raise StoreError(str(output), what, "try the other format, or retrain the model")
        draft.replace(output)
    finally:
        draft.unlink(missing_ok=True)
    return ExportResult(output, card, output.stat().st_size, n_checked, difference, from_trial)


def _against_network(network: Trained, file: Path, dataset: Dataset) -> tuple[float, int]:
    """Return the largest difference between file and network, and on how many images; batches of one, too."""
    rows = np.concatenate([dataset.test, dataset.val, dataset.train])[:MOST_CHECKED]
    images = given_of(dataset, rows, network.card)
    card, run = read_package(file)
    difference = 0.0
    for batch in (images, images[:1]):
        here, there = run_graph(network.graph, card.outputs, batch), run(batch)
        difference = max(difference, *(_largest(here[name] - there[name]) for name in card.outputs))
    return difference, len(rows)


def _against_trial(store: Store, network: Trained, file: Path, dataset: Dataset) -> float | None:
    """Return the largest difference from what the trial stored of the test part; None if it stored nothing alike."""
    card = network.card
    row = store.load(card.study, exact=True).trials[card.trial]
    is_exact = row.attrs.get("precision") == "fp32" and row.attrs.get("device") == "cpu"
    stored = store.read_artifact(card.study, card.trial, "predictions.npz")
    if card.weights != "trial" or not is_exact or stored is None:
        return None
    with np.load(io.BytesIO(stored)) as arrays:
        if "test/ids" not in arrays:
            return None
        position = {name: place for place, name in enumerate(dataset.ids.tolist())}
        ids = arrays["test/ids"][:MOST_CHECKED].tolist()
        if any(name not in position for name in ids):
            return None
        rows = np.array([position[name] for name in ids], dtype=np.int64)
        _, run = read_package(file)
        found = run(given_of(dataset, rows, card))
        if "test/probabilities" in arrays:
            return _largest(
                arrays["test/probabilities"][network.position, : len(rows)] - found["probabilities"]
            )
        errors = np.square(found["image"] - target_of(dataset, rows, card)).mean(axis=(1, 2, 3))
        return _largest(arrays["test/values/squared_error"][network.position, : len(rows)] - errors)


def given_of(dataset: Dataset, rows: npt.NDArray[np.int64], card: Card) -> Bytes:
    """Return what a network is given of some rows, (N, C, H, W) bytes."""
    given: Bytes = np.asarray(dataset.images[rows])[:, : card.input_shape[0]]
    return given


def target_of(dataset: Dataset, rows: npt.NDArray[np.int64], card: Card) -> npt.NDArray[np.float32]:
    """Return the images that a network should make of some rows, intensities (N, C, H, W)."""
    images = np.asarray(dataset.images[rows])
    target = images[:, card.input_shape[0] :] if card.condition_channels else images
    intensity: npt.NDArray[np.float32] = target.astype(np.float32) / np.float32(255)
    return intensity


def _largest(difference: npt.NDArray[np.floating]) -> float:
    """Return the largest size; NaN is the largest of all."""
    return float(np.abs(difference).max()) if difference.size else 0.0
