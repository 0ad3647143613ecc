"""Server-side SVG: elements, scales, axes and markers. Colours come from the page's classes, so themes reach
them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from markupsafe import Markup, escape

WIDTH = 672  # the column in CSS pixels, so that text in figures has the size of text in tables
CHARACTER = 7.6  # pixels of a character of a label, in the widest of the fonts
SHAPES = ("circle", "square", "diamond", "triangle", "down", "cross", "star")


def tag(name: str, *children: str | Markup, **attributes: object) -> Markup:
    """Return an element; ``class_`` is class, ``stroke_width`` is stroke-width; children that are no Markup
    are escaped.

    >>> str(tag("text", "a < b", x=1.25, class_="label"))
    '<text x="1.2" class="label">a &lt; b</text>'
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_number(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    inside = Markup("").join(children)
    return Markup(f"<{name}{written}>{inside}</{name}>" if inside else f"<{name}{written}/>")


def drawing(height: float, label: str, *children: Markup, width: float = WIDTH) -> Markup:
    """Return a whole figure with its text for those who do not see it."""
    return tag(
        "svg",
        *children,
        viewBox=f"0 0 {_number(width)} {_number(height)}",
        width=width,
        height=height,
        role="img",
        aria_label=label,
    )


@dataclass(frozen=True)
class Scale:
    """A linear map from values to pixels."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Return the pixel of a value."""
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)

    def ticks(self, count: int = 5) -> list[float]:
        """Return round values inside the range, about ``count`` of them.

        >>> Scale(0.0, 1.0, 0, 100).ticks()
        [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
        """
        step = _round_step((self.high - self.low) / count)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [round(i * step, 12) for i in range(first, last + 1)]


def spanning(
    values: Iterable[float], start: float, end: float, *, include: Iterable[float] = (), pad: float = 0.05
) -> Scale:
    """Return a scale over all values and those in ``include``, with some air where the data end."""
    data = [value for value in values if math.isfinite(value)]
    fixed = list(include)
    low, high = min([*data, *fixed], default=0.0), max([*data, *fixed], default=1.0)
    if high - low < 1e-9:
        low, high = low - 0.5 * max(abs(low), 0.1), high + 0.5 * max(abs(high), 0.1)
    air = pad * (high - low)
    low = low if low in fixed else low - air
    high = high if high in fixed else high + air
    return Scale(low, high, start, end)


def tick_text(value: float, step: float) -> str:
    """Return a tick's label with as many decimals as its step needs."""
    decimals = max(0, -math.floor(math.log10(step) + 1e-9)) if step > 0 else 0
    text = f"{value:.{decimals}f}"
    return ("0" if float(text) == 0 else text).replace("-", "\N{MINUS SIGN}")


def x_axis(
    scale: Scale,
    y: float,
    title: str,
    *,
    top: float | None = None,
    signed: bool = False,
    whole: bool = False,
    say: Callable[[float], str] | None = None,
) -> Markup:
    """Return an axis along the bottom.

    Args:
        scale: Its values and where they stand.
        y: Its height.
        title: What it shows, with the unit.
        top: Light lines are drawn up to here.
        signed: Whether a positive tick has its sign.
        whole: Whether only whole numbers are labelled.
        say: A tick's label, where that is not a plain number.
    """
    ticks = next((t for n in (5, 4, 3, 2) if _have_room(t := scale.ticks(n), scale, say)), scale.ticks(1))
    if whole:
        ticks = [value for value in ticks if abs(value - round(value)) < 1e-9]
    step = ticks[1] - ticks[0] if len(ticks) > 1 else 1.0
    parts = [tag("line", x1=scale.start, x2=scale.end, y1=y, y2=y, class_="axis")]
    for value in ticks:
        x = scale(value)
        if top is not None:
            parts.append(tag("line", x1=x, x2=x, y1=top, y2=y, class_="grid"))
        text = tick_text(value, step) if say is None else say(value)
        text = f"+{text}" if signed and value > 0 else text
        parts.append(tag("text", text, x=x, y=y + 17, class_="tick", text_anchor="middle"))
    middle = (scale.start + scale.end) / 2
    parts.append(tag("text", title, x=middle, y=y + 36, class_="axis-title", text_anchor="middle"))
    return Markup("").join(parts)


def _have_room(ticks: list[float], scale: Scale, say: Callable[[float], str] | None) -> bool:
    """Whether the labels of ticks stand apart."""
    if len(ticks) < 2:
        return True
    step = ticks[1] - ticks[0]
    texts = [tick_text(value, step) if say is None else say(value) for value in ticks]
    longest = max(len(text) for text in texts) + 2  # a sign, and a space between two
    return CHARACTER * longest <= scale(ticks[1]) - scale(ticks[0])


def y_axis(scale: Scale, x: float, right: float, title: str) -> Markup:
    """Return labels and light lines of a vertical axis; its title stands above it, level."""
    ticks = scale.ticks()
    step = ticks[1] - ticks[0] if len(ticks) > 1 else 1.0
    parts = []
    for value in ticks:
        y = scale(value)
        parts.append(tag("line", x1=x, x2=right, y1=y, y2=y, class_="grid"))
        parts.append(tag("text", tick_text(value, step), x=x - 8, y=y + 4, class_="tick", text_anchor="end"))
    parts.append(tag("text", title, x=0, y=12, class_="axis-title"))
    return Markup("").join(parts)


def polyline(points: Iterable[tuple[float, float]], class_: str, title: str = "") -> Markup:
    """Return a line through points, with a tooltip."""
    joined = " ".join(f"{_number(x)},{_number(y)}" for x, y in points)
    return tag("polyline", *([tag("title", title)] if title else []), points=joined, class_=class_)


def marker(shape: str, x: float, y: float, class_: str, title: str = "", radius: float = 5) -> Markup:
    """Return one of SHAPES around a point, with a tooltip."""
    inside = [tag("title", title)] if title else []
    if shape == "circle":
        return tag("circle", *inside, cx=x, cy=y, r=radius, class_=class_)
    corners = [(x + radius * dx, y + radius * dy) for dx, dy in _OUTLINES[shape]]
    points = " ".join(f"{_number(px)},{_number(py)}" for px, py in corners)
    return tag("polygon", *inside, points=points, class_=class_)


def _star() -> list[tuple[float, float]]:
    points = []
    for i in range(10):
        reach, angle = (1.25 if i % 2 == 0 else 0.55), math.pi * (i / 5 - 0.5)
        points.append((reach * math.cos(angle), reach * math.sin(angle)))
    return points


_ARM, _BAR = 1.1, 0.38
_OUTLINES: dict[str, list[tuple[float, float]]] = {
    "square": [(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)],
    "diamond": [(0, -1.25), (1.25, 0), (0, 1.25), (-1.25, 0)],
    "triangle": [(0, -1.15), (1.1, 0.85), (-1.1, 0.85)],
    "down": [(0, 1.15), (1.1, -0.85), (-1.1, -0.85)],
    "cross": [
        *[(-_BAR, -_ARM), (_BAR, -_ARM), (_BAR, -_BAR), (_ARM, -_BAR), (_ARM, _BAR), (_BAR, _BAR)],
        *[(_BAR, _ARM), (-_BAR, _ARM), (-_BAR, _BAR), (-_ARM, _BAR), (-_ARM, -_BAR), (-_BAR, -_BAR)],
    ],
    "star": _star(),
}


def _round_step(rough: float) -> float:
    power = 10.0 ** math.floor(math.log10(rough))
    return float(next(nice * power for nice in (1, 2, 5, 10) if nice * power >= rough * (1 - 1e-9)))


def _number(value: object) -> str:
    """Coordinates keep a tenth of a pixel: smaller steps are not seen, and files stay small."""
    if isinstance(value, float):
        text = f"{value:.1f}"
        return text.removesuffix(".0") if text != "-0.0" else "0"
    return str(value)
