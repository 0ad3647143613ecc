"""Checks on the images: copies across parts, preparation, shift to external sets, support of a class."""

from __future__ import annotations

from collections.abc import Iterator

from pokeopt.report.checks.base import Finding, Severity, named, rule
from pokeopt.report.checks.evidence import Evidence
from pokeopt.report.dataset import steps_text
from pokeopt.report.words import capital, metric_name, number, plural

MOST_GAP = 0.05
LEAST_TAU = 0.5
LEAST_SUPPORT = 10
# names of scores that a class has, or that rest on naming classes
OF_CLASSES = (
    "accuracy",
    "balanced_accuracy",
    "macro_f1",
    "f1",
    "class_mse",
    "probe_accuracy",
    "head_accuracy",
)
SHARES = ("accuracy", "balanced_accuracy", "macro_f1", "f1")  # scores in [0, 1], of which a gap has a meaning
MOST_NAMED = 3
NO_STEPS = steps_text([])


@rule(
    "PK02",
    "duplicate images across parts",
    "issue",
    why="An image that was trained on is no test: the score counts what was remembered.",
    mend="Remove the copies, or split by a group that keeps copies together (data.split.by).",
)
def duplicates(evidence: Evidence) -> Iterator[Finding]:
    """Equal images lie in different parts."""
    if pairs := evidence.duplicates:
        shown = "; ".join(f"{a} = {b}" for a, b in pairs[:MOST_NAMED])
        more = f"; and {len(pairs) - MOST_NAMED} more" if len(pairs) > MOST_NAMED else ""
        yield Finding(f"{plural(len(pairs), 'image')} of one part also in another: {shown}{more}.")


@rule(
    "PK03",
    "training and evaluation prepared in different ways",
    "issue",
    why="A network reads images that it never saw the like of: the drop is the preparation's, not the model's.",
    mend="Give the part the preparation of training, or mute this where the difference is what is studied.",
)
def prepared_differently(evidence: Evidence) -> Iterator[Finding]:
    """A part is prepared in another way than an arm's training part."""
    arms = {arm: steps for arm, steps in evidence.preprocess.items() if "train" in steps}
    found: dict[tuple[str, str, str], list[str]] = {}
    for arm, prepared in arms.items():
        trained = prepared["train"]
        for part, steps in prepared.items():
            if steps != trained:
                found.setdefault((part, steps, trained), []).append(arm)
    for (part, steps, trained), where in found.items():
        level: Severity = "tip" if part in evidence.probes else "issue"
        if len(where) == len(arms):
            says = f"The external set {part} is {_prepared(steps)}, the training part {_prepared(trained)}."
        else:
            who = f"Arm {where[0]} is" if len(where) == 1 else f"Arms {named(where)} are"
            says = (
                f"{who} trained on images that are {_prepared(trained)} and scored on {part}, which is "
                f"{_prepared(steps)}."
            )
        yield Finding(says, part, level)


def _prepared(steps: str) -> str:
    return "not preprocessed" if steps == NO_STEPS else f"prepared by {steps}"


@rule(
    "PK04",
    "local and external scores disagree",
    "issue",
    why="What ranks the arms here does not rank them there: the local part does not stand for the images that count.",
    mend="Look for near copies across parts and for a shift of the images; choose on a part like the external one.",
)
def shifted(evidence: Evidence) -> Iterator[Finding]:
    """An external score lies more than 0.05 below the local one, or ranks the arms otherwise (tau below 0.5).

    The local score is that of the test part where it was measured, as in the section on external sets.
    """
    base = evidence.metric.partition("/")[2]
    test = f"test/{base}"
    here = test if evidence.means(test) else evidence.metric
    local = evidence.means(here)
    for part in evidence.external(base):
        scores = evidence.means(f"{part}/{base}")
        arms = [arm for arm in local if arm in scores]
        gaps = {arm: evidence.sign * (local[arm] - scores[arm]) for arm in arms}
        wide = [arm for arm in arms if gaps[arm] > MOST_GAP and base.partition("/")[0] in SHARES]
        tau = _kendall_tau([local[arm] for arm in arms], [scores[arm] for arm in arms])
        says = []
        if wide:
            each = named([f"{number(gaps[arm])} ({arm})" for arm in wide])
            name = metric_name(f"{part}/{base}").removeprefix(f"{part} ")
            says.append(f"on {part}, {name} lies below {metric_name(here)} by {each}")
        if tau is not None and tau < LEAST_TAU:
            first_here, first_there = (
                max(arms, key=lambda arm: evidence.sign * known[arm]) for known in (local, scores)
            )
            order = f": {here.partition('/')[0]} puts {first_here} first, {part} {first_there}"
            says.append(
                f"Kendall's tau of the {len(arms)} arms is {number(tau, 2)}"
                + (order if first_here != first_there else f"; both put {first_here} first")
            )
        if says:
            yield Finding(capital("; ".join(says)) + ".", part, "tip" if part in evidence.probes else "issue")


def _kendall_tau(left: list[float], right: list[float]) -> float | None:
    """Return tau-b of two rankings, 1 or -1 of two arms; None below two arms or where one ranking has no order."""
    if len(left) < 2 or len(set(left)) < 2 or len(set(right)) < 2:
        return None
    from scipy.stats import kendalltau

    return float(kendalltau(left, right).statistic)


@rule(
    "PK07",
    "class with fewer than 10 images",
    "tip",
    why=(
        "A number of so few images is theirs, not the class's: one image more or less moves a recall by a tenth or "
        "more, and macro-F1 with it."
    ),
    mend="Give the part more images, or read that class's numbers with their Wilson intervals.",
)
def little_support(evidence: Evidence) -> Iterator[Finding]:
    """A class has fewer than ten images on a part where something is measured by class, or by naming classes."""
    names = {name.partition("/")[2].partition("/")[0] for run in evidence.runs for name in run.metrics}
    if not names & set(OF_CLASSES):
        return
    for part, counts in evidence.counts.items():
        few = sorted((n, name) for name, n in counts.items() if 0 < n < LEAST_SUPPORT)
        if part != "train" and few:
            each = named([f"{name} ({n})" for n, name in few])
            if len(few) == sum(n > 0 for n in counts.values()) > MOST_NAMED:
                fewest, most = few[0][0], few[-1][0]
                each = f"all {len(few)}, with {fewest}" + (f" to {most}" if most > fewest else " each")
            yield Finding(f"Classes with fewer than {LEAST_SUPPORT} images on {part}: {each}.", part)
