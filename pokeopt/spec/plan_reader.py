"""A plan's file to a plan: keys, arms or factors, claims; every complaint names file and line."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

from pokeopt.errors import SpecError
from pokeopt.registry import METRICS, nearest
from pokeopt.spec.claims import Claim, read_claim
from pokeopt.spec.designs import DESIGNS, Combination, Level, combinations, level_label
from pokeopt.spec.document import read_document
from pokeopt.spec.nodes import Node, Place, node_of, show
from pokeopt.spec.overrides import read_sets
from pokeopt.spec.plan import Fidelity, PlannedArm, PlanSpec, TrialOf
from pokeopt.spec.plan_arms import ArmResolver, Declared
from pokeopt.spec.plan_base import Base, FileBase, TrialBase
from pokeopt.spec.sections import CheckCode
from pokeopt.spec.study import StudySpec, check_name

KEYS = (
    "name", "source", "question", "fidelity", "base", "set", "seeds", "resample", "metrics", "arms", "factors",
    "design", "prefixes", "claims", "quick", "retune", "retune_trials", "unit", "note", "mute",
)  # fmt: skip
FIDELITIES = ("exact", "scaled", "surrogate")
RESAMPLES = ("train_val", "none", "all")
SEEDS, QUICK_SEEDS = 10, 3
QUICK_SET = {"training.epochs": 2, "data.limit": 300}


class PlanReader:
    """Reads one plan; see ``load_plan`` for the arguments."""

    def __init__(
        self,
        path: Path,
        quick: bool,
        seeds: int | None,
        base: str | Path | None,
        fidelity: str | None,
        sets: tuple[str, ...],
        trial_of: TrialOf | None,
    ) -> None:
        self.path, self.is_quick, self.n_seeds = path, quick, seeds
        self.other_base, self.other_fidelity = base, fidelity
        self.sets, self.trial_of = sets, trial_of
        self.root = read_document(path)
        self.named: dict[str, str] = {}

    def read(self) -> PlanSpec:
        """Return the plan."""
        for key, node in self.root.mapping.items():
            if key not in KEYS:
                raise node.place.error(key, f"a plan has no key '{key}'", nearest(key, KEYS))
        name = self._name()
        base, base_text = self._base()
        prefixes = self._flag("prefixes")
        declared, design, factors = self._declared()
        changes = self._changes()
        if self._unit() == "search" and isinstance(base, TrialBase):
            what = "a stored trial is one configuration: there is nothing to search"
            raise self._place("unit").error("unit", what, "give the search-space file as base")
        retune = self._retune()
        resolver = ArmResolver(base, changes, retune, self._place("retune"), self._unit(), self.path)
        study, arms = resolver.resolve(declared, prefixes)
        self._check_quick(resolver, declared[0])
        metrics = self._metrics(study)
        document, section = self._source()
        resample = self._word("resample", RESAMPLES, "train_val")
        if resample == "all" and (isinstance(base, TrialBase) or retune or self._unit() == "search"):
            what = "'resample: all' would redraw the test images of a search that chose an arm"
            raise self._place("resample").error("resample", what, "use resample: train_val")
        full = f"{name}.quick" if self.is_quick else name
        return PlanSpec(
            name=full,
            path=str(self.path.absolute()),
            document=document,
            section=section,
            question=self._text("question"),
            fidelity=self._fidelity(),
            base=base_text,
            study=replace(study, name=full, closed={**study.closed, "name": full}),
            seeds=self._seeds(),
            resample=resample,
            metrics=metrics,
            arms=arms,
            design=design,
            factors=factors,
            claims=self._claims(metrics, arms, study),
            unit=self._unit(),  # type: ignore[arg-type]
            retune=tuple(key for key in retune if not key.startswith("search.")),
            note=self._text("note") if self.other_base is None else "",
            mute=self._mute(),
            is_quick=self.is_quick,
            options=self._options(),
            settings={key: node.plain() for key, node in changes.items()},
            named=self.named,
        )

    def _options(self) -> tuple[str, ...]:
        """Return what the command line said beside the file, but for the seeds, which may grow."""
        options = ["--quick"] if self.is_quick else []
        options += ["--base", str(self.other_base)] if self.other_base is not None else []
        options += ["--fidelity", self.other_fidelity] if self.other_fidelity is not None else []
        return (*options, *(word for text in self.sets for word in ("--set", text)))

    def _name(self) -> str:
        node = self.root.mapping.get("name")
        name = self.path.stem if node is None else node.value
        if not isinstance(name, str):
            raise self._place("name").error("name", f"a name is text, got {show(name)}", "write it in quotes")
        check_name(name, self._place("name").at("name"))
        return name

    def _base(self) -> tuple[Base, str]:
        if self.other_base is not None:
            path = Path(self.other_base)
            return FileBase(path, read_document(path)), str(path)
        node = self.root.mapping.get("base")
        if node is None:
            raise self.root.place.error("base", "a plan needs a base", "add base: ../search_spaces/mlp.yaml")
        if isinstance(node.value, str):
            path = (node.place.folder / node.value).resolve()
            if not path.is_file():
                raise node.place.error(
                    "base", f"there is no file {node.value}", "give its path from this file"
                )
            return FileBase(path, read_document(path)), node.value
        if not node.is_mapping or "study" not in node.mapping or set(node.mapping) - {"study", "trial"}:
            what = f"a base is a file or {{study: NAME, trial: best}}, got {show(node.plain())}"
            raise node.place.error("base", what, "write base: {study: NAME, trial: best}")
        name = str(node.mapping["study"].value)
        trial = node.mapping["trial"].value if "trial" in node.mapping else "best"
        number = trial if isinstance(trial, int) and not isinstance(trial, bool) else None
        if trial != "best" and number is None:
            raise node.place.error(
                "base.trial", f"a trial is a number or best, got {show(trial)}", "write trial: 3"
            )
        if self.trial_of is None:
            raise node.place.error("base.study", "no store is at hand to look up a study", "give a file")
        try:
            resolved, values = self.trial_of(name, number)
        except SpecError as error:
            raise node.place.error("base.study", error.what, error.mend) from error
        spec = StudySpec.from_resolved(resolved)
        return TrialBase(self.path, node.place, spec, values), f"{name} trial {trial}"

    def _changes(self) -> dict[str, Node]:
        """Return what is set before every arm: the plan's own, the quick setting, ``--set``."""
        changes = self._keyed(self.root.mapping.get("set"), "set")
        if self.is_quick:
            below = self._quick().mapping.get("set")
            fallback = node_of(QUICK_SET, self.root.place)
            _cover(changes, self._keyed(fallback if below is None else below, "quick.set"))
        _cover(changes, read_sets(self.sets))
        return changes

    def _check_quick(self, resolver: ArmResolver, reference: Declared) -> None:
        """Check the quick setting in a full run, too: whoever writes it wants to hear of it now."""
        quick = self._quick().mapping
        self._seeds_of(quick.get("seeds"), QUICK_SEEDS, "quick.seeds")
        below = self._keyed(quick.get("set"), "quick.set")
        if below and not self.is_quick and self.other_base is None:
            changes = self._keyed(self.root.mapping.get("set"), "set")
            _cover(changes, below)
            resolver.check(changes, reference)

    def _quick(self) -> Node:
        node = self.root.mapping.get("quick")
        if node is None or node.value is None:
            return Node({}, self.root.place)
        if not node.is_mapping:
            what = f"expected a mapping, got {show(node.plain())}"
            raise node.place.error("quick", what, "write {seeds: 3, set: {training.epochs: 2}}")
        for key, value in node.mapping.items():
            if key not in ("seeds", "set"):
                raise value.place.error(
                    f"quick.{key}", f"'quick' has no key '{key}'", nearest(key, ("seeds", "set"))
                )
        return node

    def _seeds(self) -> tuple[int, ...]:
        if self.n_seeds is not None:
            return tuple(range(self.n_seeds))
        if self.is_quick:
            return self._seeds_of(self._quick().mapping.get("seeds"), QUICK_SEEDS, "quick.seeds")
        return self._seeds_of(self.root.mapping.get("seeds"), SEEDS, "seeds")

    @staticmethod
    def _seeds_of(node: Node | None, default: int, key: str) -> tuple[int, ...]:
        if node is None:
            return tuple(range(default))
        value = node.plain()
        seeds = list(range(value)) if _is_count(value) else value
        if not isinstance(seeds, list) or not seeds or not all(_is_count(one) for one in seeds):
            what = f"seeds are a number of them, or a list, got {show(value)}"
            raise node.place.error(key, what, f"write seeds: {default}")
        if len(set(seeds)) < len(seeds):
            raise node.place.error(key, "the seeds must differ", "name each once")
        return tuple(seeds)

    def _declared(self) -> tuple[list[Declared], str, dict[str, tuple[str, ...]]]:
        """Return (arm id, its changes, its levels) each, the design, and the factors."""
        arms, factors = self.root.mapping.get("arms"), self.root.mapping.get("factors")
        if (arms is None) == (factors is None):
            what = "a plan has 'arms' or 'factors'" + (", not both" if arms is not None else "")
            raise self.root.place.error(
                "arms", what, "add arms: {NAME: {KEY: VALUE}}" if arms is None else "keep one"
            )
        given = arms if arms is not None else factors
        assert given is not None
        if given.value is not None and not given.is_mapping:
            key = "arms" if arms is not None else "factors"
            mend = "write NAME: {KEY: VALUE}" if arms is not None else "write KEY: [reference, other]"
            raise given.place.error(key, f"expected a mapping, got {show(given.plain())}", mend)
        if arms is not None:
            if not arms.mapping:
                raise arms.place.error("arms", "there is no arm", "add NAME: {KEY: VALUE}")
            if "design" in self.root.mapping:
                raise self._place("design").error("design", "a design belongs to factors", "take it out")
            return (
                [
                    Declared(id_, self._keyed(node, f"arms.{id_}"), {}, node.place, f"arms.{id_}")
                    for id_, node in arms.mapping.items()
                ],
                "arms",
                {},
            )
        assert factors is not None
        design = self._word("design", DESIGNS, "one-at-a-time")
        levels = {key: self._levels(key, node) for key, node in factors.mapping.items()}
        if not levels:
            raise factors.place.error("factors", "there is no factor", "add KEY: [reference, other]")
        try:
            found: list[Combination] = combinations(levels, design)
        except ValueError as error:
            raise factors.place.error(
                "factors", str(error), "take some out, or choose another design"
            ) from error
        declared = [
            Declared(
                one.id,
                {key: self._as_set(level.value, f"factors.{key}") for key, level in one.levels.items()},
                {key: level.label for key, level in one.levels.items()},
                factors.place,
                "factors",
            )
            for one in found
        ]
        return declared, design, {key: tuple(level.label for level in each) for key, each in levels.items()}

    def _levels(self, key: str, node: Node) -> list[Level]:
        """Return a factor's levels: a list of values, or a mapping of labels to values."""
        levels = [Level(level_label(item), item) for item in node.items]
        levels += [Level(label, item) for label, item in node.mapping.items()]
        if len(levels) < 2:
            raise node.place.error(f"factors.{key}", "a factor needs two levels", "write [reference, other]")
        if len({level.label for level in levels}) < len(levels):
            mend = "label them: {label: value, ...}"
            raise node.place.error(f"factors.{key}", "two levels have one name", mend)
        return levels

    def _retune(self) -> dict[str, Node]:
        """Return the markers of ``retune``, and the number of trials; nothing where there is none."""
        markers = self._keyed(self.root.mapping.get("retune"), "retune")
        for key, node in markers.items():
            if not node.is_marker:
                what = f"expected a range or a choice to search, got {show(node.plain())}"
                raise node.place.error(f"retune.{key}", what, f"write {key}: {{float: [low, high]}}")
        return {**markers, "search.trials": self._as_set(self._trials(), "retune_trials")} if markers else {}

    def _trials(self) -> Node:
        node = self.root.mapping.get("retune_trials", Node(8, self.root.place))
        if not _is_count(node.value) or node.value == 0:
            raise node.place.error("retune_trials", f"expected a count, got {show(node.plain())}", "write 8")
        return Node(2, node.place) if self.is_quick else node

    def _fidelity(self) -> Fidelity:
        given = self.other_fidelity
        if given is None:
            return self._word("fidelity", FIDELITIES, "exact")  # type: ignore[return-value]
        if given not in FIDELITIES:
            raise SpecError("--fidelity", f"'{given}' is no fidelity", nearest(given, FIDELITIES))
        return given  # type: ignore[return-value]

    def _unit(self) -> str:
        return self._word("unit", ("network", "search"), "network")

    def _source(self) -> tuple[str, str]:
        node = self.root.mapping.get("source")
        if node is None:
            return "", ""
        if not node.is_mapping or set(node.mapping) - {"document", "section"}:
            what = "a source is {document: FILE, section: TEXT}"
            raise node.place.error("source", what, "write both keys, or take it out")
        plain = node.plain()
        return str(plain.get("document") or ""), str(plain.get("section") or "")

    def _metrics(self, study: StudySpec) -> tuple[str, ...]:
        node = self.root.mapping.get("metrics")
        if node is None:
            part, _, rest = study.objective.partition("/")
            return (f"test/{rest}" if part == "val" else study.objective,)
        names = node.plain() if node.is_list else [node.plain()]
        if not names or not all(isinstance(name, str) for name in names) or len(set(names)) < len(names):
            raise node.place.error(
                "metrics", "metrics are a list of names, each once", "write [test/macro_f1]"
            )
        for item in node.items or (node,):
            self._check_metric(str(item.value), item.place, "metrics", study)
        return tuple(names)

    def _check_metric(self, name: str, place: Place, key: str, study: StudySpec) -> None:
        self.named.setdefault(name, place.at(key))
        family = importlib.import_module(METRICS.package)
        for one in name.split(" - "):
            try:
                family.find(one, task=study.task, parts=tuple(study.external))
            except SpecError as error:
                raise place.error(key, error.what, error.mend) from error

    def _claims(
        self, metrics: tuple[str, ...], arms: tuple[PlannedArm, ...], study: StudySpec
    ) -> tuple[Claim, ...]:
        node = self.root.mapping.get("claims", Node((), self.root.place))
        if not node.is_list:
            raise node.place.error("claims", "claims are a list", "write - {says: ..., diff: {...}}")
        claims = []
        for item in node.items:
            claim = read_claim(item, metrics[0], [arm.id for arm in arms])
            self._check_metric(claim.metric, item.place, "claims.metric", study)
            claims.append(claim)
        return tuple(claims)

    def _mute(self) -> dict[str, str]:
        node = self.root.mapping.get("mute")
        if node is None:
            return {}
        plain = node.plain()
        if not node.is_mapping or not all(isinstance(reason, str) and reason for reason in plain.values()):
            raise node.place.error("mute", "a check is muted with a reason", 'write mute: {PK10: "why"}')
        for code, reason in node.mapping.items():
            if code not in get_args(CheckCode):
                what = f"no check is called '{code}'"
                raise reason.place.error("mute", what, nearest(code, get_args(CheckCode)))
        return plain  # type: ignore[no-any-return]

    def _keyed(self, node: Node | None, key: str) -> dict[str, Node]:
        if node is None or node.value is None:
            return {}
        if not node.is_mapping:
            raise node.place.error(
                key, f"expected KEY: VALUE, got {show(node.plain())}", "write {training.epochs: 5}"
            )
        return {name: self._as_set(value, f"{key}.{name}") for name, value in node.mapping.items()}

    def _as_set(self, node: Node, key: str) -> Node:
        """Return a node of this file as one that replaces what the base says; its place still names file and line."""
        line = f"{node.place.file}:{node.place.line}" if node.place.line is not None else node.place.file
        place = Place(line, None, node.place.folder)
        if node.is_mapping:
            return Node({name: self._as_set(value, key) for name, value in node.mapping.items()}, place)
        if node.is_list:
            return Node(tuple(self._as_set(item, key) for item in node.items), place)
        return Node(node.value, place)

    def _word(self, key: str, known: tuple[str, ...], default: str) -> str:
        node = self.root.mapping.get(key)
        if node is None:
            return default
        word = "none" if node.value is None else node.value
        if word not in known:
            raise node.place.error(key, f"{show(node.plain())} is no {key}", nearest(str(word), known))
        return str(word)

    def _text(self, key: str) -> str:
        node = self.root.mapping.get(key)
        if node is None:
            return ""
        if not isinstance(node.value, str):
            raise node.place.error(key, f"expected text, got {show(node.plain())}", "write it in quotes")
        return " ".join(node.value.split())

    def _flag(self, key: str) -> bool:
        node = self.root.mapping.get(key)
        if node is not None and not isinstance(node.value, bool):
            raise node.place.error(
                key, f"'{key}' is true or false, got {show(node.plain())}", f"write {key}: true"
            )
        return bool(node.value) if node is not None else False

    def _place(self, key: str) -> Place:
        return self.root.mapping[key].place if key in self.root.mapping else self.root.place


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _cover(changes: dict[str, Node], newer: Mapping[str, Node]) -> None:
    """Let newer changes replace older ones at and below their keys."""
    for key in [one for one in changes if any(one == new or one.startswith(f"{new}.") for new in newer)]:
        del changes[key]
    changes.update(newer)
