"""Metrics by name: PART/NAME or PART/NAME/CLASS."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pokeopt.errors import SpecError
from pokeopt.metrics.base import (
    ClassMetric,
    CurveMetric,
    Direction,
    GroupMetric,
    ImageMetric,
    MeasuredMetric,
    Metric,
    MetricInfo,
    SliceMetric,
)
from pokeopt.registry import METRICS, nearest

SETS = ("train", "val", "test")  # parts that hold images; external sets join them
PARTS = (*SETS, "model", "cost")


def find(
    name: str,
    *,
    task: str = "classification",
    parts: Iterable[str] = (),
    classes: Sequence[str] | None = None,
) -> MetricInfo:
    """Return what a metric's name means.

    Args:
        name: PART/NAME or PART/NAME/CLASS.
        task: The metric must be one of this task's.
        parts: Names of the external sets.
        classes: Class names, where they are known; None takes any.

    Raises:
        SpecError: If there is no such metric, with the nearest known name.
    """
    external = tuple(parts)
    part, _, rest = name.partition("/")
    base, _, class_name = rest.partition("/")
    known = known_names(task=task, parts=external, classes=classes)
    where = f"metric {name}"
    if base not in METRICS.names() or part not in (*PARTS, *external):
        raise SpecError(where, f"no metric is called '{name}'", _nearest(name, known))
    member = METRICS.get(base)
    if task not in member.tasks:
        raise SpecError(where, f"'{base}' is no metric of {task}", _nearest(name, known))
    if part not in _parts_of(member, external):
        on = " or ".join(f"{where_measured}/{base}" for where_measured in _parts_of(member, external))
        raise SpecError(where, f"'{base}' is not measured on {part}", f"write {on}")
    each = _each(member)
    if each and not class_name:
        example = classes[0] if classes and each == "class" else each.upper()
        what = f"'{base}' has one value a {each}, and no {each} is named"
        raise SpecError(where, what, f"write {part}/{base}/{example}")
    if class_name and not each:
        raise SpecError(where, f"'{base}' has no value by class", f"write {part}/{base}")
    if class_name and each == "class" and classes is not None and class_name not in classes:
        raise SpecError(where, f"no class is called '{class_name}'", nearest(class_name, classes))
    return MetricInfo(name, part, base, class_name or None, member.direction, member.unit)


def known_names(
    *, task: str = "classification", parts: Iterable[str] = (), classes: Sequence[str] | None = None
) -> list[str]:
    """Return every metric's name; ``CLASS`` stands for a class where they are not known."""
    external = tuple(parts)
    names = []
    for base in METRICS.names():
        member = METRICS.get(base)
        if task not in member.tasks:
            continue
        each = _each(member)
        labels = [f"/{label}" for label in (classes if each == "class" and classes else (each.upper(),))]
        labels = labels if each else [""]
        names += [f"{part}/{base}{label}" for part in _parts_of(member, external) for label in labels]
    return names


def is_better(value: float, than: float, direction: Direction) -> bool:
    """Whether one value is strictly better than another; NaN never is, and everything else is better than NaN."""
    if value != value:
        return False
    if than != than:
        return True
    return value > than if direction == "maximize" else value < than


def _each(member: type[Metric]) -> str:
    """Return what a metric has one value of each: ``class``, ``slice``, ``part``, or nothing."""
    if issubclass(member, ClassMetric | GroupMetric):
        return "class"
    if issubclass(member, SliceMetric):
        return "slice"
    return "part" if issubclass(member, MeasuredMetric) and member.is_named else ""


def _parts_of(member: type[Metric], external: tuple[str, ...]) -> tuple[str, ...]:
    if issubclass(member, MeasuredMetric):
        return (member.part,)
    if issubclass(member, CurveMetric):
        return ("val",)
    if issubclass(member, ImageMetric) and not member.is_trained:
        return ("val", "test", *external)
    return (*SETS, *external)


def _nearest(name: str, known: list[str]) -> str:
    """Return the nearest name; a list of all of them would be longer than a line."""
    mend = nearest(name, known)
    if mend.startswith("did you mean"):
        return mend
    part, _, rest = name.partition("/")
    if not rest:  # a metric without its part
        same = [candidate for candidate in known if candidate.split("/")[1] == part]
        return f"write PART/NAME, like {(same or ['val/macro_f1'])[0]}"
    return f"known: {', '.join(sorted({candidate.split('/')[1] for candidate in known}))}"
