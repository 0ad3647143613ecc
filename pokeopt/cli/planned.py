"""How ``plan`` looks: facts, then the table of parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pokeopt.cli.output import print_facts, print_table, say
from pokeopt.cli.words import duration, plural, setting

if TYPE_CHECKING:
    from pokeopt.study.planning import Plan
    from pokeopt.study.planning_cells import AblationPlan


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


def print_ablation_plan(plan: AblationPlan) -> None:
    """Print what an ablation plan asks for."""
    parts = ", ".join(f"{name} {n}" for name, n in plan.parts.items())
    cells = (
        f"{plural(len(plan.arms), 'arm')}, {plural(len(plan.seeds), 'seed')}: {plural(plan.n_cells, 'cell')}"
    )
    facts = {
        "file": f"{plan.path} is valid",
        "asks": plan.question,
        "source": plan.document,
        "base": f"{plan.base}, fidelity {plan.fidelity}",
        "data": f"{parts}; a seed redraws {plan.resample.replace('_', ' and ')}",
        "cells": cells + (f", {plan.n_done} of them stored" if plan.n_done else ""),
        "metrics": ", ".join(plan.metrics),
        "time": _cells_time(plan),
    }
    print_facts({key: value for key, value in facts.items() if value})
    say()
    rows = []
    for arm in plan.arms:
        said = ", ".join(f"{key} {setting(value)}" for key, value in arm.declared.items())
        words = "; ".join(filter(None, (said, arm.note))) or "the base as it is"
        rows.append([arm.id, f"{arm.n_params:,}", str(arm.epochs), words])
    print_table(
        ["arm", "parameters", "epochs", "what the plan says of it"], rows, right=("parameters", "epochs")
    )
    if plan.claims:
        say()
        for claim in plan.claims:
            say(f"claim  {claim}")


def _cells_time(plan: AblationPlan) -> str:
    if plan.speed is None or plan.total_s is None:
        return "not known before a cell has run; pokeopt plan --measure times a few batches"
    return (
        f"at most about {duration(plan.total_s)} with {plural(plan.workers, 'worker')} ({plan.speed.source})"
    )


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
