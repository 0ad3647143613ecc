"""Numbers and names as a reader wants them: digits that the noise deserves, human units, one minus sign."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from pokeopt.ablation import Effect, Level

MINUS = "\N{MINUS SIGN}"
ABSENT = "\N{EN DASH}"
NAMES = {"macro_f1": "macro-F1", "f1": "F1", "mse": "MSE", "n_params": "parameters", "wall_s": "seconds"}
PARTS = {"val": "validation"}


def digits_for(noise: float | None) -> int:
    """Return decimals that show two figures of the noise, between 2 and 4; three where it is unknown."""
    if noise is None or not math.isfinite(noise) or noise <= 0:
        return 3
    return max(2, min(4, 1 - math.floor(math.log10(noise))))


def number(value: float | None, digits: int = 3, *, sign: bool = False) -> str:
    """Return a fixed-point number with a true minus sign; a dash where there is none."""
    if value is None or not math.isfinite(value):
        return ABSENT
    if abs(value) >= 1000:
        digits = 0
    text = f"{value:{'+' if sign else ''},.{digits}f}"
    if float(text.replace(",", "")) == 0:
        text = f"{0:.{digits}f}"  # neither -0.000 nor +0.000
    return text.replace("-", MINUS).replace(",", "\N{NARROW NO-BREAK SPACE}")


def interval(low: float | None, high: float | None, digits: int = 3, *, sign: bool = False) -> str:
    """Return ``[low, high]``; nothing where there is no interval."""
    if low is None or high is None:
        return ""
    return f"[{number(low, digits, sign=sign)}, {number(high, digits, sign=sign)}]"


def common_digits(noises: Iterable[float | None]) -> int:
    """Return the decimals of a whole column: those of its middle noise."""
    known = sorted(noise for noise in noises if noise)
    return digits_for(known[len(known) // 2] if known else None)


def level_text(level: Level, digits: int | None = None) -> str:
    """Return mean and sample SD."""
    digits = digits_for(level.sd) if digits is None else digits
    spread = f" ± {number(level.sd, digits)}" if level.sd is not None else ""
    return f"{number(level.mean, digits)}{spread}"


def effect_text(effect: Effect, digits: int | None = None) -> str:
    """Return the difference with its interval."""
    digits = digits_for(effect.sd) if digits is None else digits
    ends = interval(effect.low, effect.high, digits, sign=True)
    return f"{number(effect.mean, digits, sign=True)} {ends}".strip()


def p_value(p: float | None) -> str:
    """Return a p with two figures; the smallest as a bound."""
    if p is None:
        return ABSENT
    if p < 0.001:
        return "< 0.001"
    return f"{p:.3f}" if p < 0.1 else f"{p:.2f}"


def duration(seconds: float | None) -> str:
    """Return a time in human units: 0.8 s, 42 s, 3m 20s, 1h 05m."""
    if seconds is None or not math.isfinite(seconds):
        return ABSENT
    if seconds < 1:
        return f"{seconds:.2f} s"
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}m {whole % 60:02d}s"
    return f"{whole // 3600}h {whole % 3600 // 60:02d}m"


def quantity(value: float | None) -> str:
    """Return a large count in thousands or millions, three figures."""
    if value is None or not math.isfinite(value):
        return ABSENT
    for unit, factor in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if abs(value) >= factor:
            return f"{value / factor:.3g} {unit}"
    return f"{value:.0f}"


def plain(value: Any) -> str:
    """Return a parameter's value: four figures, lists with spaces, a dash for none."""
    if value is None:
        return ABSENT
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.4g}".replace("-", MINUS)
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(plain(item) for item in value) + "]"
    return str(value)


def metric_name(metric: str) -> str:
    """Return PART/NAME[/CLASS] in words: ``val/macro_f1`` is validation macro-F1."""
    part, _, rest = metric.partition("/")
    name, _, class_name = rest.partition("/")
    if not name:
        return metric
    words = f"{PARTS.get(part, part)} {NAMES.get(name, name.replace('_', ' '))}"
    return f"{words} of {class_name}" if class_name else words


def capital(text: str) -> str:
    """Return a text that begins a sentence."""
    return text[:1].upper() + text[1:]


def joined(items: Iterable[str], last: str = "and") -> str:
    """Join as a sentence does: a, b and c."""
    parts: Sequence[str] = list(items)
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} {last} {parts[-1]}" if parts else ""


def plural(n: int, noun: str) -> str:
    """Return ``1 seed`` or ``5 seeds``."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}{'es' if noun.endswith('s') else 's'}"
