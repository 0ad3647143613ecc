"""``retrain``: the chosen configuration once more, on all that it may learn from, for as long as the trial needed."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pokeopt.errors import PokeoptError, StoreError, UserError
from pokeopt.inference.card import Card
from pokeopt.inference.graph import Graph
from pokeopt.inference.scoring import test_scores
from pokeopt.inference.weights import find_trial, make_card, models_dir, read_card, write_weights
from pokeopt.records import StopCause, TrialTask
from pokeopt.registry import import_plugins
from pokeopt.store import Store, StudyView, TrialRow
from pokeopt.training import checkpoint, device
from pokeopt.training.batches import PartImages, TrainingData, channel_statistics
from pokeopt.training.loop import Lockstep
from pokeopt.training.network import Network
from pokeopt.training.stopping.none import NoEarlyStopping
from pokeopt.trial.prepare import Prepared, prepare

Tell = Callable[[int, int, int], None]


@dataclass(frozen=True)
class Recorded:
    """A schedule that repeats the learning rates of another training, whatever decided on them there.

    Without a validation part, a plateau could not be seen; and a cosine would be as short as the training.

    Attributes:
        factors: Of the learning rate, one an epoch.
    """

    factors: tuple[float, ...]

    def factor(self, scores: Sequence[float], epochs: int) -> float:  # noqa: ARG002 - the protocol's
        """Return the factor of the next epoch; ``scores`` has one value, be it NaN, for each completed one."""
        return self.factors[len(scores)]


@dataclass(frozen=True)
class RetrainResult:
    """What ``retrain`` leaves.

    Attributes:
        study: The study.
        trial: The trial's number.
        on: ``train`` or ``train+val``.
        epochs: Of each network.
        folder: Where the weights lie.
        cards: One a seed; their metrics are of the test part and the external sets.
        new: Seeds that this call trained; the others were there.
        n_reads: How often the test part had been scored before: by trials of the study and of those begun from it, and
            by networks retrained earlier.
        wall_s: Seconds that this call took.
    """

    study: str
    trial: int
    on: str
    epochs: int
    folder: Path
    cards: tuple[Card, ...]
    new: tuple[int, ...]
    n_reads: int
    wall_s: float


def retrain(
    store: Store,
    name: str,
    *,
    trial: int | None = None,
    seeds: Sequence[int] = (0, 1, 2, 3, 4),
    on: str = "train+val",
    tell: Tell | None = None,
) -> RetrainResult:
    """Train a trial's configuration with several seeds, score each network on the test part once, keep the weights.

    Each network is trained for as many epochs as the trial's kept one, at the learning rates that the trial had in
    them. A call that was stopped goes on from its checkpoint; networks that are there are not trained again.

    Args:
        store: Where the study lies.
        name: The study.
        trial: This trial instead of the best.
        seeds: One network each.
        on: ``train``, or ``train+val`` to learn from the validation part, too.
        tell: Called with (networks done, epoch, epochs) after each epoch.

    Raises:
        UserError: If there is no such trial, or the images cannot be used.
        StoreError: If what the trial stored is gone.
    """
    began = time.monotonic()
    if on not in ("train", "train+val"):
        raise UserError("--on", f"'{on}' is neither", "give train or train+val")
    view = store.load(name)
    row = find_trial(view, trial)
    folder = models_dir(store, view, row) / on
    steps = int(row.attrs["best_step"])
    import_plugins(view.spec.get("plugins") or ())
    digest = _digest(row.config, on, steps, row.attrs.get("data_hash"))
    n_reads = _reads(store, view)
    missing = [seed for seed in seeds if not _is_there(folder / f"seed-{seed}.pt", digest)]
    if missing:
        target = device.choose_device("auto")
        device.prepare_device(target, torch.get_num_threads(), 1.0, False)
        try:
            prepared = _prepare(store, view, row, on, target)
            factors = _factors(store, view, row, steps, prepared)
            recipe = replace(prepared.recipe, epochs=steps, schedule=Recorded(factors))
            job = _Job(view, row, replace(prepared, recipe=recipe), folder, on, digest)
            for seed in missing:
                n_done = len(seeds) - len(missing) + missing.index(seed)
                job.train(seed, lambda epoch, n=n_done: tell(n, epoch, steps) if tell else None)  # type: ignore[misc]
        finally:
            device.release_device(target)
    cards = tuple(read_card(folder / f"seed-{seed}.pt") for seed in seeds)
    seconds = time.monotonic() - began
    return RetrainResult(view.name, row.number, on, steps, folder, cards, tuple(missing), n_reads, seconds)


@dataclass(frozen=True)
class _Job:
    """What all seeds of one call share."""

    view: StudyView
    row: TrialRow
    prepared: Prepared
    folder: Path
    on: str
    digest: str

    def train(self, seed: int, tell: Callable[[int], None]) -> None:
        """Train, score and keep the network of one seed; go on from its checkpoint, if there is one."""
        p = self.prepared
        group = Lockstep(p.recipe, p.data, (seed,), p.objective, p.device, p.precision)
        unfinished = self.folder / f".seed-{seed}"
        state = checkpoint.read_checkpoint(unfinished)
        if state is not None and state.get("digest") == self.digest:
            group.load_state_dict(state["group"])
        saved_at = time.monotonic()
        for record in group.epochs():
            if record is not None:
                tell(record.step)
            if group.stop_cause is not StopCause.NAN and (
                time.monotonic() - saved_at >= checkpoint.CHECKPOINT_EVERY_S
            ):
                kept = {"digest": self.digest, "group": group.state_dict()}
                checkpoint.write_checkpoint(unfinished, kept, group.step)
                saved_at = time.monotonic()
        if group.stop_cause is StopCause.NAN:
            where = f"{self.view.name} trial {self.row.number}, seed {seed}"
            raise StoreError(where, "the training diverged", "leave this seed out, or take another trial")
        group.load_kept()
        self._keep(seed, group.networks[0])
        shutil.rmtree(unfinished, ignore_errors=True)

    def _keep(self, seed: int, network: Network) -> None:
        network.module.eval().cpu()
        state = network.module.state_dict()
        own = {
            "weights": "retrained",
            "trained_on": self.on,
            "seed": seed,
            "epochs": self.prepared.recipe.epochs,
            "metrics": {},
        }
        bare = make_card(self.view, self.row, state, (), own)
        outputs = Graph(network.module).output_names(bare.input_shape)
        network.module.to(self.prepared.device)
        metrics = test_scores(network, self.prepared)
        card = make_card(self.view, self.row, state, outputs, {**own, "metrics": metrics})
        write_weights(self.folder / f"seed-{seed}.pt", network.module.state_dict(), card)


def _prepare(store: Store, view: StudyView, row: TrialRow, on: str, target: torch.device) -> Prepared:
    """Return the task's parts; on train+val, one training part of both, with its own statistics."""
    how = row.attrs.get("resample", "train_val") if view.kind == "confirm" else "none"
    if how == "all":
        what = "its cells draw test parts of their own, so no training part is clear of all of them"
        raise UserError(view.name, what, "retrain a trial of a search")
    task = TrialTask(
        config=row.config,
        seeds=(0,),
        objective=view.metrics[0],
        resample=row.seed if how == "train_val" else None,
        cache_dir=str(store.cache_dir),
        plugins=tuple(view.spec.get("plugins") or ()),
    )
    found = prepare(task, target)
    if found.dataset.data_hash != row.attrs.get("data_hash"):
        what = "the images are not those that the trial was trained on"
        raise UserError(f"{view.name} trial {row.number}", what, "put them back, or run the study anew")
    recipe = replace(found.recipe, keep="last", early_stopping=NoEarlyStopping())
    if on == "train":
        return replace(found, recipe=recipe)
    old, stored = found.data, found.dataset.images if found.features is None else found.features
    both = np.sort(np.concatenate([found.dataset.train, found.dataset.val]))
    nothing = np.empty(0, dtype=np.int64)
    dataset = replace(found.dataset, train=both, val=nothing)
    train, val = (PartImages(stored, dataset.labels, part, target) for part in (both, nothing))
    statistics = old.mean, old.std
    if getattr(recipe.model, "statistics", None) is None and found.features is None:
        statistics = channel_statistics(dataset.images[:, : old.layers.given], both)
    data = TrainingData(train, val, old.shape, old.classes, *statistics, old.layers)
    return replace(found, recipe=recipe, dataset=dataset, data=data)


def _factors(
    store: Store, view: StudyView, row: TrialRow, steps: int, prepared: Prepared
) -> tuple[float, ...]:
    """Return what the trial multiplied its learning rate by in each epoch up to the kept one."""
    content = store.read_artifact(view.name, row.number, "curves.json")
    curve = json.loads(content)["steps"] if content else []
    rates = {int(point["step"]): point.get("lr") for point in curve}
    base = prepared.recipe.learning_rate
    if base > 0 and all(rates.get(step) is not None for step in range(1, steps + 1)):
        return tuple(float(rates[step]) / base for step in range(1, steps + 1))
    # seeds trained in turn have no curve over epochs: the schedule's own way, with a score that always improves
    recipe = prepared.recipe
    return tuple(recipe.schedule.factor(list(range(done)), recipe.epochs) for done in range(steps))


def _digest(config: Mapping[str, Any], on: str, steps: int, data_hash: str | None) -> str:
    """Return a digest of what makes the weights of one seed what they are."""
    trained = [config[key] for key in ("data", "model", "loss", "training")]
    text = json.dumps([trained, on, steps, data_hash], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _is_there(path: Path, digest: str) -> bool:
    """Whether a seed was trained in just this way; a file that cannot be read is trained again."""
    if not path.is_file():
        return False
    try:
        card = read_card(path)
    except PokeoptError:
        return False
    return _digest(card.config, card.trained_on, card.epochs, card.data.get("data_hash")) == digest


def _reads(store: Store, view: StudyView) -> int:
    """Return how often networks of this study, and of those begun from it, have been scored on the test part."""
    names = [name for name in store.names() if name == view.name or name.startswith(f"{view.name}.")]
    trials = sum(
        any(key.startswith("test/") for key in row.attrs)
        for name in names
        for row in store.load(name, exact=True).complete
    )
    return trials + sum(len(list(folder.glob("*/seed-*.pt"))) for folder in store.models_of(view.name))
