"""Checks on the training itself: rates that vanish, idle GPUs, collapsed seeds, layers that learn nothing."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import fmean, median, pvariance

from pokeopt.ablation.shares import collapsed
from pokeopt.report.checks.base import Finding, named, rule
from pokeopt.report.checks.evidence import Evidence, Run
from pokeopt.report.outliers import least_drop
from pokeopt.report.words import capital, metric_name, number, plural

LEAST_RATE = 1e-6
MOST_EPOCHS_BELOW = 0.2
LEAST_GPU_PCT = 10.0
FEWEST_RUNS = 4  # of an arm, before one of them can be far from the others
ROUNDING = 1e-12  # a mean of thirds is not a third to the last bit
LOOSE = 100.0  # a bar so many times what was measured decides nothing


@rule(
    "PK08",
    "learning rate below 1e-6 for much of the training",
    "issue",
    why="Such epochs change nothing: they are paid for, and the budget in the table is not the one that trained.",
    mend="Lengthen the schedule's steps, raise gamma, or train for fewer epochs.",
)
def vanishing_rate(evidence: Evidence) -> Iterator[Finding]:
    """The rate is below 1e-6 for more than a fifth of the epochs."""
    found: dict[str, list[str]] = {}
    for run in evidence.runs:
        rates = run.learning_rates
        below = [epoch for epoch, rate in enumerate(rates, 1) if rate < LEAST_RATE * (1 - 1e-9)]
        if rates and len(below) > MOST_EPOCHS_BELOW * len(rates):
            says = (
                f"{len(below)} of {len(rates)} epochs ({100 * len(below) / len(rates):.0f} %) have a learning rate "
                f"below 1e-6, from epoch {below[0]} on; the last is {rates[-1]:.2g}"
            )
            found.setdefault(says, []).append(run.arm or run.name)
    for says, where in found.items():
        yield Finding(f"{says}.", named(list(dict.fromkeys(where))))


@rule(
    "PK10",
    "GPU waits for data",
    "tip",
    why="Below 10 % utilisation the time measures how images are read, not the model; time ratios say nothing of it.",
    mend="Cache the prepared images, use larger batches, or several trials on one GPU (resources.gpus_per_trial).",
)
def input_bound(evidence: Evidence) -> Iterator[Finding]:
    """The GPU's mean utilisation is below 10 %."""
    known = [run for run in evidence.runs if run.gpu_util_pct is not None]
    low = [run for run in known if (run.gpu_util_pct or 0.0) < LEAST_GPU_PCT]
    if low:
        shares = sorted(run.gpu_util_pct or 0.0 for run in low)
        share = f"{shares[0]:.0f} %" if shares[0] == shares[-1] else f"{shares[0]:.0f} to {shares[-1]:.0f} %"
        yield Finding(f"The GPU was used {share} of the time in {len(low)} of {plural(len(known), 'run')}.")


@rule(
    "PK11",
    "collapsed seed",
    "issue",
    why="A mean over runs of which one failed describes none of them, and a single run may be that one.",
    mend="Report the collapse rate beside the mean and the interquartile mean; look at that run's curve.",
)
def collapsed_seed(evidence: Evidence) -> Iterator[Finding]:
    """One run of an arm lies 5 robust SDs and 0.05, of an error half of the median, on the wrong side of its median."""
    arms: dict[str, dict[str, float]] = {}
    for run in evidence.runs:
        value = run.recomputed.get(evidence.metric, run.metrics.get(evidence.metric))
        if value is not None:
            arms.setdefault(run.arm, {})[run.name] = value
    for arm, scores in arms.items():
        names, values = list(scores), dict(enumerate(scores.values()))
        if len(values) < FEWEST_RUNS:
            continue
        drop = least_drop(evidence.metric, evidence.direction, values.values())
        for position in collapsed(values, evidence.direction, drop=drop):
            others = median(value for other, value in values.items() if other != position)
            says = (
                f"{capital(metric_name(evidence.metric))} of {names[position]} is {number(values[position])}, "
                f"the other {len(values) - 1} runs have a median of {number(others)}"
            )
            yield Finding(f"{says}.", f"arm {arm}" if arm else "")


@rule(
    "PK13",
    "score of a dummy",
    "issue",
    why="Always naming the commonest class scores as much: nothing was learnt that the class counts do not say.",
    mend="Look at the loss curve, the learning rate and the labels before comparing anything with this arm.",
)
def below_dummy(evidence: Evidence) -> Iterator[Finding]:
    """An arm's mean accuracy, balanced accuracy or macro-F1 is at most that of always naming the commonest class."""
    for part, counts in evidence.counts.items():
        present = [n for n in counts.values() if n > 0]
        if part == "train" or len(present) < 2:
            continue
        share = max(present) / sum(present)
        dummies = {
            "accuracy": share,
            "balanced_accuracy": 1 / len(present),
            "macro_f1": 2 * share / (1 + share) / len(present),
        }
        for name, dummy in dummies.items():
            metric = f"{part}/{name}"
            low = {arm: mean for arm, mean in evidence.means(metric).items() if mean <= dummy + ROUNDING}
            if low:
                each = named([f"{number(mean)} ({arm})" for arm, mean in low.items()])
                says = f"Always naming the commonest class gives a {metric_name(metric)} of {number(dummy)}"
                yield Finding(f"{says}; here it is {each}.", part)


@rule(
    "PK16",
    "parameters that do not learn",
    "issue",
    why="A layer in a plain list is neither trained nor saved, and one without gradient stays as it was drawn: the "
    "model that ran is not the one that was described.",
    mend="Keep layers in nn.ModuleList or nn.ParameterList; look for a cut graph, a dead ReLU or a weight of zero.",
)
def not_learning(evidence: Evidence) -> Iterator[Finding]:
    """Tensors are unknown to the optimizer, or their gradient was absent or zero."""
    found: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for run in evidence.runs:
        if run.unregistered:
            found.setdefault(("not registered with the model", run.unregistered), []).append(
                run.arm or run.name
            )
        if run.no_gradient:
            found.setdefault(("without a gradient in the last batch", run.no_gradient), []).append(
                run.arm or run.name
            )
    for (what, names), where in found.items():
        says = f"{plural(len(names), 'tensor')} {what}: {named(names)}."
        yield Finding(says, named(list(dict.fromkeys(where))))


@rule(
    "PK19",
    "stopping rule that cannot fail to fire",
    "issue",
    why="A bar far above what the curve ever does stops at the first chance, whatever the curve: the epoch it names "
    "is its own window.",
    mend="Stop by patience, or by the range of the last epochs, with a bar that some epochs of the curve miss.",
)
def loose_stopping(evidence: Evidence) -> Iterator[Finding]:
    """The rule's bar is a hundred times what it measured, or it stopped every run of an arm at its first chance."""
    for run in evidence.runs:
        if run.stopping is None or run.stopping[0] not in ("variance", "range") or not run.stopped_early:
            continue
        name, settings = run.stopping
        over, below = int(settings.get("over", 5)), float(settings.get("below", 0.02))
        peers = [other for other in evidence.runs if other.arm == run.arm and other.stopping is not None]
        is_first = all(other.stopped_early and len(other.curve) == over for other in peers)
        if (says := _loose(run, name, over, below, is_first=is_first)) is not None:
            yield Finding(says, f"arm {run.arm}" if run.arm else "")


def _loose(run: Run, name: str, over: int, below: float, *, is_first: bool) -> str | None:
    last = run.curve[-over:]
    if len(last) < over:
        return None
    extent, mean = max(last) - min(last), fmean(last)
    measured = pvariance(last) if name == "variance" else extent  # as the rules do
    seen = f"{measured:.2g}, their range {extent:.4f}" if name == "variance" else f"{extent:.4f}"
    told = f"{run.name}: the {name} of the last {over} epochs is {seen} and their mean {mean:.4f}"
    if measured * LOOSE < below:
        sd = f" (a standard deviation of {below**0.5:.2f})" if name == "variance" else ""
        return f"{told}; the bar is {below:g}{sd}, {_times(below, measured)}."
    return f"{told}; it stopped at epoch {over}, the first at which it could." if is_first else None


def _times(below: float, measured: float) -> str:
    return f"{below / measured:,.0f} times as much" if measured > 0 else "which nothing reaches"
