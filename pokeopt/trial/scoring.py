"""The end of a trial: the kept epoch's networks, scored once on every part."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from pokeopt.metrics import costly_values, curve_metrics
from pokeopt.records import Predictions, StopCause, TrialRecord
from pokeopt.training.batches import PartImages
from pokeopt.training.idle import unregistered, without_gradient
from pokeopt.training.information import partition_information
from pokeopt.training.loop import Lockstep, mean_metrics
from pokeopt.training.network import Network
from pokeopt.training.outputs import PartOutputs
from pokeopt.training.partitions import DEAD_BELOW, partition_effects
from pokeopt.trial.drawing import draw_pictures
from pokeopt.trial.measure import measure_layers, measure_model
from pokeopt.trial.prepare import Prepared

log = logging.getLogger(__name__)

EFFECT_IMAGES = 128  # validation images that the effect of a partition is measured on


def score_trial(prepared: Prepared, groups: Sequence[Lockstep]) -> Generator[None, None, TrialRecord]:
    """Return the record of a trial that ended by itself; yield after each batch.

    The networks are left with the weights of the kept epoch. Its ``facts``, and the metrics that come from them, are
    still to be filled in.
    """
    dataset = prepared.dataset
    by_seed: list[dict[str, float]] = []
    outputs: dict[str, list[PartOutputs]] = {}
    parts = _parts(prepared)
    wanted = _wanted(prepared, groups[0].networks[0])
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
            probe = (yield from network.fit_probe()) if "probe_hit" in wanted else None
            for name, scored in parts.items():
                if name == "val" and not wanted:
                    of_part = group.kept_val[position]
                else:
                    of_part = yield from network.predict(scored.images, wanted, probe)
                    found = of_part.scores(scored.images.truth, dataset.classes, scored.slices)
                    metrics.update({f"{name}/{metric}": value for metric, value in found.items()})
                outputs.setdefault(name, []).append(of_part)
            metrics.update((yield from _measured_partitions(network, prepared)))
            by_seed.append(metrics)
    first = outputs["test"][0] if "test" in outputs else None
    pictures: dict[str, bytes] = {}
    try:
        pictures = yield from draw_pictures(
            prepared, groups[0].networks[0], first, groups[0].snapshots, by_seed[0]
        )
    except Exception:  # the scores of a night are worth more than its pictures
        log.warning("the pictures of this trial cannot be drawn", exc_info=True)
    causes = {group.stop_cause for group in groups}
    return TrialRecord(
        stop_cause=StopCause.EARLY_STOP if causes == {StopCause.EARLY_STOP} else StopCause.BUDGET,
        kept_step=max(group.kept_step for group in groups),
        metrics=mean_metrics(by_seed),
        by_seed=tuple(by_seed),
        facts={},
        classes=dataset.classes,
        predictions={name: _predictions(parts[name], of_seeds) for name, of_seeds in outputs.items()},
        pictures=pictures,
    )


@dataclass(frozen=True)
class _Scored:
    """A part that a finished trial is scored on."""

    images: PartImages
    ids: npt.NDArray[np.str_]
    slices: Mapping[str, npt.NDArray[np.bool_]]


def _predictions(part: _Scored, of_seeds: Sequence[PartOutputs]) -> Predictions:
    layers = [of_seed.probabilities for of_seed in of_seeds if of_seed.probabilities is not None]
    return Predictions(
        ids=np.asarray(part.ids, dtype=np.str_),
        truth=part.images.truth,
        probabilities=np.stack(layers) if layers else None,
        values={name: np.stack([one.values[name] for one in of_seeds]) for name in of_seeds[0].values},
        slices={} if layers else part.slices,
    )


def _wanted(prepared: Prepared, network: Network) -> frozenset[str]:
    """Return the costly values that this network's images can have."""
    wanted = costly_values(network.task)
    if "probe_hit" not in wanted:
        return wanted
    has_latent = len(prepared.data.train) and "latent" in network.look(
        prepared.data.train.batch(torch.arange(1))
    )
    return wanted if has_latent else wanted - {"probe_hit"}


def _measured_partitions(network: Network, prepared: Prepared) -> Generator[None, None, dict[str, float]]:
    """Return the effect of each part of the latent, on validation images, how many have none, and what they share."""
    decoder = network.module.network
    partitions = getattr(decoder, "partitions", None)
    if not partitions or not len(prepared.data.val):
        return {}
    chosen = torch.arange(min(EFFECT_IMAGES, len(prepared.data.val)))
    latents = network.look(prepared.data.val.batch(chosen))["mean"].float()
    effects = yield from partition_effects(decoder, latents, partitions)
    named = {f"val/partition_effect/{number}": effect for number, effect in enumerate(effects)}
    information = partition_information(latents.cpu().numpy(), partitions)
    if information is not None:
        named["val/partition_information"] = information
    return {**named, "val/dead_partitions": float(sum(effect < DEAD_BELOW for effect in effects))}


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
    network = groups[0].networks[0]
    size = measure_model(network.module, prepared.data.shape)
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
        "unregistered": unregistered(network.module, network.parameters),
        "no_gradient": without_gradient(network.module, network.parameters),
        "first_epoch": _first_epoch(network) if max(epochs_each) else None,
    }
    return replace(
        record,
        metrics={**record.metrics, **measured},
        by_seed=tuple({**metrics, **measured} for metrics in record.by_seed),
        facts=facts,
        layers=measure_layers(network.module, prepared.data.shape),
    )


def diverged_record() -> TrialRecord:
    """Return the record of a trial that became NaN or infinite: nothing of it is scored."""
    return TrialRecord(StopCause.NAN, kept_step=0, metrics={}, by_seed=(), facts={})


def _parts(prepared: Prepared) -> dict[str, _Scored]:
    """Return the parts that a finished trial is scored on; empty ones are left out."""
    dataset, device = prepared.dataset, prepared.device
    stored = dataset.images if prepared.features is None else prepared.features
    test = PartImages(stored, dataset.labels, dataset.test, device)
    parts = {
        "val": _Scored(prepared.data.val, dataset.ids[dataset.val], prepared.data.slices),
        "test": _Scored(test, dataset.ids[dataset.test], dataset.slices(dataset.test)),
    }
    for name, part in dataset.external.items():
        parts[name] = _Scored(PartImages(part.images, part.labels, None, device), part.ids, part.slices)
    return {name: part for name, part in parts.items() if len(part.images)}


def _device_name(prepared: Prepared) -> str:
    if prepared.device.type != "cuda":
        return prepared.device.type
    return f"cuda: {torch.cuda.get_device_name(prepared.device)}"


def _first_epoch(network: Network) -> dict[str, list[int]] | None:
    """Return images of each class that the sampler drew in the first epoch, and how many different ones these were.

    None where it drew each training image once.
    """
    order, truth = network.order(1).cpu().numpy(), network.data.train.truth
    n_classes = len(network.data.classes)
    distinct = np.unique(order)
    if len(distinct) == len(order) == len(truth):
        return None
    return {
        "drawn": np.bincount(truth[order], minlength=n_classes).tolist(),
        "distinct": np.bincount(truth[distinct], minlength=n_classes).tolist(),
    }
