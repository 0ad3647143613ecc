"""A search-space file to a study: read, change, check, close, bind; every complaint names file and line."""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from pokeopt.errors import SpecError
from pokeopt.registry import METRICS, PRUNERS, SEARCH_SAMPLERS, TRACKERS, Component, import_plugins, nearest
from pokeopt.spec.checker import Checker
from pokeopt.spec.components import check_component, components_of
from pokeopt.spec.document import read_document, read_text
from pokeopt.spec.fitting import check_fit
from pokeopt.spec.nodes import Node, show
from pokeopt.spec.overrides import apply_sets
from pokeopt.spec.reference import Changes, check_baseline
from pokeopt.spec.sections import (
    SECTIONS,
    Ablation,
    CheckCode,
    Limits,
    Objective,
    Resources,
    Search,
    Training,
)
from pokeopt.spec.slots import slot_of
from pokeopt.spec.space import Space
from pokeopt.spec.study import StudySpec, check_name, seconds
from pokeopt.spec.whole import check_data, check_external, check_loss, check_model, check_task

IN_CODE = "spec"  # what messages call a mapping that was given instead of a file
# of a task whose file names none
OBJECTIVES = {"classification": "val/macro_f1", "reconstruction": "val/mse", "translation": "val/mse"}
TRACKED = slot_of(tuple[Annotated[Component, TRACKERS], ...])
MUTED = slot_of(dict[CheckCode, str])


def load_study(
    path: str | Path | Mapping[str, Any], sets: Sequence[str] = (), *, name: str | None = None
) -> StudySpec:
    """Read and check a search-space file.

    Args:
        path: The file; or what it would hold, as a mapping with a ``name``, whose paths start at the working directory.
        sets: ``key=value`` each, from ``--set``.
        name: Wins over the file's ``name``, which wins over the file's stem.

    Raises:
        SpecError: For the first thing that is wrong, with file, line, key and a mend.
    """
    if isinstance(path, Mapping):
        root, set_keys = apply_sets(_document_of(path), sets)
        return study_of(Path(IN_CODE), root, set_keys, name)
    root, set_keys = apply_sets(read_document(Path(path)), sets)
    return study_of(Path(path), root, set_keys, name)


def _document_of(values: Mapping[str, Any]) -> Node:
    """Return values from code as if they had been read; JSON is YAML."""
    try:
        text = json.dumps(values, default=str)
    except (TypeError, ValueError) as error:
        raise SpecError(IN_CODE, f"it cannot be written as JSON: {error}", "use plain values") from error
    if "name" not in values:
        raise SpecError(IN_CODE, "a study that no file describes has no name", "add 'name'")
    return read_text(text, IN_CODE, Path.cwd())


def study_of(path: Path, root: Node, set_keys: frozenset[str], name: str | None = None) -> StudySpec:
    """Check a file that was read, and perhaps changed.

    Args:
        path: The file.
        root: Its values.
        set_keys: The keys that were set: what the baseline says of them no longer counts.
        name: Wins over the file's ``name``.

    Raises:
        SpecError: For the first thing that is wrong.
    """
    return _Loader(path, root, set_keys).load(name)


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
        data = check_data(checker, self._section("data"))
        external = check_external(checker, self._section("external"))
        model = check_model(checker, self._section("model"))
        task = check_task(checker, model)
        closed |= {
            "task": task,
            "data": data,
            "external": external,
            "model": model,
            "loss": check_loss(checker, self._section("loss"), model),
            "training": checker.value(self._section("training"), slot_of(Training), "training"),
            "baseline": None,
        }
        closed |= self._metrics(task, tuple(closed["external"]))
        closed |= {
            "search": checker.section(self._section("search"), Search, "search"),
            "ablation": self._ablation(),
            "resources": self._resources(),
            "plugins": plugins,
            "tracking": checker.value(self._section("tracking", ()), TRACKED, "tracking"),
            "mute": self._mute(),
        }
        try:
            space, baseline = Space(closed), self._given("baseline")
            changes = Changes(self.set_keys, checker.counters)
            if baseline is not None:
                checker.places["baseline"] = baseline.place
                closed["baseline"] = check_baseline(baseline, space, changes, checker.places)
            if closed["ablation"] is not None:
                closed["ablation"]["include"] = self._include(closed["ablation"]["include"], space, changes)
            spec = StudySpec.from_resolved(closed)
            self._check_whole(spec)
            self._check_components(spec)
        except SpecError as error:
            if not error.where.startswith((f"{self.path}:", "--set")):
                raise SpecError(self._where(error.where), error.what, error.mend) from error
            raise
        return replace(spec, places=dict(checker.places))

    def _section(self, key: str, empty: Any = None) -> Node:
        """Return a section's node; an empty one where the file has none."""
        node = self.root.mapping.get(key)
        if node is not None:
            self.checker.places[key] = node.place
        if node is None or node.value is None:
            return Node({} if empty is None else empty, self.root.place if node is None else node.place)
        return node

    def _given(self, key: str) -> Node | None:
        """Return a section's node; None where the file has none, or null."""
        node = self.root.mapping.get(key)
        return None if node is None or node.value is None else node

    def _where(self, key: str) -> str:
        return self.checker.place_of(key).at(key)

    def _error(self, key: str, what: str, mend: str) -> SpecError:
        return SpecError(self._where(key), what, mend)

    def _name(self, given: str | None) -> str:
        if given is not None:
            check_name(given, "--name")
            return given
        node = self.root.mapping.get("name")
        if node is None:
            check_name(self.path.stem, str(self.path))
            return self.path.stem
        if not isinstance(node.value, str):
            raise node.place.error("name", f"a name is text, got {show(node.plain())}", "write it in quotes")
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
        node = self._given("ablation")
        if node is None:
            return None
        self.checker.places["ablation"] = node.place
        ablation = self.checker.section(node, Ablation, "ablation")
        if self._given("baseline") is None:
            mend = "add 'baseline: {...}', or take it out"
            raise node.place.error("ablation", "an ablation starts from a baseline", mend)
        seeds = ablation["seeds"]
        if isinstance(seeds, list) and (not seeds or len(set(seeds)) < len(seeds)):
            raise self._error("ablation.seeds", "the seeds must differ", "name each once")
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

    def _mute(self) -> dict[str, str]:
        muted: dict[str, str] = self.checker.value(self._section("mute"), MUTED, "mute")
        for code, reason in muted.items():
            if not reason.strip():
                what = "a check is muted with a reason"
                raise self._error(f"mute.{code}", what, "write why it does not matter here")
        return muted

    def _metrics(self, task: str, parts: tuple[str, ...]) -> dict[str, Any]:
        """Check objectives and constraints; the order of the keys is theirs."""
        checker = self.checker
        several, single = self._given("objectives"), self._given("objective")
        if several is not None and single is not None:
            what = "'objective' and 'objectives' exclude each other"
            raise several.place.error("objectives", what, "keep one of them")
        closed: dict[str, Any] = {}
        if several is not None:
            closed["objectives"] = checker.value(several, slot_of(tuple[Objective, ...]), "objectives")
            names = [one["metric"] for one in closed["objectives"]]
            if not names or len(set(names)) < len(names):
                raise several.place.error("objectives", "the objectives must differ", "name each metric once")
        elif single is not None:
            checker.places["objective"] = single.place
            closed["objective"] = checker.section(single, Objective, "objective")
        elif task in OBJECTIVES:
            closed["objective"] = {"metric": OBJECTIVES[task]}
        else:
            mend = "add 'objective: {metric: ...}'"
            raise self.root.place.error("objective", f"'{task}' has no objective of its own", mend)
        constraints = self._section("constraints", ())
        closed["constraints"] = checker.value(constraints, slot_of(tuple[Limits, ...]), "constraints")
        for key in ("objective", "objectives", "constraints"):
            named = closed.get(key, [])
            for one in [named] if isinstance(named, dict) else named:
                self._check_metric(one["metric"], key, task, parts)
        return closed

    def _check_metric(
        self, metric: str, key: str, task: str, parts: tuple[str, ...], *, by_epoch: bool = False
    ) -> None:
        part, _, rest = metric.partition("/")
        place = self.checker.place_of(f"{key}.metric")
        if part == "test" or part in parts:
            scorer = "the test part" if part == "test" else "an external set"
            what = f"nothing may be chosen by '{metric}': {scorer} only scores"
            raise place.error(key, what, f"use val/{rest}")
        if by_epoch and part not in ("train", "val"):
            raise place.error(key, f"'{metric}' is no curve over epochs", "name a metric of val or train")
        try:
            importlib.import_module(METRICS.package).find(metric, task=task, parts=parts)
        except SpecError as error:
            raise place.error(key, error.what, error.mend) from error

    @staticmethod
    def _include(keys: Sequence[str], space: Space, changes: Changes) -> list[str]:
        """Return the factors of ``ablation.include`` without those that ``--set`` fixed."""
        factors = [factor.key for factor in space.factors()]
        for key in keys:
            if key not in factors and not changes.is_dropped(key):
                raise SpecError("ablation.include", f"'{key}' is not a searched key", nearest(key, factors))
        return [key for key in keys if key in factors]

    def _check_whole(self, spec: StudySpec) -> None:
        """Check what no section can check alone."""
        search, space = spec.search, spec.space
        for param in space.params:
            if (
                search.sampler_name in ("grid", "brute_force")
                and param.kind == "float"
                and param.step is None
            ):
                what = f"'{search.sampler_name}' cannot try every value of '{param.path}'"
                raise SpecError(param.path, what, "add a step, or search.sampler: tpe")
            if search.sampler_name == "grid" and param.when:
                what = f"'grid' cannot leave out '{param.path}', which exists only under a condition"
                raise SpecError("search.sampler", what, "use search.sampler: brute_force")
        if search.sampler_name == "cmaes" and len(spec.objectives) > 1:
            what = f"'cmaes' follows one objective, and there are {len(spec.objectives)}"
            raise SpecError("search.sampler", what, "use search.sampler: nsga2 or tpe")
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

    def _check_components(self, spec: StudySpec) -> None:
        """Build every component at every corner of the space."""
        places = self.checker.places
        for family, component, path in (
            (SEARCH_SAMPLERS, spec.search.sampler, "search.sampler"),
            (PRUNERS, spec.search.pruner, "search.pruner"),
        ):
            try_out = importlib.import_module(family.package).try_out
            check_component(family, component, path, places, partial(try_out, spec))
        for values in spec.space.corners():
            for path, family, component in components_of(spec.space.config(values)):
                check_component(family, component, path, places)
            check_fit(spec.space.config(values))
