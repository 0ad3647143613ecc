"""The loop: networks of one configuration trained epoch by epoch in lockstep, one EpochRecord an epoch."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from pokeopt.metrics import MetricInfo, is_better, values_for
from pokeopt.records import EpochRecord, StopCause
from pokeopt.training.batches import TrainingData
from pokeopt.training.network import Network
from pokeopt.training.outputs import PartOutputs
from pokeopt.training.recipe import Recipe

TOTAL_LOSS = "train/total_loss"
SNAPSHOT_EPOCHS = frozenset({0, 1, 2, 5, 10, 20, 50, 100, 200, 500})
SNAPSHOT_IMAGES = 3


class Lockstep:
    """Networks that differ in their seed only; the mean of their curves decides when to stop and what to keep.

    Args:
        recipe: What to train and how.
        data: What to train on.
        seeds: One network each.
        objective: The metric whose best epoch is kept.
        device: Where to train.
        precision: ``fp32``, ``bf16`` or ``fp16``.
        clock: Gives the seconds that the records are stamped with.

    Attributes:
        history: One record for each completed epoch.
        kept_step: The epoch whose weights are kept.
        kept_weights: Of each network, the state dict at that epoch.
        kept_val: Of each network, what its kept validation metrics were computed from.
        snapshots: Some epochs to what the first network then made of the first validation images, bytes (M, C, H, W).
        stop_cause: Why the training ended; None before.
    """

    def __init__(
        self,
        recipe: Recipe,
        data: TrainingData,
        seeds: Sequence[int],
        objective: MetricInfo,
        device: torch.device,
        precision: str,
        clock: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self.recipe, self.data, self.objective, self.clock = recipe, data, objective, clock
        self.networks = [Network(recipe, data, seed, device, precision) for seed in seeds]
        self.history: list[EpochRecord] = []
        self.kept_step = 0
        self.kept_weights: list[dict[str, Tensor]] = []
        self.kept_val: list[PartOutputs] = []
        self.snapshots: dict[int, Tensor] = {}
        self.stop_cause: StopCause | None = None
        self._measured: list[dict[str, float]] = []  # networks that have completed the epoch under way
        self._val: list[PartOutputs] = []
        self._wanted = values_for(objective.base) if objective.part == "val" else frozenset()

    @property
    def step(self) -> int:
        """Completed epochs."""
        return self.history[-1].step if self.history else 0

    def epochs(self) -> Iterator[EpochRecord | None]:
        """Train to the end; yield a record after each epoch, and None after each batch."""
        if self.recipe.epochs == 0 and not self.history:
            for network in self.networks[len(self._measured) :]:
                self._measured.append((yield from self._validate(network)))
            yield self._complete(0)
        while self.step < self.recipe.epochs and not self._is_stopped():
            for network in self.networks[len(self._measured) :]:
                curve = [self._oriented(record.by_seed[len(self._measured)]) for record in self.history]
                yield from network.train_epoch(self.step + 1, curve)
                if network.is_diverged:
                    yield self._diverge(network.finish_epoch())
                    return
                measured = yield from self._validate(network)  # before finish_epoch, which forgets the epoch
                metrics = network.finish_epoch() | measured
                if not math.isfinite(metrics.get(self.objective.name, 0.0)):
                    yield self._diverge(metrics)
                    return
                self._measured.append(metrics)
            yield self._complete(self.step + 1)
        self.stop_cause = StopCause.BUDGET if self.step >= self.recipe.epochs else StopCause.EARLY_STOP

    def scores(self) -> list[float]:
        """Return the objective after each epoch from 1, mean over the networks, larger is better."""
        return [self._oriented(record.metrics) for record in self.history if record.step > 0]

    def load_kept(self) -> None:
        """Set every network to the weights of the kept epoch."""
        for network, weights in zip(self.networks, self.kept_weights, strict=True):
            network.module.load_state_dict(weights)

    @staticmethod
    def read_history(state: Mapping[str, Any]) -> list[EpochRecord]:
        """Return the completed epochs of a state that ``state_dict`` gave."""
        return [
            EpochRecord(
                plain["step"], plain["metrics"], tuple(plain["by_seed"]), plain["lr"], plain["wall_s"]
            )
            for plain in state["history"]
        ]

    def state_dict(self) -> dict[str, Any]:
        """Return the state after the last batch, as tensors and plain values."""
        return {
            "history": [
                {
                    "step": record.step,
                    "metrics": dict(record.metrics),
                    "by_seed": [dict(metrics) for metrics in record.by_seed],
                    "lr": record.lr,
                    "wall_s": record.wall_s,
                }
                for record in self.history
            ],
            "kept_step": self.kept_step,
            "kept_weights": self.kept_weights,
            "kept_val": [outputs.state_dict() for outputs in self.kept_val],
            "networks": [network.state_dict() for network in self.networks],
            "snapshots": self.snapshots,
            "measured": self._measured,
            "val": [outputs.state_dict() for outputs in self._val],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from a state that ``state_dict`` gave."""
        self.history = self.read_history(state)
        self.kept_step = state["kept_step"]
        self.kept_weights = [dict(weights) for weights in state["kept_weights"]]
        self.kept_val = [PartOutputs.from_state(outputs) for outputs in state["kept_val"]]
        self.snapshots = dict(state["snapshots"])
        self._measured = [dict(metrics) for metrics in state["measured"]]
        self._val = [PartOutputs.from_state(outputs) for outputs in state["val"]]
        for network, saved in zip(self.networks, state["networks"], strict=True):
            network.load_state_dict(saved)

    def _validate(self, network: Network) -> Generator[None, None, dict[str, float]]:
        """Return a network's metrics on the validation part, by whole name."""
        probe = (yield from network.fit_probe()) if "probe_hit" in self._wanted else None
        outputs = yield from network.predict(self.data.val, self._wanted, probe)
        measured = outputs.scores(self.data.val.truth, self.data.classes, self.data.slices)
        metrics = {f"val/{name}": value for name, value in measured.items()}
        if not outputs.is_finite:
            metrics[self.objective.name] = math.nan  # a class can be read off NaNs, but means nothing
        self._val.append(outputs)
        return metrics

    def _complete(self, step: int) -> EpochRecord:
        """Close an epoch that all networks have completed: record it, and keep its weights if it is the best."""
        rates = [network.learning_rate for network in self.networks]
        mean, lr = mean_metrics(self._measured), sum(rates) / len(rates)
        record = EpochRecord(step, mean, tuple(self._measured), lr, self.clock())
        if self._is_kept(record):
            self.kept_step, self.kept_val = step, self._val
            self._copy_weights()
        if step in SNAPSHOT_EPOCHS or step == self.recipe.epochs:
            self._take_snapshot(step)
        self.history.append(record)
        self._measured, self._val = [], []
        return record

    def _take_snapshot(self, step: int) -> None:
        network, n = self.networks[0], min(SNAPSHOT_IMAGES, len(self.data.val))
        if network.task != "classification" and n:
            made = network.look(self.data.val.batch(torch.arange(n)))["image"]
            self.snapshots[step] = (made.float().clamp(0, 1) * 255).round().to(torch.uint8).cpu()

    def _is_kept(self, record: EpochRecord) -> bool:
        name = self.objective.name
        if self.recipe.keep == "last" or not self.history or name not in record.metrics:
            return True
        best = next(old for old in self.history if old.step == self.kept_step)
        return is_better(record.metrics[name], best.metrics[name], self.objective.direction)

    def _copy_weights(self) -> None:
        states = [network.module.state_dict() for network in self.networks]
        if not self.kept_weights:
            self.kept_weights = [{key: value.clone() for key, value in state.items()} for state in states]
        for kept, state in zip(self.kept_weights, states, strict=True):
            for key, value in state.items():
                kept[key].copy_(value)

    def _diverge(self, metrics: Mapping[str, float]) -> EpochRecord:
        """Close a training in which a network became NaN or infinite."""
        self.stop_cause = StopCause.NAN
        name = self.objective.name
        reached = [*self._measured, {**metrics, name: math.nan}]
        by_seed = reached + [{name: math.nan}] * (len(self.networks) - len(reached))
        shown = {TOTAL_LOSS: metrics.get(TOTAL_LOSS, math.nan), name: math.nan}
        return EpochRecord(self.step + 1, shown, tuple(by_seed), self.networks[0].learning_rate, self.clock())

    def _is_stopped(self) -> bool:
        scores = self.scores()
        is_scored = all(math.isfinite(value) for value in scores)
        return is_scored and self.recipe.early_stopping.should_stop(scores)

    def _oriented(self, metrics: Mapping[str, float]) -> float:
        value = metrics.get(self.objective.name, math.nan)
        return value if self.objective.direction == "maximize" else -value


def mean_metrics(by_seed: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return the mean over the networks of every metric that all of them have."""
    shared = [key for key in by_seed[0] if all(key in metrics for metrics in by_seed)] if by_seed else []
    return {key: sum(metrics[key] for metrics in by_seed) / len(by_seed) for key in shared}
