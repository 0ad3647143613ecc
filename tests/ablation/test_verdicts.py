"""What each kind of claim gets for an answer, and that no answer says more than its interval."""

import itertools
import math
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from pokeopt.ablation.statistics import holm
from pokeopt.ablation.verdicts import Verdict, judge
from pokeopt.spec.claims import Claim

F1, MSE, TIME, PARAMS = "test/macro_f1", "test/mse", "cost/wall_s", "model/n_params"
DIRECTIONS = {
    F1: "maximize",
    MSE: "minimize",
    TIME: "minimize",
    PARAMS: "minimize",
    "train/macro_f1": "maximize",
}
NOISE = [0.010, -0.012, 0.004, -0.006, 0.009, -0.003, 0.001, -0.003]
OTHER = [0.002, 0.007, -0.009, 0.004, -0.006, 0.011, -0.008, -0.001]


def runs(mean: float, noise: list[float] = NOISE, scale: float = 1.0) -> dict[int, float]:
    return {seed: mean + scale * each for seed, each in enumerate(noise)}


def diff(arm: str, other: str, metric: str = F1, **settings: float | tuple[str, str] | None) -> Claim:
    given = {"minimum": 0.0} if not {"minimum", "maximum"} & settings.keys() else {}
    return Claim(f"{arm} over {other}", "diff", metric, arm=arm, other=other, **given, **settings)  # type: ignore[arg-type]


def one(claim: Claim, table: Mapping[str, Mapping[int, float]], **settings: object) -> Verdict:
    (verdict,) = judge([claim], {claim.metric: table}, DIRECTIONS, **settings)  # type: ignore[arg-type]
    return verdict


def test_a_difference_on_either_side_and_one_in_doubt() -> None:
    table = {"low": runs(0.5), "high": runs(0.7, OTHER), "like": runs(0.504, OTHER, 3)}
    assert one(diff("high", "low"), table).word == "reproduced"
    denied = one(diff("low", "high"), table)
    assert (denied.word, denied.p) == ("not reproduced", 1.0)
    assert one(diff("low", "high", maximum=0.0), table).word == "reproduced"
    doubt = one(diff("like", "low"), table)
    assert doubt.word == "inconclusive"
    assert (doubt.seeds_needed or 0) > 8


def test_p_and_interval_are_those_of_the_paired_t_test_against_the_bound() -> None:
    table = {"low": runs(0.5), "high": runs(0.53, OTHER)}
    verdict = one(diff("high", "low", minimum=0.02), table)
    differences = [table["high"][s] - table["low"][s] for s in range(8)]
    assert verdict.p == pytest.approx(stats.ttest_1samp(differences, 0.02).pvalue)
    interval = stats.ttest_1samp(differences, 0.0).confidence_interval(0.95)
    assert verdict.measured is not None
    assert (verdict.measured.low, verdict.measured.high) == pytest.approx((interval.low, interval.high))


def test_a_bound_is_tested_where_it_stands() -> None:
    table = {"low": runs(0.5), "high": runs(0.7, OTHER)}
    assert one(diff("high", "low", minimum=0.15), table).word == "reproduced"
    assert one(diff("high", "low", minimum=0.30), table).word == "not reproduced"
    assert one(diff("high", "low", minimum=0.15, maximum=0.25), table).word == "reproduced"
    assert one(diff("high", "low", minimum=0.21, maximum=0.25), table).word in (
        "inconclusive",
        "not reproduced",
    )
    assert one(diff("high", "low", maximum=0.1), table).word == "not reproduced"


def test_a_sure_difference_too_small_to_count_is_not_reproduced() -> None:
    """A direction alone asks for a hundredth of a score; an error has no such unit."""
    tiny = {"low": runs(0.5), "high": runs(0.504, NOISE, 1.05)}
    verdict = one(diff("high", "low"), tiny)
    assert verdict.p is not None
    assert verdict.p < 0.001
    assert verdict.word == "not reproduced"
    assert "smallest difference that counts" in verdict.reason
    assert one(diff("high", "low"), tiny, rope=0.0).word == "reproduced"
    assert one(diff("high", "low", minimum=0.001), tiny).word == "reproduced"
    assert one(diff("high", "low", metric=MSE), tiny).word == "reproduced"
    assert one(
        diff("high", "low"), {k: {s: 100 * x for s, x in v.items()} for k, v in tiny.items()}
    ).word == (
        "reproduced"  # a score out of 100 is not one in [0, 1]
    )


@pytest.mark.parametrize("mean", [0.001, 0.02, 0.045, 0.049])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_size_that_is_claimed_counts_down_to_zero(mean: float, sign: float) -> None:
    """The smallest difference stands for a size where a claim names none; it narrows no size from either side."""
    differences = runs(sign * mean, [0.0001, -0.0002, 0.0001, 0.0002, -0.0002])
    table = {"ref": dict.fromkeys(differences, 0.5), "arm": {s: 0.5 + d for s, d in differences.items()}}
    low, high = sorted((0.0, sign * 0.05))
    assert one(diff("arm", "ref", minimum=low, maximum=high), table).word == "reproduced"
    assert one(diff("ref", "arm", minimum=low, maximum=high), table).word == "not reproduced"
    assert one(diff("arm", "ref", minimum=-high, maximum=-low), table).word == "not reproduced"


@pytest.mark.parametrize("value", [0.0, 0.05])
def test_runs_alike_of_one_arm_are_no_certainty(value: float) -> None:
    """Zero is a constant like any other; of two arms that agree in every run it is the difference."""
    table = {"arm": dict.fromkeys(range(3), value), "other": dict.fromkeys(range(3), value)}
    bound = one(Claim("nearly lost", "threshold", F1, arm="arm", maximum=0.1), table)
    assert (bound.word, bound.p) == ("inconclusive", None)
    assert bound.measured is not None
    assert bound.measured.mean == pytest.approx(value)
    assert (bound.measured.low, bound.measured.high) == (None, None)
    assert "without spread" in bound.reason
    same = one(Claim("the same", "equal", F1, arms=("arm", "other"), within=0.01), table)
    assert same.word == "reproduced"


def test_an_order_hangs_on_a_pair_that_runs_the_other_way_at_every_seed() -> None:
    """It has no p for want of spread, and yet backs the claim least of all."""
    table = {"a": runs(0.3, OTHER), "b": runs(0.6), "c": runs(0.5)}
    verdict = one(Claim("rises", "order", F1, groups=(("a",), ("b",), ("c",))), table)
    assert [part.p is None for part in verdict.parts] == [False, True]
    assert verdict.measured == verdict.parts[1].measured
    assert verdict.p_claimed is not None
    assert verdict.p_claimed.mean == 0.0
    upward = one(Claim("rises", "order", F1, groups=(("a",), ("c",), ("b",))), table)
    assert upward.measured == upward.parts[1].measured  # it leaves the claim open
    agreeing = {"a": runs(0.3, OTHER), "b": runs(0.3, OTHER), "c": runs(0.6)}
    tied = one(Claim("rises", "order", F1, groups=(("a",), ("b",), ("c",))), agreeing)
    assert tied.measured == tied.parts[0].measured


def test_an_order_needs_every_pair_and_hangs_on_the_weakest() -> None:
    table = {"a": runs(0.3), "b": runs(0.5, OTHER), "c": runs(0.9), "d": runs(0.9, OTHER[::-1])}
    claim = Claim("rises", "order", F1, groups=(("a",), ("b",), ("c", "d")))
    verdict = one(claim, table)
    assert verdict.word == "reproduced"
    assert [(part.arm, part.other) for part in verdict.parts] == [("b", "a"), ("c", "b"), ("d", "b")]
    assert verdict.p == max(part.p for part in verdict.parts if part.p is not None)
    assert one(Claim("rises", "order", F1, groups=(("c",), ("b",), ("a",))), table).word == "not reproduced"
    assert one(Claim("rises", "order", F1, groups=(("a",), ("c",), ("b",))), table).word == "not reproduced"
    assert one(Claim("rises", "order", F1, groups=(("a",), ("c",), ("d",))), table).word != "reproduced"
    # worst to best: of an error the largest comes first
    assert one(Claim("falls", "order", MSE, groups=(("c",), ("b",), ("a",))), table).word == "reproduced"


def test_one_of_many_pairs_is_judged_at_its_share_of_the_level() -> None:
    """Ten pairs are ten chances to contradict an order by luck."""
    rng = np.random.default_rng(0)
    names = [f"arm{i}" for i in range(11)]
    claim = Claim("ladder", "order", MSE, groups=tuple((name,) for name in names))
    words = []
    for _ in range(200):
        table = {name: dict(enumerate(rng.normal(0.5, 0.1, 8))) for name in names}
        words.append(one(claim, table).word)
    assert "reproduced" not in words
    assert words.count("not reproduced") / 200 < 0.05


def test_equality_is_the_two_one_sided_tests() -> None:
    near = {"on": runs(0.5), "off": runs(0.501, OTHER, 0.5), "far": runs(0.6, OTHER)}
    same = Claim("same", "equal", F1, arms=("on", "off"), within=0.02)
    verdict = one(same, near)
    assert verdict.word == "reproduced"
    assert verdict.measured is not None
    assert verdict.measured.confidence == pytest.approx(0.90)
    assert one(Claim("same", "equal", F1, arms=("on", "far"), within=0.02), near).word == "not reproduced"
    assert one(Claim("same", "equal", F1, arms=("on", "off"), within=0.003), near).word == "inconclusive"


def test_no_significant_difference_is_no_equality() -> None:
    wide = {"on": runs(0.5, NOISE, 5), "off": runs(0.5, OTHER, 5)}
    assert one(Claim("same", "equal", F1, arms=("on", "off"), within=0.01), wide).word == "inconclusive"


def test_threshold_asks_one_arm() -> None:
    table = {"c4": runs(0.95)}
    at = {
        bound: one(Claim("high", "threshold", F1, arm="c4", minimum=bound), table)
        for bound in (0.9, 0.95, 0.99)
    }
    assert [verdict.word for verdict in at.values()] == ["reproduced", "inconclusive", "not reproduced"]
    expected = stats.ttest_1samp(list(table["c4"].values()), 0.9).pvalue
    assert at[0.9].p == pytest.approx(expected)
    assert at[0.9].p_claimed is not None
    assert at[0.9].p_claimed.mean == 1.0
    assert one(Claim("low", "threshold", F1, arm="c4", maximum=0.9), table).word == "not reproduced"


def test_ratio_is_geometric_and_needs_positive_values() -> None:
    table = {"cpu": {s: 100.0 * (1 + n) for s, n in enumerate(NOISE)}, "gpu": dict.fromkeys(range(8), 40.0)}
    verdict = one(Claim("2.5", "ratio", TIME, arm="cpu", other="gpu", minimum=2.0), table)
    assert verdict.word == "reproduced"
    assert verdict.measured is not None
    assert verdict.measured.mean == pytest.approx(stats.gmean([x / 40 for x in table["cpu"].values()]))
    low, mean, high = verdict.measured.low or 0, verdict.measured.mean or 0, verdict.measured.high or 0
    assert low < mean < high
    assert one(Claim("3", "ratio", TIME, arm="cpu", other="gpu", minimum=3.0), table).word == "not reproduced"
    table["gpu"][3] = 0.0
    broken = one(Claim("2.5", "ratio", TIME, arm="cpu", other="gpu", minimum=2.0), table)
    assert (broken.word, "above 0" in broken.reason) == ("not testable", True)


def test_over_compares_the_sizes_of_two_effects_whatever_their_signs() -> None:
    table = {"base": runs(0.6), "data": runs(0.3, OTHER), "deep": runs(0.65, OTHER[::-1])}
    larger = diff("data", "base", over=("deep", "base"))
    assert one(larger, table).word == "reproduced"
    verdict = one(larger, table)
    assert verdict.measured is not None
    assert verdict.measured.mean == pytest.approx(0.3 - 0.05, abs=0.005)
    assert one(diff("deep", "base", over=("data", "base")), table).word == "not reproduced"


def test_a_gap_of_two_metrics_is_a_metric_by_its_own_name() -> None:
    gap = "train/macro_f1 - test/macro_f1"
    table = {"plain": runs(0.30), "dropout": runs(0.10, OTHER)}
    assert one(diff("dropout", "plain", metric=gap, maximum=0.0), table).word == "reproduced"


def test_what_cannot_be_tested_says_why() -> None:
    table = {"low": runs(0.5), "high": runs(0.7, OTHER)}
    qual = one(Claim("blurred", "qual", F1), table)
    assert (qual.word, qual.n, qual.measured) == ("not testable", 0, None)
    assert one(Claim("slow", "qual", F1, why="it needs a GPU"), table).reason == "it needs a GPU"
    (nobody,) = judge([diff("high", "low", metric="val/auc")], {F1: table}, DIRECTIONS)
    assert "val/auc" in nobody.reason
    assert "arm third" in one(diff("third", "low"), table).reason
    hole = {"low": table["low"], "high": {s: x for s, x in table["high"].items() if s not in (2, 5)}}
    verdict = one(diff("high", "low"), hole)
    assert (verdict.word, verdict.n, verdict.p_holm) == ("not testable", 6, None)
    assert "arm high" in verdict.reason
    assert "seeds 2, 5" in verdict.reason
    absent = one(diff("high", "low"), table, missing={"low": [8]})
    assert "at seed 8" in absent.reason
    quick = one(diff("high", "low"), table, is_quick=True)
    assert (quick.word, quick.reason) == ("not testable", "8 seeds of a smoke run")
    assert quick.measured is not None
    two = {arm: {s: row[s] for s in (0, 1)} for arm, row in table.items()}
    assert one(diff("high", "low"), two).reason == "2 seeds; a verdict needs 3"


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_score_that_is_no_number_is_a_hole(bad: float) -> None:
    verdict = one(diff("high", "low"), {"low": runs(0.5), "high": runs(0.7, OTHER) | {4: bad}})
    assert verdict.word == "not testable"
    assert "seed 4" in verdict.reason


def test_no_spread_is_no_certainty_but_agreement_in_every_run_is_none_to_doubt() -> None:
    shifted = one(diff("high", "low"), {"low": runs(0.5), "high": runs(0.7)})
    assert (shifted.word, shifted.p, shifted.seeds_needed) == ("inconclusive", None, None)
    assert "without spread" in shifted.reason
    ceiling = one(
        Claim("high", "threshold", F1, arm="c4", minimum=0.99), {"c4": dict.fromkeys(range(8), 1.0)}
    )
    assert ceiling.word == "inconclusive"
    same = {"on": runs(0.5), "off": runs(0.5)}
    assert one(Claim("same", "equal", F1, arms=("on", "off"), within=0.01), same).word == "reproduced"
    assert one(diff("on", "off"), same).word == "not reproduced"


def test_what_is_counted_needs_no_spread() -> None:
    table = {"mlp": dict.fromkeys(range(3), 3.2e6), "cnn": dict.fromkeys(range(3), 4e5)}
    verdict = one(Claim("fewer", "ratio", PARAMS, arm="cnn", other="mlp", maximum=1.0), table)
    assert (verdict.word, verdict.p) == ("reproduced", None)
    assert verdict.measured is not None
    assert (verdict.measured.low, verdict.measured.high) == pytest.approx((0.125, 0.125))
    assert "in every run" in verdict.reason


def test_the_claims_of_a_study_are_one_family() -> None:
    table = {
        "ref": runs(0.5),
        "a": runs(0.53, OTHER, 2),
        "b": runs(0.52, OTHER[::-1], 2),
        "c": runs(0.9, OTHER),
    }
    claims = [diff(arm, "ref") for arm in "abc"] + [Claim("look", "qual", F1)]
    alone = [one(claim, table) for claim in claims[:3]]
    together = judge(claims, {F1: table}, DIRECTIONS)
    assert [v.p for v in together[:3]] == [v.p for v in alone]
    assert [v.p_holm for v in together] == holm([v.p for v in together])
    for v in together[:3]:
        assert v.measured is not None
        assert v.p_holm is not None
        assert v.measured.low is not None
        assert (v.p_holm < 0.05) == (v.measured.low > 0)
    strongest = together[2].measured
    assert strongest is not None
    assert strongest.confidence == pytest.approx(1 - 0.05 / 3)


@settings(max_examples=30)  # statsmodels collects garbage at every family
@given(
    st.lists(st.lists(st.integers(-9, 9), min_size=4, max_size=4), min_size=2, max_size=5),
    st.floats(-0.02, 0.05),
)
def test_holm_p_and_interval_never_disagree(data: list[list[int]], bound: float) -> None:
    table = {f"arm{i}": {s: 0.5 + x / 100 for s, x in enumerate(row)} for i, row in enumerate(data)}
    claims = [diff(arm, "arm0", minimum=bound) for arm in list(table)[1:]]
    for verdict in judge(claims, {MSE: table, F1: table}, DIRECTIONS):
        if verdict.p_holm is None or math.isclose(verdict.p_holm, 0.05, rel_tol=1e-9):
            assert verdict.word in ("inconclusive", "not reproduced", "reproduced")
            continue
        assert (verdict.word == "reproduced") <= (verdict.p_holm < 0.05)
        low = None if verdict.measured is None else verdict.measured.low
        assert low is not None
        assert (low > bound) == (verdict.p_holm < 0.05)


def test_seeds_needed_is_the_first_number_that_decides() -> None:
    table = {"ref": runs(0.5), "arm": runs(0.513, OTHER, 3)}
    verdict = one(diff("arm", "ref", metric=MSE), table)
    assert verdict.measured is not None
    mean, sd, n = verdict.measured.mean or 0, verdict.measured.sd or 0, verdict.seeds_needed or 0
    halves = [stats.t.ppf(0.975, k - 1) * sd / math.sqrt(k) for k in (n - 1, n)]
    assert halves[0] >= mean > halves[1]
    assert f"about {n} seeds" in verdict.reason


def test_redrawn_test_parts_leave_more_doubt() -> None:
    table = {"ref": runs(0.5), "arm": runs(0.52, OTHER, 2)}
    plain, redrawn = one(diff("arm", "ref"), table), one(diff("arm", "ref"), table, test_share=0.5)
    assert (plain.p or 1) < (redrawn.p or 0)
    # no number of seeds makes up for parts that overlap by so much
    hopeless = one(diff("arm", "ref"), {"ref": runs(0.5), "arm": runs(0.512, OTHER, 4)}, test_share=5.0)
    assert (hopeless.word, hopeless.seeds_needed) == ("inconclusive", None)


def test_the_reported_value_against_one_new_run_only_where_all_is_as_in_the_document() -> None:
    table = {"low": runs(0.5), "high": runs(0.7, OTHER)}
    inside = Claim(
        "up", "diff", F1, arm="high", other="low", minimum=0.0, reported={"high": (0.71,), "low": (0.49,)}
    )
    outside = Claim("up", "diff", F1, arm="high", other="low", minimum=0.0, reported={"high": (0.71, 0.9)})
    assert one(inside, table).reported_inside is True
    assert one(outside, table).reported_inside is False
    assert one(outside, table, fidelity="scaled").reported_inside is None
    assert one(diff("high", "low"), table).reported_inside is None
    assert one(outside, table, is_quick=True).reported_inside is None


def test_p_claimed_is_of_the_claim_whichever_way_the_metric_goes() -> None:
    """A ratio of times above 1 holds at every seed, though the first arm is the slower one at every seed."""
    table = {"low": runs(0.5), "high": runs(0.7, OTHER)}
    slower = Claim("slower", "ratio", TIME, arm="high", other="low", minimum=1.0)
    found = [
        one(claim, table)
        for claim in (diff("high", "low"), slower, diff("high", "low", metric=MSE), diff("low", "high"))
    ]
    assert [verdict.p_claimed.mean for verdict in found if verdict.p_claimed] == [1.0, 1.0, 1.0, 0.0]
    assert found[0].p_claimed is not None
    assert (found[0].p_claimed.low or 0) == pytest.approx(8 / (8 + stats.norm.ppf(0.975) ** 2))
    counted = one(diff("high", "low", metric=PARAMS), {"low": {0: 10.0}, "high": {0: 12.0}})
    assert (counted.word, counted.p_claimed) == ("reproduced", None)


def test_an_effect_over_an_effect_is_named_in_full() -> None:
    table = {"a": runs(0.5), "b": runs(0.4, OTHER), "c": runs(0.45), "d": runs(0.52, OTHER)}
    verdict = one(diff("b", "a", over=("d", "c")), table)
    assert [part.name for part in verdict.parts] == ["|b − a| − |d − c|"]
    assert "|b − a| − |d − c| is" in verdict.reason


def test_no_reason_holds_a_comparative() -> None:
    levels = [0.5, 0.505, 0.53, 0.9]
    table = {
        f"arm{i}": runs(level, noise, 2)
        for i, (level, noise) in enumerate(zip(levels, [NOISE, OTHER, NOISE[::-1], OTHER[::-1]], strict=True))
    }
    pairs = itertools.permutations(table, 2)
    claims = [diff(a, b) for a, b in pairs] + [Claim("o", "order", F1, groups=tuple((arm,) for arm in table))]
    for verdict in judge(claims, {F1: table}, DIRECTIONS):
        words = set(verdict.reason.replace(";", " ").replace(",", " ").split())
        assert not words & {
            "better",
            "worse",
            "beats",
            "outperforms",
            "more",
            "less",
            "improves",
            "higher",
            "lower",
        }


@pytest.mark.parametrize(("fidelity", "word"), [("scaled", "reproduced"), ("surrogate", "not testable")])
def test_a_reported_value_is_no_claim_about_other_data(fidelity: str, word: str) -> None:
    claim = Claim("0.99", "threshold", "test/macro_f1", arm="a", minimum=0.5, reported={"a": (0.99,)})
    scores = {"test/macro_f1": {"a": {seed: 0.8 + 0.01 * seed for seed in range(5)}}}
    (verdict,) = judge([claim], scores, {"test/macro_f1": "maximize"}, fidelity=fidelity)
    assert verdict.word == word
