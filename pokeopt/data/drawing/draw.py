"""Draw a species in a pose: polygons, a light from above, a dark outline all around."""

from __future__ import annotations

import colorsys

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from pokeopt.data.drawing.species import Colour, Pose, Species, rotate

OUTLINE: Colour = (16, 16, 16)  # the dark of Gen-V sprites


def draw_creature(species: Species, pose: Pose, size_px: int) -> npt.NDArray[np.uint8]:
    """Draw a creature whose longer side is ``size_px``.

    Args:
        species: What to draw.
        pose: How it stands.
        size_px: Longer side of its bounding box, outline included; at least 8.

    Returns:
        RGBA, (H, W, 4), cut to the creature; alpha is 0 outside it and 255 inside.
    """
    outlines = [_posed(part.points, part.limb, part.hinge, pose) for part in species.parts]
    everything = np.concatenate(outlines)
    low, high = everything.min(axis=0), everything.max(axis=0)
    scale = (size_px - 3) / float((high - low).max())
    width, height = np.ceil((high - low) * scale).astype(int) + 3
    image = Image.new("RGBA", (int(width), int(height)), (0, 0, 0, 0))
    pen = ImageDraw.Draw(image)
    colours = [*(_tinted(colour, pose) for colour in species.palette), OUTLINE, (250, 250, 250)]
    for part, points in zip(species.parts, outlines, strict=True):
        corners = ((points - low) * scale + 1).round().astype(int)
        pen.polygon(
            [tuple(corner) for corner in corners.tolist()],
            fill=(*colours[part.colour], 255),
            outline=(*OUTLINE, 255),
        )
    return _outlined(_lit(np.array(image)))


def _posed(
    points: npt.NDArray[np.float64], limb: float, hinge: tuple[float, float], pose: Pose
) -> npt.NDArray[np.float64]:
    swung = rotate(points, limb * pose.swing_deg, hinge) if limb else points
    turned = rotate(swung, pose.turn_deg) * (pose.stretch, 1.0)
    return turned * (-1.0, 1.0) if pose.mirrored else turned


def _tinted(colour: Colour, pose: Pose) -> Colour:
    hue, saturation, value = colorsys.rgb_to_hsv(*(channel / 255 for channel in colour))
    red, green, blue = colorsys.hsv_to_rgb((hue + pose.hue) % 1.0, saturation, min(1.0, value * pose.shade))
    return round(255 * red), round(255 * green), round(255 * blue)


def _lit(image: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Darken downwards by up to a fifth; the outline is dark enough not to be moved."""
    light = np.linspace(1.05, 0.85, len(image))[:, None, None]
    image[..., :3] = np.clip(image[..., :3] * light, 0, 255)
    return image


def _outlined(image: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Make every pixel that touches the outside dark."""
    inside = image[..., 3] > 0
    padded = np.pad(inside, 1)
    surrounded = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    image[inside & ~surrounded, :3] = OUTLINE
    return image
