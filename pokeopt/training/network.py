"""One network in training: everything that one seed decides. Its state can be taken after any batch."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from pokeopt.errors import TrialError
from pokeopt.losses.base import Batch
from pokeopt.losses.combine import build_loss
from pokeopt.metrics import score
from pokeopt.models.base import StandardisedModel, has_convolutions, named_outputs
from pokeopt.training import seeding
from pokeopt.training.batches import PartImages, TrainingData, batch_bounds
from pokeopt.training.precision import autocast, make_scaler
from pokeopt.training.recipe import Recipe
from pokeopt.training.running import RunningEpoch

# pixels times channels of a batch that is only looked at: some 340 images of 64x64 in colour
EVAL_NUMBERS = 2**22
CHECK_EVERY = 50  # batches between two looks at the loss; each look waits for the GPU
NORMS_PER_EPOCH = 8  # the gradient's norm reads every gradient, a tenth of a small network's step
MAX_PIECES = 4  # a batch that does not fit is cut in two, then in four


class Network:
    """One network with its loss, optimizer and random streams.

    Args:
        recipe: What to train and how.
        data: What to train on.
        seed: Decides initial weights, order, augmentation and dropout.
        device: Where to train.
        precision: ``fp32``, ``bf16`` or ``fp16``.
    """

    def __init__(
        self, recipe: Recipe, data: TrainingData, seed: int, device: torch.device, precision: str
    ) -> None:
        self.recipe, self.data, self.seed, self.device, self.precision = recipe, data, seed, device, precision
        seeding.seed_default(seed, "weights")
        # built on the CPU: the same weights on any device
        network = recipe.model.build(data.shape, len(data.classes))
        self.module: nn.Module = StandardisedModel(network, data.mean, data.std).to(device)
        self.layout = torch.channels_last if has_convolutions(self.module) else torch.contiguous_format
        self.module.to(memory_format=self.layout)
        self.loss = build_loss(recipe.loss, data.loss_context()).to(device)
        trained = [p for part in (self.module, self.loss) for p in part.parameters() if p.requires_grad]
        self.parameters: list[nn.Parameter] = trained
        self.optimizer = recipe.optimizer.build(trained, recipe.learning_rate, recipe.weight_decay, device)
        self.scaler = make_scaler(precision, device)
        self.pieces = 1
        self.running: RunningEpoch | None = None
        self.learning_rate = recipe.learning_rate

    @property
    def is_diverged(self) -> bool:
        """Whether the running epoch met a loss that is NaN or infinite."""
        return self.running is not None and self.running.is_diverged

    def train_epoch(self, epoch: int, scores: Sequence[float]) -> Iterator[None]:
        """Train to the end of an epoch, from where it stands; yield after each batch.

        Args:
            epoch: From 1.
            scores: This network's objective after each completed epoch, larger is better.
        """
        if self.running is None:
            self.running = self._begin(epoch)
        running = self.running
        if running.layers is not None:
            seeding.restore_default(running.layers, self.device)
            running.layers = None
        factor = self.recipe.schedule.factor(scores, self.recipe.epochs)
        self.learning_rate = self.recipe.learning_rate * factor
        for group in self.optimizer.param_groups:
            group["lr"] = self.learning_rate
        self.module.train()
        bounds = batch_bounds(len(running.order), self.recipe.batch_size)
        norm_every = max(1, len(bounds) // NORMS_PER_EPOCH)
        order = self.data.train.place(running.order)
        for start, stop in bounds[running.cursor :]:
            batch = self._prepare(self.data.train.batch(order[start:stop]), running.generator)
            self._step(batch, running, with_norm=running.cursor % norm_every == 0)
            running.cursor += 1
            if running.cursor % CHECK_EVERY == 0 or running.cursor == len(bounds):
                recent = torch.stack(running.losses[-CHECK_EVERY:])
                if not bool(recent.isfinite().all()):
                    running.is_diverged = True
                    return
            yield

    def finish_epoch(self) -> dict[str, float]:
        """Return the metrics of the epoch that has been trained, by whole name, and forget it."""
        running, self.running = self.running, None
        if running is None:
            raise RuntimeError("no epoch is running")
        losses = torch.stack(running.losses).float().cpu()
        if running.is_diverged:
            return {"train/total_loss": float(losses[~losses.isfinite()][0])}
        bounds = batch_bounds(len(running.order), self.recipe.batch_size)
        sizes = torch.tensor([stop - start for start, stop in bounds])
        norms = torch.stack(running.norms).float().cpu()
        # while fp16 looks for its scale some gradients overflow; their steps are left out, and so are their norms
        norms = norms[norms.isfinite()]
        metrics = {
            "train/total_loss": float((losses.double() * sizes).sum() / sizes.sum()),
            "train/grad_norm": float(norms.mean()) if len(norms) else math.inf,
        }
        if running.logits:
            probabilities = torch.cat(running.logits).float().softmax(dim=1).cpu().numpy()
            truth = self.data.train.truth[running.order.numpy()]
            scores = score(truth, probabilities, self.data.classes)
            metrics.update({f"train/{name}": value for name, value in scores.items()})
        return metrics

    def predict(self, part: PartImages) -> Generator[None, None, npt.NDArray[np.float32]]:
        """Return the class probabilities (N, K) of a part; yield after each batch."""
        self.module.eval()
        rows = []
        for batch in part.batches(max(1, min(512, EVAL_NUMBERS // self.data.shape.numel))):
            with torch.inference_mode(), autocast(self.precision, self.device):
                images = batch.images.contiguous(memory_format=self.layout)
                rows.append(named_outputs(self.module(images))["logits"].float().softmax(dim=1))
            yield
        if not rows:
            return np.zeros((0, len(self.data.classes)), dtype=np.float32)
        probabilities: npt.NDArray[np.float32] = torch.cat(rows).cpu().numpy()
        return probabilities

    def state_dict(self) -> dict[str, Any]:
        """Return everything that the rest of the training depends on, as tensors and plain values."""
        state: dict[str, Any] = {
            "module": self.module.state_dict(),
            "loss": self.loss.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scaler": self.scaler.state_dict(),
            "pieces": self.pieces,
            "learning_rate": self.learning_rate,
            "running": None,
        }
        if self.running is not None:
            state["running"] = self.running.state_dict(self.device)
        return state

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from a state that ``state_dict`` gave, perhaps on another kind of device."""
        self.module.load_state_dict(state["module"])
        self.loss.load_state_dict(state["loss"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.scaler.load_state_dict(state["scaler"])
        self.pieces, self.learning_rate = state["pieces"], state["learning_rate"]
        saved = state["running"]
        self.running = None if saved is None else RunningEpoch.from_state(saved, self.device, self.seed)

    def _begin(self, epoch: int) -> RunningEpoch:
        """Start an epoch: all its random numbers follow from the seed and its number."""
        draw = seeding.generator(torch.device("cpu"), self.seed, "order", epoch)
        labels = torch.from_numpy(self.data.train.truth)
        order = self.recipe.sampler.indices(labels, draw)
        if not len(order):
            mend = "give it a larger share of the split"
            raise TrialError("training", "the training part has no image", mend)
        seeding.seed_default(self.seed, "layers", epoch)
        return RunningEpoch(order, seeding.generator(self.device, self.seed, "augmentation", epoch))

    def _prepare(self, batch: Batch, generator: torch.Generator) -> Batch:
        """Return the batch augmented, in the memory layout that the network likes."""
        images = batch.images.contiguous(memory_format=self.layout)  # bytes: a quarter of the floats' cost
        if not self.recipe.augmentation:
            return Batch(images, batch.labels)  # still bytes: the module standardises them in one go
        images = Batch(images, batch.labels).intensity()
        for augment in self.recipe.augmentation:
            images = augment(images, generator)
        return Batch(images, batch.labels)

    def _step(self, batch: Batch, running: RunningEpoch, *, with_norm: bool) -> None:
        """Take one step; where the batch does not fit into memory, in pieces whose gradients are added up."""
        while True:
            try:
                loss, logits, norm = self._forward_backward(batch, with_norm)
                break
            except torch.OutOfMemoryError:
                if 2 * self.pieces > min(MAX_PIECES, len(batch.labels)):
                    raise
            # outside of the handler: the error holds the frames, and they the memory
            self.optimizer.zero_grad(set_to_none=True)
            if self.device.type == "cuda":
                torch.cuda.empty_cache()
            self.pieces *= 2
        self.scaler.step(self.optimizer)
        self.scaler.update()
        running.losses.append(loss)
        if logits is not None:
            running.logits.append(logits)
        if norm is not None:
            running.norms.append(norm)

    def _forward_backward(self, batch: Batch, with_norm: bool) -> tuple[Tensor, Tensor | None, Tensor | None]:
        """Compute the gradients; return the loss, the logits (n, K) if there are any, and the gradient's norm."""
        self.optimizer.zero_grad(set_to_none=True)
        losses, logits = [], []
        for piece in batch.split(self.pieces):
            with autocast(self.precision, self.device):
                outputs = named_outputs(self.module(piece.images))
                loss = self.loss(outputs, piece)
            if self.pieces > 1:
                loss = loss * (len(piece.labels) / len(batch.labels))
            self.scaler.scale(loss).backward()
            losses.append(loss.detach())
            if "logits" in outputs:
                logits.append(outputs["logits"].detach())
        clip = self.recipe.gradient_clip
        norm = None
        if clip is not None or with_norm:
            self.scaler.unscale_(self.optimizer)
            gradients = [p.grad for p in self.parameters if p.grad is not None]
            norm = torch.nn.utils.get_total_norm(gradients)
            if clip is not None:
                torch.nn.utils.clip_grads_with_norm_(self.parameters, clip, norm)
        whole = losses[0] if len(losses) == 1 else torch.stack(losses).sum()
        return whole, torch.cat(logits) if logits else None, norm
