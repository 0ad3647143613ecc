"""What a study keeps of its data; looking at it reads every image once, so that workers only map the cache."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pokeopt import metrics
from pokeopt.errors import DataError, SpecError
from pokeopt.spec import StudySpec
from pokeopt.store import Store

if TYPE_CHECKING:
    from pokeopt.data import Dataset

Where = Callable[[Mapping[str, Any], str], str]
MOST_DATA_CONFIGS = 16  # prepared before the first trial; others by the worker that needs them


def prepare_data(spec: StudySpec, store: Store) -> dict[str, Any]:
    """Read the data of every configuration that the space can reach, and return the facts that a study keeps of it.

    A fault in the data is found here, before anything is written about a study.

    Raises:
        DataError: If images or labels cannot be used.
    """
    configs = itertools.islice(_data_configs(spec), MOST_DATA_CONFIGS)
    return prepare_configs(configs, store, lambda _, key: spec.where(key))


def prepare_configs(
    configs: Iterable[Mapping[str, Any]], store: Store, where: Where | None = None
) -> dict[str, Any]:
    """Read the data of resolved configurations, at least one, and return the facts of the first's.

    Args:
        configs: The configurations.
        store: Its folder holds the image cache.
        where: Configuration and key to the file and line that say it.

    Raises:
        DataError: If images or labels cannot be used.
    """
    from pokeopt.data import prepare
    from pokeopt.data.oddities import oddities

    first: Dataset | None = None
    for config in configs:
        with at_its_line(config, where):
            dataset = prepare(config["data"], store.cache_dir, external=config.get("external", {}))
            check_several_classes(config, dataset.classes)
        first = first or dataset
    assert first is not None, "there is at least one configuration"
    counts = {part: _class_counts(first, part) for part in ("train", "val", "test")}
    return {
        "data_hash": first.data_hash,
        "split_hash": first.split_hash,
        "data": {
            "name": first.name,
            "classes": list(first.classes),
            "counts": counts,
            "external": {name: len(part.ids) for name, part in first.external.items()},
            "notes": list(oddities(first)),
            "duplicates_across_splits": [list(pair) for pair in first.duplicates_across_splits[:100]],
        },
    }


def check_several_classes(config: Mapping[str, Any], classes: Sequence[str]) -> None:
    """Refuse to tell the images of one class apart; networks that make images may be trained on them.

    Raises:
        DataError: If the model is a classifier and there is one class.
    """
    from pokeopt.spec.fitting import task_of

    family = str(config["model"]["family"])
    if len(classes) < 2 and task_of(family) == "classification":
        what = f"all images are of one class, '{classes[0]}', and a model '{family}' is to tell classes apart"
        raise DataError("data.source", what, "add images of another class")


@contextmanager
def at_its_line(config: Mapping[str, Any], where: Where | None) -> Iterator[None]:
    """Let an error about a key of the data, or about the path that it gives, name the file and line of that key."""
    try:
        yield
    except (DataError, SpecError) as error:
        key = _key_of(error.where, config)
        if key is None or where is None:
            raise
        what = error.what if key == error.where else f"{error.where}: {error.what}"
        raise type(error)(where(config, key), what, error.mend) from error


def _key_of(where: str, config: Mapping[str, Any]) -> str | None:
    """Return the key of the data that an error names, itself or by its value; None if it names none."""
    if where.startswith(("data.", "external.")):
        return where
    sections = {"data": config["data"]}
    sections |= {f"external.{name}": part for name, part in (config.get("external") or {}).items()}
    found = (
        f"{path}.{key}" for path, section in sections.items() for key in section if section[key] == where
    )
    return next(found, None)


def distinct_data(configs: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the configurations whose data sections differ, in their order."""
    found: list[Mapping[str, Any]] = []
    for config in configs:
        key = (config["data"], config.get("external"))
        if key not in [(one["data"], one.get("external")) for one in found]:
            found.append(config)
    return found


def check_classes(
    spec: StudySpec, names: Iterable[str], classes: Sequence[str], named: Mapping[str, str] | None = None
) -> None:
    """Check the classes in metric names, which only the data knows.

    Args:
        spec: The study.
        names: The metrics.
        classes: Of the data.
        named: Metric to the file and line that name it, for those that the study's own file does not.

    Raises:
        SpecError: Naming the first that is none.
    """
    for name in names:
        for one in name.split(" - "):
            try:
                metrics.find(one, task=spec.task, parts=tuple(spec.external), classes=tuple(classes))
            except SpecError as error:
                where = (named or {}).get(name) or _where_named(spec, name) or error.where
                raise SpecError(where, error.what, error.mend) from error


def _where_named(spec: StudySpec, metric: str) -> str | None:
    """Return the file and line at which a study names a metric; None if it does not."""
    if spec.search.prune_on == metric:
        return spec.where("search.prune_on")
    if (spec.closed.get("objective") or {}).get("metric") == metric:
        return spec.where("objective.metric")
    for key in ("objectives", "constraints"):
        if any(one["metric"] == metric for one in spec.closed.get(key) or ()):
            return spec.where(key)
    return None


def _data_configs(spec: StudySpec) -> Iterator[dict[str, Any]]:
    """Yield one configuration per distinct data section, by trying every value of the searched data leaves."""
    leaves = [param for param in spec.space.params if param.path.startswith("data.")]
    start = {
        param.path: param.ends()[0] for param in spec.space.params
    }  # a value for every leaf, active or not
    seen: list[Any] = []
    for values in itertools.product(*(param.ends() for param in leaves)):
        config = spec.space.config({**start, **dict(zip([p.path for p in leaves], values, strict=True))})
        if config["data"] not in seen:
            seen.append(config["data"])
            yield config


def _class_counts(dataset: Dataset, part: str) -> list[int]:
    labels = dataset.labels[getattr(dataset, part)]
    return [int((labels == k).sum()) for k in range(len(dataset.classes))]
