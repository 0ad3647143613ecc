"""How ``plan`` looks: facts, then the table of parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pokeopt.cli.output import print_facts, print_table, say
from pokeopt.cli.words import duration, plural, setting

if TYPE_CHECKING:
    from pokeopt.study.planning import Plan


def print_plan(plan: Plan) -> None:
    """Print a plan."""
    parts = ", ".join(f"{name} {n}" for name, n in plan.parts.items())
    facts = {
        "file": f"{plan.path} is valid",
        "data": f"{plan.source}: {len(plan.classes)} classes; {parts}",
        "search": f"{plural(plan.trials, 'trial')} of up to {plural(plan.epochs, 'epoch')}"
        + (f" x {plan.seeds} seeds" if plan.seeds > 1 else "")
        + f"; {plan.sampler} with {plan.pruner}; {', '.join(plan.objectives)}",
        "confirm": _confirm(plan),
        "model": _sizes(plan),
        "time": _time(plan),
    }
    if plan.duplicates:
        facts["duplicates"] = (
            f"{plural(plan.duplicates, 'pair')} of equal images in different parts; see pokeopt data describe"
        )
    print_facts(facts)
    say()
    if not plan.axes:
        say("nothing is searched: every value is fixed")
        return
    rows = [[axis.path, axis.range, setting(axis.baseline), axis.when] for axis in plan.axes]
    print_table(["parameter", "range", "baseline", "exists while"], rows)


def _confirm(plan: Plan) -> str:
    if not plan.arms:
        return "none"
    arms, seeds = plural(plan.arms, "arm"), plural(plan.arm_seeds, "seed")
    return f"at most {arms} x {seeds} = {plural(plan.cells, 'cell')}"


def _sizes(plan: Plan) -> str:
    sizes = plan.sizes
    spread = f"{sizes.smallest:,} to {sizes.largest:,}, median {sizes.median:,}"
    if sizes.smallest == sizes.largest:
        return f"{plan.family}: {sizes.largest:,} parameters"
    at_baseline = "" if sizes.baseline is None else f"{sizes.baseline:,} parameters at the baseline; "
    return f"{plan.family}: {at_baseline}{spread} over the space"


def _time(plan: Plan) -> str:
    if plan.speed is None or plan.total_s is None:
        return "not known before a trial has run; pokeopt plan --measure times a few batches"
    low, high = min(plan.speed.seconds), max(plan.speed.seconds)
    epoch = f"{low:.2g} to {high:.2g} s" if high > low else f"{high:.2g} s"
    total, workers = duration(plan.total_s), plural(plan.workers, "worker")
    return f"at most about {total} with {workers}; {epoch} an epoch ({plan.speed.source})"
