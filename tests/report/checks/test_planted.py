"""Every check finds the fault that was planted, and nothing else; without a fault nothing is found."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from pokeopt.report.checks import Evidence, check_evidence, rules
from pokeopt.report.checks.evidence import Ending, Run
from pokeopt.spec.params import Param
from pokeopt.spec.sections import CheckCode
from tests.report.checks.conftest import CLASSES, Cell, Planter


def test_a_sound_study_raises_nothing(planter: Planter) -> None:
    assert planter.checks() == ()


def test_pk01_an_objective_on_test(planter: Planter) -> None:
    assert planter.codes(metric="test/macro_f1") == {"PK01"}


@pytest.mark.parametrize(("pairs", "codes"), [([["a", "b"]], {"PK02"}), ([], set()), (None, set())])
def test_pk02_duplicates_across_parts(
    planter: Planter, pairs: list[list[str]] | None, codes: set[str]
) -> None:
    assert planter.codes(data={} if pairs is None else {"duplicates_across_splits": pairs}) == codes


@pytest.mark.parametrize(("steps", "codes"), [([], {"PK03"}), (["silhouette_crop"], set()), (None, set())])
def test_pk03_another_preparation(planter: Planter, steps: list[str] | None, codes: set[str]) -> None:
    def plant(cell: Cell) -> None:
        cell.config["external"] = {"outside": {"of": "test", "preprocess": steps}}

    assert planter.codes(plant) == codes


def test_pk03_names_the_arm_that_is_scored_on_other_images(planter: Planter) -> None:
    """Document 001's 0.95 and 0.19: only an arm that is not the reference is trained on crops."""

    def plant(cell: Cell) -> None:
        cell.config["data"]["preprocess"] = ["silhouette_crop"] if cell.arm == "cropped" else []
        cell.config["external"] = {"uncropped": {"of": "test", "preprocess": []}}

    found = planter.checks(plant, arms={"whole": [], "cropped": ["data.preprocess"]})
    (says,) = [check.says for check in found if check.code == "PK03"]
    assert says == (
        "Arm cropped is trained on images that are prepared by silhouette_crop and scored on uncropped, which is not "
        "preprocessed."
    )


def test_pk03_an_empty_chain_is_no_preprocessing(planter: Planter) -> None:
    def plant(cell: Cell) -> None:
        cell.config["external"] = {"outside": {"of": "test", "preprocess": []}}

    (check,) = planter.checks(plant)
    assert check.says == (
        "The external set outside is not preprocessed, the training part prepared by silhouette_crop."
    )


@pytest.mark.parametrize(("lost", "codes"), [(30, {"PK04"}), (2, set())])
def test_pk04_gap_to_an_external_set(planter: Planter, lost: int, codes: set[str]) -> None:
    def plant(cell: Cell) -> None:
        cell.n_right["outside"] = cell.n_right["test"] - lost

    assert planter.codes(plant) == codes


@pytest.mark.parametrize(("sign", "codes"), [(-1, {"PK04"}), (1, set())])
def test_pk04_another_order_on_an_external_set(planter: Planter, sign: int, codes: set[str]) -> None:
    arms = {"plain": [], "wide": ["model.width"], "deep": ["model.depth"]}

    def plant(cell: Cell) -> None:
        right = 65 + 4 * list(arms).index(cell.arm)
        cell.n_right = {"val": 60, "test": right, "outside": 69 + sign * (right - 69)}
        cell.config["model"]["depth"] = 3 if cell.arm == "deep" else 2

    found = planter.checks(plant, arms=arms)
    assert {check.code for check in found} == codes
    assert all("tau of the 3 arms is −1.00" in check.says for check in found)


@pytest.mark.parametrize(("outside", "codes"), [((69, 65), {"PK04"}), ((65, 69), set()), ((67, 67), set())])
def test_pk04_two_arms_in_another_order(planter: Planter, outside: tuple[int, int], codes: set[str]) -> None:
    arms = ("plain", "wide")

    def plant(cell: Cell) -> None:
        place = arms.index(cell.arm)
        cell.n_right = {"val": 60, "test": 65 + 4 * place, "outside": outside[place]}

    found = planter.checks(plant)
    assert {check.code for check in found} == codes
    assert all("tau of the 2 arms is −1.00: test puts wide first, outside plain" in c.says for c in found)


def test_pk04_compares_with_the_test_part_and_names_the_first_arms_only_where_they_differ(
    planter: Planter,
) -> None:
    """Plans scored on validation are measured on test, too: the external set stands against that."""
    arms = {"plain": [], "wide": ["model.width"], "deep": ["model.depth"]}
    outside = {"plain": 66, "wide": 65, "deep": 70}  # of test 62, 66, 70: the same first, tau 0.33

    def plant(cell: Cell) -> None:
        right = 62 + 4 * list(arms).index(cell.arm)
        cell.n_right = {"val": 80 - right // 2, "test": right, "outside": outside[cell.arm]}
        cell.config["model"]["depth"] = 3 if cell.arm == "deep" else 2

    (check,) = planter.checks(plant, arms=arms, plan={"metrics": ["val/macro_f1"]})
    assert check.says == "Kendall's tau of the 3 arms is 0.33; both put deep first."


@pytest.mark.parametrize(("seeds", "found"), [(2, ["issue"]), (3, ["tip"]), (4, ["tip"]), (5, [])])
def test_pk05_too_few_seeds(planter: Planter, seeds: int, found: list[str]) -> None:
    assert [(check.code, check.level) for check in planter.checks(seeds=seeds)] == [
        ("PK05", one) for one in found
    ]


def test_pk05_a_smoke_run_gives_no_verdict(planter: Planter) -> None:
    (check,) = planter.checks(plan={"is_quick": True})
    assert (check.code, check.level) == ("PK05", "tip")


@pytest.mark.parametrize(("n", "codes"), [(9, {"PK07"}), (10, set())])
def test_pk07_a_class_of_few_images(planter: Planter, n: int, codes: set[str]) -> None:
    def plant(cell: Cell) -> None:
        cell.support = (40 - n, n, 20, 20)

    assert planter.codes(plant) == codes


def test_pk07_does_not_name_some_where_it_is_all(planter: Planter) -> None:
    def plant(cell: Cell) -> None:
        cell.support, cell.n_right = (7, 8, 9, 9), dict.fromkeys(cell.n_right, 28)

    says = {check.says for check in planter.checks(plant) if check.code == "PK07"}
    assert "Classes with fewer than 10 images on val: all 4, with 7 to 9." in says


@pytest.mark.parametrize(
    ("metric", "is_found"),
    [
        ("test/class_mse/Fire", True),
        ("val/probe_accuracy", True),
        ("test/balanced_accuracy", True),
        ("test/mse", False),
    ],
)
def test_pk07_looks_wherever_classes_are_measured(metric: str, is_found: bool) -> None:
    """An error by class or a probe rests on as few images as a recall does."""
    evidence = Evidence(
        study="s",
        kind="confirm",
        metric="test/mse",
        runs=(Run("arm a, seed 0", metrics={metric: 0.5}),),
        counts={"test": {"Fire": 1, "Water": 1}},
    )
    assert ("PK07" in {check.code for check in check_evidence(evidence)}) == is_found


@pytest.mark.parametrize(("epochs_below", "codes"), [(5, {"PK08"}), (4, set())])
def test_pk08_a_rate_that_vanishes(planter: Planter, epochs_below: int, codes: set[str]) -> None:
    def plant(cell: Cell) -> None:
        cell.rates = [1e-3] * (20 - epochs_below) + [1e-7] * epochs_below

    assert planter.codes(plant) == codes


def test_pk09_the_training_loss_under_two_names(planter: Planter) -> None:
    def plant(cell: Cell) -> None:
        cell.keeps_predictions = False
        cell.attrs = {"val/loss": 0.3121 + 0.001 * cell.seed}

    assert planter.codes(plant) == {"PK09"}


def test_pk09_is_silent_where_predictions_confirm_the_value(planter: Planter) -> None:
    def plant(cell: Cell) -> None:
        right = 64  # of 80 on both parts: equal scores that were both measured
        cell.n_right = {"val": right, "test": right}

    assert planter.codes(plant) == set()


@pytest.mark.parametrize(("percent", "codes"), [(4.0, {"PK10"}), (10.0, set()), (None, set())])
def test_pk10_an_idle_gpu(planter: Planter, percent: float | None, codes: set[str]) -> None:
    def plant(cell: Cell) -> None:
        cell.attrs = {"gpu_util_pct": percent}

    assert planter.codes(plant) == codes


@pytest.mark.parametrize(("right", "codes"), [(24, {"PK11"}), (61, set())])
def test_pk11_one_seed_far_below_the_others(planter: Planter, right: int, codes: set[str]) -> None:
    def plant(cell: Cell) -> None:
        if (cell.arm, cell.seed) == ("wide", 3):
            cell.n_right = {"val": right, "test": right}

    found = planter.checks(plant)
    assert {check.code for check in found} == codes
    assert all("arm wide, seed 3" in check.says for check in found)


@pytest.mark.parametrize(("error", "codes"), [(0.0400, {"PK11"}), (0.0050, set()), (0.0004, set())])
def test_pk11_one_error_far_above_the_others(planter: Planter, error: float, codes: set[str]) -> None:
    """An error has the scale of its images: 0.04 is much beside 0.004."""

    def plant(cell: Cell) -> None:
        usual = 0.0040 + 0.0001 * cell.seed
        cell.attrs = {"test/mse": error if (cell.arm, cell.seed) == ("wide", 3) else usual}

    found = planter.checks(plant, plan={"metrics": ["test/mse"]})
    assert {check.code for check in found} == codes
    assert all("arm wide, seed 3" in check.says for check in found)


@pytest.mark.parametrize(("right", "codes"), [(24, {"PK11"}), (79, set())])
def test_pk11_looks_on_the_wrong_side_of_what_it_looks_at(
    planter: Planter, right: int, codes: set[str]
) -> None:
    """Of a plan on a difference, which is better small, it is the objective: better large."""

    def plant(cell: Cell) -> None:
        if (cell.arm, cell.seed) == ("wide", 3):
            cell.n_right = {"val": right, "test": right}

    assert planter.codes(plant, plan={"metrics": ["val/macro_f1 - test/macro_f1"]}) == codes


@pytest.mark.parametrize(
    ("declared", "levels"),
    [(["model.width"], ["issue"]), (["model.width", "training.learning_rate"], ["tip"])],
)
def test_pk12_a_second_difference(planter: Planter, declared: list[str], levels: list[str]) -> None:
    def plant(cell: Cell) -> None:
        if cell.arm == "wide":
            cell.config["training"]["learning_rate"] = 1e-2

    found = planter.checks(plant, arms={"plain": [], "wide": declared})
    assert [(check.code, check.level) for check in found] == [("PK12", level) for level in levels]
    assert "training.learning_rate" in found[0].says


@pytest.mark.parametrize("key", ["model.depth", "model.width"])
def test_pk12_layers_and_their_counter_are_one_difference(planter: Planter, key: str) -> None:
    def plant(cell: Cell) -> None:
        if cell.arm == "shallow":
            cell.config["model"] |= {"depth": 1, "width": [32]}

    assert planter.codes(plant, arms={"plain": [], "shallow": [key]}) == set()


@pytest.mark.parametrize(("n_params", "codes"), [(2_100, {"PK12"}), (400, {"PK12"}), (1_900, set())])
def test_pk12_twice_the_parameters(planter: Planter, n_params: int, codes: set[str]) -> None:
    def plant(cell: Cell) -> None:
        cell.attrs = {"n_params": n_params if cell.arm == "wide" else 1_000}

    assert planter.codes(plant) == codes


def test_pk12_a_smaller_network_is_a_fraction(planter: Planter) -> None:
    def plant(cell: Cell) -> None:
        cell.attrs = {"n_params": 1_000 if cell.arm == "wide" else 28_700}

    (check,) = planter.checks(plant)
    assert check.says == "Arm wide has 1 k parameters, plain 28.7 k: 1/29 as many."


@pytest.mark.parametrize(("right", "codes"), [(16, {"PK13"}), (30, set())])
def test_pk13_no_more_than_the_commonest_class(planter: Planter, right: int, codes: set[str]) -> None:
    def plant(cell: Cell) -> None:
        cell.n_right = {"val": right, "test": right}

    assert planter.codes(plant) == codes


def test_pk13_balanced_accuracy_of_one_class_for_all(planter: Planter) -> None:
    """Of K classes it is 1/K, however many images each has."""

    def plant(cell: Cell) -> None:
        cell.keeps_predictions = False
        cell.attrs = {"test/accuracy": 0.9, "test/macro_f1": 0.9, "test/balanced_accuracy": 0.25}

    data = {"classes": list(CLASSES), "counts": {"test": [9, 20, 30, 40]}}
    (check,) = [one for one in planter.checks(plant, data=data) if one.code == "PK13"]
    assert "balanced accuracy of 0.250" in check.says


@pytest.mark.parametrize(("metric", "codes"), [("train/total_loss", {"PK14"}), ("test/loss", set())])
def test_pk14_trained_losses_of_two_losses(planter: Planter, metric: str, codes: set[str]) -> None:
    def plant(cell: Cell) -> None:
        cell.attrs = {"train/total_loss": 0.4}
        if cell.arm == "focal":
            cell.config["loss"]["terms"]["classification"] = {"focal": {"gamma": 2.0}}

    arms = {"plain": [], "focal": ["loss.terms.classification"]}
    assert planter.codes(plant, arms=arms, plan={"metrics": ["test/macro_f1", metric]}) == codes


@pytest.mark.parametrize(("failed", "is_found"), [(4, True), (3, False)])
def test_pk15_an_arm_that_mostly_failed(planter: Planter, failed: int, is_found: bool) -> None:
    def plant(cell: Cell) -> None:
        if cell.arm == "wide" and cell.seed < failed:
            cell.cause = "error"

    found = planter.checks(plant, seeds=6)
    assert [check.says for check in found if check.code == "PK15"] == [
        "4 of 6 runs of arm wide failed."
    ] * is_found
    assert {check.code for check in found} - {"PK15"} == {"PK05"}, "what is left of it are few pairs"


@pytest.mark.parametrize("fact", ["unregistered", "no_gradient"])
def test_pk16_parameters_that_do_not_learn(planter: Planter, fact: str) -> None:
    def plant(cell: Cell) -> None:
        cell.attrs = {fact: ["blocks.0.weight", "blocks.0.bias"]}

    (check,) = planter.checks(plant)
    assert check.code == "PK16"
    assert check.says.startswith("2 tensors")


@pytest.mark.parametrize(
    ("accuracy", "codes"), [(0.8071, {"PK17", "PK18"}), (66 / 80, {"PK18"}), (65 / 80, set())]
)
def test_pk17_an_accuracy_that_is_no_share(planter: Planter, accuracy: float, codes: set[str]) -> None:
    """A share of another number of images is no batch mean, but no score of these predictions either."""

    def plant(cell: Cell) -> None:
        cell.n_right = {"val": 65, "test": 65}
        cell.attrs = {"test/accuracy": accuracy}

    assert planter.codes(plant) == codes


@pytest.mark.parametrize(("wall_s", "codes"), [(123.4567, {"PK18"}), (None, set())])
def test_pk18_one_run_time_with_two_results(planter: Planter, wall_s: float | None, codes: set[str]) -> None:
    def plant(cell: Cell) -> None:
        if wall_s is not None and cell.seed == 1:
            cell.attrs = {"wall_s": wall_s}

    assert planter.codes(plant) == codes


@pytest.mark.parametrize(
    ("rule", "last", "n", "codes"),
    [
        ({"variance": {"below": 0.02, "over": 5}}, [0.70, 0.71, 0.72, 0.71, 0.70], 20, {"PK19"}),
        ({"range": {"below": 0.03, "over": 5}}, [0.70, 0.71, 0.72, 0.71, 0.70], 20, set()),
        ({"range": {"below": 0.03, "over": 5}}, [0.70, 0.71, 0.72, 0.71, 0.70], 5, {"PK19"}),
        ("none", [0.70, 0.71, 0.72, 0.71, 0.70], 5, set()),
    ],
)
def test_pk19_a_bar_that_nothing_misses(
    planter: Planter, rule: object, last: list[float], n: int, codes: set[str]
) -> None:
    def plant(cell: Cell) -> None:
        cell.cause = "early_stop"
        cell.config["training"]["early_stopping"] = rule
        cell.curve = dict(enumerate([0.1] * (n - 5) + last, 1))

    assert planter.codes(plant) == codes


def test_pk19_a_rule_that_let_one_run_go_on_can_fail_to_fire(planter: Planter) -> None:
    """Seeds that stopped at the first chance do not speak for the arm where another seed did not stop."""

    def plant(cell: Cell, most: int = 5) -> None:
        cell.config["training"]["early_stopping"] = {"range": {"below": 0.03, "over": 5}}
        n = 20 if cell.seed >= most else 5
        cell.cause = "budget" if cell.seed >= most else "early_stop"
        cell.curve = dict(enumerate([0.1] * (n - 5) + [0.70, 0.71, 0.72, 0.71, 0.70], 1))

    assert planter.codes(lambda cell: plant(cell, most=4)) == set()


def test_pk19_tells_what_the_rule_saw(planter: Planter) -> None:
    """The variance is the rule's own, over n; a range is told once."""

    def plant(cell: Cell) -> None:
        rule = "range" if cell.arm == "wide" else "variance"
        cell.config["training"]["early_stopping"] = {rule: {"below": 0.05, "over": 5}}
        cell.cause, cell.curve = "early_stop", dict(enumerate([0.70, 0.71, 0.72, 0.71, 0.70], 1))

    says = " ".join(check.says for check in planter.checks(plant))
    assert "the variance of the last 5 epochs is 5.6e-05, their range 0.0200 and their mean" in says
    assert "the range of the last 5 epochs is 0.0200 and their mean" in says


def test_a_muted_check_keeps_its_reason_and_comes_last(planter: Planter) -> None:
    def plant(cell: Cell) -> None:
        cell.attrs = {"gpu_util_pct": 2.0}
        cell.rates = [1e-9] * 20

    first, last = planter.checks(plant, plan={"mute": {"PK08": "a study of the rate"}})
    assert (first.code, first.muted) == ("PK10", "")
    assert (last.code, last.level, last.muted) == ("PK08", "issue", "a study of the rate")


def test_every_code_has_its_words_and_its_entry() -> None:
    assert tuple(rules()) == get_args(CheckCode), "what can be muted is what is checked"
    page = (Path(__file__).parents[3] / "docs" / "checks.md").read_text(encoding="utf-8")
    for code, rule in rules().items():
        assert rule.why.endswith(".")
        assert rule.mend.endswith(".")
        assert f"## {code} {rule.title} ({rule.level})" in page


def search(**known: object) -> set[tuple[str, str]]:
    """Return code and sentence of what is found in a search."""
    evidence = Evidence(study="s", kind="search", metric="val/macro_f1", **known)  # type: ignore[arg-type]
    return {(check.code, check.says) for check in check_evidence(evidence)}


@pytest.mark.parametrize(
    ("axis", "best", "is_found"),
    [
        (Param("a", "float", 1e-4, 1e-2, log=True), 1e-2, True),
        (Param("a", "float", 1e-4, 1e-2, log=True), 1.02e-4, True),
        (Param("a", "float", 1e-4, 1e-2, log=True), 1.5e-4, False),
        (Param("a", "float", 0.0, 0.5), 0.0, False),
        (Param("a", "float", 0.0, 0.5), 0.5, True),
        (Param("a", "int", 1, 4), 1, False),
        (Param("a", "int", 1, 4), 4, True),
        (Param("a", "int", 2, 4), 2, True),
    ],
)
def test_pk06_an_edge_beyond_which_something_lies(axis: Param, best: float, is_found: bool) -> None:
    """Below no dropout, and below one layer, there is nothing."""
    assert bool(search(axes=(axis,), best={"a": best})) == is_found


@pytest.mark.parametrize(("n_complete", "n", "is_found"), [(1, 4, True), (2, 4, False), (0, 3, False)])
def test_pk15_a_level_that_was_mostly_pruned(n_complete: int, n: int, is_found: bool) -> None:
    endings = tuple(Ending({"training.optimizer": "sgd"}, i < n_complete) for i in range(n))
    said = ("PK15", f"{n - n_complete} of {n} runs of training.optimizer = sgd were pruned or failed.")
    assert search(endings=endings) == ({said} if is_found else set())
