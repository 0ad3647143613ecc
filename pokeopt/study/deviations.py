"""Two records of one training held against each other, number by number."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

TIMED = "cost/"  # what a clock or a machine measures is another number every time
Array = npt.NDArray[Any]
Curve = dict[int, list[dict[str, float | None]]]


@dataclass(frozen=True)
class Deviation:
    """A number that came out otherwise.

    Attributes:
        what: Where it stands: ``epoch 3 val/macro_f1``, ``final test/macro_f1``, ``predictions val/probabilities``.
        stored: What the record says; None where it has no such number.
        found: What came out now; None where nothing did.
    """

    what: str
    stored: float | None
    found: float | None

    @property
    def size(self) -> float:
        """How far the two are apart; infinite where one is missing."""
        if self.stored is None or self.found is None:
            return float("inf")
        return abs(self.stored - self.found)


def curve_of(content: bytes) -> Curve:
    """Return what ``curves.json`` holds: step to the mean's metrics, then each network's."""
    return {
        int(entry["step"]): [entry["metrics"], *entry["by_seed"]] for entry in json.loads(content)["steps"]
    }


def curve_deviations(stored: Curve, found: Curve) -> Iterator[Deviation]:
    """Yield what differs between two curves, epoch by epoch."""
    for step in sorted({*stored, *found}):
        then, now = stored.get(step), found.get(step)
        if then is None or now is None:
            yield Deviation(f"epoch {step}", None, None)
            continue
        for index, metrics in enumerate(then):
            place = f"epoch {step}" + (f" network {index - 1}" if index else "")
            yield from metric_deviations(place, metrics, now[index] if index < len(now) else {})


def metric_deviations(
    place: str, stored: Mapping[str, float | None], found: Mapping[str, float | None]
) -> Iterator[Deviation]:
    """Yield the stored metrics that did not come out equal to the last bit.

    Those that a clock measured are left out, and those that only a newer version measures.
    """
    for key, then in stored.items():
        now = found.get(key)
        if not key.startswith(TIMED) and then != now and not (_is_nan(then) and _is_nan(now)):
            yield Deviation(f"{place} {key}", then, now)


def final_metrics(attrs: Mapping[str, Any]) -> dict[str, float]:
    """Return the final metrics among a trial's user attributes, which write infinities and NaN as text."""
    return {
        key: float(value)
        for key, value in attrs.items()
        if "/" in key and not key.startswith(TIMED) and isinstance(value, (int, float, str))
    }


def array_deviations(stored: bytes, found: bytes | None) -> Iterator[Deviation]:
    """Compare arrays by their bits; of each that differs, say the largest distance."""
    then, now = _arrays(stored), _arrays(found) if found is not None else {}
    for key in {**then, **now}:
        old, new = then.get(key), now.get(key)
        if old is None or new is None or old.shape != new.shape or old.dtype.kind != new.dtype.kind:
            yield Deviation(f"predictions {key}", None, None)
        elif not np.array_equal(old, new, equal_nan=old.dtype.kind == "f"):
            if old.dtype.kind != "f":
                yield Deviation(f"predictions {key}", None, None)
                continue
            at = np.unravel_index(int(np.nanargmax(np.abs(old - new))), old.shape)
            yield Deviation(f"predictions {key}", float(old[at]), float(new[at]))


def _arrays(content: bytes) -> dict[str, Array]:
    with np.load(io.BytesIO(content)) as file:
        return {key: file[key] for key in file.files}


def _is_nan(value: float | None) -> bool:
    return value is not None and math.isnan(value)
