"""Ball games as a console draws them: each has its own ground, camera, contrast and borders."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from pokeopt.data.drawing.laying import Canvas

Fill = tuple[int, int, int]
DRAWN_PX = 128  # frames are drawn at twice their size, then halved


@dataclass(frozen=True)
class Camera:
    """Looks at the middle of the ground from beyond its near end.

    Attributes:
        distance: From the middle, in half lengths of the ground.
        height: Above the ground.
        turn_deg: How far it stands to the side.
        zoom: Pixels of one unit at distance 1.
        middle_px: Row where the middle of the ground lies.
    """

    distance: float
    height: float
    turn_deg: float
    zoom: float
    middle_px: float

    def project(self, x: float, y: float, z: float = 0.0) -> tuple[float, float, float]:
        """Return (column, row, pixels per unit) of a point: x to the right, y away from the camera, z up."""
        angle = np.deg2rad(self.turn_deg)
        right, away = x * np.cos(angle) - y * np.sin(angle), x * np.sin(angle) + y * np.cos(angle)
        # looking down at the middle: away and up are turned by the camera's tilt
        tilt = np.arctan2(self.height, self.distance)
        depth = np.hypot(self.distance, self.height) + away * np.cos(tilt) - z * np.sin(tilt)
        rise = away * np.sin(tilt) + z * np.cos(tilt)
        scale = self.zoom / depth
        return float(DRAWN_PX / 2 + right * scale), float(self.middle_px - rise * scale), float(scale)


@dataclass(frozen=True)
class Style:
    """How a game looks.

    Attributes:
        far: Colour of what lies behind the ground: a hall, the sky.
        floor: Colour around the ground.
        ground: Colour of the ground itself.
        lines: Colour of its lines.
        width: Half width of the ground, its half length being 1.
        raised: Height of the ground: 0, or that of a table.
        net: Height of the net over the ground; 0 for none.
        camera: Whence it is seen.
        player: Height of a player.
        reach: How far beyond the ends players stand, in half lengths.
        crowd: Whether people sit behind the ground.
        stripes: Stripes across the ground.
        goals: Whether there are goals at the ends.
        contrast: 1 as drawn, below 1 flat.
        brightness: Factor of all light.
        bars: Rows of black above and below, as a wide film on a square screen, in 64ths.
        score_left: Whether the score stands at the left, else in the middle.
    """

    far: Fill
    floor: Fill
    ground: Fill
    lines: Fill
    width: float
    raised: float
    net: float
    camera: Camera
    player: float
    reach: float
    crowd: bool
    stripes: int
    goals: bool
    contrast: float
    brightness: float
    bars: int
    score_left: bool


# The first is the game of document 003; a data set of n games has the first n.
GAMES = {
    "table": Style(
        far=(46, 52, 84), floor=(126, 60, 52), ground=(34, 92, 150), lines=(240, 240, 240), width=0.62, raised=0.42,
        net=0.12, camera=Camera(2.6, 1.5, 0, 122, 72), player=0.75, reach=1.22, crowd=True, stripes=0, goals=False,
        contrast=1.1, brightness=1.0, bars=0, score_left=True,
    ),
    "court": Style(
        far=(62, 104, 92), floor=(52, 118, 84), ground=(190, 106, 66), lines=(248, 240, 230), width=0.5, raised=0.0,
        net=0.14, camera=Camera(2.2, 1.9, -24, 122, 68), player=0.62, reach=1.0, crowd=True, stripes=0, goals=False,
        contrast=0.72, brightness=1.12, bars=9, score_left=False,
    ),
    "field": Style(
        far=(122, 168, 216), floor=(60, 122, 50), ground=(74, 148, 58), lines=(236, 244, 232), width=0.85, raised=0.0,
        net=0.0, camera=Camera(2.5, 1.25, 0, 116, 70), player=0.6, reach=0.75, crowd=True, stripes=7, goals=True,
        contrast=0.95, brightness=1.05, bars=0, score_left=False,
    ),
    "rink": Style(
        far=(24, 28, 44), floor=(60, 66, 80), ground=(222, 232, 240), lines=(70, 96, 176), width=0.7, raised=0.0,
        net=0.0, camera=Camera(2.3, 2.0, 28, 150, 72), player=0.52, reach=0.8, crowd=False, stripes=0, goals=True,
        contrast=1.25, brightness=0.92, bars=5, score_left=True,
    ),
    "beach": Style(
        far=(92, 178, 214), floor=(232, 206, 148), ground=(238, 214, 160), lines=(60, 82, 168), width=0.6, raised=0.0,
        net=0.4, camera=Camera(2.6, 1.05, 14, 172, 84), player=0.56, reach=0.8, crowd=False, stripes=0, goals=False,
        contrast=0.85, brightness=1.1, bars=0, score_left=True,
    ),
    "arena": Style(
        far=(40, 22, 40), floor=(58, 38, 66), ground=(150, 98, 52), lines=(252, 214, 92), width=0.72, raised=0.12,
        net=0.0, camera=Camera(2.3, 1.3, -40, 132, 78), player=0.62, reach=0.6, crowd=True, stripes=9, goals=False,
        contrast=1.35, brightness=0.78, bars=12, score_left=False,
    ),
}  # fmt: skip


def draw_ground(style: Style, rng: np.random.Generator) -> Canvas:
    """Draw what never moves in a game: hall or sky, crowd, floor, ground and its lines; (128, 128, 3)."""
    image = Image.new("RGB", (DRAWN_PX, DRAWN_PX), style.far)
    pen = ImageDraw.Draw(image)
    edge = _edge_of_floor(style)
    for row in range(edge):
        pen.line((0, row, DRAWN_PX, row), fill=_times(style.far, 0.7 + 0.45 * row / max(1, edge)))
    if style.crowd:
        for row in range(max(4, edge - 30), edge - 5, 4):
            for x in range(0, DRAWN_PX, 4):
                head = _times((200, 170, 150), rng.uniform(0.25, 0.8))
                pen.ellipse((x + row % 3, row, x + 2 + row % 3, row + 2), fill=head)
        pen.rectangle((0, edge - 6, DRAWN_PX, edge), fill=_times(style.lines, 0.55))
        for x in range(int(rng.integers(0, 12)), DRAWN_PX, 26):  # boards with what they sell
            board = tuple(int(c) for c in rng.integers(60, 220, 3))
            pen.rectangle((x, edge - 5, x + 15, edge - 1), fill=(board[0], board[1], board[2]))
    elif not style.goals:  # open air
        pen.rectangle((0, edge - 9, DRAWN_PX, edge), fill=_times(style.far, 0.62))
    for row in range(edge, DRAWN_PX):
        pen.line((0, row, DRAWN_PX, row), fill=_times(style.floor, 0.85 + 0.3 * (row - edge) / DRAWN_PX))
    if style.raised:
        _legs(pen, style)
    _lay_ground(pen, style)
    if style.goals:
        for end in (-1, 1):
            goal = [
                (-0.22, end * 1.0, 0.0),
                (-0.22, end * 1.0, 0.26),
                (0.22, end * 1.0, 0.26),
                (0.22, end * 1.0, 0.0),
            ]
            pen.line(_path(style, goal), fill=(232, 60, 50) if style.bars else (250, 250, 250), width=2)
    return np.asarray(image, np.float32).copy()


def draw_net(style: Style) -> npt.NDArray[np.uint8]:
    """Draw the net alone, RGBA (128, 128, 4), clear where it is not."""
    image = Image.new("RGBA", (DRAWN_PX, DRAWN_PX), (0, 0, 0, 0))
    if style.net:
        pen = ImageDraw.Draw(image)
        w, low, high = style.width * 1.08, style.raised, style.raised + style.net
        bottom = low + (0.45 * style.net if style.net > 0.3 else 0)
        net = [(-w, 0.0, bottom), (-w, 0.0, high), (w, 0.0, high), (w, 0.0, bottom)]
        pen.polygon(_path(style, net), fill=(235, 235, 240, 110))
        pen.line(_path(style, net[1:3]), fill=(250, 250, 250, 255), width=2)
        for side in (-w, w):
            pen.line(_path(style, [(side, 0.0, low), (side, 0.0, high)]), fill=(40, 40, 44, 255), width=2)
    return np.asarray(image)


def developed(canvas: Canvas, style: Style, brightness: float) -> Canvas:
    """Apply the contrast and the brightness of a game."""
    developed: Canvas = (canvas - 118) * np.float32(style.contrast) + 118
    return developed * np.float32(style.brightness * brightness)


def _edge_of_floor(style: Style) -> int:
    return int(np.clip(min(style.camera.project(x, 1.75)[1] for x in (-1.2, 0, 1.2)), 18, 60))


def _lay_ground(pen: ImageDraw.ImageDraw, style: Style) -> None:
    w, z = style.width, style.raised
    corners = [(-w, -1.0, z), (w, -1.0, z), (w, 1.0, z), (-w, 1.0, z)]
    if z:  # the side of a table, a stage
        below = [(x, y, z - 0.06) for x, y, _ in corners]
        for a, b in ((0, 1), (1, 2), (3, 0)):
            side = [corners[a], corners[b], below[b], below[a]]
            pen.polygon(_path(style, side), fill=_times(style.ground, 0.55))
    pen.polygon(_path(style, corners), fill=style.ground)
    edges = np.linspace(-1, 1, style.stripes + 1)
    for near, far in list(pairwise(edges))[::2] if style.stripes else ():
        stripe = [(-w, near, z), (w, near, z), (w, far, z), (-w, far, z)]
        pen.polygon(_path(style, stripe), fill=_times(style.ground, 0.88))
    pen.line(_path(style, [*corners, corners[0]]), fill=style.lines, width=2)
    across = (0.0,) if style.goals or style.stripes or style.raised else (-0.5, 0.0, 0.5)
    for y in across:
        pen.line(_path(style, [(-w, y, z), (w, y, z)]), fill=style.lines, width=1)
    if style.raised or not (style.goals or style.stripes):
        half = 1.0 if style.raised else 0.5
        pen.line(_path(style, [(0.0, -half, z), (0.0, half, z)]), fill=style.lines, width=1)
    if style.goals or style.stripes:
        angles = np.linspace(0, 2 * np.pi, 25)
        circle = [(0.28 * np.cos(a), 0.28 * np.sin(a), z) for a in angles]
        pen.line(_path(style, circle), fill=style.lines, width=1)
    if style.goals:
        for end in (-1, 1):
            area = [(-0.4, end, z), (-0.4, end * 0.7, z), (0.4, end * 0.7, z), (0.4, end, z)]
            pen.line(_path(style, area), fill=style.lines, width=1)


def _legs(pen: ImageDraw.ImageDraw, style: Style) -> None:
    shade = [(x * style.width, y * 1.0, 0.0) for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
    pen.polygon(_path(style, shade), fill=_times(style.floor, 0.7))
    for x in (-0.85, 0.85):
        for y in (-0.85, 0.85):
            leg = [(x * style.width, y, style.raised), (x * style.width, y, 0.0)]
            pen.line(_path(style, leg), fill=(30, 30, 34), width=3)


def _path(style: Style, points: list[tuple[float, float, float]]) -> list[tuple[float, float]]:
    return [style.camera.project(*point)[:2] for point in points]


def _times(colour: Fill, factor: float) -> Fill:
    red, green, blue = (min(255, round(channel * factor)) for channel in colour)
    return red, green, blue
