"""The card of a model: everything that one must know to use its file, and where the file comes from."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from pokeopt.errors import UserError
from pokeopt.registry import Component, split_component

FORMAT = 1
CARD_FILE, PAGE_FILE = "card.json", "model_card.md"  # their names inside an exported file
N_CHANNELS = {"rgb": 3, "rgba": 4, "gray": 1}
TASKS = {
    "classification": "name the class of an image",
    "reconstruction": "make an image again out of a few numbers",
    "translation": "make another image of an image and a condition",
}
SHOWN = ("accuracy", "macro_f1", "loss", "mse", "mae", "ssim", "psnr")


@dataclass(frozen=True)
class Card:
    """What a model file says of itself.

    Attributes:
        study: The study that chose the configuration.
        trial: The trial's number there.
        task: ``classification``, ``reconstruction`` or ``translation``.
        classes: Class names, in the order of the probabilities.
        image_size: Side of an image in pixels, as the network is given it.
        channels: ``rgb``, ``rgba`` or ``gray``.
        condition_channels: Channels of the condition that follow the image's own; 0 where there is none.
        preprocess: Steps on the image in its own size, before it is resized; they are not in the graph.
        outputs: What the graph returns, in order: ``probabilities``, ``image``, ``latent``.
        mean: Of each channel's intensity in [0, 1]; the graph subtracts it.
        std: Of the same; the graph divides by it.
        weights: ``trial`` (of the trial's kept epoch) or ``retrained``.
        trained_on: ``train`` or ``train+val``.
        seed: Of initialisation, order and augmentation.
        epochs: Epochs that the weights were trained for.
        metrics: PART/NAME to value of these weights; of a trial with several networks, their mean.
        config: The resolved configuration: data, model, loss, training.
        data: What the images were: name, data_hash, split_hash.
        versions: Of pokeopt and of the libraries that the numbers depend on.
        plugins: Python files with components of the user's own.
    """

    study: str
    trial: int
    task: str
    classes: tuple[str, ...]
    image_size: int
    channels: str
    condition_channels: int
    preprocess: tuple[Component, ...]
    outputs: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    weights: str
    trained_on: str
    seed: int
    epochs: int
    metrics: Mapping[str, float]
    config: Mapping[str, Any]
    data: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    plugins: tuple[str, ...] = ()

    @property
    def family(self) -> str:
        """The model family's name."""
        return str(self.config["model"]["family"])

    @property
    def label(self) -> str:
        """What a table calls these weights."""
        if self.weights == "trial":
            return f"{self.study} trial {self.trial}"
        return f"{self.study} trial {self.trial}, retrained on {self.trained_on}, seed {self.seed}"

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """(C, H, W) of what the graph takes, as bytes; the condition's channels are the last of C."""
        return N_CHANNELS[self.channels] + self.condition_channels, self.image_size, self.image_size

    def score(self, name: str) -> float | None:
        """Return a metric on the test part by its name without part; None if it is not known."""
        return self.metrics.get(f"test/{name}")

    def as_json(self) -> str:
        """Return it as JSON text."""
        return json.dumps({"format": FORMAT, "input": "uint8", **asdict(self)}, ensure_ascii=False, indent=1)

    @classmethod
    def from_json(cls, text: str, where: str) -> Card:
        """Return the card that ``as_json`` wrote.

        Raises:
            UserError: If it is none, or of a later format.
        """
        try:
            plain = json.loads(text)
            found = int(plain["format"])
            values = {one.name: plain[one.name] for one in fields(cls)} if found == FORMAT else {}
        except (ValueError, KeyError, TypeError):
            raise UserError(
                where, "this model file has no card of pokeopt", "give a file of export"
            ) from None
        if found != FORMAT:
            what = f"its card is of format {found}, this pokeopt reads format {FORMAT}"
            raise UserError(where, what, "export the model again, or use the pokeopt that wrote it")
        fitting: dict[str, Any] = {key: tuple(v) if isinstance(v, list) else v for key, v in values.items()}
        return cls(**fitting)

    def page(self) -> str:
        """Return the model card as Markdown."""
        steps = ", ".join(_step_text(step) for step in self.preprocess) or "none"
        channels, size, _ = self.input_shape
        length = "1 epoch" if self.epochs == 1 else f"{self.epochs} epochs"
        facts = {
            "Task": TASKS.get(self.task, self.task),
            "Classes": ", ".join(self.classes) if self.task == "classification" else "",
            "Model": f"{self.family}: {_settings(self.config['model'])}",
            "Chosen by": f"study {self.study}, trial {self.trial}",
            "Weights": f"trained on {self.trained_on} for {length}, seed {self.seed}",
            "Data": " ".join(str(self.data.get(key, "")) for key in ("name", "data_hash")).strip(),
            "Preprocessing before the graph": steps,
            "Input": f"bytes (N, {channels}, {size}, {size}), {self.channels}, resized without cropping",
            "Output": ", ".join(self.outputs),
            "Made with": ", ".join(f"{name} {version}" for name, version in self.versions.items()),
        }
        lines = [f"# {self.label}", ""]
        lines += [f"- **{name}**: {text}" for name, text in facts.items() if text]
        lines += ["", "| metric | value |", "| --- | --- |"]
        lines += [f"| {name} | {value:.4g} |" for name, value in shown_metrics(self.metrics).items()]
        lines += ["", *_limits(self)]
        return "\n".join(lines) + "\n"


def shown_metrics(metrics: Mapping[str, float]) -> dict[str, float]:
    """Return the metrics that a person looks at first; those of single classes and of training are left out."""
    parts = dict.fromkeys(name.partition("/")[0] for name in metrics)
    return {
        f"{part}/{base}": metrics[f"{part}/{base}"]
        for part in parts
        if part not in ("train", "model", "cost")
        for base in SHOWN
        if f"{part}/{base}" in metrics
    }


def _limits(card: Card) -> Sequence[str]:
    """Return what a user must not expect of the model."""
    lines = ["The scores are of images like those it was trained on; images of another kind may score lower."]
    if card.task == "classification":
        lines.append("It names one of its classes for every image, also for one that shows none of them.")
    return lines


def _step_text(step: Component) -> str:
    name, settings = split_component(step)
    return f"{name} ({_settings(settings)})" if settings else name


def _settings(settings: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in settings.items() if key != "family")
