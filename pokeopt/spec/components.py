"""The components of a configuration: each is built once at load time, at every end of the space."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping
from typing import Any

from pokeopt.errors import SpecError
from pokeopt.registry import (
    AUGMENTATIONS,
    IMAGE_SAMPLERS,
    LOSSES,
    MODELS,
    OPTIMIZERS,
    PREPROCESSING,
    SCHEDULES,
    SOURCES,
    STOPPING_RULES,
    Family,
)


def check_component(
    family: Family,
    component: Any,
    path: str,
    known: Container[str],
    use: Callable[[Any], object] | None = None,
) -> None:
    """Build a component, which checks its settings.

    Args:
        family: Of the component.
        component: In its resolved form.
        path: Where it stands.
        known: Paths that were written: the error names the setting that it speaks of, if it is one of them.
        use: What is done with it first, where that checks more.

    Raises:
        SpecError: If its settings do not fit each other or their ranges; ``where`` is the key.
    """
    name = component if isinstance(component, str) else next(iter(component))
    try:
        built = family.make(component)
        if use is not None:
            try:
                use(built)
            except (ArithmeticError, TypeError, ValueError) as error:
                what = str(error).rstrip(".")
                raise SpecError(path, f"{what} ({name})", "change the setting") from error
    except SpecError as error:
        below = path if family in (MODELS, SOURCES) else f"{path}.{name}"
        key = f"{below}.{error.what.split(' ')[0]}"
        raise SpecError(key if key in known else path, error.what, error.mend) from error


def components_of(config: Mapping[str, Any]) -> Iterator[tuple[str, Family, Any]]:
    """Yield the components of a resolved configuration: path, family, component."""
    data, model, training = config["data"], dict(config["model"]), config["training"]
    own = {key: value for key, value in data.items() if key in SOURCES.settings(data["source"])}
    yield "data", SOURCES, {data["source"]: own}
    yield from (("data.preprocess", PREPROCESSING, step) for step in data["preprocess"])
    for name, part in config["external"].items():
        yield from ((f"external.{name}.preprocess", PREPROCESSING, step) for step in part["preprocess"])
        if "source" in part:
            own = {key: value for key, value in part.items() if key in SOURCES.settings(part["source"])}
            yield f"external.{name}", SOURCES, {part["source"]: own}
    yield "model", MODELS, {model.pop("family"): model}
    for role, term in config["loss"]["terms"].items():
        yield f"loss.terms.{role}", LOSSES, term
    yield "training.sampler", IMAGE_SAMPLERS, training["sampler"]
    yield from (("training.augmentation", AUGMENTATIONS, one) for one in training["augmentation"])
    yield "training.optimizer", OPTIMIZERS, training["optimizer"]
    yield "training.schedule", SCHEDULES, training["schedule"]
    yield "training.early_stopping", STOPPING_RULES, training["early_stopping"]
