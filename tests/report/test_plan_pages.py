"""Pages of plans: reading order, a finding that says no more than its intervals, smoke runs, and every kind of gap."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pytest

from pokeopt.report import render_html, summarise
from pokeopt.report.blocks import Table, Text
from pokeopt.report.claims import WORDS
from pokeopt.report.document import text_of
from pokeopt.report.render import head_of, sections_of
from pokeopt.report.tables import arms_table
from tests.report.plans import claim, plan_study

if TYPE_CHECKING:
    from tests.report.conftest import Builder

COMPARATIVES = re.compile(r"\b(beats?|better|worse|gains?|outperforms?|more accurate|higher|lower)\b")


def test_sections_stand_in_reading_order(builder: Builder) -> None:
    claims = [claim("b is ahead", "diff", arm="b", other="a", minimum=0.0)]
    plan_study(builder, "p", {"a": 0.3, "b": 0.8}, claims=claims, parts=("val", "test", "uncropped"))
    levels = {id_: dict(zip("xy", id_, strict=True)) for id_ in ("00", "10", "01", "11")}
    plan_study(builder, "q", {"00": 0.3, "10": 0.4, "01": 0.5, "11": 0.8}, levels=levels, design="factorial")
    summary = summarise(builder.store, ["p", "q"])
    sections = sections_of(summary)
    wanted = [
        "claims",
        "checks",
        "data",
        "ablation",
        "s1-ablation",
        "failures",
        "audit",
        "words",
        "provenance",
    ]
    assert [section.id for section in sections] == wanted
    parts = [[part.id for part in section.parts] for section in sections if section.parts]
    assert parts == [["shift", "cost"], ["s1-together", "s1-cost"]]  # each plan is read as a whole
    page = render_html(summary)
    assert page.index('id="ablation"') < page.index('id="shift"') < page.index('id="s1-ablation"')
    assert '<h3 class="part">External shift: does it hold elsewhere?</h3>' in page
    assert '<a href="#shift">' not in page
    assert '<li><a href="#shift">External shift</a></li>' in render_html(summarise(builder.store, "p"))


def test_the_first_screen_holds_finding_forest_verdicts_and_cost_of_all_studies(builder: Builder) -> None:
    claims = [claim("b is ahead", "diff", arm="b", other="a", minimum=0.0)]
    plan_study(builder, "p", {"a": 0.3, "b": 0.8}, claims=claims)
    plan_study(builder, "q", {"c": 0.5, "d": 0.51}, claims=[claim("it is readable", "qual")], noise=0.05)
    head = head_of(summarise(builder.store, ["p", "q"]))
    facts = dict(head.facts)
    assert facts["Verdicts"] == "1 reproduced, 1 not testable"
    assert facts["Confirmed on"] == "20 of 20 cells complete, in 2 studies"
    assert "Training time" in facts
    assert head.forest is not None
    drawn = "".join(head.forest.svgs)
    assert ">b<" in drawn
    assert ">d<" in drawn
    assert [title for title, _, _ in head.by_study] == ["p", "q"]
    assert "No effect is settled in q." in head.findings


@pytest.mark.parametrize(
    ("chance", "noise"), [(0.9, 0.01), (0.52, 0.08), (0.5, 0.02), (0.1, 0.01), (0.6, 0.15)]
)
def test_a_comparative_needs_a_settled_effect(builder: Builder, chance: float, noise: float) -> None:
    plan_study(builder, "p", {"a": 0.5, "b": chance}, noise=noise, with_predictions=False)
    (study,) = summarise(builder.store, "p").studies
    assert study.ablation is not None
    arm = study.ablation.arms[1]
    text = " ".join(study.finding)
    assert bool(COMPARATIVES.search(text)) == arm.is_settled
    if arm.is_settled:
        verb = "b beats a by" if (arm.gain or 0) > 0 else "b is worse than a by"
        assert verb in text
    else:
        assert "Not settled" in text


def told(builder: Builder, scores: Mapping[str, Sequence[float]], metric: str = "test/macro_f1") -> str:
    """Return the finding of a plan's study whose arms scored this at seeds 0, 1, ...; the first is the reference."""
    plan_study(builder, "p", dict.fromkeys(scores, 0.5), seeds=0, metrics=[metric])
    study = builder.store.study("p")
    n_seeds = max(map(len, scores.values()))
    builder.store.storage.set_study_user_attr(study._study_id, "seeds", list(range(n_seeds)))
    hashes = {arm["id"]: arm["config_hash"] for arm in builder.store.load("p").attrs["arms"]}
    for id_, values in scores.items():
        for seed, value in enumerate(values):
            cell = {"arm_id": id_, "seed": seed, "config_hash": hashes[id_], metric: value}
            builder.row(study, values=[value], attrs=cell)
    (found,) = summarise(builder.store, "p").studies
    return " ".join(found.finding)


def test_two_seeds_are_too_few_whatever_their_test_says(builder: Builder) -> None:
    text = told(builder, {"a": [0.5, 0.6], "b": [0.7, 0.80001]})
    assert "a verdict needs 3 seeds" in text
    assert "corrected for all comparisons" not in text
    assert not COMPARATIVES.search(text)


def test_each_open_arm_has_its_own_count_of_seeds(builder: Builder) -> None:
    rng = np.random.default_rng(1)
    base, x, y = (rng.normal(0.5, 0.05, n).tolist() for n in (10, 10, 3))
    text = told(builder, {"a": base, "x": x, "y": y})
    assert re.search(r"x \([^)]*, 10 seeds", text)
    assert re.search(r"y \([^)]*, 3 seeds", text)
    assert "at 10 seeds" not in text


def test_what_makes_no_difference_that_counts_is_said_and_not_called_open(builder: Builder) -> None:
    base = [0.50, 0.52, 0.49, 0.51, 0.50, 0.53]
    near = [score + d for score, d in zip(base, (0.001, -0.002, 0.001, 0.0, -0.001, 0.002), strict=True)]
    wild = [score + d for score, d in zip(base, (0.08, -0.07, 0.05, -0.06, 0.09, -0.09), strict=True)]
    scores = {"a": base, "same": base, "near": near, "wild": wild}
    text = told(builder, scores)
    assert (
        "Within ±0.01 of the reference on test macro-F1: same (equal in every run; 6 seeds) and near ("
        in text
    )
    assert re.search(r"Not settled against a is wild \(", text)


def test_no_size_counts_on_an_error_and_few_seeds_are_not_alike(builder: Builder) -> None:
    base = [0.50, 0.52, 0.49]
    near = [score + d for score, d in zip(base, (0.001, -0.001, 0.0001), strict=True)]
    assert "Within" not in told(builder, {"a": base, "b": near}, metric="test/mse")


@pytest.mark.parametrize("metric", ["val/macro_f1", "train/macro_f1 - val/macro_f1", "test/macro_f1"])
def test_scores_on_redrawn_validation_are_said_to_hold_for_one_pool(builder: Builder, metric: str) -> None:
    plan_study(builder, "p", {"a": 0.3, "b": 0.8}, metrics=[metric])
    (study,) = summarise(builder.store, "p").studies
    assert study.ablation is not None
    caption = arms_table(study.ablation, "t").caption
    assert ("conditional on this pool, and narrower than for fresh images" in caption) == ("val" in metric)
    assert ("the test part is the same for all" in caption) == (metric == "test/macro_f1")


def test_a_smoke_run_gives_no_verdict_no_forest_and_no_comparative(builder: Builder) -> None:
    claims = [claim("b is ahead", "diff", arm="b", other="a", minimum=0.0)]
    plan_study(builder, "p.quick", {"a": 0.1, "b": 0.9}, seeds=3, is_quick=True, claims=claims)
    summary = summarise(builder.store, "p.quick")
    head = head_of(summary)
    assert head.warning
    assert head.forest is None
    assert not COMPARATIVES.search(" ".join(head.findings))
    assert head.findings == ("A smoke run, no verdict: 6 of 6 cells complete, 3 seeds.",)
    page = render_html(summary)
    assert "3 seeds of a smoke run" in page
    assert page.count("A smoke run, no verdict") == 1  # the section has its banner
    assert "The one claim is without a verdict (smoke run)." in page
    assert dict(head.facts)["Verdicts"] == "1 without a verdict (smoke run)"


def test_a_hole_is_named_and_a_claim_that_needs_it_has_no_verdict(builder: Builder) -> None:
    claims = [
        claim("b is ahead of a", "diff", arm="b", other="a", minimum=0.0),
        claim("c is ahead of a", "diff", arm="c", other="a", minimum=0.0),
    ]
    plan_study(builder, "p", {"a": 0.3, "b": 0.8, "c": 0.8}, claims=claims, holes=[("c", 2)])
    summary = summarise(builder.store, "p")
    (study,) = summary.studies
    assert study.ablation is not None
    assert [verdict.word for verdict in study.ablation.verdicts] == ["reproduced", "not testable"]
    assert "1 of 15 cells has no result: c at seed 2." in " ".join(study.finding)
    assert "at seed 2" in render_html(summary)


def test_every_word_of_a_verdict_has_a_mark_of_its_own(builder: Builder) -> None:
    claims = [
        claim("b is ahead", "diff", arm="b", other="a", minimum=0.0, reported={"a": (0.2,), "b": (0.9, 0.8)}),
        claim("a is ahead", "diff", arm="a", other="b", minimum=0.0),
        claim("c and a are alike", "equal", arms=("c", "a"), within=0.001),
        claim("it is readable", "qual", section="Discussion"),
    ]
    plan_study(builder, "p", {"a": 0.5, "b": 0.9, "c": 0.5}, claims=claims, noise=0.05)
    (section,) = [found for found in sections_of(summarise(builder.store, "p")) if found.id == "claims"]
    (table,) = [block for block in section.blocks if getattr(block, "id", "") == "claims-table"]
    looks = [str(row[1].text) for row in table.rows]  # type: ignore[union-attr]
    assert [next(word for word in sorted(WORDS, key=len, reverse=True) if f" {word}<" in look) for look in looks] == [
        "reproduced", "not reproduced", "inconclusive", "not testable",
    ]  # fmt: skip
    assert len({re.search(r'd="([^"]*)"', look).group(1) for look in looks}) == 4  # type: ignore[union-attr]
    assert "a: 0.2; b: 0.9 and 0.8" in str(table.rows[0][2].text)  # type: ignore[union-attr]
    assert "Discussion" in str(table.rows[3][0].text)  # type: ignore[union-attr]


def test_a_claim_says_what_was_compared_in_which_unit_and_where_it_stands(builder: Builder) -> None:
    claims = [
        claim("c does more than b", "diff", arm="c", other="a", over=("b", "a"), minimum=0.0),
        claim(
            "b is slower",
            "ratio",
            metric="cost/wall_s",
            arm="b",
            other="a",
            minimum=1.0,
            reported={"b": (119.0, 3600.0)},
        ),
        claim("a GPU is faster", "qual", metric="cost/wall_s", why="it needs a GPU", reported={"a": (24.0,)}),
    ]
    plan_study(builder, "p", {"a": 0.3, "b": 0.5, "c": 0.8}, claims=claims)
    plan_study(
        builder,
        "q",
        {"a": 0.3, "b": 0.5},
        claims=[claim("b is ahead", "diff", arm="b", other="a", minimum=0.0)],
    )
    (section,) = [
        found for found in sections_of(summarise(builder.store, ["p", "q"])) if found.id == "claims"
    ]
    (table,) = [block for block in section.blocks if getattr(block, "id", "") == "claims-table"]
    assert isinstance(table, Table)
    assert len(table.columns) == 4
    over, ratio, qual, _ = [[text_of(cell.text) for cell in row] for row in table.rows]
    assert "|c − a| − |b − a| +" in over[3]
    assert "absolute effects are compared" in over[3]
    assert "; p, scaled, 5 seeds" in over[0]
    assert ratio[2] == "b: 119 and 3\N{NARROW NO-BREAK SPACE}600 s"
    assert "P(claim) 1.00 [" in ratio[3]
    assert qual[1:] == ["not testable; it needs a GPU", "a: 24 s", "–"]
    assert not any("001_7f7c1d607897ad18" in row[0] for row in (over, ratio, qual))
    (text, *_), (legend,) = (
        section.blocks,
        [block.items for block in section.blocks[1:] if isinstance(block, Text)],
    )
    assert isinstance(text, Text)
    assert sum("001_7f7c1d607897ad18.txt" in paragraph for paragraph in text.paragraphs) == 1
    assert "P(claim)" in dict(legend)


def test_the_page_explains_the_words_that_it_uses_and_no_others(builder: Builder) -> None:
    plan_study(builder, "p", {"a": 0.3, "b": 0.8}, metrics=["test/macro_f1", "val/oscillation"])
    (words,) = [found for found in sections_of(summarise(builder.store, "p")) if found.id == "words"]
    items = dict(words.blocks[0].items)  # type: ignore[union-attr]
    assert {"d_z", "P(impr.)", "settled", "macro-F1", "oscillation"} <= items.keys()
    assert not {"PSNR", "slice", "edge sharpness", "Mean ± SD"} & items.keys()


def test_a_base_is_named_as_it_stands_in_its_project(builder: Builder) -> None:
    plan_study(builder, "p", {"a": 0.3, "b": 0.8}, base="../../search_spaces/mlp.yaml")
    page = render_html(summarise(builder.store, "p"))
    assert "<dd>search_spaces/mlp.yaml</dd>" in page
    assert "../search_spaces" not in page.split('id="provenance"')[0]


def test_a_page_is_made_of_every_kind_of_gap(builder: Builder) -> None:
    holes = [(arm, seed) for arm in ("a", "b") for seed in range(2)]
    plan_study(builder, "failed", {"a": 0.3, "b": 0.8}, seeds=2, holes=holes)
    plan_study(builder, "one-seed", {"a": 0.3, "b": 0.8}, seeds=1)
    plan_study(builder, "no-reference", {"a": 0.3, "b": 0.8}, seeds=2, holes=holes[:2])
    plan_study(builder, "no-predictions", {"a": 0.3, "b": 0.8}, with_predictions=False)
    plan_study(builder, "lone", {"a": 0.3})
    plan_study(builder, "elsewhere", {"a": 0.3, "b": 0.8}, metrics=["test/none"])
    names = ["failed", "one-seed", "no-reference", "no-predictions", "lone", "elsewhere"]
    summary = summarise(builder.store, names)
    texts = {study.name: " ".join(study.finding) for study in summary.studies}
    assert "No cell of the reference, a, completed" in texts["failed"]
    assert "No cell of the reference, a, completed" in texts["no-reference"]
    assert "so no interval" in texts["one-seed"]
    assert not COMPARATIVES.search(texts["one-seed"])
    assert render_html(summary).count("<section") > 8
    for name in names:
        assert "</html>" in render_html(summarise(builder.store, name))


def test_studies_on_the_same_images_share_their_data_section(builder: Builder) -> None:
    plan_study(builder, "p", {"a": 0.3, "b": 0.8})
    plan_study(builder, "q", {"a": 0.3, "b": 0.8})
    sections = sections_of(summarise(builder.store, ["p", "q"]))
    assert [section.id for section in sections if section.id.endswith("data")] == ["data"]


def test_an_interval_of_an_equality_tells_its_level(builder: Builder) -> None:
    """Two one-sided tests at 5 % have an interval of 90 %, also where no verdict is given."""
    claims = [claim("alike", "equal", arms=("a", "b"), within=0.3)]
    for name, is_quick in (("p", False), ("p.quick", True)):
        plan_study(builder, name, {"a": 0.5, "b": 0.5}, claims=claims, is_quick=is_quick)
        assert "]</span>, 90 %, two one-sided tests" in render_html(summarise(builder.store, name))
    plan_study(
        builder, "q", {"a": 0.3, "b": 0.5}, claims=[claim("b", "diff", arm="b", other="a", minimum=0.0)]
    )
    assert "one-sided" not in render_html(summarise(builder.store, "q"))


def test_one_command_makes_the_whole_page_again(builder: Builder) -> None:
    """A command for each study would make pages of one study."""
    names = [f"study-{i}-with-a-name" for i in range(6)]
    for name in names:
        plan_study(builder, name, {"a": 0.3, "b": 0.8}, seeds=2)
    sections = sections_of(summarise(builder.store, names))
    again = next(
        block for block in sections[-1].blocks if isinstance(block, Text) and block.title == "To run it again"
    )
    lines = again.code.splitlines()
    assert [line for line in lines if line.startswith("pokeopt ablate")] == [
        f"pokeopt ablate studies/001/{name}.yaml" for name in names
    ]
    report = "\n".join(lines[len(names) :])
    assert shlex.split(report.replace("\\\n", "")) == ["pokeopt", "report", *names]
    assert max(map(len, lines)) <= 92


def test_the_author_and_the_document_are_quoted_and_escaped(builder: Builder) -> None:
    plan_study(
        builder,
        "p",
        {"a": 0.3, "b<": 0.8},
        question="Is <b> ahead?",
        note="see <script>alert(1)</script>",
        claims=[claim("<i>so</i>", "diff", arm="b<", other="a", minimum=0.0)],
    )
    page = render_html(summarise(builder.store, "p"))
    assert "<script>alert" not in page
    assert "<i>so</i>" not in page
    assert "Is &lt;b&gt; ahead?" in page
    assert "001_7f7c1d607897ad18" in page


def test_studies_that_prune_nothing_say_how_many_runs_gave_a_score(builder: Builder) -> None:
    plan_study(builder, "p", {"a": 0.3, "b": 0.8}, seeds=2)
    plan_study(builder, "q", {"a": 0.3}, seeds=2)
    sections = {found.id: found for found in sections_of(summarise(builder.store, ["p", "q"]))}
    assert sections["failures"].blocks[0].paragraphs == ("All 6 runs gave a score.",)  # type: ignore[union-attr]
