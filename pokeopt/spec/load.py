"""A search-space file to a study: read, change by ``--set``, check, close, bind; every complaint names file and line."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pokeopt.errors import SpecError
from pokeopt.registry import (
    AUGMENTATIONS,
    IMAGE_SAMPLERS,
    LOSSES,
    METRICS,
    MODELS,
    OPTIMIZERS,
    PREPROCESSING,
    PRUNERS,
    SCHEDULES,
    SEARCH_SAMPLERS,
    SOURCES,
    STOPPING_RULES,
    Family,
    import_plugins,
    nearest,
)
from pokeopt.spec.checker import Checker
from pokeopt.spec.document import read_document
from pokeopt.spec.layers import fit_layers
from pokeopt.spec.nodes import Node, show
from pokeopt.spec.overrides import apply_sets
from pokeopt.spec.sections import SECTIONS, Ablation, Limits, Objective, Resources, Search, Training
from pokeopt.spec.slots import slot_of
from pokeopt.spec.space import Space
from pokeopt.spec.study import StudySpec, check_name, seconds
from pokeopt.spec.whole import check_data, check_external, check_loss, check_model

OBJECTIVES = {"classification": "val/macro_f1"}  # of a task whose file names none
TEXTS = slot_of(tuple[str, ...])


def load_study(path: str | Path, sets: Sequence[str] = (), *, name: str | None = None) -> StudySpec:
    """Read and check a search-space file.

    Args:
        path: The file.
        sets: ``key=value`` each, from ``--set``.
        name: Wins over the file's ``name``, which wins over the file's stem.

    Raises:
        SpecError: For the first thing that is wrong, with file, line, key and a mend.
    """
    root, set_keys = apply_sets(read_document(Path(path)), sets)
    return _Loader(Path(path), root, set_keys).load(name)


class _Loader:
    def __init__(self, path: Path, root: Node, set_keys: frozenset[str]) -> None:
        self.path, self.root, self.set_keys = path, root, set_keys
        self.checker = Checker()
        self.checker.places[""] = root.place

    def load(self, name: str | None) -> StudySpec:
        """Return the study."""
        for key, node in self.root.mapping.items():
            if key not in SECTIONS:
                raise node.place.error(key, f"there is no key '{key}'", nearest(key, SECTIONS))
        plugins = self._plugins()
        checker = self.checker
        closed: dict[str, Any] = {"name": self._name(name), "path": str(self.path.absolute())}
        data, task = check_data(checker, self._section("data"))
        closed |= {
            "task": task,
            "data": data,
            "external": check_external(checker, self._section("external")),
            "model": check_model(checker, self._section("model")),
            "loss": check_loss(checker, self._section("loss")),
            "training": checker.value(self._section("training"), slot_of(Training), "training"),
            "baseline": None,
        }
        closed |= self._metrics(task, tuple(closed["external"]))
        closed |= {
            "search": checker.section(self._section("search"), Search, "search"),
            "ablation": self._ablation(),
            "resources": self._resources(),
            "plugins": plugins,
            "tracking": checker.value(self._section("tracking", ()), TEXTS, "tracking"),
        }
        try:
            closed["baseline"] = self._baseline(Space(closed))
            self._drop_set_factors(closed)
            spec = StudySpec.from_resolved(closed)
            self._check_whole(spec)
            for values in spec.space.corners():
                self._check_components(spec.space.config(values))
            self._make(SEARCH_SAMPLERS, spec.search.sampler, "search.sampler")
            self._make(PRUNERS, spec.search.pruner, "search.pruner")
        except SpecError as error:
            if not error.where.startswith((f"{self.path}:", "--set")):
                raise SpecError(self._where(error.where), error.what, error.mend) from error
            raise
        return spec

    def _section(self, key: str, empty: Any = None) -> Node:
        """Return a section's node; an empty one where the file has none."""
        node = self.root.mapping.get(key)
        if node is not None:
            self.checker.places[key] = node.place
        if node is None or node.value is None:
            return Node({} if empty is None else empty, self.root.place if node is None else node.place)
        return node

    def _where(self, key: str) -> str:
        return self.checker.place_of(key).at(key)

    def _name(self, given: str | None) -> str:
        if given is not None:
            check_name(given, "--name")
            return given
        node = self.root.mapping.get("name")
        if node is None:
            check_name(self.path.stem, str(self.path))
            return self.path.stem
        if not isinstance(node.value, str):
            raise node.place.error("name", f"a name is text, got {show(node.plain())}", f"write '{node.value}' in quotes")
        check_name(node.value, node.place.at("name"))
        return node.value

    def _plugins(self) -> list[str]:
        node = self._section("plugins", ())
        paths = self.checker.value(node, slot_of(tuple[Path, ...]), "plugins")
        try:
            import_plugins(paths)
        except SpecError as error:
            raise node.place.error("plugins", f"{error.where}: {error.what}", error.mend) from error
        return [str(path) for path in paths]

    def _ablation(self) -> dict[str, Any] | None:
        node = self.root.mapping.get("ablation")
        if node is None or node.value is None:
            return None
        ablation = self.checker.section(node, Ablation, "ablation")
        baseline = self.root.mapping.get("baseline")
        if baseline is None or baseline.value is None:
            raise node.place.error("ablation", "an ablation starts from a baseline", "add 'baseline: {...}', or take it out")
        seeds = ablation["seeds"]
        if isinstance(seeds, list) and (not seeds or len(set(seeds)) < len(seeds)):
            raise self.checker.place_of("ablation.seeds").error("ablation.seeds", "the seeds must differ", "name each once")
        return ablation

    def _resources(self) -> dict[str, Any]:
        resources = self.checker.section(self._section("resources"), Resources, "resources")
        for key in ("trial_timeout", "hang_timeout"):
            try:
                if resources[key] is not None:
                    seconds(resources[key])
            except ValueError as error:
                path = f"resources.{key}"
                raise SpecError(self._where(path), str(error), "add the unit") from error
        return resources

    def _metrics(self, task: str, parts: tuple[str, ...]) -> dict[str, Any]:
        """Check objectives and constraints; the order of the keys is theirs."""
        checker = self.checker
        several = self.root.mapping.get("objectives")
        if several is not None and "objective" in self.root.mapping:
            raise several.place.error("objectives", "'objective' and 'objectives' exclude each other", "keep one of them")
        closed: dict[str, Any] = {}
        if several is not None:
            closed["objectives"] = checker.value(several, slot_of(tuple[Objective, ...]), "objectives")
            names = [one["metric"] for one in closed["objectives"]]
            if not names or len(set(names)) < len(names):
                raise several.place.error("objectives", "the objectives must differ", "name each metric once")
        elif "objective" in self.root.mapping:
            closed["objective"] = checker.section(self.root.mapping["objective"], Objective, "objective")
            checker.places["objective"] = self.root.mapping["objective"].place
        elif task in OBJECTIVES:
            closed["objective"] = {"metric": OBJECTIVES[task]}
        else:
            raise self.root.place.error("objective", f"'{task}' has no objective of its own", "add 'objective: {metric: ...}'")
        constraints = self._section("constraints", ())
        closed["constraints"] = checker.value(constraints, slot_of(tuple[Limits, ...]), "constraints")
        for key, metrics in (
            ("objective", [one["metric"] for one in closed.get("objectives", [closed.get("objective")])]),
            ("constraints", [one["metric"] for one in closed["constraints"]]),
        ):
            for metric in metrics:
                self._check_metric(metric, "objectives" if key == "objective" and several is not None else key, task, parts)
        return closed

    def _check_metric(self, metric: str, key: str, task: str, parts: tuple[str, ...], *, by_epoch: bool = False) -> None:
        part = metric.partition("/")[0]
        place = self.checker.place_of(f"{key}.metric")
        if part == "test" or part in parts:
            what = f"nothing may be chosen by '{metric}': {'the test part' if part == 'test' else 'an external set'} only scores"
            raise place.error(key, what, f"use val/{metric.partition('/')[2]}")
        if by_epoch and part not in ("train", "val"):
            raise place.error(key, f"'{metric}' is no curve over epochs", "name a metric of val or train")
        try:
            importlib.import_module(METRICS.package).find(metric, task=task, parts=parts)
        except SpecError as error:
            raise place.error(key, error.what, error.mend) from error

    def _baseline(self, space: Space) -> dict[str, Any] | None:
        """Return the baseline by key, labels resolved, without entries that ``--set`` took from it."""
        node = self.root.mapping.get("baseline")
        if node is None or node.value is None:
            return None
        if not node.is_mapping:
            raise node.place.error("baseline", f"expected a mapping, got {show(node.plain())}", "write KEY: VALUE")
        self.checker.places["baseline"] = node.place
        given: dict[str, Any] = {}
        for key, entry in node.mapping.items():
            self.checker.places[f"baseline.{key}"] = entry.place
            value = entry.plain()
            if not space.is_known(key) and self._is_dropped(key):
                self._keep_length(key, value, given, node, space)
                continue
            n_layers = space.n_layers(key)
            if n_layers is not None and isinstance(value, list) and self._was_set_near(space.counter_of(key) or ""):
                value = fit_layers(value, n_layers)
            if not isinstance(value, list) and space.counter_of(key) is None and space.is_known(key):
                expanded = space.expand({key: value}, "baseline.")
                given |= {path: one for path, one in expanded.items() if path == key or path not in node.mapping}
                continue
            given[key] = value
        return given

    def _is_dropped(self, key: str) -> bool:
        """Whether ``--set`` made a key of the baseline go: it, something above it, or what its layers follow."""
        followed = [self.checker.counters.get(one) for one in self.set_keys if one in self.checker.counters]
        counter = self.checker.counters.get(key.rpartition(".")[0])
        if key in followed or (counter is not None and (counter in self.set_keys or counter in followed)):
            return True
        return any(key == one or key.startswith(f"{one}.") for one in self.set_keys)

    def _keep_length(self, key: str, value: Any, given: dict[str, Any], node: Node, space: Space) -> None:
        """Let a dropped list still set the counter of its layers, which it did silently."""
        counter = self.checker.counters.get(key)
        if isinstance(value, list) and counter is not None and space.is_known(counter) and counter not in node.mapping:
            given.setdefault(counter, len(value))

    def _was_set_near(self, counter: str) -> bool:
        block = counter.rpartition(".")[0]
        return any(key == block or key.rpartition(".")[0] == block for key in self.set_keys)

    def _drop_set_factors(self, closed: dict[str, Any]) -> None:
        """Take factors that ``--set`` fixed out of the ablation's ``include``; refuse those that never were."""
        if closed["ablation"] is None:
            return
        factors = [factor.key for factor in Space(closed).factors()]
        include = closed["ablation"]["include"]
        kept = [key for key in include if key in factors or not self._is_dropped(key)]
        for key in kept:
            if key not in factors:
                raise SpecError("ablation.include", f"'{key}' is not a searched key", nearest(key, factors))
        closed["ablation"]["include"] = kept

    def _check_whole(self, spec: StudySpec) -> None:
        """Check what no section can check alone."""
        search, space = spec.search, spec.space
        for param in space.params:
            if search.sampler_name in ("grid", "brute_force") and param.kind == "float" and param.step is None:
                what = f"'{search.sampler_name}' cannot try every value of '{param.path}'"
                raise SpecError(param.path, what, "add a step, or search.sampler: tpe")
            if search.sampler_name == "grid" and param.when:
                what = f"'grid' cannot leave out '{param.path}', which exists only under a condition"
                raise SpecError("search.sampler", what, "use search.sampler: brute_force")
        if len(set(space.values_of("training.epochs"))) > 1 and search.pruner_name != "none":
            what = f"training.epochs cannot be searched with the pruner '{search.pruner_name}'"
            raise SpecError("training.epochs", what, "use search.pruner: none")
        if search.pruner_name == "wilcoxon" and search.seeds < 3:
            what = f"the pruner 'wilcoxon' compares seeds and needs 3, got {search.seeds}"
            raise SpecError("search.pruner", what, "use search.seeds: 3, or another pruner")
        parts = tuple(spec.external)
        if search.prune_on is not None:
            if len(spec.objectives) == 1 and search.prune_on != spec.objectives[0]:
                what = f"there is one objective, {spec.objectives[0]}, and it is what is pruned on"
                raise SpecError("search.prune_on", what, "take prune_on out, or name several objectives")
            self._check_metric(search.prune_on, "search.prune_on", spec.task, parts, by_epoch=True)
        key = "objective" if len(spec.objectives) == 1 else "objectives"
        self._check_metric(spec.objective, key, spec.task, parts, by_epoch=True)

    def _check_components(self, config: Mapping[str, Any]) -> None:
        for path, family, component in components_of(config):
            self._make(family, component, path)

    def _make(self, family: Family, component: Any, path: str) -> None:
        try:
            family.make(component)
        except SpecError as error:
            name = component if isinstance(component, str) else next(iter(component))
            below = path if family in (MODELS, SOURCES) else f"{path}.{name}"
            key = f"{below}.{error.what.split(' ')[0]}"
            raise SpecError(key if key in self.checker.places else path, error.what, error.mend) from error


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

