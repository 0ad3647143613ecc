"""Numbers as a person reads them: durations, scores, sizes and dates, in plain text."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86400


def duration(seconds: float | None) -> str:
    """Return a duration in its two largest units.

    >>> [duration(s) for s in (0.42, 42, 200, 7500, 273600)]
    ['0.4s', '42s', '3m 20s', '2h 05m', '3d 04h']
    """
    if seconds is None or not math.isfinite(seconds):
        return "-"
    if seconds < 9.95:
        return f"{seconds:.1f}s"
    whole = round(seconds)
    if whole < MINUTE_S:
        return f"{whole}s"
    if whole < HOUR_S:
        return f"{whole // MINUTE_S}m {whole % MINUTE_S:02d}s"
    if whole < DAY_S:
        return f"{whole // HOUR_S}h {whole % HOUR_S // MINUTE_S:02d}m"
    return f"{whole // DAY_S}d {whole % DAY_S // HOUR_S:02d}h"


def score(value: float | None) -> str:
    """Return a score with three decimals below 10, and no false digits above; small ones keep three figures.

    >>> [score(s) for s in (0.87312, 12.3456, 12345.6, 0.000123456, None, float("nan"))]
    ['0.873', '12.35', '12346', '0.000123', '-', 'nan']
    """
    if value is None:
        return "-"
    if not math.isfinite(value):
        return str(value)
    size = abs(value)
    if size and size < 0.01:
        return f"{value:.3g}"
    if size < 10:
        return f"{value:.3f}"
    return f"{value:.2f}" if size < 1000 else f"{value:.0f}"


def setting(value: Any) -> str:
    """Return a searched value as one would write it in the file, floats with four figures.

    >>> [setting(v) for v in (0.00312345, True, 64, "adam", [256, 128])]
    ['0.003123', 'true', '64', 'adam', '[256, 128]']
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.4g}"
    if value is None:
        return "-"
    return str(value)


def settings(values: Mapping[str, Any], limit: int | None = None) -> str:
    """Return ``path value`` pairs in one line; past ``limit`` only how many more there are."""
    shown = [f"{path} {setting(value)}" for path, value in values.items()]
    if limit is not None and len(shown) > limit:
        shown = [*shown[:limit], f"and {len(shown) - limit} more"]
    return ", ".join(shown)


def counts(states: Mapping[str, int]) -> str:
    """Return counts by state in one line, the empty ones left out.

    >>> counts({"complete": 14, "pruned": 8, "failed": 0})
    '14 complete, 8 pruned'
    """
    return ", ".join(f"{n} {state}" for state, n in states.items() if n)


def plural(n: int, noun: str) -> str:
    """Return a count with its noun.

    >>> plural(1, "trial"), plural(2, "trial")
    ('1 trial', '2 trials')
    """
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def size(n_bytes: float) -> str:
    """Return a size in the largest unit that leaves at least one.

    >>> size(512), size(3_250_000)
    ('512 B', '3.2 MB')
    """
    for unit in ("B", "kB", "MB", "GB"):
        if n_bytes < 1000:
            return f"{n_bytes:.0f} {unit}" if unit == "B" else f"{n_bytes:.1f} {unit}"
        n_bytes /= 1000
    return f"{n_bytes:.1f} TB"


def moment(time: datetime | None) -> str:
    """Return a date and time to the minute."""
    return time.strftime("%Y-%m-%d %H:%M") if time else "-"


def ago(time: datetime | None, now: datetime | None = None) -> str:
    """Return how long ago a moment was, in its largest unit.

    >>> then = datetime(2026, 1, 1, 12)
    >>> [ago(then, now) for now in (datetime(2026, 1, 1, 12, 0, 20), datetime(2026, 1, 1, 17), datetime(2026, 2, 2))]
    ['just now', '5h ago', '31d ago']
    """
    if time is None:
        return "-"
    passed_s = ((now or datetime.now()) - time).total_seconds()
    if passed_s < MINUTE_S:
        return "just now"
    unit_s, letter = next((n, u) for n, u in ((DAY_S, "d"), (HOUR_S, "h"), (MINUTE_S, "m")) if passed_s >= n)
    return f"{passed_s // unit_s:.0f}{letter} ago"
