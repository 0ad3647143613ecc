"""Which images a sheet shows: some by chance and the worst, never those that somebody liked."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Rows: TypeAlias = npt.NDArray[np.int64]
PARTS = {"val": "validation"}  # as a sentence names them


def random_rows(n_images: int, n: int, seed: int = 0) -> Rows:
    """Return ``n`` of ``n_images`` rows, or all where there are fewer, ascending; equal arguments, equal rows."""
    chosen = np.random.default_rng(seed).permutation(n_images)[:n]
    return np.sort(chosen)


def worst_rows(errors: npt.NDArray[np.floating], n: int) -> Rows:
    """Return the rows of the ``n`` largest errors (N,), the largest first, the first of equals first."""
    return np.argsort(-errors, kind="stable")[:n]


def spread_rows(values: npt.NDArray[np.floating], n: int) -> Rows:
    """Return the rows of ``n`` values (N,) from the smallest to the largest, evenly spaced in rank."""
    order = np.argsort(values, kind="stable")
    return order[np.unique(np.linspace(0, len(order) - 1, min(n, len(order))).round().astype(np.int64))]
