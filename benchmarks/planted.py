"""Effects planted in made-up scores, and what the verdicts find of them: coverage, false verdicts, power.

A study is a reference and three arms, each claimed to score above it: one family. Nothing is trained; the scores of
each cell go through ``judge`` as those of a confirm study do. ``python -m benchmarks simulate`` prints the table.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np

from pokeopt.ablation.estimates import Floats, estimate
from pokeopt.ablation.shares import clopper_pearson
from pokeopt.ablation.statistics import holm
from pokeopt.ablation.verdicts import judge
from pokeopt.spec.claims import Claim

METRIC = "test/accuracy"
ARMS = ("one", "two", "three")
BASE, CHANCE = 0.70, 0.11  # a trained model, and one of nine classes that collapsed
SEED_SD = RUN_SD = 0.03  # what a seed does to all arms alike, and what a run adds; differences have SD 0.042
SMALL, LARGE = 0.02, 0.10  # 0.5 and 2.4 SDs of a difference
EFFECTS: Mapping[str, tuple[float, float, float]] = {
    "none": (0.0, 0.0, 0.0),
    "small": (SMALL,) * 3,
    "large": (LARGE,) * 3,
    "mixed": (0.0, SMALL, LARGE),
}
NOISES = ("normal", "skewed", "collapsing")
SEEDS = (5, 8, 10)
COLLAPSE = 1 / 6
CLAIMS = tuple(Claim(f"{arm} helps", "diff", METRIC, arm=arm, other="reference", minimum=0.0) for arm in ARMS)


@dataclass(frozen=True)
class Cell:
    """What one kind of study came to; every share is a count of studies.

    Attributes:
        effect: Key of ``EFFECTS``.
        noise: One of ``NOISES``.
        n_seeds: Seeds of each arm.
        n: Studies.
        covered: Those whose 95 % interval of the first arm's difference holds the true one.
        adjusted: Those whose interval at the level of Holm's method does.
        together: Those in which all three adjusted intervals do.
        false: Those with at least one "reproduced" of an arm that has no effect.
        denied: Those with at least one "not reproduced" of an arm whose effect counts, 0.01 or above.
        found: "reproduced" among the arms with an effect; None where none has one.
    """

    effect: str
    noise: str
    n_seeds: int
    n: int
    covered: int
    adjusted: int
    together: int
    false: int
    denied: int
    found: float | None

    @property
    def failure(self) -> str:
        """What the cell proves wrong, beyond the doubt of 99 %; empty if nothing, or if its noise is not normal."""
        if self.noise != "normal":
            return ""
        where = f"{self.effect} effect, {self.n_seeds} seeds"
        for what, count in (("95 % intervals", self.covered), ("adjusted intervals", self.adjusted)):
            interval = clopper_pearson(count, self.n, 0.99)
            if interval and interval[1] < 0.95:
                return f"{where}: {what} cover the truth in {count / self.n:.3f} of studies"
        interval = clopper_pearson(self.false, self.n, 0.99)
        if interval and interval[0] > 0.05:
            return f"{where}: {self.false / self.n:.3f} of studies hold a false 'reproduced'"
        return ""


def simulate(studies: int, seed: int = 0) -> Iterator[Cell]:
    """Yield every cell: effects x noises x numbers of seeds; mixed effects with normal noise only."""
    cells = [key for key in product(EFFECTS, NOISES, SEEDS) if key[0] != "mixed" or key[1] == "normal"]
    for place, (effect, noise, n_seeds) in enumerate(cells):
        yield run_cell(effect, noise, n_seeds, studies, np.random.default_rng((seed, place)))


def run_cell(effect: str, noise: str, n_seeds: int, studies: int, rng: np.random.Generator) -> Cell:
    """Judge many studies of one kind."""
    planted = np.array(EFFECTS[effect])
    scores, truth = draw(planted, noise, n_seeds, studies, rng)
    covered = adjusted = together = false = denied = found = 0
    for study in _few_collections(scores):
        table = {
            arm: dict(enumerate(row.tolist())) for arm, row in zip(("reference", *ARMS), study, strict=True)
        }
        verdicts = judge(CLAIMS, {METRIC: table}, {METRIC: "maximize"})
        plain = estimate(study[1] - study[0])
        covered += _holds(plain.low, plain.high, truth[0])
        held = [
            v.measured is not None and _holds(v.measured.low, v.measured.high, true)
            for v, true in zip(verdicts, truth, strict=True)
        ]
        adjusted += held[0]
        together += all(held)
        words = [verdict.word for verdict in verdicts]
        false += any(w == "reproduced" for w, e in zip(words, planted, strict=True) if e == 0)
        denied += any(w == "not reproduced" for w, e in zip(words, planted, strict=True) if e >= 0.01)
        found += sum(w == "reproduced" for w, e in zip(words, planted, strict=True) if e > 0)
    effective = int((planted > 0).sum()) * studies
    power = found / effective if effective else None
    return Cell(effect, noise, n_seeds, studies, covered, adjusted, together, false, denied, power)


def draw(
    planted: Floats, noise: str, n_seeds: int, studies: int, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Return scores (studies, 4, n_seeds), the reference first, and the true mean differences (3,).

    Skew: the arms have a long tail towards bad scores, the reference has not, so that it does not cancel in the
    differences. Collapse: each run of any arm falls to chance once in six.
    """
    shape = (studies, 1 + len(planted), n_seeds)
    runs = rng.normal(0.0, RUN_SD, shape)
    if noise == "skewed":
        runs[:, 1:] = RUN_SD * (1 - rng.exponential(1.0, runs[:, 1:].shape))
    scores = (
        BASE + np.array([0.0, *planted])[:, None] + rng.normal(0.0, SEED_SD, (studies, 1, n_seeds)) + runs
    )
    if noise != "collapsing":
        return scores, planted
    fell = rng.random(shape) < COLLAPSE
    return np.where(fell, CHANCE + rng.normal(0.0, 0.01, shape), scores), planted * (1 - COLLAPSE)


def _few_collections(studies: Floats) -> Iterator[Floats]:
    """Yield the studies while what is loaded is kept from the garbage collector.

    statsmodels collects garbage at every call of Holm's method: searching all loaded modules takes 65 ms, a hundred
    times as long as the verdicts.
    """
    judge(
        CLAIMS,
        {METRIC: {arm: {0: 0.1, 1: 0.3, 2: 0.2} for arm in ("reference", *ARMS)}},
        {METRIC: "maximize"},
    )
    holm([0.1, 0.2])  # what is imported at first use is there now
    gc.collect()
    gc.freeze()
    try:
        yield from studies
    finally:
        gc.unfreeze()


def _holds(low: float | None, high: float | None, true: float) -> bool:
    return low is not None and high is not None and low <= true <= high


HEAD = (
    "effect  noise       seeds   95 % interval   adjusted   all three   false 'reproduced'   "
    "wrong 'not reproduced'   power"
)


def row(cell: Cell) -> str:
    """Return one line of the table."""
    power = "    -" if cell.found is None else f"{cell.found:5.3f}"
    return (
        f"{cell.effect:7s} {cell.noise:11s} {cell.n_seeds:5d}   {cell.covered / cell.n:13.3f}   "
        f"{cell.adjusted / cell.n:8.3f}   {cell.together / cell.n:9.3f}   {cell.false / cell.n:18.4f}   "
        f"{cell.denied / cell.n:22.4f}   {power}"
    )


def run(studies: int, seed: int) -> int:
    """Print the table and what it proves wrong; return the number of failures."""
    print(f"{studies} studies a cell, a reference and three arms each; shares of studies\n{HEAD}", flush=True)
    failures = []
    for cell in simulate(studies, seed):
        print(row(cell), flush=True)
        failures += [cell.failure] if cell.failure else []
    print("\n".join(failures) if failures else "\nNo cell of normal noise is beyond its bounds.")
    return len(failures)
