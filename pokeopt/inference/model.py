"""A model ready to be asked: one file, or several networks whose probabilities are averaged."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pokeopt.errors import UserError
from pokeopt.inference.card import Card
from pokeopt.inference.graph import Bytes, Outputs
from pokeopt.inference.package import Run, read_package

Floats = npt.NDArray[np.float32]


class Model:
    """What answers for images: the card says what it takes and gives.

    Args:
        members: Card and runner of each network; their probabilities, or images, are averaged.

    Attributes:
        card: The first member's.
    """

    def __init__(self, members: Sequence[tuple[Card, Run]]) -> None:
        _check_alike([card for card, _ in members])
        self.members = tuple(members)
        self.card = members[0][0]

    def __repr__(self) -> str:
        card = self.card
        more = f" and {len(self.members) - 1} more" if len(self.members) > 1 else ""
        return f"Model({card.label}{more}: {card.family}, {card.task}, {len(card.classes)} classes)"

    @property
    def label(self) -> str:
        """What a table calls it."""
        if len(self.members) == 1:
            return self.card.label
        n, card = len(self.members), self.card
        if card.weights == "retrained":
            return f"{card.study} trial {card.trial}, retrained on {card.trained_on}, mean of {n} seeds"
        trials = ", ".join(dict.fromkeys(str(one.trial) for one, _ in self.members))
        return f"{card.study} trials {trials}, mean of {n} networks"

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names, in the order of the probabilities."""
        return self.card.classes

    def predict(self, images: Sequence[Any], conditions: Sequence[Any] | None = None) -> Floats:
        """Return probabilities (N, K), or the images that are made, (N, C, H, W), intensities about [0, 1].

        Args:
            images: Each a path, a Pillow image, or an array of bytes (H, W) or (H, W, C), of any size; they are
                prepared as the model's training images were.
            conditions: The same of their conditions, where the model takes some.

        Raises:
            UserError: If an image cannot be used, or one image is given instead of several.
        """
        from pokeopt.inference.images import as_bytes

        first = "probabilities" if self.card.task == "classification" else "image"
        return self.outputs([as_bytes(images, card, conditions) for card, _ in self.members])[first]

    def classify(self, images: Sequence[Any]) -> list[str]:
        """Return the most probable class of each image; see ``predict``."""
        if self.card.task != "classification":
            raise UserError(self.card.label, "this model makes images, not classes", "call predict")
        return [self.classes[label] for label in self.predict(images).argmax(axis=1)]

    def outputs(self, prepared: Sequence[Bytes]) -> Outputs:
        """Return the outputs by name, mean over the members.

        Args:
            prepared: For each member, images as it is given them: members may differ in size and preparation.
        """
        found = [run(images) for (_, run), images in zip(self.members, prepared, strict=True)]
        if len(found) == 1:
            return found[0]
        shared = [
            name for name in found[0] if name != "latent"
        ]  # latents of two networks have nothing in common
        return {name: np.mean([one[name] for one in found], axis=0) for name in shared}


def load_model(path: str | Path) -> Model:
    """Return the model of an exported file, ``.pt2`` or ``.onnx``.

    Raises:
        UserError: If it is no such file.
    """
    return Model([read_package(Path(path))])


def _check_alike(cards: Sequence[Card]) -> None:
    """Networks are averaged only where they answer the same question in the same terms."""
    first = cards[0]
    for card in cards[1:]:
        same_question = (card.task, card.classes) == (first.task, first.classes)
        if not same_question or (card.task != "classification" and card.input_shape != first.input_shape):
            what = f"{first.label} and {card.label} do not answer the same question"
            raise UserError(
                "--ensemble", what, "average networks of one task, one set of classes and one size"
            )
