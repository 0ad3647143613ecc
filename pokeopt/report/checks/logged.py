"""Checks on logged numbers: one value under two names, two values of one quantity, means over batches."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from pokeopt.report.checks.base import Finding, named, rule
from pokeopt.report.checks.evidence import Evidence, Run, agree, decimals
from pokeopt.report.words import duration, joined, plural

FEWEST_FIGURES = 3  # a value of fewer may be met twice by chance
FEWEST_FIGURES_OF_A_TIME = 5
TOLERANCE = 1e-6  # of values that were stored whole: a float32 has seven figures
WHOLE = 9  # decimals from which a value was stored whole
MOST_NAMED = 3


@rule(
    "PK09",
    "one value logged under two names",
    "issue",
    why="One of the two quantities was never measured; what is read from it is not known.",
    mend="Compute each metric on its own part, from stored predictions, and log it under its own name.",
)
def logged_twice(evidence: Evidence) -> Iterator[Finding]:
    """Two metrics of one run are equal to all digits, and no prediction confirms the evaluated one."""
    found: dict[str, list[str]] = {}
    for logs in _by_name(evidence.runs).values():
        told = sorted(((metric, log) for log in logs for metric in log.metrics), key=lambda one: one[0])
        for left, right in combinations(told, 2):
            if _is_suspect(left, right):
                pair = f"{_called(*left)} and {_called(*right)}"
                value = left[1].metrics[left[0]]
                found.setdefault(pair, []).append(f"{value:.10g} in {left[1].name}")
    for pair, where in found.items():
        yield Finding(f"{pair} are equal to all digits: {named(where)}.")


def _called(metric: str, log: Run) -> str:
    name = log.called(metric)
    return name if name == metric else f"{name} ({metric})"


def _is_suspect(left: tuple[str, Run], right: tuple[str, Run]) -> bool:
    """Whether two logged values are one, although they measure different things and nothing confirms it."""
    value = left[1].metrics[left[0]]
    if left[0] == right[0] or value != right[1].metrics[right[0]]:
        return False
    parts = [metric.partition("/")[0] for metric, _ in (left, right)]
    names = [metric.partition("/")[2] for metric, _ in (left, right)]
    if any(part in ("model", "cost") for part in parts) or any("/" in name for name in names):
        return False  # sizes and times may be equal; so may the scores of two small classes
    if (
        set(names) == {"accuracy", "balanced_accuracy"}
        or value in (0.0, 1.0)
        or _figures(value) < FEWEST_FIGURES
    ):
        return False
    evaluated = [one for one, part in zip((left, right), parts, strict=True) if part != "train"]
    return any(not _is_confirmed(log, metric) for metric, log in evaluated)


def _is_confirmed(run: Run, metric: str) -> bool:
    """Whether the run's predictions give the value that was logged."""
    value = run.recomputed.get(metric)
    return value is not None and abs(value - run.metrics[metric]) <= TOLERANCE * max(1.0, abs(value))


def _figures(value: float) -> int:
    return len(f"{value:.15g}".replace(".", "").replace("-", "").strip("0"))


@rule(
    "PK17",
    "metric averaged over batches",
    "issue",
    why="A mean of batch means weights the last, smaller batch like the others, and a mean of batch F1s is no F1.",
    mend="Pool the predictions of the whole part and compute the metric once.",
)
def batch_averaged(evidence: Evidence) -> Iterator[Finding]:
    """A logged accuracy is no k/n for the n of its part."""
    found = [
        f"{run.called(f'{part}/accuracy')} {value:.6g} of {run.name} ({value * n * run.n_networks:.2f} of "
        f"{n * run.n_networks} predictions)"
        for run in evidence.runs
        for part, n in run.sizes.items()
        if (value := run.metrics.get(f"{part}/accuracy")) is not None
        and not _is_share(value, n * run.n_networks)
    ]
    if found:
        yield Finding(f"An accuracy of n predictions is k/n, and this is none: {_listed(found)}.")


def _is_share(value: float, n: int) -> bool:
    """Whether a logged number is k/n, to the digits that it was logged with."""
    digits = decimals(value)
    error = TOLERANCE if digits >= WHOLE else 0.5 * 10.0**-digits * (1 + 1e-9)
    return n == 0 or abs(round(value * n) / n - value) <= error


def _listed(items: list[str]) -> str:
    more = f"; and {len(items) - MOST_NAMED} more" if len(items) > MOST_NAMED else ""
    return "; ".join(items[:MOST_NAMED]) + more


@rule(
    "PK18",
    "two values of one quantity",
    "issue",
    why="At least one of them is wrong, and nothing says which.",
    mend="Keep one record a run, and recompute what can be recomputed from its predictions.",
)
def told_twice(evidence: Evidence) -> Iterator[Finding]:
    """A log contradicts the predictions, or another log of the same run, or of a run with the same time."""
    wrong = [
        (run, metric) for run in evidence.runs for metric in sorted(run.recomputed) if _is_wrong(run, metric)
    ]
    if wrong:
        n_runs = len({run.name for run, _ in wrong})
        each = [
            f"{metric} of {run.name} is {run.metrics[metric]:.6g}, by its predictions {run.recomputed[metric]:.6g}"
            for run, metric in wrong
        ]
        yield Finding(f"Stored and recomputed scores differ in {plural(n_runs, 'run')}: {_listed(each)}.")
    for logs in _same_runs(evidence.runs):
        if contradictions := _contradictions(logs):
            times = [log.wall_s for log in logs if log.wall_s is not None]
            same = f", one run time of {times[0]:.1f} s ({duration(times[0])})" if len(times) > 1 else ""
            yield Finding(f"{logs[0].name}{same}: {'; '.join(contradictions)}.")


def _contradictions(logs: list[Run]) -> list[str]:
    """Return what the logs of one training do not agree on, with each log's value."""
    found = []
    for metric in dict.fromkeys(metric for log in logs for metric in log.metrics):
        told = [(log.metrics[metric], log) for log in logs if metric in log.metrics]
        if any(not agree(a, b) for (a, _), (b, _) in combinations(told, 2)):
            values = joined(f"{value:.6g} ({log.log or log.name})" for value, log in told)
            found.append(f"{told[0][1].called(metric)} is {values}")
    return found


def _is_wrong(run: Run, metric: str) -> bool:
    return metric in run.metrics and not _is_confirmed(run, metric)


def _same_runs(runs: tuple[Run, ...]) -> Iterator[list[Run]]:
    """Yield the logs of one training: those of one name, and those whose times are equal to all digits."""
    groups: list[list[Run]] = []
    for logs in sorted(_by_name(runs).values(), key=_time):  # equal times are neighbours
        if groups and _is_one_time(_time(groups[-1]), _time(logs)):
            groups[-1] += logs
        else:
            groups.append(list(logs))
    yield from (group for group in groups if len(group) > 1)


def _by_name(runs: tuple[Run, ...]) -> dict[str, list[Run]]:
    """Return the logs of each training."""
    found: dict[str, list[Run]] = {}
    for run in runs:
        found.setdefault(run.name, []).append(run)
    return found


def _time(logs: list[Run]) -> float:
    return next((log.wall_s for log in logs if log.wall_s is not None), 0.0)


def _is_one_time(left: float, right: float) -> bool:
    """Whether two run times are one: equal to the digits of the less precise, which has at least five."""
    return min(_figures(left), _figures(right)) >= FEWEST_FIGURES_OF_A_TIME and agree(left, right)
