"""What a study compares: its question, where it comes from, its arms and what they change, and what stays fixed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import PurePath
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
TRAINING = (
    "epochs",
    "batch_size",
    "optimizer",
    "learning_rate",
    "schedule",
    "weight_decay",
    "early_stopping",
    "augmentation",
    "sampler",
)
LONG = 40  # characters of a cell, from which on its text is broken into lines
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
        items.append(("Base", base_name(plan.base)))
    seeds = f"{plural(len(ablation.seeds), 'seed')} in common; {RESAMPLES.get(ablation.resample, ablation.resample)}"
    items.append(("Seeds", seeds))
    if plan.unit == "search":
        items.append(("Unit", "an arm is a whole search; its best trial is then run with every seed"))
    if plan.retune:
        items.append(("Tuned in each arm first", ", ".join(plan.retune)))
    items += [("Fixed", text)] if (text := fixed(ablation.settings, _changed(ablation))) else []
    return Text(items=tuple(items))


def base_name(base: str) -> str:
    """Return a base as a reader finds it: a plan gives its file from the plan's own folder, which no page knows.

    >>> base_name("../../search_spaces/mlp.yaml"), base_name("/home/me/mlp.yaml"), base_name("mlp, trial 3")
    ('search_spaces/mlp.yaml', 'mlp.yaml', 'mlp, trial 3')
    """
    path = PurePath(base)
    if path.is_absolute():
        return path.name
    return "/".join(part for part in path.parts if part != "..")


def design_table(ablation: AblationSummary, id_: str) -> Table:
    """Return what every arm changes, key by key, against the reference."""
    keys = list(dict.fromkeys(key for arm in ablation.arms for key in arm.changes))
    columns = (
        Column("Arm", is_number=False),
        *(Column(key, is_number=False) for key in keys),
        Column("Runs"),
    )
    reference = ablation.arm(ablation.reference)
    name = reference.label if reference else ablation.reference
    common = {key: _common(key, ablation) for key in keys}
    rows = tuple(
        cells(
            arm.label,
            *(_value(arm, key, ablation, common[key], name) for key in keys),
            _runs(arm, ablation),
        )
        for arm in ablation.arms
    )
    caption = f"What the arms change; all else is as in “{name}”. A dash: the setting does not exist there."
    if any(common.values()):
        caption += " Of a group of settings those are shown that differ between the arms."
    if not keys:
        caption = "The arms; none changes a recorded setting."
    return Table(id_, caption, columns, rows)


def fixed(settings: Mapping[str, Any], changed: Collection[str] = ()) -> str:
    """Return what all arms have in common, of what a reader of the source document would ask for first.

    Args:
        settings: The reference's configuration.
        changed: Keys that some arm changes: they and what they hold are left out.
    """

    def is_common(key: str) -> bool:
        return not any(_is_within(key, one) or _is_within(one, key) for one in changed)

    training, data, loss = (settings.get(key) or {} for key in ("training", "data", "loss"))
    found = [("model", _model(settings.get("model") or {}, is_common))]
    found += [
        (name, plain(data[key]))
        for name, key in (("image size", "image_size"), ("images at most", "limit"))
        if data.get(key) and is_common(f"data.{key}")
    ]
    found += [
        (key.replace("_", " "), text)
        for key in TRAINING
        if training.get(key) not in (None, "none", [], 0.0, "shuffle")
        and is_common(f"training.{key}")
        and (text := _short(training[key]))
    ]
    terms = {key: term for key, term in (loss.get("terms") or {}).items() if is_common(f"loss.terms.{key}")}
    found.append(("loss", joined(_named(term) for term in terms.values())))
    return ", ".join(f"{name} {value}" for name, value in found if value)


def _changed(ablation: AblationSummary) -> set[str]:
    return {key for arm in ablation.arms for key in arm.changes}


def _is_within(key: str, other: str) -> bool:
    """Whether a key is another, or one of those below it."""
    return key == other or key.startswith(f"{other}.")


def _model(model: Mapping[str, Any], is_common: Callable[[str], bool]) -> str:
    """Return the model's family with the settings that all arms share; nothing where the family differs.

    The number of layers goes with the list of their widths: where one is changed, so is the other.
    """
    if not model or not is_common("model.family"):
        return ""
    lists = [key for key, value in model.items() if isinstance(value, list)]
    is_layered = all(is_common(f"model.{key}") for key in ("depth", *lists))
    shown = []
    for key, value in model.items():
        if key == "family" or value is None or not is_common(f"model.{key}"):
            continue
        if key in lists and not is_layered:
            continue
        if key == "depth" and lists:
            continue
        text = ("on" if value else "off") if isinstance(value, bool) else _named(value)
        shown.append(f"{key.replace('_', ' ')} {text}")
    family = _named(model.get("family"))
    return f"{family} ({', '.join(shown)})" if shown else family


def _named(value: Any) -> str:
    """Return a value; a component by its name and settings, any other mapping by its keys and values.

    >>> _named({"focal": {"gamma": 2.0}}), _named({"reconstruction": "mse", "prior": {"kl": {}}})
    ('focal (gamma 2)', 'reconstruction mse, prior kl')
    >>> _named({"classification": {"cross_entropy": {"on": "logits"}}})
    'classification cross_entropy (on logits)'
    """
    if not isinstance(value, Mapping):
        return "" if value is None else plain(value)
    if not _is_component(value):
        return ", ".join(f"{key} {_named(one)}" for key, one in value.items())
    name, settings = split_component(value)
    inside = ", ".join(f"{key} {_named(one) or ABSENT}" for key, one in settings.items())
    return f"{name} ({inside})" if inside else str(name)


def _value(arm: ArmSummary, key: str, ablation: AblationSummary, common: Collection[str], name: str) -> Cell:
    """Return what an arm has for a key: a long value that it shares with the reference is not repeated."""
    is_own = key in arm.changes
    value = arm.changes[key][1] if is_own else _first(key, ablation)
    if isinstance(value, Mapping) and common:
        value = {part: one for part, one in value.items() if part not in common}
    text = _short(value)
    look = "wrap" if len(text) > LONG else ""
    if is_own or arm.id == ablation.reference or not look:
        return Cell(text, look=look if is_own else f"same {look}".strip())
    return Cell(f"as {name}", look="same")


def _first(key: str, ablation: AblationSummary) -> Any:
    """Return what the reference has for a key."""
    return next((arm.changes[key][0] for arm in ablation.arms if key in arm.changes), None)


def _common(key: str, ablation: AblationSummary) -> set[str]:
    """Return the settings of a group that are equal in all arms; none of a component, whose name stands before them."""
    values = [_first(key, ablation), *(arm.changes[key][1] for arm in ablation.arms if key in arm.changes)]
    groups = [value for value in values if isinstance(value, Mapping) and not _is_component(value)]
    if len(groups) < len(values):
        return set()
    first = groups[0]
    return {part for part in first if all(part in one and one[part] == first[part] for one in groups)}


def _is_component(value: Mapping[str, Any]) -> bool:
    """Whether a mapping is a component with its settings; one that holds another component is a role with its own."""
    if len(value) != 1:
        return False
    (settings,) = value.values()
    return settings is None or (isinstance(settings, Mapping) and not _is_role(settings))


def _is_role(settings: Mapping[str, Any]) -> bool:
    return bool(settings) and _is_component(settings)


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
