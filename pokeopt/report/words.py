"""Numbers and names as a reader wants them: digits that the noise deserves, human units, one minus sign."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from pokeopt.ablation import Effect, Level
from pokeopt.registry import METRICS

MINUS = "\N{MINUS SIGN}"
ABSENT = "\N{EN DASH}"
NAMES = {
    "macro_f1": "macro-F1",
    "f1": "F1",
    "mse": "MSE",
    "class_mse": "MSE",
    "slice_mse": "MSE",
    "mae": "mean absolute error",
    "psnr": "PSNR",
    "ssim": "SSIM",
    "kl": "KL divergence",
    "n_params": "parameters",
    "epochs_to_90pct": "epochs to 90 % of the best",
    "grad_norm": "gradient norm",
    "n_overpredicted": "over-predicted classes",
    "max_pred_share": "largest over-prediction",
    "s_per_epoch": "seconds an epoch",
    "wall_s": "seconds",
    "peak_mem_mb": "peak memory (MB)",
}
UNITS = {
    "psnr": "dB",
    "kl": "nats",
    "partition_information": "nats",
}  # of those whose name does not tell it; shares and scores have none
PARTS = {"val": "validation"}
WHOLE = ("epochs", "parameters", "classes", "partitions", "flop")  # units of what is counted in every run
SHOWN = ("s", "MB", "dB", "nats", "epochs")  # units that a value needs beside its metric's name
MOST_DIGITS = 8
SHARES = ("gradient_share",)  # of one whole: less of one is more of another, neither is better


def digits_for(noise: float | None, size: float | None = None) -> int:
    """Return decimals that show two figures of the noise, at least 2.

    Args:
        noise: Standard deviation; where it is unknown, three decimals, or two figures of the number.
        size: The number itself: at most four figures of it are shown, or four decimals.
    """
    small = _leading_place(size)
    if noise is None or not math.isfinite(noise) or noise <= 0:
        return min(MOST_DIGITS, max(3, small + 1))
    return max(2, min(4 if small < 1 else small + 3, MOST_DIGITS, _leading_place(noise) + 1))


def column_digits(values: Iterable[float | None]) -> int:
    """Return the decimals of a column of scores without noise: three figures of the middle one, at least 3."""
    sizes = sorted(abs(value) for value in values if value and math.isfinite(value))
    return min(MOST_DIGITS, max(3, _leading_place(sizes[len(sizes) // 2]) + 2)) if sizes else 3


def number(value: float | None, digits: int | None = None, *, sign: bool = False) -> str:
    """Return a fixed-point number with a true minus sign; a dash where there is none.

    Args:
        value: The number.
        digits: Decimals; None means 3, and three figures of a number below 0.01.
        sign: Whether a positive one has its sign.
    """
    if value is None or not math.isfinite(value):
        return ABSENT
    if digits is None:
        digits = min(MOST_DIGITS, _leading_place(value) + 2) if 0 < abs(value) < 0.01 else 3
    if abs(value) >= 1000:
        digits = 0
    text = f"{value:{'+' if sign else ''},.{digits}f}"
    if float(text.replace(",", "")) == 0:
        text = f"{0:.{digits}f}"  # neither -0.000 nor +0.000
    return text.replace("-", MINUS).replace(",", "\N{NARROW NO-BREAK SPACE}")


def _leading_place(value: float | None) -> int:
    """Return the decimal place of a number's first figure: 0.5 has 1, 0.02 has 2; 0 where it is not below 1.

    >>> [_leading_place(value) for value in (0.5, 0.02, 3.0, 0.0, None)]
    [1, 2, 0, 0, 0]
    """
    return -min(0, math.floor(math.log10(abs(value)))) if value and math.isfinite(value) else 0


def interval(low: float | None, high: float | None, digits: int = 3, *, sign: bool = False) -> str:
    """Return ``[low, high]``; nothing where there is no interval."""
    if low is None or high is None:
        return ""
    return f"[{number(low, digits, sign=sign)}, {number(high, digits, sign=sign)}]"


def telling_digits(digits: int, low: float | None, high: float | None) -> int:
    """Return the decimals at which an interval's ends are two numbers: as many as given, or more where they must.

    >>> telling_digits(4, -0.000024, 0.000014), telling_digits(4, -0.0024, 0.0014)
    (6, 4)
    """
    if low is None or high is None or low == high or number(low, digits) != number(high, digits):
        return digits
    return min(MOST_DIGITS, max(digits, _leading_place(high - low) + 1))


def common_digits(
    noises: Iterable[float | None], sizes: Iterable[float | None] = (), metric: str = ""
) -> int:
    """Return the decimals of a whole column: those of its middle noise and its middle number.

    Args:
        noises: Standard deviations.
        sizes: The numbers themselves.
        metric: What they are; counts that are whole and without noise in every row have no decimals.
    """
    noises, sizes = list(noises), list(sizes)
    is_whole = not any(noises) and all(value is None or float(value).is_integer() for value in sizes)
    if is_count(metric) and is_whole:
        return 0
    noise, size = (
        sorted(abs(value) for value in values if value and math.isfinite(value)) for values in (noises, sizes)
    )
    return digits_for(_middle(noise), _middle(size))


def level_digits(levels: Iterable[Level], metric: str = "") -> int:
    """Return the decimals of a column of levels."""
    levels = list(levels)
    return common_digits((level.sd for level in levels), (level.mean for level in levels), metric)


def effect_digits(effects: Iterable[Effect | None], metric: str = "") -> int:
    """Return the decimals of a column of differences: their own, since they may be small beside the levels."""
    known = [effect for effect in effects if effect is not None]
    return common_digits((effect.sd for effect in known), (effect.mean for effect in known), metric)


def level_text(level: Level, digits: int | None = None) -> str:
    """Return mean and sample SD."""
    digits = _digits_of(level.sd, level.mean) if digits is None or _is_large(level.mean) else digits
    spread = f" ± {number(level.sd, digits)}" if level.sd is not None else ""
    return f"{number(level.mean, digits)}{spread}"


def effect_text(effect: Effect, digits: int | None = None) -> str:
    """Return the difference with its interval; where all seeds have the same difference, that instead of one.

    An interval that would read as one number takes the decimals that tell its ends apart.
    """
    digits = _digits_of(effect.sd, effect.mean) if digits is None or _is_large(effect.mean) else digits
    digits = telling_digits(digits, effect.low, effect.high)
    text = number(effect.mean, digits, sign=True)
    if effect.n > 1 and effect.sd == 0:
        return f"{text}, {alike(effect.n)}"
    return f"{text} {interval(effect.low, effect.high, digits, sign=True)}".strip()


def cell_text(effect: Effect, digits: int) -> str:
    """Return the same for a cell of a table, whose note is ``alike_note``."""
    if effect.n > 1 and effect.sd == 0:
        return f"{number(effect.mean, digits, sign=True)} (alike)"
    return effect_text(effect, digits)


def alike_note(effects: Iterable[Effect | None]) -> str:
    """Return what "alike" means under a table that has such a cell; else nothing."""
    if any(effect is not None and effect.n > 1 and effect.sd == 0 for effect in effects):
        return "Alike: the difference is the same at every seed, so it has no interval."
    return ""


def alike(n: int) -> str:
    """Say why a difference has no interval: it is the same at every seed, which shows no spread."""
    return f"{'both' if n == 2 else f'all {n}'} seeds alike: no interval"


def size_text(effect: Effect) -> str:
    """Return the size of an effect behind a word that has the direction: unsigned, its interval turned with it."""
    if effect.mean is None or effect.low is None or effect.high is None:
        return effect_text(effect)
    low, high = (effect.low, effect.high) if effect.mean >= 0 else (-effect.high, -effect.low)
    digits = telling_digits(_digits_of(effect.sd, effect.mean), low, high)
    return f"{number(abs(effect.mean), digits)} {interval(low, high, digits)}"


def is_count(metric: str) -> bool:
    """Whether a metric is a whole number in every run, so that only a mean has decimals.

    >>> is_count("model/n_params"), is_count("cost/wall_s"), is_count("")
    (True, False, False)
    """
    return _unit(metric) in WHOLE


def unit_of(metric: str) -> str:
    """Return the unit of a metric's values; empty for a score or a share.

    >>> unit_of("cost/wall_s"), unit_of("val/psnr - test/psnr"), unit_of("test/macro_f1")
    ('s', 'dB', '')
    """
    unit = _unit(metric)
    return unit if unit in SHOWN else ""


def _unit(metric: str) -> str:
    name = metric.partition(" - ")[0].partition("/")[2].partition("/")[0]
    return METRICS.get(name).unit if name in METRICS.names() else ""


def _is_large(value: float | None) -> bool:
    """Whether a number is so large that ``number`` gives it no decimals; its spread has none then either."""
    return value is not None and abs(value) >= 1000


def _digits_of(sd: float | None, mean: float | None) -> int:
    return 0 if _is_large(mean) else digits_for(sd, mean)


def _middle(ascending: Sequence[float]) -> float | None:
    return ascending[len(ascending) // 2] if ascending else None


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
    shown = float(f"{value:.3g}")  # 999 700 is a million
    for unit, factor in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if abs(shown) >= factor:
            size = shown / factor
            return f"{size:.0f} {unit}" if abs(size) >= 1000 else f"{size:.3g} {unit}"
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


def part_name(part: str) -> str:
    """Return a part of the data in words."""
    return PARTS.get(part, part)


def metric_name(metric: str) -> str:
    """Return PART/NAME[/CLASS] in words: ``val/macro_f1`` is validation macro-F1; ``A - B`` is A less B."""
    if " - " in metric:
        return f" {MINUS} ".join(metric_name(one) for one in metric.split(" - "))
    part, _, rest = metric.partition("/")
    name, _, class_name = rest.partition("/")
    if not name:
        return metric
    words = NAMES.get(name, name.replace("_", " "))
    if part != "cost":  # which is of the run, not of a part
        words = f"{PARTS.get(part, part)} {words}"
    return f"{words} of {class_name}" if class_name else words


def bare_name(metric: str) -> str:
    """Return a metric in words without its part: ``val/macro_f1`` is macro-F1, ``cost/wall_s`` is seconds."""
    return metric_name(metric).removeprefix(f"{part_name(metric.partition('/')[0])} ")


def lower_note(metric: str, direction: str) -> str:
    """Return the note behind a metric that is better the lower it is; nothing behind a share of one whole.

    >>> lower_note("test/mse", "minimize"), lower_note("train/gradient_share/prior", "minimize")
    (' (lower is better)', '')
    """
    name = metric.partition("/")[2].partition("/")[0]
    return " (lower is better)" if direction == "minimize" and name not in SHARES else ""


def axis_name(metric: str) -> str:
    """Return a metric in words with its unit, where it has one: ``val/psnr`` is validation PSNR (dB)."""
    unit = UNITS.get(metric.partition("/")[2].partition("/")[0])
    return f"{metric_name(metric)} ({unit})" if unit else metric_name(metric)


def capital(text: str) -> str:
    """Return a text that begins a sentence."""
    return text[:1].upper() + text[1:]


def joined(items: Iterable[str], last: str = "and") -> str:
    """Join as a sentence does: a, b and c."""
    parts: Sequence[str] = list(items)
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} {last} {parts[-1]}" if parts else ""


def plural(n: int, noun: str) -> str:
    """Return ``1 seed`` or ``5 seeds``."""
    if n == 1:
        return f"{n} {noun}"
    if noun.endswith("y"):
        return f"{n} {noun[:-1]}ies"
    return f"{n} {noun}{'es' if noun.endswith('s') else 's'}"
