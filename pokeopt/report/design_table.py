"""What a study compares: its question, where it comes from, its arms and what they change, and what stays fixed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pokeopt.registry import split_component
from pokeopt.report.blocks import Cell, Column, Table, Text, cells
from pokeopt.report.summary import AblationSummary, ArmSummary, PlanSummary
from pokeopt.report.words import ABSENT, joined, metric_name, plain, plural

FIDELITIES = {
    "exact": "exact: the document's settings and kind of data",
    "scaled": "scaled: the document's system, smaller or shorter",
    "surrogate": (
        "surrogate: other data or another measure in place of the document's; directions and sizes count, not values"
    ),
}
RESAMPLES = {
    "train_val": "each seed redraws train and validation; the test part is the same for all",
    "none": "all seeds share one split",
    "all": "each seed redraws all parts; intervals are widened for their overlap",
}


def introduction(ablation: AblationSummary, plan: PlanSummary) -> Text:
    """Return the facts of a plan that stand above its tables."""
    source = " ".join(part for part in (plan.document, f"({plan.section})" if plan.section else "") if part)
    items = [("Source", source or "no document")]
    if plan.fidelity:
        items.append(("Fidelity", FIDELITIES.get(plan.fidelity, plan.fidelity)))
    if plan.design != "arms":
        crossed = joined(f"{key} ({', '.join(levels)})" for key, levels in plan.factors.items())
        items.append(("Design", f"{plan.design} over {crossed}"))
    names = [metric_name(name) for name in plan.metrics]
    scored = f"{names[0]} first" + (f"; beside it {joined(names[1:])}" if names[1:] else "")
    items.append(("Measured", f"{scored}; read once at the kept epoch"))
    if plan.base:
        items.append(("Base", plan.base))
    seeds = f"{plural(len(ablation.seeds), 'seed')} in common; {RESAMPLES.get(ablation.resample, ablation.resample)}"
    items.append(("Seeds", seeds))
    if plan.unit == "search":
        items.append(("Unit", "an arm is a whole search; its best trial is then run with every seed"))
    if plan.retune:
        items.append(("Tuned in each arm first", ", ".join(plan.retune)))
    items += [("Fixed", text)] if (text := fixed(ablation.settings)) else []
    return Text(items=tuple(items))


def design_table(ablation: AblationSummary, id_: str) -> Table:
    """Return what every arm changes, key by key, against the reference."""
    keys = list(dict.fromkeys(key for arm in ablation.arms for key in arm.changes))
    columns = (
        Column("Arm", is_number=False),
        *(Column(key, is_number=False) for key in keys),
        Column("Runs"),
    )
    reference = ablation.arm(ablation.reference)
    rows = tuple(
        cells(arm.label, *(_value(arm, key, ablation) for key in keys), _runs(arm, ablation))
        for arm in ablation.arms
    )
    name = reference.label if reference else ablation.reference
    caption = f"What the arms change; all else is as in “{name}”. A dash: the setting does not exist there."
    if not keys:
        caption = "The arms; none changes a recorded setting."
    return Table(id_, caption, columns, rows)


def fixed(settings: Mapping[str, Any]) -> str:
    """Return the settings that a reader of the source document would ask for first."""
    model, training, data = (settings.get(key) or {} for key in ("model", "training", "data"))
    loss = settings.get("loss") or {}
    found = [
        ("model", _named(model.get("family"))),
        ("image size", plain(data["image_size"]) if data.get("image_size") else ""),
        ("images at most", plain(data["limit"]) if data.get("limit") else ""),
        *(
            (key.replace("_", " "), _named(training[key]))
            for key in ("epochs", "batch_size", "optimizer", "learning_rate", "schedule", "early_stopping")
            if training.get(key) not in (None, "none")
        ),
        (
            "sampler",
            _named(training.get("sampler")) if training.get("sampler") not in (None, "shuffle") else "",
        ),
        ("loss", joined(_named(term) for term in (loss.get("terms") or {}).values())),
    ]
    return ", ".join(f"{name} {value}" for name, value in found if value)


def _named(value: Any) -> str:
    """Return a value; a component by its name and settings, any other mapping by its keys and values.

    >>> _named({"focal": {"gamma": 2.0}}), _named({"reconstruction": "mse", "prior": {"kl": {}}})
    ('focal (gamma 2)', 'reconstruction mse, prior kl')
    """
    if not isinstance(value, Mapping):
        return "" if value is None else plain(value)
    is_component = len(value) == 1 and isinstance(next(iter(value.values())), Mapping | None)
    if not is_component:
        return ", ".join(f"{key} {_named(one)}" for key, one in value.items())
    name, settings = split_component(value)
    inside = ", ".join(f"{key} {plain(one)}" for key, one in settings.items())
    return f"{name} ({inside})" if inside else str(name)


def _value(arm: ArmSummary, key: str, ablation: AblationSummary) -> Cell:
    if key in arm.changes:
        return Cell(_short(arm.changes[key][1]))
    first = next((other.changes[key][0] for other in ablation.arms if key in other.changes), None)
    return Cell(_short(first), look="same")


def _short(value: Any) -> str:
    if isinstance(value, (list, tuple)) and all(isinstance(item, (Mapping, str)) for item in value):
        return " → ".join(_named(item) for item in value) or "none"
    return _named(value) or ABSENT


def _runs(arm: ArmSummary, ablation: AblationSummary) -> str:
    if arm.same_as:
        return f"those of {arm.same_as}"
    if arm.prefix_of:
        return f"first {plural(arm.prefix_of[1], 'epoch')} of {arm.prefix_of[0]}"
    return f"{arm.level.n} of {len(ablation.seeds)}"
