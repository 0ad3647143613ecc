"""Whether data, model, loss and training of a configuration are for one task."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pokeopt.errors import SpecError
from pokeopt.registry import AUGMENTATIONS, MODELS, SOURCES, split_component

NEEDS = {
    "classification": "images with a class",
    "reconstruction": "images",
    "translation": "pairs of an input and an output",
}


def task_of(family: str) -> str:
    """Return the task of a model family."""
    return str(getattr(MODELS.get(family), "task", "classification"))


def default_loss(model: Mapping[str, Any]) -> dict[str, Any]:
    """Return the loss of a file that names none, as the ``loss`` section: the family's, or cross-entropy.

    Args:
        model: The closed form of the section, with ``family``; what is searched in it is left out.
    """
    settings = {key: value for key, value in model.items() if key != "family" and not isinstance(value, dict)}
    try:
        made = MODELS.make({model["family"]: settings})
    except SpecError:  # whatever is wrong is said later, with its place
        made = MODELS.get(model["family"])
    terms, weights = getattr(made, "terms", None), getattr(made, "term_weights", None)
    loss: dict[str, Any] = {
        "terms": dict(terms) if isinstance(terms, Mapping) else {"classification": "cross_entropy"}
    }
    return {**loss, "weights": dict(weights)} if isinstance(weights, Mapping) else loss


def check_fit(config: Mapping[str, Any]) -> None:
    """Refuse a configuration whose parts are for different tasks.

    Args:
        config: Resolved; every component in it can be made.

    Raises:
        SpecError: ``where`` is the key.
    """
    data, model = config["data"], dict(config["model"])
    family = model.pop("family")
    made = MODELS.make({family: model})
    task = task_of(family)
    _check_source(data, family, task)
    roles = tuple(getattr(made, "roles", ("classification",)))
    for role in config["loss"]["terms"]:
        if role not in roles:
            what = f"the model '{family}' gives nothing for {role}"
            raise SpecError(f"loss.terms.{role}", what, f"it has {' and '.join(roles)}")
    needed = "classification" if task == "classification" else "reconstruction"
    if needed not in config["loss"]["terms"]:
        term = default_loss(config["model"])["terms"].get(needed, "cross_entropy")
        raise SpecError("loss.terms", f"the model '{family}' is for {task}", f"add {needed}: {term}")
    if "classification" in roles and "classification" not in config["loss"]["terms"]:
        mend = "add classification: cross_entropy, or model.head: false"
        raise SpecError("loss.terms", f"the head of '{family}' would not be trained", mend)
    for component in config["training"]["augmentation"]:
        name = split_component(component)[0]
        if getattr(AUGMENTATIONS.get(name), "kind", "") == "labels" and task != "classification":
            what = f"'{name}' mixes classes, and '{family}' is for {task}"
            raise SpecError("training.augmentation", what, "take it out")


def _check_source(data: Mapping[str, Any], family: str, task: str) -> None:
    own = {key: value for key, value in data.items() if key in SOURCES.settings(data["source"])}
    has_pairs = getattr(SOURCES.make({data["source"]: own}), "task", "classification") == "translation"
    if has_pairs == (task == "translation"):
        if has_pairs and data["preprocess"]:
            what = "pairs cannot be preprocessed: input and output would no longer fit"
            raise SpecError("data.preprocess", what, "take it out")
        return
    given = NEEDS["translation" if has_pairs else "classification"]
    what = f"'{family}' needs {NEEDS[task]}, and '{data['source']}' gives {given}"
    other = "use source: pairs, or kind: polygons of creatures or sprites"
    raise SpecError("model.family", what, "use family: unet" if has_pairs else other)
