"""What one partition of the latent does: images decoded with that partition scaled."""

from __future__ import annotations

from collections.abc import Sequence

from pokeopt.trial.pictures.layout import sheet
from pokeopt.trial.pictures.tiles import Pixels

SCALES = (-2.0, -1.0, 0.0, 1.0, 2.0)


def draw_traversal(
    number: int,
    size: int,
    decoded: Pixels,
    effect: float,
    dead_below: float,
    images: Pixels | None = None,
    scales: Sequence[float] = SCALES,
) -> dict[str, bytes]:
    """Return the sheet ``traversal-NUMBER.png``: a row an image, a column a scale.

    Args:
        number: Of the partition, from 0.
        size: Numbers in it.
        decoded: (M, S, C, H, W): M images, decoded with the partition multiplied by each scale.
        effect: Mean absolute change of the image when one number of the partition grows by 1, see
            ``pokeopt.training.partitions``.
        dead_below: Effects below it are called dead.
        images: (M, C, H, W), what was encoded.
        scales: S factors.

    Source: PVAE report, figures 6 and 8.
    """
    if not len(decoded):
        return {}
    is_dead = effect < dead_below
    title = f"Partition {number} ({size} {'number' if size == 1 else 'numbers'}): effect {effect:.2g}"
    verdict = (
        f"That is below {dead_below:.2g}: the partition is dead, nothing it holds is seen."
        if is_dead
        else (f"At least {dead_below:.2g} counts as alive.")
    )
    description = (
        f"Each row is one image{'' if images is None else ', as it is and then'} decoded with the numbers of partition "
        f"{number} (counted from 0) multiplied by the factor above the column, all others as they were encoded; 1x is "
        f"the plain reconstruction. When one of its numbers grows by 1, the image changes by {effect:.2g} in mean "
        f"absolute intensity. {verdict}"
    )
    starts = [[] for _ in decoded] if images is None else [[image] for image in images]
    content = sheet(
        [[*start, *row] for start, row in zip(starts, decoded, strict=True)],
        column_labels=[*(["input"] if images is not None else []), *(f"{scale:g}x" for scale in scales)],
        tile_px=96,
        title=f"{title}, dead" if is_dead else title,
        description=description,
        question=f"What does partition {number} of the latent do?",
    )
    return {f"traversal-{number}.png": content}
