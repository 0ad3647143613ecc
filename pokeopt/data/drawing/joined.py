"""The upper part of one cut-out on the lower part of another, joined where they are about as wide."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image

from pokeopt.data.drawing.cast import CutOut
from pokeopt.data.drawing.draw import OUTLINE

# Where the seam may run, in shares of the height: heads are larger than legs.
UPPER, LOWER = (0.40, 0.62), (0.42, 0.66)
NARROWEST, WIDEST = 0.65, 1.55  # how far the upper part may be scaled so that it fits


def joined(upper: CutOut, lower: CutOut) -> CutOut:
    """Join two cut-outs at the rows that fit best; what is new at the edge gets a dark outline.

    Args:
        upper: Whose upper part is used; scaled so that it is as wide at the seam as the other.
        lower: Whose lower part is used, as it is.

    Returns:
        RGBA, cut to what is drawn.
    """
    upper_row, lower_row = _best_rows(upper, lower)
    (first, last), (low, high) = _extent(upper[upper_row - 1]), _extent(lower[lower_row])
    factor = float(np.clip((high - low) / (last - first), NARROWEST, WIDEST))
    part = Image.fromarray(upper[:upper_row])
    size = (max(1, round(part.width * factor)), max(1, round(part.height * factor)))
    # nearest neighbours: outlines stay dark, alpha stays hard
    head, body = np.asarray(part.resize(size, Image.Resampling.NEAREST)), lower[lower_row:]
    shift = round((low + high) / 2 - (first + last) / 2 * factor)
    left = min(0, shift)
    width = max(shift + head.shape[1], body.shape[1]) - left
    whole = np.zeros((len(head) + len(body), width, 4), np.uint8)
    whole[: len(head), shift - left : shift - left + head.shape[1]] = head
    whole[len(head) :, -left : -left + body.shape[1]] = body
    _outline_seam(whole, len(head))
    columns = np.flatnonzero(whole[..., 3].any(axis=0))
    return whole[:, columns[0] : columns[-1] + 1]


def _best_rows(upper: CutOut, lower: CutOut) -> tuple[int, int]:
    """Return the rows (the upper ends before one, the lower begins at the other) whose widths agree best."""
    rows, widths, gaps = zip(*(_profile(*pair) for pair in ((upper, UPPER), (lower, LOWER))), strict=True)
    mismatch = np.abs(np.log(widths[0][:, None] / widths[1][None, :]))
    cost = mismatch + gaps[0][:, None] + gaps[1][None, :]
    best = np.unravel_index(int(np.argmin(cost)), cost.shape)
    return int(rows[0][best[0]]) + 1, int(rows[1][best[1]])


def _profile(
    cut_out: CutOut, band: tuple[float, float]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the rows of a band, how wide each is, and how much of that width is empty."""
    height = len(cut_out)
    inside = cut_out[..., 3] > 0
    low, high = int(band[0] * height), max(int(band[0] * height) + 1, int(band[1] * height))
    rows = np.arange(low, high)
    rows = rows[inside[rows].any(axis=1)]
    if not len(rows):  # nothing there: the fullest row of all
        rows = np.array([int(np.argmax(inside.sum(axis=1)))])
    widths = np.array([float(np.subtract(*_extent(cut_out[row])[::-1])) for row in rows])
    return rows, widths, 1 - inside[rows].sum(axis=1) / widths


def _extent(row: npt.NDArray[np.uint8]) -> tuple[int, int]:
    """Return where a row (W, 4) begins and ends, the end excluded; (0, W) of an empty one."""
    columns = np.flatnonzero(row[..., 3])
    return (int(columns[0]), int(columns[-1]) + 1) if len(columns) else (0, len(row))


def _outline_seam(whole: CutOut, seam: int) -> None:
    """Darken what became an edge where the two meet."""
    inside = np.pad(whole[..., 3] > 0, 1)
    surrounded = inside[:-2, 1:-1] & inside[2:, 1:-1] & inside[1:-1, :-2] & inside[1:-1, 2:]
    edge = (whole[..., 3] > 0) & ~surrounded
    edge[: max(0, seam - 1)] = False
    edge[seam + 1 :] = False
    whole[edge, :3] = OUTLINE
