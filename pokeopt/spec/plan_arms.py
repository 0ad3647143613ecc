"""Arms as they are declared to arms as they run: each is the base, the plan's changes, then its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pokeopt.errors import SpecError
from pokeopt.spec.nodes import Node, Place, node_of
from pokeopt.spec.plan import PlannedArm
from pokeopt.spec.plan_base import Base, as_written, study_at
from pokeopt.spec.space import SECTIONS
from pokeopt.spec.study import StudySpec

EPOCHS = "training.epochs"
LOOKING_AHEAD = ("cosine",)  # schedules whose first epochs depend on how many will follow
ACTING = (*SECTIONS, "baseline")  # the sections that an arm may change
OF_A_FILE = (
    "name",
    "path",
    "task",
    "baseline",
    "ablation",
)  # what a study inside a plan has of its own, or not at all
ABSENT = object()


@dataclass(frozen=True)
class Declared:
    """One arm as the plan has it.

    Attributes:
        own: Key to value.
        levels: Factor to its level, for designs.
        place: Where it stands.
        key: Of the plan, for messages: ``arms.ID`` or ``factors``.
    """

    id: str
    own: Mapping[str, Node]
    levels: Mapping[str, str]
    place: Place
    key: str


class ArmResolver:
    """Resolves the arms of one plan.

    Args:
        base: What they start from.
        changes: What is set before every arm.
        retune: Markers, and the number of trials, of the search that each arm is given first.
        retune_place: Where the plan says so.
        unit: ``search`` makes each arm a whole search.
        path: The plan's file.
    """

    def __init__(
        self,
        base: Base,
        changes: Mapping[str, Node],
        retune: Mapping[str, Node],
        retune_place: Place,
        unit: str,
        path: Path,
    ) -> None:
        self.base, self.changes, self.unit, self.path = base, changes, unit, path
        self.retune, self.retune_place = retune, retune_place

    def resolve(
        self, declared: Sequence[Declared], prefixes: bool
    ) -> tuple[StudySpec, tuple[PlannedArm, ...]]:
        """Return the reference as a study, and the arms, reference first.

        Raises:
            SpecError: If an arm does not fit its base, or a key of it cannot act, with the arm's file and line.
        """
        for arm in declared:
            self._check_keys(arm)
        studies = {arm.id: self._study(arm) for arm in declared}
        configs = {arm.id: _start(studies[arm.id], arm) for arm in declared}
        if self.unit == "network":
            _check_effect(declared, configs)
        keys = list(dict.fromkeys(key.removeprefix("baseline.") for arm in declared for key in arm.own))
        reference = declared[0].id
        tasks = {study.task for study in studies.values()}
        if len(tasks) > 1:
            what = f"the arms have different tasks: {' and '.join(sorted(tasks))}"
            raise SpecError(f"{self.path} (arms)", what, "compare arms of one task")
        prefix = self._prefixes(configs) if prefixes else {}
        arms = [
            PlannedArm(
                id=arm.id,
                config=configs[arm.id],
                changes=_changes(
                    {**configs[reference], "search": studies[reference].closed["search"]},
                    {**configs[arm.id], "search": studies[arm.id].closed["search"]},
                    keys,
                ),
                declared=dict(arm.levels) or {key: node.plain() for key, node in arm.own.items()},
                levels=arm.levels,
                prefix=prefix.get(arm.id),
                search=self._search(arm, studies[arm.id], configs[arm.id]),
                places=studies[arm.id].places,
            )
            for arm in declared
        ]
        return studies[reference], tuple(arms)

    def check(self, changes: Mapping[str, Node], arm: Declared) -> None:
        """Check that other changes before an arm would fit, too.

        Raises:
            SpecError: If one does not.
        """
        _start(self.base.with_changes(changes, arm.own), arm)

    def _check_keys(self, arm: Declared) -> None:
        """Refuse what cannot make an arm differ: another section, or a range where one network is trained."""
        for key, node in arm.own.items():
            section = key.partition(".")[0]
            if section not in ACTING and (section != "search" or self.unit != "search"):
                what = f"an arm cannot change '{key}'"
                mend = f"change a key of {', '.join(ACTING)}"
                mend += "; search, too, with unit: search" if section == "search" else "; or use 'set'"
                raise node.place.error(arm.key, what, mend)
            if self.unit == "network" and _holds_marker(node):
                what = f"an arm is one configuration, but '{key}' is searched in it"
                raise node.place.error(arm.key, what, "give one value, or use 'retune'")

    def _study(self, arm: Declared) -> StudySpec:
        try:
            return self.base.with_changes(self.changes, arm.own)
        except SpecError as error:
            raise self._error_of(arm, error) from error

    def _error_of(self, arm: Declared, error: SpecError) -> SpecError:
        """Return an error of an arm; where the base alone is right, the arm's line is the one to mend."""
        what = f"arm '{arm.id}': {error.what}"
        is_named = any(f"{error.where} ".startswith(f"{node.place.file} ") for node in arm.own.values())
        if not is_named and self._fits_without_arm():
            return arm.place.error(arm.key, f"{what} ({error.where})", error.mend)
        return SpecError(error.where, what, error.mend)

    def _fits_without_arm(self) -> bool:
        try:
            self.base.with_changes(self.changes, {})
        except SpecError:
            return False
        return True

    def _search(self, arm: Declared, study: StudySpec, config: Mapping[str, Any]) -> StudySpec | None:
        """Return the search that the arm is, or that tunes it first: from its own values on, its baseline."""
        if self.unit == "search":
            if not study.space.params:
                what = f"arm '{arm.id}': nothing is searched, so its search has one configuration"
                raise arm.place.error(arm.key, what, "search a key of the base, or use unit: network")
            return study
        markers = {key: node for key, node in self.retune.items() if key not in arm.own}
        written = as_written(config)
        start = {
            f"baseline.{key}": node_of(value_at(written, key), node.place)
            for key, node in markers.items()
            if not key.startswith("search.")
        }
        if not start:
            return None
        rest = {key: value for key, value in study.closed.items() if key not in (*SECTIONS, *OF_A_FILE)}
        try:
            return study_at(self.path, self.retune_place, config, rest, {**markers, **start})
        except SpecError as error:
            where = error.where.replace("(baseline.", "(retune.")  # where its range lacks the arm's own value
            raise SpecError(where, f"arm '{arm.id}': {error.what}", error.mend) from error

    def _prefixes(self, configs: Mapping[str, Mapping[str, Any]]) -> dict[str, tuple[str, int]]:
        """Return arm id -> (the longest arm, epochs) of the arms that are read from its curve."""
        longest = max(configs, key=lambda id_: configs[id_]["training"]["epochs"])
        training = configs[longest]["training"]
        where = f"{self.path} (prefixes)"
        schedule = training["schedule"]
        if (schedule if isinstance(schedule, str) else next(iter(schedule))) in LOOKING_AHEAD:
            what = "the schedule depends on how many epochs follow, so a prefix is no shorter training"
            raise SpecError(where, what, "use a constant schedule, or take 'prefixes' out")
        found = {}
        for id_, config in configs.items():
            same = {**config, "training": {**config["training"], "epochs": training["epochs"]}}
            if same != configs[longest]:
                what = f"arm '{id_}' differs from '{longest}' in more than {EPOCHS}"
                raise SpecError(where, what, "take 'prefixes' out")
            if id_ != longest:
                found[id_] = (longest, int(config["training"]["epochs"]))
        return found


def _start(study: StudySpec, arm: Declared) -> dict[str, Any]:
    """Return the configuration at the baseline; every leaf that is searched must have a value there."""
    try:
        values = study.space.baseline() if study.baseline is not None else study.space.active({})
    except SpecError as error:
        raise arm.place.error(arm.key, f"arm '{arm.id}': {error.what}", error.mend) from error
    return study.space.config(values)


def _check_effect(declared: Sequence[Declared], configs: Mapping[str, Mapping[str, Any]]) -> None:
    """Refuse a key that is absent from the configuration it is to change; that of a factor may be, in some arms."""
    for arm in declared:
        for key, node in arm.own.items():
            leaf = key.removeprefix("baseline.")
            others = configs.values() if arm.levels else [configs[arm.id]]
            if all(_found(config, leaf) is ABSENT for config in others):
                what = f"arm '{arm.id}': nothing in it is called '{leaf}', so the key changes nothing"
                above = next((one for one in _above(leaf) if _found(configs[arm.id], one) is not ABSENT), "")
                mend = f"set {above}, too" if above else "take it out"
                raise node.place.error(arm.key, what, mend)


def _above(key: str) -> list[str]:
    """Return the keys above a key, the nearest first."""
    parts = key.split(".")
    return [".".join(parts[:n]) for n in range(len(parts) - 1, 0, -1)]


def _holds_marker(node: Node) -> bool:
    return node.is_marker or any(map(_holds_marker, (*node.mapping.values(), *node.items)))


def _changes(
    reference: Mapping[str, Any], config: Mapping[str, Any], keys: Sequence[str]
) -> dict[str, tuple[Any, Any]]:
    found = {key: (value_at(reference, key), value_at(config, key)) for key in keys}
    return {key: pair for key, pair in found.items() if pair[0] != pair[1]}


def value_at(config: Mapping[str, Any], key: str) -> Any:
    """Return what a configuration has at a dotted key; None where there is nothing.

    >>> value_at({"training": {"schedule": {"step": {"every": 5}}}}, "training.schedule.step.every")
    5
    >>> value_at({"data": {"preprocess": ["mask", {"closing": {"size": 9}}]}}, "data.preprocess.closing.size")
    9
    """
    found = _found(config, key)
    return None if found is ABSENT else found


def _found(config: Mapping[str, Any], key: str) -> Any:
    """Return what stands at a dotted key, or ABSENT; in a list, a component is named by itself, a layer by number."""
    here: Any = config
    for part in key.split("."):
        if isinstance(here, list):
            named = [item for item in here if isinstance(item, Mapping) and part in item]
            if named:
                here = named[0]
            elif part.isdigit() and int(part) < len(here):
                here = {part: here[int(part)]}
        if not isinstance(here, Mapping) or part not in here:
            return ABSENT
        here = here[part]
    return here
