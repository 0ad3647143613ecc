"""Checks on the images: copies across parts, preparation, shift to external sets, support of a class."""

from __future__ import annotations

from collections.abc import Iterator

from pokeopt.report.checks.base import Finding, Severity, named, rule
from pokeopt.report.checks.evidence import Evidence
from pokeopt.report.words import capital, metric_name, number, plural

MOST_GAP = 0.05
LEAST_TAU = 0.5
LEAST_SUPPORT = 10
SHARES = ("accuracy", "balanced_accuracy", "macro_f1", "f1")  # scores in [0, 1], of which a gap has a meaning
MOST_NAMED = 3


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
    """A part is prepared in another way than the training part."""
    trained = evidence.preprocess.get("train")
    if trained is None:
        return
    for part, steps in evidence.preprocess.items():
        if steps != trained:
            level: Severity = "tip" if part in evidence.probes else "issue"
            yield Finding(
                f"{capital(part)} is prepared by {steps}, the training part by {trained}.", part, level
            )


@rule(
    "PK04",
    "local and external scores disagree",
    "issue",
    why="What ranks the arms here does not rank them there: the local part does not stand for the images that count.",
    mend="Look for near copies across parts and for a shift of the images; choose on a part like the external one.",
)
def shifted(evidence: Evidence) -> Iterator[Finding]:
    """An external score lies more than 0.05 below the local one, or ranks the arms otherwise (tau below 0.5)."""
    base = evidence.metric.partition("/")[2]
    local = evidence.means(evidence.metric)
    for part in evidence.external(base):
        scores = evidence.means(f"{part}/{base}")
        arms = [arm for arm in local if arm in scores]
        gaps = {arm: evidence.sign * (local[arm] - scores[arm]) for arm in arms}
        wide = [arm for arm in arms if gaps[arm] > MOST_GAP and base.partition("/")[0] in SHARES]
        tau = _kendall_tau([local[arm] for arm in arms], [scores[arm] for arm in arms])
        says = []
        if wide:
            each = named([f"{number(gaps[arm])} ({arm})" for arm in wide])
            lower = metric_name(f"{part}/{base}")
            says.append(f"{lower} lies below {metric_name(evidence.metric)} by {each}")
        if tau is not None and tau < LEAST_TAU:
            first_here, first_there = (
                max(arms, key=lambda arm: evidence.sign * known[arm]) for known in (local, scores)
            )
            says.append(
                f"Kendall's tau of the {len(arms)} arms is {number(tau, 2)}: {evidence.metric.partition('/')[0]} "
                f"puts {first_here} first, {part} {first_there}"
            )
        if says:
            yield Finding(capital("; ".join(says)) + ".", part, "tip" if part in evidence.probes else "issue")


def _kendall_tau(left: list[float], right: list[float]) -> float | None:
    """Return tau-b of two rankings; None below three arms or where one has no order."""
    if len(left) < 3 or len(set(left)) < 2 or len(set(right)) < 2:
        return None
    from scipy.stats import kendalltau

    return float(kendalltau(left, right).statistic)


@rule(
    "PK07",
    "class with fewer than 10 images",
    "tip",
    why="One image more or less moves that class's recall by a tenth or more, and macro-F1 with it.",
    mend="Give the part more images, or read that class's numbers with their Wilson intervals.",
)
def little_support(evidence: Evidence) -> Iterator[Finding]:
    """A class has fewer than ten images on a part that scores classes."""
    if not any(name.endswith(("/macro_f1", "/accuracy")) for run in evidence.runs for name in run.metrics):
        return
    for part, counts in evidence.counts.items():
        few = sorted((n, name) for name, n in counts.items() if 0 < n < LEAST_SUPPORT)
        if part != "train" and few:
            each = named([f"{name} ({n})" for n, name in few])
            yield Finding(f"Classes with fewer than {LEAST_SUPPORT} images on {part}: {each}.", part)
