"""The hash that tells configurations apart: arms and rows of equal hash run the same thing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any


def config_hash(config: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a resolved configuration as canonical JSON; 1 and 1.0 are one value, so is key
    order.

    >>> config_hash({"a": 1.0, "b": 2}) == config_hash({"b": 2, "a": 1})
    True
    """
    text = json.dumps(_canonical(config), sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _canonical(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _canonical(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_canonical(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
