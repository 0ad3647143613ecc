"""Sections whose keys depend on what is in them: data on its source, model on its family, loss on its roles."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pokeopt.registry import LOSSES, MODELS, SOURCES, Setting, nearest, settings_of, split_component
from pokeopt.spec.checker import Checker, Tree
from pokeopt.spec.collect import is_marker, unwrapped
from pokeopt.spec.fitting import default_loss, task_of
from pokeopt.spec.nodes import Node, node_of, show
from pokeopt.spec.sections import RESERVED_PARTS, Data, ExternalData, Loss, TestPart
from pokeopt.spec.slots import slot_of

PART_NAME = re.compile(r"\w[\w-]*")


def check_data(checker: Checker, node: Node) -> dict[str, Tree]:
    """Return the closed form of ``data``."""
    source, settings = _source(checker, node, "data", Data)
    entries = dict(node.mapping)
    if entries["source"].place.is_set:
        # the keys of another source are no mistake of whoever sets this one
        entries = {key: value for key, value in entries.items() if key in settings or value.place.is_set}
    block = checker.block(entries, settings, "data", node.place, f"the source '{source}'")
    ordered = {key: block[key] for key in (*SOURCES.settings(source), *block)}
    return {"source": source, **ordered}


def check_external(checker: Checker, node: Node) -> dict[str, Tree]:
    """Return the closed form of ``external``."""
    if not node.is_mapping:
        raise node.place.error(
            "external", f"expected a mapping, got {show(node.plain())}", "write NAME: {of: test}"
        )
    return {name: _external(checker, name, part) for name, part in node.mapping.items()}


def check_model(checker: Checker, node: Node) -> Tree:
    """Return the closed form of ``model``, or of a labelled choice among models."""
    if node.is_marker and "family" not in node.mapping:
        return checker.labelled(node, "model", lambda entry: check_model(checker, entry))
    if not node.is_mapping:
        raise node.place.error(
            "model", f"expected a mapping, got {show(node.plain())}", "write model: {family: mlp}"
        )
    family = node.mapping.get("family")
    if family is None:
        raise node.place.error(
            "model.family", "'family' is missing", f"add one of {', '.join(MODELS.names())}"
        )
    if family.is_marker:
        mend = "write model: {choice: {label: {family: ...}, ...}}"
        raise family.place.error("model.family", "the families have different keys", mend)
    if not isinstance(family.value, str):
        raise family.place.error(
            "model.family", f"a family is named, got {show(family.plain())}", "write family: mlp"
        )
    checker.places["model.family"] = family.place
    settings = checker.look_up(MODELS, family.value, family.place, "model.family")
    entries = {key: value for key, value in node.mapping.items() if key != "family"}
    block = checker.block(entries, settings, "model", node.place, f"the model '{family.value}'", MODELS)
    return {"family": family.value, **block}


def check_task(checker: Checker, model: Tree) -> str:
    """Return the task of a model, or of all models in a labelled choice among them."""
    families = [one["family"] for one in (model["choice"].values() if is_marker(model) else [model])]
    tasks = {family: task_of(family) for family in families}
    if len(set(tasks.values())) > 1:
        listed = ", ".join(f"{family} {task}" for family, task in tasks.items())
        what = f"the models are for different tasks: {listed}"
        raise checker.place_of("model").error("model", what, "search among models of one task")
    return tasks[families[0]]


def check_loss(checker: Checker, node: Node, model: Tree) -> Tree:
    """Return the closed form of ``loss``: every role weighs 1 where nothing is said."""
    if node.is_mapping and not node.is_marker and "terms" not in node.mapping:
        first = next(iter(model["choice"].values())) if is_marker(model) else model
        own = {key: node_of(value, node.place) for key, value in default_loss(first).items()}
        node = node.with_value({**own, **node.mapping})
    tree = checker.value(node, slot_of(Loss), "loss")
    for loss in tree["choice"].values() if is_marker(tree) else [tree]:
        _finish_loss(checker, unwrapped(loss), node)
    return tree


def _source(checker: Checker, node: Node, path: str, section: type) -> tuple[str, dict[str, Setting]]:
    """Return the name of a source, and all keys that may stand beside it."""
    if not node.is_mapping or node.is_marker:
        raise node.place.error(path, f"'{path}' is a mapping", "write data: {source: creatures}")
    source = node.mapping.get("source")
    if source is None:
        raise node.place.error(
            f"{path}.source", "'source' is missing", f"add one of {', '.join(SOURCES.names())}"
        )
    if source.is_marker:
        checker.check_searchable(source, f"{path}.source")
    if not isinstance(source.value, str):
        what = f"a source is named, got {show(source.plain())}"
        raise source.place.error(f"{path}.source", what, "write source: creatures")
    own = checker.look_up(SOURCES, source.value, source.place, f"{path}.source")
    return source.value, {**own, **settings_of(section)}


def _external(checker: Checker, name: str, node: Node) -> dict[str, Tree]:
    path = f"external.{name}"
    if name in RESERVED_PARTS or not PART_NAME.fullmatch(name):
        what = f"an external set cannot be called '{name}'"
        mend = f"not one of {', '.join(RESERVED_PARTS)}; letters, digits, '_' and '-'"
        raise node.place.error(path, what, mend)
    if not node.is_mapping:
        raise node.place.error(
            path, f"expected a mapping, got {show(node.plain())}", f"write {name}: {{of: test}}"
        )
    checker.places[path] = node.place
    if "of" in node.mapping:
        block = checker.block(node.mapping, settings_of(TestPart), path, node.place, f"'{path}'")
        tree = block
    else:
        source, settings = _source(checker, node, path, ExternalData)
        for key in ("image_size", "channels", "split"):
            if key in node.mapping:
                what = f"an external set takes its {key} from data"
                raise node.mapping[key].place.error(f"{path}.{key}", what, "take it out")
        block = checker.block(node.mapping, settings, path, node.place, f"the source '{source}'")
        tree = {"source": source, **block}
    if tree["preprocess"] is None:
        del tree["preprocess"]  # the trial's
    return tree


def _finish_loss(checker: Checker, loss: dict[str, Any], node: Node) -> None:
    terms, weights, combine = loss["terms"], loss["weights"], unwrapped(loss["combine"])
    if not terms:
        raise checker.place_of("loss.terms").error("loss.terms", "a loss needs at least one term", "add one")
    for role, term in terms.items():
        for name in _names(term):
            roles = getattr(LOSSES.get(name), "roles", None)
            if roles is not None and role not in roles:
                key = f"loss.terms.{role}"
                what = f"'{name}' is no term for {role}"
                fitting = [
                    one for one in LOSSES.names() if role in getattr(LOSSES.get(one), "roles", (role,))
                ]
                raise checker.place_of(key).error(key, what, nearest(name, fitting))
    for role in weights:
        if role not in terms:
            key = f"loss.weights.{role}"
            raise checker.place_of(key).error(
                key, f"there is no term '{role}' to weigh", nearest(role, terms)
            )
    given = node.mapping.get("weights")
    if isinstance(combine, str) and combine != "sum" and weights and not _is_set(checker, "loss.combine"):
        place = given.place if given is not None else checker.place_of("loss.weights")
        raise place.error("loss.weights", f"'{combine}' has no weights", "take them out, or use combine: sum")
    loss["weights"] = {role: _weighed(weights.get(role, 1.0)) for role in terms}


def _weighed(tree: Tree) -> Tree:
    """A searched weight whose condition fails weighs 1."""
    return {**tree, "$otherwise": 1.0} if isinstance(tree, dict) and "when" in tree else tree


def _is_set(checker: Checker, path: str) -> bool:
    return path in checker.places and checker.places[path].is_set


def _names(term: Tree) -> list[str]:
    term = unwrapped(term)
    if is_marker(term):
        entries: Mapping[str, Tree] = term["choice"]
        return [name for entry in entries.values() for name in _names(entry)]
    return [split_component(term)[0]]
