"""An ablation plan: declared arms on a base, common seeds, and the claims that they test."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pokeopt.spec.claims import Claim
from pokeopt.spec.nodes import Place, where_in
from pokeopt.spec.study import StudySpec

Fidelity = Literal["exact", "scaled", "surrogate"]
TrialOf = Callable[[str, int | None], tuple[Mapping[str, Any], Mapping[str, Any]]]


@dataclass(frozen=True)
class PlannedArm:
    """One arm of a plan.

    Attributes:
        id: As claims name it.
        config: The resolved configuration; of an arm that is searched or tuned first, that of its starting point.
        changes: Key to (the reference's value, this arm's), where they differ.
        declared: Key to value as the file has them.
        levels: Factor to its level, for designs.
        prefix: (longest arm, epochs) where the arm is read from the curve of another.
        search: The search that this arm is (``unit: search``), or that tunes it first (``retune``).
        places: Key to where it was written, in the base or the plan.
    """

    id: str
    config: Mapping[str, Any]
    changes: Mapping[str, tuple[Any, Any]]
    declared: Mapping[str, Any] = field(default_factory=dict)
    levels: Mapping[str, str] = field(default_factory=dict)
    prefix: tuple[str, int] | None = None
    search: StudySpec | None = None
    places: Mapping[str, Place] = field(default_factory=dict, compare=False, repr=False)

    def where(self, key: str) -> str:
        """Return file, line and key for a message about a key that only the data proved wrong."""
        return where_in(self.places, key)


@dataclass(frozen=True)
class PlanSpec:
    """One ablation, checked.

    Attributes:
        name: The study that its cells are kept in; a quick run has ``.quick`` behind it.
        path: The file, absolute.
        document: The file of the source document; empty where there is none.
        section: Where in it.
        question: What the ablation asks, one sentence.
        base: The file or study that the arms start from, as it was written.
        study: The reference arm as a study: its task, objective and resources.
        seeds: Common to all arms.
        resample: What a seed redraws: ``train_val``, ``none`` or ``all``.
        metrics: What is compared; the first is the primary one.
        design: Of ``factors``; ``arms`` where they are declared one by one.
        factors: Key to the labels of its levels.
        unit: ``network``: a cell is one network; ``search``: a whole search.
        retune: The keys that each arm tunes first.
        note: The author's words.
        mute: Code of a check to the reason why it does not matter here.
        is_quick: A smoke run: no verdicts.
        options: What the command line said beside the file: ``--quick``, ``--base``, ``--set``.
        settings: What is set before every arm, key to value.
        named: Metric to the file and line that name it.
    """

    name: str
    path: str
    document: str
    section: str
    question: str
    fidelity: Fidelity
    base: str
    study: StudySpec
    seeds: tuple[int, ...]
    resample: str
    metrics: tuple[str, ...]
    arms: tuple[PlannedArm, ...]
    design: str
    factors: Mapping[str, tuple[str, ...]]
    claims: tuple[Claim, ...]
    unit: Literal["network", "search"]
    retune: tuple[str, ...]
    note: str
    mute: Mapping[str, str]
    is_quick: bool
    options: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    named: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)

    def as_attribute(self) -> dict[str, Any]:
        """Return what the study attribute ``plan`` keeps of it: JSON values only."""
        return {
            "name": self.name,
            "path": self.path,
            "document": self.document,
            "section": self.section,
            "question": self.question,
            "fidelity": self.fidelity,
            "base": self.base,
            "metrics": list(self.metrics),
            "design": self.design,
            "factors": {key: list(levels) for key, levels in self.factors.items()},
            "claims": [claim.as_dict() for claim in self.claims],
            "note": self.note,
            "mute": dict(self.mute),
            "is_quick": self.is_quick,
            "seeds": list(self.seeds),
            "resample": self.resample,
            "retune": list(self.retune),
            "unit": self.unit,
            "options": list(self.options),
            "set": dict(self.settings),
        }


def load_plan(
    path: str | Path,
    *,
    quick: bool = False,
    seeds: int | None = None,
    base: str | Path | None = None,
    fidelity: str | None = None,
    sets: tuple[str, ...] = (),
    trial_of: TrialOf | None = None,
) -> PlanSpec:
    """Read and check a plan: every arm is resolved and checked as a search-space file would be.

    Args:
        path: The file.
        quick: Take the plan's ``quick:`` setting: a smoke run without verdicts.
        seeds: So many seeds instead of the plan's, from 0.
        base: Another search-space file to start from; the plan's note, which is about its own base, is left out.
        fidelity: Wins over the plan's, which is about its own base.
        sets: ``key=value`` each, from ``--set``; they come after the plan's ``set``, before an arm.
        trial_of: Gives (resolved specification, values) of a stored trial, for ``base: {study: NAME}``; None as number
            is the best.

    Raises:
        SpecError: For the first thing that is wrong, with file, line, key and a mend.
    """
    from pokeopt.spec.plan_reader import PlanReader

    return PlanReader(Path(path), quick, seeds, base, fidelity, sets, trial_of).read()


def is_plan(path: str | Path) -> bool:
    """Whether a file is an ablation plan: a search-space file names a model, a plan a base, arms or factors.

    Raises:
        SpecError: If it cannot be read.
    """
    from pokeopt.spec.document import read_document

    keys = read_document(Path(path)).mapping
    return "model" not in keys and any(key in keys for key in ("base", "arms", "factors"))
