"""Pictures of a trial: pure functions from arrays to PNG files by name, each with its words in it."""

from pokeopt.trial.pictures.augmentations import draw_augmentations
from pokeopt.trial.pictures.choosing import random_rows
from pokeopt.trial.pictures.confusion import draw_confusion
from pokeopt.trial.pictures.examples import EACH, MOST_CLASSES, draw_examples
from pokeopt.trial.pictures.layout import sheet
from pokeopt.trial.pictures.preprocessing import draw_preprocessing
from pokeopt.trial.pictures.reconstructions import draw_reconstructions
from pokeopt.trial.pictures.samples import draw_samples
from pokeopt.trial.pictures.snapshots import draw_snapshots
from pokeopt.trial.pictures.translations import draw_translations
from pokeopt.trial.pictures.traversals import SCALES, draw_traversal
from pokeopt.trial.pictures.worst import draw_worst

__all__ = [
    "EACH",
    "MOST_CLASSES",
    "SCALES",
    "draw_augmentations",
    "draw_confusion",
    "draw_examples",
    "draw_preprocessing",
    "draw_reconstructions",
    "draw_samples",
    "draw_snapshots",
    "draw_translations",
    "draw_traversal",
    "draw_worst",
    "random_rows",
    "sheet",
]
