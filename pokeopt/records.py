"""Frozen rows that cross processes: what a worker gets, and what it gives back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

CHECKPOINT_STEP_FILE = "checkpoint.json"  # beside the weights: a driver learns the step without loading them


class TrialState(StrEnum):
    """Optuna's states, by the same names."""

    RUNNING = "RUNNING"
    WAITING = "WAITING"
    COMPLETE = "COMPLETE"
    PRUNED = "PRUNED"
    FAIL = "FAIL"


class StopCause(StrEnum):
    """Why a trial ended (the user attribute ``stop_cause``)."""

    BUDGET = "budget"
    EARLY_STOP = "early_stop"
    PRUNER = "pruner"
    NAN = "nan"
    OOM = "oom"
    TIMEOUT = "timeout"
    ERROR = "error"
    NO_METRIC = "no_metric"
    HUNG = "hung"
    WORKER_DIED = "worker_died"
    DRIVER_DIED = "driver_died"
    INTERRUPTED = "interrupted"

    @property
    def state(self) -> TrialState:
        """The one state that this cause leads to."""
        if self in (StopCause.BUDGET, StopCause.EARLY_STOP):
            return TrialState.COMPLETE
        if self in (StopCause.PRUNER, StopCause.NAN, StopCause.OOM, StopCause.TIMEOUT):
            return TrialState.PRUNED
        return TrialState.FAIL

    @property
    def is_retried(self) -> bool:
        """Whether the configuration deserves another attempt: its failure said nothing about it."""
        return self in (StopCause.HUNG, StopCause.WORKER_DIED, StopCause.DRIVER_DIED, StopCause.INTERRUPTED)


@dataclass(frozen=True, slots=True)
class TrialTask:
    """One configuration to train: all that a worker needs to know.

    Attributes:
        config: The resolved configuration: data, external, model, loss, training; JSON values only.
        seeds: One network is trained per seed, in lockstep (or in turn, see ``in_turn``).
        objective: The metric, like ``val/macro_f1``, whose best epoch is kept where ``training.keep`` is best.
        resample: Seed that redraws train and validation (confirm cells); None keeps the split of ``split.seed``.
        cache_dir: Folder of the image cache.
        checkpoint_dir: Folder of this trial's checkpoint, which a retry is given again; None writes none.
        device: ``auto``, ``cpu`` or ``cuda``.
        threads: CPU threads of this trial.
        memory_fraction: Share of its GPU's memory that this trial may use.
        in_turn: Train the seeds one after the other and report one step per seed (the Wilcoxon pruner's way).
        plugins: Python files to import before any name is looked up.
    """

    config: Mapping[str, Any]
    seeds: tuple[int, ...]
    objective: str
    cache_dir: str
    resample: int | None = None
    checkpoint_dir: str | None = None
    device: str = "auto"
    threads: int = 1
    memory_fraction: float = 1.0
    in_turn: bool = False
    deterministic: bool = False
    plugins: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EpochRecord:
    """What one completed epoch measured.

    Attributes:
        step: Completed epochs, from 1; 0 is the untrained model.
        metrics: PART/NAME[/CLASS] to value, mean over the trial's seeds; empty in a heartbeat.
        by_seed: The same for each seed, in the order of the task's seeds.
        lr: Learning rate used in this epoch.
        wall_s: Seconds of training and validation of this trial so far, resumed parts included.
        checkpoint_step: The newest completed epoch from which a retry can go on, if any.
        heartbeat: True when no epoch ended: the trial only says that it lives.
        facts: User attributes known already, such as host and device; sent once.
    """

    step: int
    metrics: Mapping[str, float] = field(default_factory=dict)
    by_seed: tuple[Mapping[str, float], ...] = ()
    lr: float = float("nan")
    wall_s: float = 0.0
    checkpoint_step: int | None = None
    heartbeat: bool = False
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Predictions:
    """Predictions of the kept epoch on one part.

    Attributes:
        ids: (N,) names of the images.
        truth: (N,) class indices.
        probabilities: (S, N, K) float32, one layer per seed; None where classes are not the task.
        values: Name to values (S, N) float32 of the images that were made, like ``squared_error``.
        slices: Name to which images (N,) are in it.
    """

    ids: npt.NDArray[np.str_]
    truth: npt.NDArray[np.int64]
    probabilities: npt.NDArray[np.float32] | None = None
    values: Mapping[str, npt.NDArray[np.float32]] = field(default_factory=dict)
    slices: Mapping[str, npt.NDArray[np.bool_]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TrialRecord:
    """What a finished trial leaves: the last item that ``trial.run`` yields.

    Attributes:
        stop_cause: ``budget``, ``early_stop`` or ``nan``; the loop knows no other.
        kept_step: The epoch whose weights were scored.
        metrics: Every metric at the kept epoch (train, val, test, external, model, cost), mean over seeds.
        by_seed: The same for each seed.
        facts: User attributes known in the worker: n_params, flops, wall_s, s_per_epoch, peak_mem_mb, gpu_util_pct,
            epochs_run, best_step, lr_last, device, precision, threads, host, worker_pid, split_hash, data_hash,
            unregistered and no_gradient (names of parameters that do not learn), first_epoch (images of each class
            that a balancing sampler drew, and how many of them differ; None where each came once).
        classes: Class names, in the order of the probabilities.
        predictions: By part: val, test and each external set; empty after ``nan``.
        pictures: File name to PNG bytes.
        layers: The network's layers, see ``trial.measure.measure_layers``.
    """

    stop_cause: StopCause
    kept_step: int
    metrics: Mapping[str, float]
    by_seed: tuple[Mapping[str, float], ...]
    facts: Mapping[str, Any]
    classes: tuple[str, ...] = ()
    predictions: Mapping[str, Predictions] = field(default_factory=dict)
    pictures: Mapping[str, bytes] = field(default_factory=dict)
    layers: Sequence[Mapping[str, Any]] = ()
