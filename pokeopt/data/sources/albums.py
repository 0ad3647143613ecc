"""An album of drawn pictures, as the table that every source gives."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pokeopt.data.drawing.album import Album
from pokeopt.data.sources.base import SourceTable, table_digest


def table_of(album: Album, name: str, drawn_from: Sequence[str]) -> SourceTable:
    """Return the table of an album.

    Args:
        album: The pictures of one kind.
        name: What the report calls them.
        drawn_from: What the pictures depend on beside the album: the kind, the seed, the cast's own digest.
    """
    ids = np.array([f"{album.noun}-{row:04d}" for row in range(len(album.labels))])
    labels = np.array(album.classes)[album.labels]
    return SourceTable(
        name=name,
        ids=ids,
        classes=album.classes,
        labels=album.labels,
        open=album.open,
        content_hash=table_digest([*drawn_from, str(album.version)], ids, labels, album.groups),
        groups=album.groups,
        columns=album.columns,
        open_pair=album.open_pair,
    )
