"""``data make``, ``data describe``, ``data import``."""

from __future__ import annotations
from pathlib import Path


def make(source: str) -> int:
    """M."""
    return 0


def describe(source: str) -> int:
    """M."""
    return 0


def import_(source: str) -> int:
    """M."""
    return 0
