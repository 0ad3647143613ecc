"""The end of a trial: the kept epoch's networks, scored once on every part."""

from __future__ import annotations

import os
import socket
from collections.abc import Generator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from pokeopt.metrics import curve_metrics, score
from pokeopt.records import Predictions, StopCause, TrialRecord
from pokeopt.training.batches import PartImages
from pokeopt.training.loop import Lockstep, mean_metrics
from pokeopt.trial.measure import measure_model
from pokeopt.trial.prepare import Prepared


def score_trial(prepared: Prepared, groups: Sequence[Lockstep]) -> Generator[None, None, TrialRecord]:
    """Return the record of a trial that ended by itself; yield after each batch.

    The networks are left with the weights of the kept epoch. Its ``facts``, and the metrics that come from them, are
    still to be filled in.
    """
    dataset = prepared.dataset
    by_seed: list[dict[str, float]] = []
    rows: dict[str, list[npt.NDArray[np.float32]]] = {}
    parts = _parts(prepared)
    for group in groups:
        kept = next(record for record in group.history if record.step == group.kept_step)
        group.load_kept()
        for position, network in enumerate(group.networks):
            curve = [
                record.by_seed[position][prepared.objective.name]
                for record in group.history
                if record.step > 0 and prepared.objective.name in record.by_seed[position]
            ]
            metrics = dict(kept.by_seed[position])
            reached = curve_metrics(curve, prepared.objective.direction)
            metrics.update({f"val/{name}": value for name, value in reached.items()})
            if len(prepared.data.val):
                rows.setdefault("val", []).append(group.kept_val[position])
            for name, (part, _) in parts.items():
                probabilities = yield from network.predict(part)
                rows.setdefault(name, []).append(probabilities)
                scores = score(part.truth, probabilities, dataset.classes)
                metrics.update({f"{name}/{metric}": value for metric, value in scores.items()})
            by_seed.append(metrics)
    ids = {"val": dataset.ids[dataset.val]} | {name: names for name, (_, names) in parts.items()}
    truth = {"val": prepared.data.val.truth} | {name: part.truth for name, (part, _) in parts.items()}
    causes = {group.stop_cause for group in groups}
    return TrialRecord(
        stop_cause=StopCause.EARLY_STOP if causes == {StopCause.EARLY_STOP} else StopCause.BUDGET,
        kept_step=max(group.kept_step for group in groups),
        metrics=mean_metrics(by_seed),
        by_seed=tuple(by_seed),
        facts={},
        classes=dataset.classes,
        predictions={
            name: Predictions(np.asarray(ids[name], dtype=np.str_), truth[name], np.stack(layers))
            for name, layers in rows.items()
        },
    )


def with_facts(
    record: TrialRecord,
    prepared: Prepared,
    groups: Sequence[Lockstep],
    *,
    wall_s: float,
    peak_mem_mb: float,
    gpu_util_pct: float | None,
) -> TrialRecord:
    """Return the record with its facts, and with the metrics of ``model/`` and ``cost/`` that they give."""
    size = measure_model(groups[0].networks[0].module, prepared.data.shape)
    epochs_each = [group.step for group in groups]
    measured: dict[str, float] = {
        "model/n_params": float(size.n_params),
        "model/flops": float(size.flops),
        "cost/wall_s": wall_s,
        "cost/s_per_epoch": wall_s / max(sum(epochs_each), 1),
        "cost/peak_mem_mb": peak_mem_mb,
        "cost/epochs_run": float(max(epochs_each)),
    }
    facts: dict[str, Any] = {
        "n_params": size.n_params,
        "flops": size.flops,
        "wall_s": wall_s,
        "s_per_epoch": measured["cost/s_per_epoch"],
        "peak_mem_mb": peak_mem_mb,
        "gpu_util_pct": gpu_util_pct,
        "epochs_run": max(epochs_each),
        "best_step": record.kept_step,
        "lr_last": groups[-1].networks[0].learning_rate,
        "device": _device_name(prepared),
        "precision": prepared.precision,
        "threads": prepared.task.threads,
        "host": socket.gethostname(),
        "worker_pid": os.getpid(),
        "split_hash": prepared.dataset.split_hash,
        "data_hash": prepared.dataset.data_hash,
    }
    return replace(
        record,
        metrics={**record.metrics, **measured},
        by_seed=tuple({**metrics, **measured} for metrics in record.by_seed),
        facts=facts,
    )


def diverged_record() -> TrialRecord:
    """Return the record of a trial that became NaN or infinite: nothing of it is scored."""
    return TrialRecord(StopCause.NAN, kept_step=0, metrics={}, by_seed=(), facts={})


def _parts(prepared: Prepared) -> Mapping[str, tuple[PartImages, npt.NDArray[Any]]]:
    """Return the images and ids of the parts that only a finished trial sees; empty ones are left out."""
    dataset, device = prepared.dataset, prepared.device
    test = PartImages(dataset.images, dataset.labels, dataset.test, device)
    parts = {"test": (test, dataset.ids[dataset.test])}
    for name, part in dataset.external.items():
        parts[name] = (PartImages(part.images, part.labels, None, device), part.ids)
    return {name: (images, ids) for name, (images, ids) in parts.items() if len(images)}


def _device_name(prepared: Prepared) -> str:
    if prepared.device.type != "cuda":
        return prepared.device.type
    return f"cuda: {torch.cuda.get_device_name(prepared.device)}"
