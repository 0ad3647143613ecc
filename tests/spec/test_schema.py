"""The JSON schema: editors take what the loader takes, and show every default."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest

from pokeopt.registry import MODELS, OPTIMIZERS
from pokeopt.spec import json_schema
from pokeopt.spec.document import read_document, read_text

ROOT = Path(__file__).parents[2]
SCHEMA = json_schema()
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
WRONG_IN_FORM = [
    "unknown_top_key",
    "unknown_section_key",
    "unknown_model_setting",
    "unknown_component",
    "unknown_component_setting",
    "missing_source",
    "missing_family",
    "unknown_family",
    "bool_for_number",
    "text_for_bool",
    "component_not_in_list",
    "two_components_in_one",
    "two_objectives",
    "null_component",
    "marker_key",
    "empty_choice",
    "not_searchable",
    "family_searched",
    "pruner_setting",
    "nested_pruner",
]


def test_it_is_a_schema_and_plain_json() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert json.loads(json.dumps(SCHEMA)) == SCHEMA


@pytest.mark.parametrize("path", sorted((ROOT / "search_spaces").glob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_search_spaces_fit(path: Path) -> None:
    VALIDATOR.validate(read_document(path).plain())


@pytest.mark.parametrize(
    "text",
    [
        "model: {family: mlp, width: 64}",
        "model: {family: mlp, width: [64, 32]}",
        "model: {family: mlp, depth: {int: [1, 3]}, width: {choice: [8, 16], per: model.depth}}",
        "model: {family: mlp, width: {choice: {a: [64], b: [64, 32]}}}",
        "model: {choice: {a: {family: mlp}, b: {family: mlp, dropout: {float: [0, 0.5]}}}}",
        "model: {family: mlp}\ntraining: {optimizer: {sgd: null}, gradient_clip: {choice: [null, 1.0]}}",
        "model: {family: mlp}\nresources: {workers: 0, trial_timeout: null}",
        "model: {family: mlp}\nsearch: {pruner: {patient: {pruner: median}}}",
        "model: {family: mlp}\nablation: {seeds: [1, 2], top: null}\nbaseline: {}",
    ],
)
def test_what_loads_fits(text: str) -> None:
    VALIDATOR.validate(read_text(f"data: {{source: creatures}}\n{text}", "a.yaml", ROOT).plain())


@pytest.mark.parametrize("name", WRONG_IN_FORM)
def test_what_is_wrong_in_form_does_not_fit(name: str) -> None:
    document = read_document(ROOT / "tests" / "malformed" / f"{name}.yaml").plain()
    assert not VALIDATOR.is_valid(document)


def test_every_family_is_named() -> None:
    text = json.dumps(SCHEMA)
    members = [(name, family.get(name)) for family in (MODELS, OPTIMIZERS) for name in family.names()]
    own = [
        name for name, member in members if member.__module__.startswith("pokeopt.")
    ]  # tests bring plugins
    assert own
    assert all(f'"{name}"' in text for name in own)


def test_every_setting_states_its_default_or_is_required() -> None:
    for name, schema in _objects():
        for key, value in schema["properties"].items():
            assert key in schema["required"] or "default" in value, f"{name}.{key}"


def _objects() -> list[tuple[str, Any]]:
    """Return the schemas of fixed sections, and of every component's settings."""
    sections = SCHEMA["properties"]
    objects = [("training", sections["training"]["anyOf"][0]), ("loss", sections["loss"]["anyOf"][0])]
    objects += [(name, sections[name]) for name in ("search", "ablation", "resources")]
    objects += [(f"data.{one['title']}", one) for one in sections["data"]["anyOf"]]
    for kind, definition in SCHEMA["$defs"].items():
        for option in definition.get("anyOf", []):
            objects += [
                (f"{kind}.{name}", settings) for name, settings in option.get("properties", {}).items()
            ]
    return objects
