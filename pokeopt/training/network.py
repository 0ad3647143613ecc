"""One network in training: everything that one seed decides. Its state can be taken after any batch."""

from __future__ import annotations

import math
from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from pokeopt.errors import TrialError
from pokeopt.losses.base import Batch
from pokeopt.losses.combine import build_loss
from pokeopt.metrics import score
from pokeopt.models.base import StandardisedModel, has_convolutions, named_outputs, traits_of
from pokeopt.training import seeding
from pokeopt.training.augmenting import augmented, divided
from pokeopt.training.batches import PartImages, TrainingData, batch_bounds
from pokeopt.training.gradients import gradient_shares
from pokeopt.training.outputs import PartOutputs, joined
from pokeopt.training.precision import autocast, make_scaler
from pokeopt.training.probe import Probe
from pokeopt.training.recipe import Recipe
from pokeopt.training.running import RunningEpoch
from pokeopt.training.values import Values, image_values

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
        self.task = traits_of(recipe.model).task
        self.module = StandardisedModel(network, data.mean, data.std).to(device)
        self.layout = torch.channels_last if has_convolutions(self.module) else torch.contiguous_format
        self.module.to(memory_format=self.layout)
        self.loss = build_loss(recipe.loss, data.loss_context()).to(device)
        groups = parameter_groups(self.module.network, self.loss)
        self.parameters: list[nn.Parameter] = [p for group in groups for p in group["params"]]
        self.optimizer = recipe.optimizer.build(groups, recipe.learning_rate, recipe.weight_decay, device)
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
            group["lr"] = self.learning_rate * group["factor"]
        if hasattr(self.module.network, "begin_epoch"):
            self.module.network.begin_epoch(epoch)
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
        if self.task == "classification" and running.logits:
            probabilities = torch.cat(running.logits).float().softmax(dim=1).cpu().numpy()
            truth = self.data.train.truth[running.order.numpy()]
            if running.labels:  # mixed images have the class of their larger share
                truth = torch.cat(running.labels).cpu().numpy()
            scores = score(truth, probabilities, self.data.classes)
            metrics.update({f"train/{name}": value for name, value in scores.items()})
        if running.means:
            means = torch.stack(running.means).double().cpu()
            names = [f"loss_term/{role}" for role in self.loss.terms] + ["mse"] * self._makes_images
            weighted = (means * sizes[:, None]).sum(0) / sizes.sum()
            measured = zip(names, weighted.tolist(), strict=True)
            metrics.update({f"train/{name}": value for name, value in measured})
        if running.shares is not None:
            shares = zip(self.loss.terms, running.shares.tolist(), strict=True)
            metrics.update({f"train/gradient_share/{role}": value for role, value in shares})
        return metrics

    def predict(
        self, part: PartImages, wanted: Collection[str] = (), probe: Probe | None = None
    ) -> Generator[None, None, PartOutputs]:
        """Return what the network says of a part; yield after each batch.

        Args:
            part: Of the data set.
            wanted: Costly values to compute, see ``pokeopt.training.values``.
            probe: Gives ``probe_hit``, whether it names an image's class from its latent.
        """
        rows: list[Tensor] = []
        pieces: list[Values] = []
        for batch, outputs in self._look_at(part):
            if self.task == "classification":
                rows.append(outputs["logits"].float().softmax(dim=1))
            else:
                values = image_values(outputs, batch, wanted)
                if probe is not None:
                    values["probe_hit"] = probe.hits(outputs["latent"], batch.labels)
                pieces.append(values)
            yield
        if self.task != "classification":
            return PartOutputs(values=joined(pieces))
        if not rows:
            return PartOutputs(np.zeros((0, len(self.data.classes)), dtype=np.float32))
        return PartOutputs(torch.cat(rows).cpu().numpy())

    def fit_probe(self) -> Generator[None, None, Probe]:
        """Return a linear probe of the latents of the training part; yield between its steps."""
        rows = []
        for _, outputs in self._look_at(self.data.train):
            rows.append(outputs["latent"].float().cpu().numpy())
            yield
        return (yield from Probe.fit(np.concatenate(rows), self.data.train.truth))

    def look(self, batch: Batch) -> Mapping[str, Tensor]:
        """Return the outputs for a batch as a part gives it, in evaluation mode."""
        self.module.eval()
        with torch.inference_mode(), autocast(self.precision, self.device):
            given = divided(batch.images, batch.labels, self.data.layers, self.task).images
            return named_outputs(self.module(self._laid_out(given)))

    @property
    def _makes_images(self) -> bool:
        return self.task != "classification"

    def _look_at(self, part: PartImages) -> Iterator[tuple[Batch, Mapping[str, Tensor]]]:
        """Yield each batch of a part, divided, with the network's outputs."""
        for batch in part.batches(max(1, min(512, EVAL_NUMBERS // max(1, self.data.shape.numel)))):
            yield divided(batch.images, batch.labels, self.data.layers, self.task), self.look(batch)

    def _laid_out(self, images: Tensor) -> Tensor:
        """Return images in the memory layout that the network likes; features have none."""
        return images if images.ndim == 2 else images.contiguous(memory_format=self.layout)

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

    def order(self, epoch: int) -> Tensor:
        """Return the positions in the training part (n,) that an epoch, counted from 1, draws one after the other."""
        draw = seeding.generator(torch.device("cpu"), self.seed, "order", epoch)
        positions: Tensor = self.recipe.sampler.indices(torch.from_numpy(self.data.train.truth), draw)
        return positions

    def _begin(self, epoch: int) -> RunningEpoch:
        """Start an epoch: all its random numbers follow from the seed and its number."""
        order = self.order(epoch)
        if not len(order):
            mend = "give it a larger share of the split"
            raise TrialError("training", "the training part has no image", mend)
        seeding.seed_default(self.seed, "layers", epoch)
        return RunningEpoch(order, seeding.generator(self.device, self.seed, "augmentation", epoch))

    def _prepare(self, batch: Batch, generator: torch.Generator) -> Batch:
        """Return the batch augmented, in the memory layout that the network likes."""
        layers = self.data.layers
        # bytes: a quarter of the floats' cost
        stored = Batch(self._laid_out(batch.images), batch.labels)
        if not self.recipe.augmentation:
            made = divided(stored.images, stored.labels, layers, self.task)
            # still bytes: the module standardises them in one go
            return replace(made, images=self._laid_out(made.images)) if layers.target else made
        made = augmented(
            stored, self.recipe.augmentation, generator, layers, self.task, len(self.data.classes)
        )
        return replace(made, images=self._laid_out(made.images))

    def _step(self, batch: Batch, running: RunningEpoch, *, with_norm: bool) -> None:
        """Take one step; where the batch does not fit into memory, in pieces whose gradients are added up."""
        while True:
            try:
                stepped = self._forward_backward(batch, with_norm, with_shares=running.cursor == 0)
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
        running.losses.append(stepped.loss)
        if stepped.means is not None:
            running.means.append(stepped.means)
        if stepped.logits is not None:
            running.logits.append(stepped.logits)
            if batch.shares is not None:
                running.labels.append(batch.shares.argmax(dim=1))
        if stepped.norm is not None:
            running.norms.append(stepped.norm)
        if stepped.shares is not None:
            running.shares = stepped.shares

    def _forward_backward(self, batch: Batch, with_norm: bool, with_shares: bool) -> _Step:
        """Compute the gradients of a batch."""
        self.optimizer.zero_grad(set_to_none=True)
        losses, logits, means = [], [], []
        shares = None
        for piece in batch.split(self.pieces):
            with autocast(self.precision, self.device):
                outputs = named_outputs(self.module(piece.images))
                terms = self.loss.values(outputs, piece)
                loss = self.loss.combine(terms)
            share = len(piece.labels) / len(batch.labels)
            if with_shares and shares is None and self._makes_images and len(terms) > 1:
                shares = gradient_shares(terms, loss, self.parameters)
            if self.pieces > 1:
                loss = loss * share
            self.scaler.scale(loss).backward()
            losses.append(loss.detach())
            if self._makes_images:
                made = outputs["image"].detach().float()
                measured = [*terms.values(), functional.mse_loss(made, piece.target_intensity())]
                means.append(torch.stack([value.detach().float() for value in measured]) * share)
            elif "logits" in outputs:
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
        summed = torch.stack(means).sum(0) if means else None
        return _Step(whole, summed, torch.cat(logits) if logits else None, norm, shares)


@dataclass(frozen=True)
class _Step:
    """What one step measured.

    Attributes:
        loss: What was minimised.
        means: Each term's value and the mean squared error, where images are made.
        logits: (n, K), of a classifier.
        norm: The gradient's, where it was asked for.
        shares: Each term's share in the gradient, where they were asked for.
    """

    loss: Tensor
    means: Tensor | None
    logits: Tensor | None
    norm: Tensor | None
    shares: Tensor | None


def parameter_groups(network: Any, loss: nn.Module) -> list[dict[str, Any]]:
    """Return what is trained, as torch's optimizers take it: ``factor`` multiplies the learning rate of a group."""
    if hasattr(network, "parameter_groups"):
        groups = [{"params": list(params), "factor": factor} for factor, params in network.parameter_groups()]
    else:
        groups = [{"params": [p for p in network.parameters() if p.requires_grad], "factor": 1.0}]
    groups.append({"params": list(loss.parameters()), "factor": 1.0})
    return [group for group in groups if group["params"]]
