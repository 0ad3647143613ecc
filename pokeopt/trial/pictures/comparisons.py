"""Images that a network made beside those that it should have made, with the difference of both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from pokeopt.trial.pictures.choosing import Rows
from pokeopt.trial.pictures.layout import sheet
from pokeopt.trial.pictures.tiles import Pixels, as_intensity

FACTORS = (100, 50, 20, 10, 5, 2, 1)  # by which a difference may be strengthened
MSE = "mean squared error of intensities in [0, 1]"


@dataclass(frozen=True)
class Comparison:
    """N images that were made.

    Attributes:
        given: What the network was given, by the label of its row, each (N, C, H, W).
        wanted: What it should have made, (N, C, H, W), bytes or intensities in [0, 1].
        made: What it made, (N, C, H, W), likewise.
        slices: Name to which images (N,) are in it.
    """

    given: Mapping[str, Pixels]
    wanted: Pixels
    made: Pixels
    slices: Mapping[str, npt.NDArray[np.bool_]] = field(default_factory=dict)

    @cached_property
    def errors(self) -> npt.NDArray[np.float64]:
        """(N,) mean squared errors of the intensities, over channels and pixels."""
        return squared_errors(self.made, self.wanted)

    def drawn(self, rows: Rows, title: str, description: str, question: str) -> bytes:
        """Return a sheet of some of the images, one a column, each under its error.

        The description is followed by what the rows of the sheet are.
        """
        made, wanted = as_intensity(self.made[rows]), as_intensity(self.wanted[rows])
        difference, factor = strengthened(made, wanted)
        bands: dict[str, Pixels] = {label: images[rows] for label, images in self.given.items()}
        if "wanted" not in bands and not any(images is self.wanted for images in self.given.values()):
            bands["wanted"] = wanted
        bands |= {"made": made, "difference": difference}
        strong = f", shown {factor} times as strong" if factor > 1 else ""
        how = (
            f"Rows: {', '.join(bands)}. The difference is that of made and wanted, without its sign{strong}. "
            f"Above each column its MSE ({MSE})."
        )
        return sheet(
            [list(images) for images in bands.values()],
            list(bands),
            [f"MSE {error_text(self.errors[row])}" for row in rows.tolist()],
            tile_labels=[[""] * len(rows)] * (len(bands) - 1)
            + [[self.slices_of(row) for row in rows.tolist()]],
            title=title,
            description=f"{description} {how}",
            question=question,
        )

    def slices_of(self, row: int) -> str:
        """Return the names of the slices that an image is in."""
        return ", ".join(name for name, members in self.slices.items() if members[row])


def squared_errors(made: Pixels, wanted: Pixels) -> npt.NDArray[np.float64]:
    """Return the mean squared error of each of N images, (N,).

    Raises:
        ValueError: If the images are not as many or as large as those wanted.
    """
    if made.shape != wanted.shape:
        raise ValueError(f"made must have the shape of wanted, got {made.shape} and {wanted.shape}")
    difference = as_intensity(made).astype(np.float64) - as_intensity(wanted)
    errors: npt.NDArray[np.float64] = np.square(difference).reshape(len(made), -1).mean(axis=1)
    return errors


def strengthened(
    made: npt.NDArray[np.float32], wanted: npt.NDArray[np.float32]
) -> tuple[npt.NDArray[np.float32], int]:
    """Return absolute differences (N, C, H, W), multiplied so that they are seen, and the factor."""
    difference = np.abs(_opaque(made) - _opaque(wanted))
    large = float(np.quantile(difference, 0.99)) if difference.size else 0.0
    factor = next(factor for factor in FACTORS if factor * large <= 1 or factor == 1) if large else 1
    return difference * factor, factor


def error_text(error: float) -> str:
    """Return an error with two figures.

    >>> error_text(0.01234), error_text(0.5)
    ('0.012', '0.50')
    """
    return f"{error:#.2g}"


def _opaque(images: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return images (N, C, H, W) on white where they are transparent."""
    if images.shape[1] != 4:
        return images
    alpha = images[:, 3:].clip(0, 1)
    opaque: npt.NDArray[np.float32] = images[:, :3] * alpha + (1 - alpha)
    return opaque
