"""The plans in ``studies/``: every ablation of the documents has one, and each says what its document says."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from pokeopt.ablation.hashes import config_hash
from pokeopt.spec.document import read_document
from pokeopt.spec.plan import PlanSpec, load_plan

ROOT = Path(__file__).parents[1]
STUDIES = ROOT / "studies"
ABLATIONS = {
    "000": "d0: loss arch",
    "001": "t1: crop reg, t2: crop-shift depth epochs earlystop family, t3: backbone stage balance mix freeze scratch",
    "002": "d2: width activation softmax depth prep closing earlystop device balance",
    "003": "d3: downsample rep partition capacity data code",
    "004": "d4: skip levels mask loss-opt data",
}
REPORTED = {  # numbers that the documents print, by plan, arm and metric
    ("t1-crop", "test/macro_f1"): {"raw": 0.22, "crop": 0.8975},
    ("t1-crop", "test/accuracy"): {"crop": 0.9037},
    ("t2-depth", "test/macro_f1"): {"two": 0.52, "three": 0.90, "four": 0.99},
    ("t2-crop-shift", "uncropped/macro_f1"): {"cropped": 0.19, "whole": 0.52},
    ("t2-epochs", "val/macro_f1"): {"e50": 0.99728, "e70": 0.92399, "e120": 0.99788, "e150": 0.99204},
    ("t2-earlystop", "test/macro_f1"): {"range": 0.9966},
    ("t2-earlystop", "test/accuracy"): {"range": 0.9981},
    ("t2-earlystop", "cost/epochs_run"): {"range": 49, "variance": 49, "none": 80},
    ("t3-balance", "test/macro_f1"): {"focal": 0.4293, "class_weights": 0.5268, "sampler": 0.4904},
    ("t3-stage", "test/macro_f1"): {"untrained": 0.06116, "transfer": 0.21153, "augmented": 0.29650},
    ("t3-stage", "cost/epochs_run"): {"transfer": 20, "augmented": 30},
    ("t3-mix", "test/macro_f1"): {"none": 0.49, "mixup": 0.33, "cutmix": 0.33},
    ("t3-mix", "test/f1/Poison"): {"mixup": 0.15},
    ("d2-prep", "val/accuracy"): {"removed": 0.3, "centred": 0.93},
    ("d2-earlystop", "val/accuracy"): {"off": 0.3087, "on": 0.2977},
    ("d2-earlystop", "cost/wall_s"): {"off": 119, "on": 24},
    ("d4-data", "val/epochs_to_90pct"): {"document": 25},
}
TWINS = {"frames.yaml": "pokemon_pvae.yaml"}
NAMES = [
    (document, f"{prefix}-{one}")
    for document, text in ABLATIONS.items()
    for prefix, names in re.findall(r"(\w+): ([\w -]+)", text)
    for one in names.split()
]


@cache
def plan_of(name: str, quick: bool = False) -> PlanSpec:
    document = next(document for document, known in NAMES if known == name)
    return load_plan(STUDIES / document / f"{name}.yaml", quick=quick)


def test_every_ablation_of_the_documents_has_a_plan_and_no_other_is_there() -> None:
    found = {(path.parent.name, path.stem) for path in STUDIES.rglob("*.yaml")}
    assert len(NAMES) == 35
    assert found == set(NAMES)


@pytest.mark.parametrize(("document", "name"), NAMES, ids=str)
def test_a_plan_says_what_it_asks_of_which_document(document: str, name: str) -> None:
    plan = plan_of(name)
    assert plan.name == name
    assert plan.question.endswith("?")
    assert plan.document.startswith(f"{document}_")
    assert plan.section
    assert plan.claims
    assert plan.note, "the reader is told what stands in for what"
    assert plan.fidelity != "exact", "built-in images are not the documents'"
    assert set(plan.metrics) >= {claim.metric for claim in plan.claims}, "a claim's metric is in the table"


@pytest.mark.parametrize("quick", [False, True], ids=["full", "quick"])
@pytest.mark.parametrize("name", [name for _, name in NAMES])
def test_arms_are_distinct(name: str, quick: bool) -> None:
    """Arms of one configuration would share their cells and differ by nothing."""
    plan = plan_of(name, quick)
    hashes = [config_hash(arm.config) for arm in plan.arms]
    assert len(set(hashes)) == len(hashes)
    assert len(hashes) > 1 or name == "d2-device"


@pytest.mark.parametrize("name", [name for _, name in NAMES])
def test_the_quick_setting_is_small_and_needs_no_download(name: str) -> None:
    """Epochs that an arm itself declares stay: they are what it asks about."""
    plan = plan_of(name, quick=True)
    assert plan.is_quick
    assert len(plan.seeds) == 3
    for arm in plan.arms:
        assert arm.config["data"]["limit"] <= 300
        assert arm.config["model"].get("weights", "none") == "none"
        assert "training.epochs" in arm.changes or arm.config["training"]["epochs"] <= 6 or arm.prefix


@pytest.mark.parametrize(("key", "numbers"), REPORTED.items(), ids=lambda one: "-".join(one))
def test_claims_carry_the_documents_numbers(key: tuple[str, str], numbers: dict[str, float]) -> None:
    name, metric = key
    claims = [claim for claim in plan_of(name).claims if claim.metric == metric]
    for arm, number in numbers.items():
        assert any(number in claim.reported.get(arm, ()) for claim in claims), f"{arm}: {number}"


def test_what_is_reported_is_of_an_arm_that_the_claim_is_about() -> None:
    """A number of another arm would be printed beside a claim that never looks at it."""
    for _, name in NAMES:
        for claim in plan_of(name).claims:
            looked_at = {arm.id for arm in plan_of(name).arms} if claim.kind == "qual" else set(claim.arm_ids)
            assert set(claim.reported) <= looked_at, f"{name}: {claim.says}"


@pytest.mark.parametrize(("document", "name"), NAMES, ids=str)
def test_real_sprites_take_the_plan(document: str, name: str) -> None:
    """What a plan sets and its arms name is there in the file for real sprites, too, and leaves their source alone."""
    path = STUDIES / document / f"{name}.yaml"
    base = Path(str(read_document(path).mapping["base"].value)).name
    twin = TWINS.get(base, f"pokemon_{base}")
    plan = load_plan(path, base=ROOT / "search_spaces" / twin)
    assert [arm.id for arm in plan.arms] == [arm.id for arm in plan_of(name).arms]
    assert {arm.config["data"]["source"] for arm in plan.arms} == {"sprites"}
