"""Frames of ball games, 64x64: document 003's table tennis, with creatures as the players."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pandas as pd
from PIL import Image, ImageDraw

from pokeopt.data.drawing.album import FEWEST, Album, labels_of
from pokeopt.data.drawing.cast import Cast
from pokeopt.data.drawing.games import DRAWN_PX, GAMES, Style, developed, draw_ground, draw_net
from pokeopt.data.drawing.laying import Canvas, finished, lay, scaled

VERSION = 1
IMAGE_PX = 64
N_IMAGES = 1000
MOST_SCENES = len(GAMES)
MATCHES = 6  # pairs of players in each game


@dataclass(frozen=True)
class _Frames:
    """Draws frames; each depends on the cast, the seed and its row alone."""

    cast: Cast
    seed: int
    scenes: npt.NDArray[np.int64]
    players: npt.NDArray[np.int64]

    def __call__(self, row: int) -> Image.Image:
        """Return RGB, 64x64."""
        rng = np.random.default_rng([self.seed, 12, 1, row])
        name = list(GAMES)[int(self.scenes[row])]
        style = GAMES[name]
        ground, net = _fixed(self.seed, name)
        canvas = ground.copy()
        ball_y = float(rng.uniform(-0.9, 0.9))
        ball = (
            float(rng.uniform(-0.85, 0.85)) * style.width,
            ball_y,
            style.raised + float(rng.uniform(0.05, 0.4)),
        )
        near, far = self.players[row].tolist()
        self._player(canvas, style, far, rng, is_near=False)
        if ball_y > 0:
            _ball(canvas, style, ball)
        lay(canvas, net, 0, 0)
        if ball_y <= 0:
            _ball(canvas, style, ball)
        self._player(canvas, style, near, rng, is_near=True)
        canvas = developed(canvas, style, float(rng.uniform(0.94, 1.06)))
        _score(canvas, style, rng.integers(0, 12, 2).tolist())
        bar = 2 * style.bars
        canvas[:bar] = canvas[DRAWN_PX - bar :] = 4
        return Image.fromarray(finished(canvas)).resize((IMAGE_PX, IMAGE_PX), Image.Resampling.BOX)

    def _player(
        self, canvas: Canvas, style: Style, member: int, rng: np.random.Generator, *, is_near: bool
    ) -> None:
        """Draw a player at an end of the ground; the near one turns its back to us."""
        end = -1 if is_near else 1
        x = float(rng.uniform(-0.9, 0.9)) * max(style.width, 0.5)
        y = end * (style.reach - float(rng.uniform(0, 0.15 if style.raised else 0.35)))
        on_ground = style.raised if abs(y) < 1 else 0.0
        column, row, scale = style.camera.project(x, y, on_ground)
        size_px = int(np.clip(style.player * scale, 16, 60))
        creature = scaled(self.cast.cut_out(member, rng, 2 * size_px, from_behind=is_near), size_px)
        height, width = creature.shape[:2]
        shadow = np.zeros((6, width, 4), np.float32)
        grid_y, grid_x = np.mgrid[-1:1:6j, -1 : 1 : complex(0, width)]
        shadow[..., 3] = 110 * (grid_x**2 + grid_y**2 < 1)
        lay(canvas, shadow, round(row) - 3, round(column) - width // 2)
        lay(canvas, creature, round(row) - height, round(column) - width // 2)


def frames(cast: Cast, seed: int, scenes: int, share: float = 1.0) -> Album:
    """List frames: 1000 of so many games in turn, each game with six pairs of players.

    Args:
        cast: Who plays.
        seed: Draws the players and what they do.
        scenes: The number of games, 1 to 6; each is a class.
        share: Of the 1000, where the cast is not complete; never fewer than three of each game.
    """
    rng = np.random.default_rng([seed, 12, 0])
    n = max(FEWEST * scenes, round(N_IMAGES * share))
    scene = rng.permutation(np.arange(n) % scenes)
    pairs = np.stack(
        [
            [rng.permutation(len(cast.names))[[0, -1]] for _ in range(MATCHES)] for _ in range(MOST_SCENES)
        ]  # of all games, so that one game alone is played by the same pairs
    )
    match = rng.integers(0, MATCHES, n)
    names = list(GAMES)
    classes = tuple(sorted(names[:scenes]))
    of_scene = [names[number] for number in scene]
    return Album(
        version=VERSION,
        noun="frame",
        classes=classes,
        labels=labels_of(of_scene, classes),
        groups=np.array(of_scene),
        columns=pd.DataFrame(
            {"match": [f"{name}-{number}" for name, number in zip(of_scene, match, strict=True)]}
        ),
        open=_Frames(cast, seed, scene, pairs[scene, match]),
    )


def _ball(canvas: Canvas, style: Style, place: tuple[float, float, float]) -> None:
    """Draw the ball, and its shadow straight below it."""
    x, y, z = place
    for height, colour, flatness in ((style.raised, (20, 20, 24), 0.5), (z, (250, 246, 200), 1.0)):
        column, row, scale = style.camera.project(x, y, height)
        radius = max(2.8, 0.06 * scale)
        grid_y, grid_x = np.mgrid[-6:7, -6:7]
        inside = grid_x**2 + (grid_y / flatness) ** 2 <= radius**2
        dot = np.zeros((13, 13, 4), np.float32)
        dot[..., :3] = colour
        dot[..., 3] = inside * (255 if flatness == 1 else 120)
        lay(canvas, dot, round(row) - 6, round(column) - 6)


def _score(canvas: Canvas, style: Style, points: list[int]) -> None:
    """Draw the score: a bar for each player, as long as its points."""
    board = Image.new("RGBA", (46, 14), (10, 10, 14, 230))
    pen = ImageDraw.Draw(board)
    for top, count, colour in zip((2, 8), points, ((240, 80, 60), (80, 150, 250)), strict=True):
        pen.rectangle((2, top, 43, top + 3), fill=(54, 54, 62))
        pen.rectangle((2, top, 2 + round(41 * count / 11), top + 3), fill=colour)
    left = 4 if style.score_left else (DRAWN_PX - 46) // 2
    lay(canvas, np.asarray(board), 2 * style.bars + 4, left)


@lru_cache(maxsize=64)
def _fixed(seed: int, name: str) -> tuple[Canvas, npt.NDArray[np.uint8]]:
    """Return what never moves in a game, drawn once a process: (ground, net)."""
    rng = np.random.default_rng([seed, 12, 2, list(GAMES).index(name)])
    return draw_ground(GAMES[name], rng), draw_net(GAMES[name])
