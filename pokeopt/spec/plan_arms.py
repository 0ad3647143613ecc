"""Arms as they are declared to arms as they run: each is the base, the plan's changes, then its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pokeopt.errors import SpecError
from pokeopt.spec.nodes import Node, node_of
from pokeopt.spec.plan import PlannedArm
from pokeopt.spec.plan_base import Base
from pokeopt.spec.study import StudySpec

EPOCHS = "training.epochs"
LOOKING_AHEAD = ("cosine",)  # schedules whose first epochs depend on how many will follow
Declared = tuple[str, Mapping[str, Node], Mapping[str, str]]


class ArmResolver:
    """Resolves the arms of one plan.

    Args:
        base: What they start from.
        changes: What is set before every arm.
        retune: Markers, and the number of trials, of the search that each arm is given first.
        unit: ``search`` makes each arm a whole search.
        path: The plan's file.
    """

    def __init__(
        self, base: Base, changes: Mapping[str, Node], retune: Mapping[str, Node], unit: str, path: Path
    ) -> None:
        self.base, self.changes, self.retune, self.unit, self.path = base, changes, retune, unit, path

    def resolve(
        self, declared: Sequence[Declared], prefixes: bool
    ) -> tuple[StudySpec, tuple[PlannedArm, ...]]:
        """Return the reference as a study, and the arms, reference first.

        Raises:
            SpecError: If an arm does not fit its base, with the arm's file and line.
        """
        studies = {id_: self._study(id_, own) for id_, own, _ in declared}
        configs = {id_: _start(study, f"{self.path} (arms.{id_})") for id_, study in studies.items()}
        keys = list(dict.fromkeys(key for _, own, _ in declared for key in own))
        reference = declared[0][0]
        tasks = {study.task for study in studies.values()}
        if len(tasks) > 1:
            what = f"the arms have different tasks: {' and '.join(sorted(tasks))}"
            raise SpecError(f"{self.path} (arms)", what, "compare arms of one task")
        prefix = self._prefixes(configs) if prefixes else {}
        arms = [
            PlannedArm(
                id=id_,
                config=configs[id_],
                changes=_changes(
                    {**configs[reference], "search": studies[reference].closed["search"]},
                    {**configs[id_], "search": studies[id_].closed["search"]},
                    keys,
                ),
                declared=dict(levels) or {key: node.plain() for key, node in own.items()},
                levels=levels,
                prefix=prefix.get(id_),
                search=self._search(id_, own, studies[id_], configs[id_]),
            )
            for id_, own, levels in declared
        ]
        return studies[reference], tuple(arms)

    def _study(self, id_: str, own: Mapping[str, Node]) -> StudySpec:
        try:
            return self.base.with_changes(self.changes, own)
        except SpecError as error:
            raise SpecError(error.where, f"arm '{id_}': {error.what}", error.mend) from error

    def _search(
        self, id_: str, own: Mapping[str, Node], study: StudySpec, config: Mapping[str, Any]
    ) -> StudySpec | None:
        """Return the search that the arm is, or that tunes it first: from its own values on, its baseline."""
        if self.unit == "search":
            return study
        markers = {key: node for key, node in self.retune.items() if key not in own}
        start = {
            f"baseline.{key}": node_of(value_at(config, key), node.place)
            for key, node in markers.items()
            if not key.startswith("search.")
        }
        if not start:
            return None
        try:
            return self.base.with_changes({**self.changes, **own}, {**markers, **start})
        except SpecError as error:
            raise SpecError(error.where, f"arm '{id_}': {error.what}", error.mend) from error

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


def _start(study: StudySpec, where: str) -> dict[str, Any]:
    """Return the configuration at the baseline; every leaf that is searched must have a value there."""
    try:
        values = study.space.baseline() if study.baseline is not None else study.space.active({})
    except SpecError as error:
        raise SpecError(where, error.what, error.mend) from error
    return study.space.config(values)


def _changes(
    reference: Mapping[str, Any], config: Mapping[str, Any], keys: Sequence[str]
) -> dict[str, tuple[Any, Any]]:
    found = {key: (value_at(reference, key), value_at(config, key)) for key in keys}
    return {key: pair for key, pair in found.items() if pair[0] != pair[1]}


def value_at(config: Mapping[str, Any], key: str) -> Any:
    """Return what a configuration has at a dotted key; None where there is nothing.

    >>> value_at({"training": {"schedule": {"step": {"every": 5}}}}, "training.schedule.step.every")
    5
    """
    here: Any = config
    for part in key.split("."):
        if not isinstance(here, Mapping) or part not in here:
            return None
        here = here[part]
    return here
