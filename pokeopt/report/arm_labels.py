"""What a page calls an arm that a design made: its id names every key in full, which no column has room for."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any


def arm_labels(arms: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return arm id to label: the author's, else of ``KEY=VALUE`` the key's last word; the id where two would agree.

    >>> ids = "training.learning_rate=0.001", "training.batch_size=4,model.width=[256,128]", "four"
    >>> list(arm_labels([{"id": id_} for id_ in ids]).values())
    ['learning rate = 0.001', 'batch size = 4, width = [256,128]', 'four']
    """
    told = {str(arm["id"]): str(arm.get("label") or arm["id"]) for arm in arms}
    found = {id_: _shortened(id_) if label == id_ else label for id_, label in told.items()}
    count = Counter(found.values())
    return {id_: label if count[label] == 1 else told[id_] for id_, label in found.items()}


def _shortened(id_: str) -> str:
    pairs = [pair.partition("=") for pair in re.split(r",(?=[\w.]+=)", id_)]
    if not all(equals and "." in key for key, equals, _ in pairs):
        return id_
    return ", ".join(f"{key.rpartition('.')[2].replace('_', ' ')} = {value}" for key, _, value in pairs)
