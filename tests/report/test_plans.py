"""Studies of plans: the numbers of their sections against their definition."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

from pokeopt.ablation import Effect, Level, seeds_to_settle
from pokeopt.report import summarise
from pokeopt.report.blocks import Figure
from pokeopt.report.confusion import over_predicted
from pokeopt.report.effects import strip
from pokeopt.report.interaction_section import section
from pokeopt.report.layers import layer_tables
from pokeopt.report.lessons import lessons
from pokeopt.report.outliers import least_drop
from pokeopt.report.summary import AblationSummary, Confusion, Layers
from tests.report.plans import claim, curve, plan_study

if TYPE_CHECKING:
    from tests.report.conftest import Builder


def ablation_of(builder: Builder, name: str) -> AblationSummary:
    (study,) = summarise(builder.store, name).studies
    assert study.ablation is not None
    return study.ablation


def test_arms_are_compared_with_the_plans_reference_on_its_first_metric(builder: Builder) -> None:
    plan_study(builder, "p", {"raw": 0.3, "crop": 0.8}, metrics=["val/macro_f1", "test/accuracy"])
    found = ablation_of(builder, "p")
    assert (found.reference, found.metric) == ("raw", "val/macro_f1")
    crop = found.arm("crop")
    assert crop is not None
    assert crop.effect is not None
    assert crop.reference == "raw"
    raw = found.arm("raw")
    assert raw is not None
    differences = [crop.scores[seed] - raw.scores[seed] for seed in range(5)]
    assert crop.effect.mean == pytest.approx(np.mean(differences))
    assert crop.p_improvement is not None
    assert crop.p_improvement.share == np.mean(np.array(differences) > 0)
    (further,) = found.others
    assert further.metric == "test/accuracy"
    assert set(further.levels) == {"raw", "crop"}


def test_a_difference_of_two_metrics_is_taken_seed_by_seed_and_a_gap_is_better_small(
    builder: Builder,
) -> None:
    plan_study(builder, "p", {"a": 0.4, "b": 0.8}, metrics=["val/macro_f1 - test/macro_f1"])
    found = ablation_of(builder, "p")
    assert found.direction == "minimize"
    arm = found.arm("b")
    assert arm is not None
    both = ablation_parts(builder, "b")
    assert arm.scores == pytest.approx({seed: val - test for seed, (val, test) in both.items()})


def ablation_parts(builder: Builder, arm_id: str) -> dict[int, tuple[float, float]]:
    """Return seed to (validation, test) macro-F1 from stored predictions."""
    from pokeopt.report.predictions import read_predictions

    view = builder.store.load("p")
    found = {}
    for row in view.complete:
        if row.arm_id == arm_id and (stored := read_predictions(builder.store, "p", row.number)) is not None:
            metrics = stored.metrics()
            assert row.seed is not None
            found[row.seed] = metrics["val/macro_f1"], metrics["test/macro_f1"]
    return found


def test_a_prefix_arm_is_read_from_the_first_epochs_of_the_longest(builder: Builder) -> None:
    plan_study(
        builder, "p", {"e5": 0.8, "e20": 0.8}, prefixes={"e5": ("e20", 5)}, metrics=["val/macro_f1", "cost/wall_s"]
    )  # fmt: skip
    found = ablation_of(builder, "p")
    short, long = found.arm("e5"), found.arm("e20")
    assert short is not None
    assert long is not None
    assert found.n_cells == 5
    assert short.same_as is None
    for row in builder.store.load("p").complete:
        content = builder.store.read_artifact("p", row.number, "curves.json")
        assert content is not None
        first = [step["metrics"]["val/macro_f1"] for step in json.loads(content)["steps"][:5]]
        assert row.seed is not None
        assert short.scores[row.seed] == max(first)
    assert "test" not in short.parts
    assert short.total_s == pytest.approx(5 * 0.4 * 5)
    assert short.prefix_of == ("e20", 5)
    figure = strip(found, "s")
    assert figure is not None
    assert "one run, in e5 the beginnings of the 5 runs of e20;" in figure.reading
    assert figure.reading.endswith("95 % t interval. 5 runs.")


def test_a_collapsed_run_is_told_once_not_for_each_of_its_beginnings(builder: Builder) -> None:
    plan_study(builder, "p", {"e5": 0.03, "e20": 0.03}, prefixes={"e5": ("e20", 5)}, metrics=["val/macro_f1"])
    summary = summarise(builder.store, ["p"])
    arms = summary.studies[0].ablation.arms  # type: ignore[union-attr]
    assert all(arm.collapse is not None and arm.collapse.count for arm in arms)
    (told,) = lessons(summary.studies)
    ((_, text),) = told.items
    assert text.count("collapsed") == 1
    assert "of e20 collapsed" in text


def test_an_interaction_is_the_difference_of_differences(builder: Builder) -> None:
    chances = {"a0,b0": 0.3, "a1,b0": 0.35, "a0,b1": 0.5, "a1,b1": 0.9}
    levels = {id_: dict(zip("ab", id_.split(","), strict=True)) for id_ in chances}
    plan_study(
        builder,
        "p",
        chances,
        levels=levels,
        design="factorial",
        factors={"a": ["a0", "a1"], "b": ["b0", "b1"]},
    )
    found = ablation_of(builder, "p")
    (crossing,) = found.crossings
    (pair,) = crossing.pairs
    scores = {arm.id: arm.scores for arm in found.arms}
    expected = [
        scores["a1,b1"][s] - scores["a0,b1"][s] - scores["a1,b0"][s] + scores["a0,b0"][s] for s in range(5)
    ]
    assert pair.effect.mean == pytest.approx(np.mean(expected))
    assert pair.effect.n == 5
    assert len(crossing.means) == 4


def test_one_at_a_time_arms_cross_nothing(builder: Builder) -> None:
    levels = {"x": {"a": "0", "b": "0"}, "y": {"a": "1", "b": "0"}, "z": {"a": "0", "b": "1"}}
    plan_study(builder, "p", {"x": 0.3, "y": 0.5, "z": 0.4}, levels=levels, design="one-at-a-time")
    assert ablation_of(builder, "p").crossings == ()


def test_each_step_of_a_path_is_compared_with_the_step_before(builder: Builder) -> None:
    builder.confirm(arms={"baseline": 0.2, "path.2": 0.5, "path.1": 0.7, "best": 0.86})
    found = ablation_of(builder, "mlp.ablation")
    assert [step.arm_id for step in found.path] == ["path.1", "path.2", "best"]
    second, first = found.arm("path.2"), found.arm("path.1")
    assert second is not None
    assert first is not None
    assert found.path[1].effect.mean == pytest.approx(
        np.mean([second.scores[seed] - first.scores[seed] for seed in range(5)])
    )
    assert (found.path[1].effect.mean or 0) < 0


def test_arms_that_a_claim_puts_in_order_are_drawn_step_by_step(builder: Builder) -> None:
    """Document 001's stages are cumulative: each is what the one before has, and something more."""
    claims = [
        claim("each stage helps", "order", groups=(("head",), ("transfer",), ("augmented",))),
        claim("again", "order", groups=(("head",), ("transfer",), ("augmented",))),
        claim("two groups", "order", groups=(("head", "transfer"), ("augmented",))),
        claim(
            "of another metric", "order", "val/macro_f1", groups=(("transfer",), ("head",), ("augmented",))
        ),
    ]
    plan_study(builder, "p", {"head": 0.2, "transfer": 0.6, "augmented": 0.5}, claims=claims)
    found = ablation_of(builder, "p")
    (chain,) = found.chains
    assert (chain.start, [step.arm_id for step in chain.steps]) == ("head", ["transfer", "augmented"])
    before, arm = found.arm("transfer"), found.arm("augmented")
    assert before is not None
    assert arm is not None
    differences = [arm.scores[seed] - before.scores[seed] for seed in range(5)]
    assert chain.steps[1].effect.mean == pytest.approx(np.mean(differences))
    (study,) = summarise(builder.store, "p").studies
    together = section(study, "", several=False)
    assert together is not None
    assert together.title == "Steps: each arm and the one before"
    (figure,) = together.blocks
    assert isinstance(figure, Figure)
    assert figure.question == "What does each step bring, from head to augmented?"
    assert figure.table is not None
    assert [str(row[0].text) for row in figure.table.rows] == ["transfer", "augmented"]


def test_a_shift_names_its_gap_and_the_pairs_that_change_places(builder: Builder) -> None:
    plan_study(builder, "p", {"a": 0.3, "b": 0.6, "c": 0.9}, parts=("val", "test", "uncropped"))
    found = ablation_of(builder, "p")
    (shift,) = found.shifts
    arms = {arm.id: (arm.parts["test"].mean or 0, arm.parts["uncropped"].mean or 0) for arm in found.arms}
    flipped = {
        (a, b)
        for a, b in (("a", "b"), ("a", "c"), ("b", "c"))
        if (arms[a][0] < arms[b][0]) != (arms[a][1] < arms[b][1])
    }
    assert set(shift.flips) == flipped
    assert shift.tau == pytest.approx((3 - 2 * len(flipped)) / 3)
    assert shift.gaps["c"].mean == pytest.approx(arms["c"][1] - arms["c"][0])


def test_a_collapsed_run_is_counted_and_the_interquartile_mean_stands_beside(builder: Builder) -> None:
    chances = {"a": 0.9}
    plan_study(builder, "p", chances, noise=0.001, seeds=6)
    whole = ablation_of(builder, "p").arms[0]
    assert whole.collapse is not None
    assert (whole.collapse.count, whole.iqm) == (0, None)
    made = builder.store.study("p")
    view = builder.store.load("p")
    row = next(row for row in view.complete if row.seed == 3)
    attrs = {**row.attrs, "seed": 6, "test/macro_f1": 0.02}
    builder.row(made, values=[0.02], attrs=attrs)
    attrs_seeds = [*range(7)]
    builder.store.storage.set_study_user_attr(made._study_id, "seeds", attrs_seeds)
    fallen = ablation_of(builder, "p").arms[0]
    assert fallen.collapse is not None
    assert (fallen.collapse.count, fallen.collapse.n) == (1, 7)
    assert fallen.iqm is not None
    assert fallen.iqm > (fallen.level.mean or 0) + 0.05


def test_three_runs_have_no_interquartile_mean(builder: Builder) -> None:
    """A quarter of three runs is none: the mean would stand there twice."""
    plan_study(builder, "p", {"a": 0.03}, seeds=3)
    arm = ablation_of(builder, "p").arms[0]
    assert arm.collapse is not None
    assert (arm.collapse.count > 0, arm.iqm) == (True, None)


def test_mean_curves_follow_the_runs_that_reached_the_epoch(builder: Builder) -> None:
    plan_study(builder, "p", {"a": 0.4, "b": 0.8}, stop={"b": 12}, rule={"range": {"below": 0.02, "over": 5}})
    found = ablation_of(builder, "p")
    (objective, train, loss) = found.curves
    assert [objective.metric, train.metric, loss.metric] == [
        "val/macro_f1",
        "train/macro_f1",
        "train/total_loss",
    ]
    b = objective.curves[1]
    assert b.steps == tuple(range(1, 13))
    assert b.n == (5,) * 12
    runs = []
    for row in builder.store.load("p").complete:
        if row.arm_id == "b" and (content := builder.store.read_artifact("p", row.number, "curves.json")):
            runs.append([step["metrics"]["val/macro_f1"] for step in json.loads(content)["steps"]])
    assert b.means == pytest.approx(np.mean(runs, axis=0).tolist())
    assert b.highs[3] - b.means[3] == pytest.approx(np.std(runs, axis=0, ddof=1)[3])
    assert {stop[0] for stop in b.stops.values()} == {12}
    assert set(found.stopping) == {"a", "b"}


def test_an_over_predicted_class_is_named_with_its_share() -> None:
    counts = ((10, 0, 0), (8, 2, 0), (7, 0, 3))
    confusion = Confusion("a", "a", "test", ("fire", "water", "bug"), counts, 1)
    ((name, share, times),) = over_predicted(confusion)
    assert name == "fire"
    assert [share, times] == pytest.approx([25 / 30, 2.5])


def test_layers_are_read_and_equal_networks_stand_once(builder: Builder) -> None:
    row = {"name": "0", "kind": "Linear", "shape": [9], "n_params": 90, "n_trained": 0, "flops": 180}
    layers = json.dumps({"layers": [row]}).encode()
    plan_study(builder, "p", {"a": 0.4, "b": 0.8}, files={"layers.json": layers})
    (network,) = ablation_of(builder, "p").layers
    assert network.arm_ids == ("a", "b")
    assert network.rows == (row,)
    large = Layers(("a", "b"), ({**row, "n_params": 3_180_041},))
    (table,) = layer_tables(dataclasses.replace(ablation_of(builder, "p"), layers=(large,)), "layers")
    assert ": 3\N{NARROW NO-BREAK SPACE}180\N{NARROW NO-BREAK SPACE}041 parameters." in table.caption
    plan_study(builder, "q", {"a": 0.4}, files={"layers.json": layers[:20]})
    assert ablation_of(builder, "q").layers == ()


def test_verdicts_are_judged_on_what_was_recomputed(builder: Builder) -> None:
    claims = [
        claim("cropping helps", "diff", arm="crop", other="raw", minimum=0.0),
        claim("raw is ahead", "order", groups=(("crop",), ("raw",))),
        claim("nobody measured it", "diff", metric="test/none", arm="crop", other="raw", minimum=0.0),
        claim("it looks fine", "qual"),
    ]
    plan_study(builder, "p", {"raw": 0.3, "crop": 0.8}, claims=claims)
    verdicts = ablation_of(builder, "p").verdicts
    assert [v.word for v in verdicts] == ["reproduced", "not reproduced", "not testable", "not testable"]
    crop = ablation_of(builder, "p").arm("crop")
    assert crop is not None
    assert crop.effect is not None
    assert verdicts[0].measured is not None
    assert verdicts[0].measured.mean == pytest.approx(crop.effect.mean)


def test_a_claim_on_a_difference_of_two_scores_has_their_smallest_difference_that_counts(
    builder: Builder,
) -> None:
    metric = "val/accuracy - test/accuracy"
    claims = [claim("the gap grows", "diff", metric, arm="b", other="a", minimum=0.0)]
    plan_study(builder, "p", {"a": 0.9, "b": 0.9}, claims=claims, with_predictions=False)
    study, view = builder.store.study("p"), builder.store.load("p")
    for row in view.complete:  # 0.002 more at every seed, but for noise
        assert row.seed is not None
        gap = 0.02 + (0.002 + 0.0001 * (row.seed % 2) if row.arm_id == "b" else 0.0)
        attrs = {**row.attrs, "val/accuracy": 0.9, "test/accuracy": 0.9 - gap}
        builder.row(study, values=[0.9], attrs={**attrs, "arm_id": f"{row.arm_id}", "seed": row.seed + 10})
    (verdict,) = ablation_of(builder, "p").verdicts
    assert (verdict.word, verdict.n) == ("not reproduced", 5)
    assert "the smallest difference that counts" in verdict.reason


def test_every_interval_is_widened_where_every_seed_redraws_the_test_part(builder: Builder) -> None:
    """By the one factor that goes with the number of seeds: of arms, parts, classes, sets and steps."""
    arms = {"baseline": 0.4, "path.1": 0.6, "best": 0.7}
    parts = ("val", "test", "uncropped")
    for name, how in (("p", "train_val"), ("q", "all")):
        claims = [claim("up", "order", groups=(("baseline",), ("path.1",), ("best",)))]
        plan_study(builder, name, arms, claims=claims, parts=parts)
        study = builder.store.study(name)
        builder.store.storage.set_study_user_attr(study._study_id, "resample", how)
    plain, wide = (_widths(ablation_of(builder, name)) for name in ("p", "q"))
    counts = builder.data["counts"]
    share = sum(counts["test"]) / sum(counts["train"])
    assert plain.keys() == wide.keys()
    assert {key[0] for key in wide} == {"arm", "part", "class", "set", "step", "chain", "effect"}
    ratios = {key: wide[key] / width for key, width in plain.items() if width}
    assert ratios == pytest.approx(dict.fromkeys(ratios, np.sqrt((1 / 5 + share) / (1 / 5))), rel=1e-6)


def _widths(found: AblationSummary) -> dict[tuple[str, ...], float]:
    """Return the width of every interval, by what it is of."""
    known: dict[tuple[str, ...], Level | Effect] = {}
    for arm in found.arms:
        known["arm", arm.id] = arm.level
        known |= {("part", arm.id, part): level for part, level in arm.parts.items()}
        known |= {("effect", arm.id): arm.effect} if arm.effect is not None else {}
    for one in found.breakdowns:
        known |= {("class", id_, name): level for id_, of in one.levels.items() for name, level in of.items()}
        known |= {
            ("class", "effect", id_, name): e for id_, of in one.effects.items() for name, e in of.items()
        }
    known |= {("set", shift.part, id_): gap for shift in found.shifts for id_, gap in shift.gaps.items()}
    known |= {("step", step.arm_id): step.effect for step in found.path}
    known |= {("chain", step.arm_id): step.effect for chain in found.chains for step in chain.steps}
    return {
        key: one.high - one.low for key, one in known.items() if one.low is not None and one.high is not None
    }


def test_the_seeds_needed_are_those_of_the_study_s_own_test(builder: Builder) -> None:
    """One of several comparisons is tested at a share of the level, and needs more seeds than alone."""
    plan_study(builder, "p", {"a": 0.5, "b": 0.52, "c": 0.5, "d": 0.51}, noise=0.03, with_predictions=False)
    found = ablation_of(builder, "p")
    open_ = [arm for arm in found.arms if arm.effect is not None and not arm.is_settled]
    assert open_
    for arm in open_:
        assert arm.effect is not None
        if arm.seeds_needed is None:
            continue
        alone = seeds_to_settle(arm.effect)
        assert alone is not None
        assert arm.seeds_needed >= max(alone, 3)
        assert arm.seeds_needed > arm.effect.n
    assert any((arm.seeds_needed or 0) > (seeds_to_settle(arm.effect) or 0) for arm in open_ if arm.effect)


def test_a_run_whose_error_is_far_above_the_others_has_collapsed(builder: Builder) -> None:
    errors = [0.0040, 0.0041, 0.0039, 0.0042, 0.0400]
    study = builder.study(
        "p",
        "confirm",
        metrics=["val/mse"],
        directions=("minimize",),
        seeds=list(range(5)),
        arms=[{"id": "a", "label": "a", "changes": {}, "config_hash": "a"}],
        reference="a",
    )
    for seed, error in enumerate(errors):
        cell = {"arm_id": "a", "seed": seed, "config_hash": "a", "val/mse": error, "test/mse": error}
        builder.row(study, values=[error], attrs=cell)
    (arm,) = ablation_of(builder, "p").arms
    assert arm.collapse is not None
    assert (arm.collapse.count, arm.collapse.n) == (1, 5)
    assert arm.iqm == pytest.approx(np.mean(errors[1:2] + errors[0:1] + errors[3:4]))


@pytest.mark.parametrize("scale", [1.0, 1e-3, 100.0])
def test_the_least_drop_of_an_error_has_the_error_s_unit(scale: float) -> None:
    scores = [scale * error for error in (0.4, 0.41, 0.39)]
    assert least_drop("test/mse", "minimize", scores) == pytest.approx(scale * 0.2)
    assert least_drop("test/macro_f1", "maximize", [0.4, 0.9]) == 0.05
    assert least_drop("test/psnr", "maximize", [20.0]) == 1.0
    for none in ("cost/wall_s", "val/epochs_to_90pct", "val/mse - test/mse"):
        assert least_drop(none, "minimize", scores) is None
    assert least_drop("test/mse", "minimize", [0.0, 0.0]) is None


def test_torn_curves_leave_the_scores_alone(builder: Builder) -> None:
    plan_study(builder, "p", {"a": 0.4, "b": 0.8}, files={"curves.json": curve(0.5, 1)[:50]})
    found = ablation_of(builder, "p")
    assert found.curves == ()
    assert found.arms[1].effect is not None


def test_a_single_effect_that_the_finding_leaves_out_is_one_effect(builder: Builder) -> None:
    arms = {"raw": 0.1, **{f"better{i}": 0.9 for i in range(5)}}
    plan_study(builder, "p", arms, seeds=6)
    (study,) = summarise(builder.store, "p").studies
    assert "and 1 more effect is settled" in " ".join(study.finding)
