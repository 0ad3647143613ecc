"""The artifacts of a trial, as files."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Mapping, Sequence

import numpy as np

from pokeopt.metrics import confusion_matrix
from pokeopt.records import EpochRecord, TrialRecord


def curves_file(curve: Sequence[EpochRecord]) -> bytes:
    """Return ``curves.json``: every epoch with every metric, mean and by seed."""
    steps = [
        {
            "step": record.step,
            "metrics": _finite(record.metrics),
            "by_seed": [_finite(metrics) for metrics in record.by_seed],
            "lr": record.lr if math.isfinite(record.lr) else None,
            "wall_s": round(record.wall_s, 3),
        }
        for record in curve
    ]
    return json.dumps({"steps": steps}).encode()


def result_files(record: TrialRecord) -> dict[str, bytes]:
    """Return the artifacts that only a COMPLETE trial has: predictions, confusion matrices, pictures, layers."""
    files = dict(record.pictures)
    if record.layers:
        files["layers.json"] = json.dumps({"layers": list(record.layers)}).encode()
    if not record.predictions:
        return files
    arrays = {"classes": np.array(record.classes)}
    confusion = {}
    for part, predictions in record.predictions.items():
        arrays |= {
            f"{part}/ids": predictions.ids,
            f"{part}/truth": predictions.truth,
            **{f"{part}/values/{name}": values for name, values in predictions.values.items()},
            **{f"{part}/slices/{name}": images for name, images in predictions.slices.items()},
        }
        if predictions.probabilities is None:
            continue
        arrays[f"{part}/probabilities"] = predictions.probabilities
        predicted = predictions.probabilities.mean(axis=0).argmax(axis=1)
        matrix = confusion_matrix(predictions.truth, predicted, len(record.classes))
        confusion[part] = matrix.tolist()
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
    files["predictions.npz"] = buffer.getvalue()
    if confusion:
        tables = {"classes": list(record.classes), "rows": "truth", "columns": "predicted", **confusion}
        files["confusion.json"] = json.dumps(tables).encode()
    return files


def _finite(metrics: Mapping[str, float]) -> dict[str, float | None]:
    return {name: float(value) if math.isfinite(value) else None for name, value in metrics.items()}
