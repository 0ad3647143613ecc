"""What a confirm study says, before it has a form: arms, effects, verdicts, curves, holes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pokeopt.ablation import Effect, Level

if TYPE_CHECKING:
    from pokeopt.ablation import Hierarchical
    from pokeopt.ablation.interaction import Interaction
    from pokeopt.ablation.shares import Share
    from pokeopt.ablation.verdicts import Verdict


@dataclass(frozen=True)
class ArmSummary:
    """One row of the ablation table.

    Attributes:
        reference: Id of the arm that ``effect`` compares with; None for the baseline.
        scores: Seed to score on the primary metric.
        effect: Arm minus reference.
        p_holm: Its p, adjusted over all comparisons of the study.
        is_settled: The interval excludes zero and the adjusted p is below 0.05: only then a comparative is
            used.
        gain: The mean effect, positive where it is an improvement.
        seeds_needed: Seeds that would settle it, were mean and spread as measured.
        within: The smallest difference that counts, where two one-sided tests, adjusted over all comparisons, put
            the effect inside it; None where they do not, or where no such size is known of the metric.
        same_as: Id of an earlier arm of the same configuration, whose cells it shares.
        parts: Part (val, test, external sets) to the primary metric's score there.
        p_improvement: The chance that a run of this arm has the better score than the reference's of equal seed.
        collapse: Runs whose score is no better than naming one class, or far below the arm's others.
        iqm: Interquartile mean, where a run collapsed.
        factors: Factor to the level that the arm has of it, in a factorial design.
        prefix_of: Where the arm is read from the first epochs of another arm's runs: that arm, and how many.
    """

    id: str
    label: str
    changes: Mapping[str, tuple[Any, Any]]
    reference: str | None
    scores: Mapping[int, float]
    level: Level
    effect: Effect | None = None
    p_holm: float | None = None
    is_settled: bool = False
    gain: float | None = None
    seeds_needed: int | None = None
    within: float | None = None
    same_as: str | None = None
    n_params: float | None = None
    s_per_epoch: float | None = None
    total_s: float | None = None
    parts: Mapping[str, Level] = field(default_factory=dict)
    p_improvement: Share | None = None
    collapse: Share | None = None
    iqm: float | None = None
    factors: Mapping[str, str] = field(default_factory=dict)
    prefix_of: tuple[str, int] | None = None


@dataclass(frozen=True)
class PlanSummary:
    """What an ablation plan says of itself, and why it was run.

    Attributes:
        fidelity: ``exact``, ``scaled`` or ``surrogate``: how near the runs are to the document's.
        factors: Key to its levels as they are shown, where the plan has a design.
        is_quick: A smoke run: it shows that the plan runs, and gives no verdict.
    """

    name: str
    path: str
    document: str
    section: str
    question: str
    fidelity: str
    base: str
    note: str
    metrics: tuple[str, ...]
    design: str
    factors: Mapping[str, tuple[str, ...]]
    is_quick: bool
    unit: str
    retune: tuple[str, ...]


@dataclass(frozen=True)
class MetricSummary:
    """A further metric of a plan: each arm's level, and its effect on the reference.

    Attributes:
        direction: ``maximize`` or ``minimize``.
        levels: Arm id to level; an arm that was not measured is absent.
        effects: Arm id to its effect; intervals are not corrected for the number of comparisons.
        scores: Arm id to seed to score.
    """

    metric: str
    direction: str
    levels: Mapping[str, Level]
    effects: Mapping[str, Effect]
    scores: Mapping[str, Mapping[int, float]]


@dataclass(frozen=True)
class MeanCurve:
    """A metric by epoch, of one arm: its mean over the seeds that have the epoch, and their spread.

    Attributes:
        n: Runs at each epoch; a run that stopped early is in the mean up to its last epoch.
        low: Mean less SD; so is ``high`` mean and SD; the mean where only one run is left.
        stops: Seed to (last epoch, score there, kept epoch).
        watched: Seed to (epoch, score) of all its epochs, where the arm has a stopping rule.
        early: Seeds of the runs that their stopping rule ended; the others went to the end of their budget.
    """

    arm_id: str
    steps: tuple[int, ...]
    n: tuple[int, ...]
    means: tuple[float, ...]
    lows: tuple[float, ...]
    highs: tuple[float, ...]
    stops: Mapping[int, tuple[int, float, int | None]]
    watched: Mapping[int, tuple[tuple[int, float], ...]] = field(default_factory=dict)
    early: frozenset[int] = frozenset()


@dataclass(frozen=True)
class CurveSet:
    """The curves of one metric, every arm on one pair of axes."""

    metric: str
    curves: tuple[MeanCurve, ...]


@dataclass(frozen=True)
class Crossing:
    """Two factors whose levels were crossed: what one adds to the effect of the other.

    Attributes:
        means: (level of the first, level of the second), and the level there, over all other factors.
        pairs: The differences of differences from the reference levels.
    """

    first: str
    second: str
    first_levels: tuple[str, ...]
    second_levels: tuple[str, ...]
    means: tuple[tuple[str, str, Level], ...]
    pairs: tuple[Interaction, ...]


@dataclass(frozen=True)
class Step:
    """One step of an ablation path: the arm, and its effect on the arm before it."""

    arm_id: str
    label: str
    effect: Effect


@dataclass(frozen=True)
class Chain:
    """Arms in the order that a claim names, worst first: where it starts, and each step from the arm before."""

    start: str
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Shift:
    """One external set against the test part.

    Attributes:
        gaps: Arm id to external minus test at equal seeds.
        tau: Kendall's tau of the arms' means here and there; None below three arms.
        flips: Pairs of arms whose order differs between the two.
    """

    part: str
    gaps: Mapping[str, Effect]
    tau: float | None
    flips: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Chance:
    """What guessing scores: one of so many classes, and the share of the largest."""

    n_classes: int
    majority: float


@dataclass(frozen=True)
class Layers:
    """A network as its layers (name, kind, output shape, parameters, operations), and the arms that have it."""

    arm_ids: tuple[str, ...]
    rows: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class ClassEffect:
    """One class or slice: its images on the scored part, and what the best configuration changes for it."""

    name: str
    support: int | None
    effect: Effect


@dataclass(frozen=True)
class Breakdown:
    """A metric that has one value a class, or a slice, on the part of the primary metric.

    Attributes:
        metric: Its name without part, like ``f1``.
        by: ``class`` or ``slice``.
        levels: Arm id to name to level.
        effects: Arm id to name to the arm's effect on its reference there; not corrected for their number.
    """

    metric: str
    by: str
    entries: tuple[ClassEffect, ...]
    levels: Mapping[str, Mapping[str, Level]]
    effects: Mapping[str, Mapping[str, Effect]] = field(default_factory=dict)


@dataclass(frozen=True)
class Confusion:
    """Counts of (true class, predicted class), summed over the seeds of one arm."""

    arm_id: str
    label: str
    part: str
    classes: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    n_runs: int


@dataclass(frozen=True)
class Hole:
    """A declared cell without a result."""

    arm_id: str
    seed: int
    state: str
    cause: str
    message: str


@dataclass(frozen=True)
class AblationSummary:
    """The confirm study: declared arms with common seeds."""

    study: str
    parent: str | None
    mode: str
    metric: str
    part: str
    direction: str
    seeds: tuple[int, ...]
    resample: str
    arms: tuple[ArmSummary, ...]
    parts: tuple[str, ...]
    breakdowns: tuple[Breakdown, ...]
    confusions: tuple[Confusion, ...]
    holes: tuple[Hole, ...]
    n_cells: int
    n_superseded: int
    states: Mapping[str, int]
    compute_s: float
    reference: str = "baseline"
    plan: PlanSummary | None = None
    verdicts: tuple[Verdict, ...] = ()
    others: tuple[MetricSummary, ...] = ()
    curves: tuple[CurveSet, ...] = ()
    crossings: tuple[Crossing, ...] = ()
    path: tuple[Step, ...] = ()
    chains: tuple[Chain, ...] = ()
    shifts: tuple[Shift, ...] = ()
    layers: tuple[Layers, ...] = ()
    stopping: Mapping[str, Any] = field(default_factory=dict)
    objective: str = ""
    objective_direction: str = "maximize"
    settings: Mapping[str, Any] = field(default_factory=dict)
    external: Mapping[str, Any] = field(default_factory=dict)
    generative: tuple[MetricSummary, ...] = ()
    chance: Chance | None = None
    redrawn: Mapping[str, Hierarchical] = field(default_factory=dict)

    @property
    def classes(self) -> tuple[ClassEffect, ...]:
        """The classes, where a metric is known of each."""
        return next((found.entries for found in self.breakdowns if found.by == "class"), ())

    def arm(self, id_: str) -> ArmSummary | None:
        """Return an arm by its id."""
        return next((arm for arm in self.arms if arm.id == id_), None)
