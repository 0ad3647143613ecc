"""Checks on how something was chosen: on which data, how far from the edge, and among which survivors."""

from __future__ import annotations

import math
from collections.abc import Iterator

from pokeopt.report.checks.base import Finding, Severity, named, rule
from pokeopt.report.checks.evidence import Evidence
from pokeopt.report.words import capital, joined, metric_name, number, plain, plural
from pokeopt.spec.params import Param

EDGE = 0.02  # of the range, in the unit in which it is drawn
FEWEST_OF_A_LEVEL = 4  # ended trials; of fewer, half is one or two
LOST = 0.5


@rule(
    "PK01",
    "selected on test",
    "issue",
    why="A score on images that chose the winner is biased upwards, by about as much as the candidates differ.",
    mend="Choose by a val metric; score the test part and the external sets once, after the choice.",
)
def selected_on_test(evidence: Evidence) -> Iterator[Finding]:
    """Something was chosen by a metric of the test part or of an external set."""
    for metric in evidence.selected_on:
        if metric.partition("/")[0] not in ("train", "val", "model", "cost"):
            yield Finding(f"The choice was made by {metric_name(metric)}, which should only score it.")
    if evidence.chosen:
        yield from _chosen_elsewhere(evidence)


def _chosen_elsewhere(evidence: Evidence) -> Iterator[Finding]:
    """The chosen arm is not the first of its own ranking, and is the first of an external one."""
    local, base = evidence.means(evidence.metric), evidence.metric.partition("/")[2]
    if evidence.chosen not in local:
        return
    best = max(local, key=lambda arm: evidence.sign * local[arm])
    favoured = []
    for part in evidence.external(base):
        scores = evidence.means(f"{part}/{base}")
        if scores and max(scores, key=lambda arm: evidence.sign * scores[arm]) == evidence.chosen:
            favoured.append(part)
    if best != evidence.chosen and favoured:
        says = (
            f"Arm {evidence.chosen} was chosen, which is first on {joined(favoured)}; "
            f"{metric_name(evidence.metric)} puts {best} first ({number(local[best], 4)} against "
            f"{number(local[evidence.chosen], 4)})."
        )
        yield Finding(says)


@rule(
    "PK05",
    "too few seeds for any verdict",
    "issue",
    why="Between two runs of one configuration lies the run-to-run noise; with one or two pairs it cannot be told "
    "from an effect.",
    mend="Run every arm with at least 5 common seeds; 10 for small networks.",
)
def too_few_seeds(evidence: Evidence) -> Iterator[Finding]:
    """An arm has fewer than three pairs with its reference; fewer than five are a screening."""
    few = {arm: n for arm, n in evidence.seeds.items() if n < 3}
    if few:
        fewest, most = min(few.values()), max(few.values())
        runs = plural(fewest, "pair") if fewest == most else f"{fewest} to {plural(most, 'pair')}"
        says = f"{capital(_arms(list(few)))} can be compared on {runs} of runs: no verdict is possible."
        yield Finding(says)
    screened = {arm: n for arm, n in evidence.seeds.items() if 3 <= n < 5}
    if evidence.is_quick and evidence.seeds:
        yield Finding("This is a smoke run: it shows that the plan runs, and gives no verdict.", level="tip")
    elif screened:
        n = min(screened.values())
        says = f"{capital(_arms(list(screened)))} can be compared on {plural(n, 'pair')} of runs, which is a screening"
        yield Finding(f"{says}: only effects of several standard deviations show.", level="tip")


def _arms(arms: list[str]) -> str:
    return f"arm {arms[0]}" if len(arms) == 1 else f"{len(arms)} arms ({named(arms)})"


@rule(
    "PK06",
    "optimum at the edge of the search space",
    "tip",
    why="Where the best value lies at the end of its range, a better one may lie beyond it.",
    mend="Widen the range on that side and extend the search.",
)
def at_the_edge(evidence: Evidence) -> Iterator[Finding]:
    """The best trial's value lies at an end of its range that is no natural end."""
    for axis in evidence.axes:
        value = evidence.best.get(axis.path)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or axis.low >= axis.high:
            continue
        position = _position(axis, float(value))
        end = axis.low if position <= EDGE else axis.high if position >= 1 - EDGE else None
        if end is None or _is_natural(axis, end):
            continue
        side = "lower" if end == axis.low else "upper"
        yield Finding(f"The best {axis.path} is {plain(value)}, at the {side} end of {axis}.")


def _position(axis: Param, value: float) -> float:
    """Return where a value lies in its range, 0 to 1, in the unit in which it is drawn."""
    turn = math.log if axis.log else float
    return (turn(value) - turn(axis.low)) / (turn(axis.high) - turn(axis.low))


def _is_natural(axis: Param, end: float) -> bool:
    """Whether nothing lies beyond: below no dropout, below one layer."""
    return end == axis.low and not axis.log and (end == 0 or (axis.kind == "int" and end == 1))


@rule(
    "PK15",
    "a level whose runs were mostly pruned or failed",
    "tip",
    why="The runs that are left of such a level are its luckiest: its mean flatters it, and importances inherit that.",
    mend="Run that level to the end in a confirm study, or mend what makes it fail.",
)
def mostly_lost(evidence: Evidence) -> Iterator[Finding]:
    """Of one level of a factor more than half of the runs gave no score."""
    tally: dict[tuple[str, str], list[bool]] = {}
    for ending in evidence.endings:
        for key, level in ending.levels.items():
            tally.setdefault((key, level), []).append(ending.is_complete)
    what = "failed" if evidence.kind == "confirm" else "were pruned or failed"
    fewest = 1 if evidence.kind == "confirm" else FEWEST_OF_A_LEVEL
    for (key, level), ended in tally.items():
        lost = ended.count(False)
        if len(ended) >= fewest and lost > LOST * len(ended):
            called = f"{key} {level}" if evidence.kind == "confirm" else f"{key} = {level}"
            severity: Severity | None = "issue" if evidence.kind == "confirm" else None
            yield Finding(f"{lost} of {len(ended)} runs of {called} {what}.", level=severity)
