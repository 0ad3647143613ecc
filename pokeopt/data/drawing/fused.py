"""The head of one made-up species on the body of another, and what their types add to them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pokeopt.data.drawing.badges import CRESTS, MARKS, Box, Parts
from pokeopt.data.drawing.species import N_EYE_PARTS, Colour, Points, Species

SHOWN = 0.75  # share of fusions that wear the badge of a type, on the head and on the body alike
SMALLEST_HEAD, LARGEST_HEAD = 0.55, 1.1  # width of a head over that of the body it is put on


def fused_species(head: Species, body: Species, rng: np.random.Generator) -> Species:
    """Put the head of one species on the body of another.

    The palette is that of one of the two, drawn; its accent is the main colour of the other. Most heads wear the crest
    of their type and most bodies its mark, so that both types can be seen, and not by colour alone.
    """
    theirs, ours = list(body.parts[: -body.n_head]), head.parts[-head.n_head :]
    skull, seat = (owner.parts[-N_EYE_PARTS - 1].points for owner in (head, body))
    torso = next(part for part in theirs if part.limb == 0).points
    width = float(np.ptp(skull[:, 0]) / np.ptp(torso[:, 0]))
    factor = float(np.clip(width, SMALLEST_HEAD, LARGEST_HEAD)) / width
    chin, place = (np.array([part[:, 0].mean(), part[:, 1].max()]) for part in (skull, seat))

    def moved(points: Points) -> Points:  # the chin goes where the other's chin was
        result: Points = (points - chin) * factor + place
        return result

    placed = []
    for part in ours:
        x, y = moved(np.array(part.hinge)).tolist()
        placed.append(replace(part, points=moved(part.points), hinge=(x, y)))
    crest, mark = CRESTS[head.type], MARKS[body.type]
    worn: Parts = crest.draw(Box.around(moved(skull))) if rng.random() < SHOWN else []
    borne: Parts = mark.draw(Box.around(torso)) if rng.random() < SHOWN else []
    one, other = (head, body) if rng.random() < 0.5 else (body, head)
    palette: tuple[Colour, Colour, Colour] = (one.palette[0], one.palette[1], other.palette[0])
    bare, eyes = placed[:-N_EYE_PARTS], placed[-N_EYE_PARTS:]
    parts = [
        *([*theirs, *borne] if mark.in_front else [*borne, *theirs]),
        *([*bare, *worn] if crest.in_front else [*worn, *bare]),
        *eyes,
    ]
    n_head = len(placed) + len(worn)
    return Species(f"{head.name}+{body.name}", f"{head.type}-{body.type}", tuple(parts), palette, n_head)
