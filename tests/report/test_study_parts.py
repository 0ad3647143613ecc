"""Figures and tables of a study, part by part: what their marks, axes and captions promise, they hold."""

from __future__ import annotations

import dataclasses
import re
from itertools import pairwise
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pokeopt.ablation import Effect, level
from pokeopt.report import generative, interaction_section, study_section, summarise, tables
from pokeopt.report.blocks import Figure, Table, Text
from pokeopt.report.class_deltas import class_deltas, recall_table
from pokeopt.report.curve_figures import curve_figures
from pokeopt.report.data_section import data_sections
from pokeopt.report.pareto import Point, pareto
from pokeopt.report.summary import AblationSummary, Confusion, MetricSummary, StudySummary
from pokeopt.report.svg import CHARACTER, WIDTH
from tests.report.plans import claim, plan_study

if TYPE_CHECKING:
    from tests.report.conftest import Builder


def study_of(builder: Builder, name: str) -> tuple[StudySummary, AblationSummary]:
    (study,) = summarise(builder.store, name).studies
    assert study.ablation is not None
    return study, study.ablation


def points(*costs: tuple[float, float]) -> list[Point]:
    return [
        Point(f"arm {i}", 0.5 + 0.1 * i, None, None, n_params, seconds, (f"arm-{i} dot", "circle"), True)
        for i, (n_params, seconds) in enumerate(costs)
    ]


def ticks(svg: str) -> list[str]:
    return re.findall(r'class="tick" text-anchor="middle">([^<]*)<', svg)


def test_every_line_ends_in_its_arms_mark(builder: Builder) -> None:
    plan_study(builder, "p", {"a": 0.3, "b": 0.8, "c": 0.5}, seeds=2, stop={"c": 12})
    figure = curve_figures(study_of(builder, "p")[1], "curves")[0]
    svg = str(figure.svgs[0])
    for name in "abc":
        assert re.search(rf'class="arm-\d dot"><title>{name}</title>', svg), name
    assert svg.count("spread") == 3, "few arms have bands"
    assert svg.count("hollow") == 2, "a stop is a hollow mark"
    assert "hollow mark" in figure.reading


def test_of_many_arms_the_spread_stands_at_the_ends(builder: Builder) -> None:
    plan_study(builder, "p", {"a": 0.3, "b": 0.8, "c": 0.5, "d": 0.6}, seeds=2)
    figure = curve_figures(study_of(builder, "p")[1], "curves")[0]
    svg = str(figure.svgs[0])
    assert "spread" not in svg
    bars = re.findall(r'<line x1="([\d.]+)" x2="[\d.]+" y1="[\d.]+" y2="[\d.]+" class="arm-\d whisker"', svg)
    assert len(set(bars)) == 4, "side by side"
    assert "the bar at its end one standard deviation" in figure.reading
    assert "hollow" not in figure.reading


def test_no_mark_stands_where_nothing_was_trained(builder: Builder) -> None:
    """Arms with budgets of 5, 12 and 20 epochs end on their own lines; none of their runs was stopped."""
    arms = {"a": 0.3, "b": 0.8, "c": 0.5, "d": 0.6}
    plan_study(builder, "p", arms, seeds=2, stop={"c": 12, "d": 5})
    _, ablation = study_of(builder, "p")
    sets = tuple(
        dataclasses.replace(
            found, curves=tuple(dataclasses.replace(curve, early=frozenset()) for curve in found.curves)
        )
        for found in ablation.curves
    )
    figure = curve_figures(dataclasses.replace(ablation, curves=sets), "curves")[0]
    svg = str(figure.svgs[0])
    assert "hollow" not in svg
    assert "hollow" not in figure.reading
    lines = dict(re.findall(r'points="([^"]*)" class="(arm-\d) arm-line"', svg))
    ends = {look: float(points.split()[-1].split(",")[0]) for points, look in lines.items()}
    bars = {
        look: float(x) for x, look in re.findall(r'<line x1="([\d.]+)" [^>]*class="(arm-\d) whisker"', svg)
    }
    behind = sorted(round(bars[look] - ends[look]) for look in ends)
    assert behind == [0, 0, 9, 18], "only the two that end together stand side by side"


@pytest.mark.parametrize(("seeds", "text"), [(1, r"^\d\.\d+ \(1\)$"), (2, r"^\d\.\d+ ± \d\.\d+ \(2\)$")])
def test_the_mean_of_one_run_has_no_spread(builder: Builder, seeds: int, text: str) -> None:
    plan_study(builder, "p", {"a": 0.3, "b": 0.8}, seeds=seeds)
    figure = curve_figures(study_of(builder, "p")[1], "curves")[0]
    assert figure.table is not None
    assert all(re.match(text, str(cell.text)) for row in figure.table.rows for cell in row[1:])
    assert ("spread" in str(figure.svgs[0])) == (seeds > 1)
    assert ("one run has no SD" in figure.table.caption) == (seeds == 1)


@given(
    st.lists(
        st.lists(st.lists(st.integers(0, 9), min_size=3, max_size=3), min_size=3, max_size=3),
        min_size=1,
        max_size=4,
    )
)
def test_a_recall_is_a_share_within_its_interval(runs: list[list[list[int]]]) -> None:
    """Also where the seeds have other numbers of images of a class."""
    counts = tuple(tuple(sum(run[i][j] for run in runs) for j in range(3)) for i in range(3))
    confusion = Confusion("a", "a", "test", ("x", "y", "z"), counts, len(runs))
    found = recall_table(SimpleNamespace(confusions=(confusion,), part="test"), "r")  # type: ignore[arg-type]
    assert found is not None
    for i, row in enumerate(found.rows):
        numbers = [float(text) for text in re.findall(r"[\d.]+", str(row[2].text))]
        if not sum(counts[i]):
            assert numbers == []
            continue
        share, low, high = numbers
        assert share == pytest.approx(counts[i][i] / sum(counts[i]), abs=0.0051)
        assert low - 0.01 <= share <= high + 0.01


@pytest.mark.parametrize(("key", "is_warned"), [("loss.terms.classification", True), ("model.depth", False)])
def test_losses_of_two_units_are_not_compared_in_silence(builder: Builder, key: str, is_warned: bool) -> None:
    plan_study(builder, "p", {"a": 0.3, "b": 0.8}, seeds=2, changes={"b": {key: [1, 2]}})
    objective, trained = curve_figures(study_of(builder, "p")[1], "curves")
    assert ("different units" in trained.reading) == is_warned
    assert "different units" not in objective.reading


def test_the_marks_of_arms_are_named_beside_their_costs() -> None:
    figure = pareto(points((1e6, 1.576), (5e6, 1.580)), "val/accuracy", "maximize", "c", "arm", is_mean=True)
    assert figure is not None
    size, time, names = map(str, figure.svgs)
    assert re.findall(r">(arm \d)<", names) == ["arm 0", "arm 1"]
    assert ticks(size) == ["0", "2 M", "4 M"]
    assert ticks(time)[0] == "0", "a difference of 0.3 % looks like one"
    assert "pay its start" in figure.reading
    trials = pareto(points((1, 2), (3, 4)), "val/accuracy", "maximize", "c", "trial", is_mean=False)
    assert trials is not None
    assert len(trials.svgs) == 2


def test_a_logarithmic_cost_is_written_as_a_linear_one_is() -> None:
    figure = pareto(points((1e5, 0.02), (5e6, 3000.0)), "val/accuracy", "maximize", "c", "arm", is_mean=True)
    assert figure is not None
    size, time = (ticks(str(svg)) for svg in figure.svgs[:2])
    assert size == ["100 k", "300 k", "1 M", "3 M"]
    assert time == ["0.1", "1", "10", "100", "1000"]


def test_long_names_over_a_heat_map_have_lines_of_their_own(builder: Builder) -> None:
    ids = [
        "baseline",
        *(f"training.{key}" for key in ("learning_rate=0.001", "batch_size=4", "batch_size=16")),
    ]
    plan_study(builder, "p", dict.fromkeys(ids, 0.6), seeds=2, design="one-at-a-time")
    _, ablation = study_of(builder, "p")
    figure = class_deltas(ablation.breakdowns[0], ablation, "f1")
    assert figure is not None
    svg = str(figure.svgs[0])
    heads = [re.sub(r"<title>.*?</title>", "", found) for found in re.findall(r"<text[^>]*>.*?</text>", svg)]
    texts = [re.sub(r"<[^>]*>", "", head) for head in heads]
    assert {"learning", "rate", "0.001", "batch size", "4", "16"} <= set(texts)
    assert "The column “images” counts those of the test part" in figure.reading


def test_the_largest_class_is_that_of_the_training_part(builder: Builder) -> None:
    """Who always names one class chooses it by what was trained on, and is scored elsewhere."""
    plan_study(builder, "p", {"a": 0.3, "b": 0.8}, seeds=2)
    study, _ = study_of(builder, "p")
    assert study.data is not None
    data = dataclasses.replace(
        study.data, classes=("Fire", "Water"), counts={"train": (10, 30), "test": (6, 4)}
    )
    (section,) = data_sections([dataclasses.replace(study, data=data)])
    facts = dict(section.blocks[0].items)  # type: ignore[union-attr]
    assert (
        facts["Naming the largest class"] == "accuracy 0.400, macro-F1 0.286 (always Water, on the test part)"
    )


@pytest.mark.parametrize(
    ("metrics", "title", "captions"),
    [
        (["test/mse", "train/loss_term/mse"], "Generative: what the made images are worth", ["Errors"]),
        (["test/mse", "test/kl"], "what the made images and the latent are worth", ["Errors", "What"]),
        (["test/kl"], "what the latent is worth", ["What the latent knows"]),
        (
            ["train/loss_term/mse", "train/loss_term/kl"],
            "Generative: the terms of the loss",
            ["The terms of the loss: mean"],
        ),
        (
            ["train/loss_term/mse", "train/loss_term/kl", "train/gradient_share/mse", "train/gradient_share/kl"],
            "Generative: the terms of the loss",
            ["The terms of the loss, and the share that each has of the gradient: mean"],
        ),
    ],
)  # fmt: skip
def test_what_is_made_is_told_by_the_tables_that_are_there(
    builder: Builder, metrics: list[str], title: str, captions: list[str]
) -> None:
    """A UNet has no latent, and one term is the loss itself."""
    plan_study(builder, "p", {"a": 0.3, "b": 0.8}, seeds=2)
    study, ablation = study_of(builder, "p")
    levels = {"a": level({0: 0.1, 1: 0.2})}
    found = tuple(MetricSummary(metric, "minimize", levels, {}, {}) for metric in metrics)
    known = dataclasses.replace(study, ablation=dataclasses.replace(ablation, generative=found))
    section = generative.section(known, "", several=False)
    assert section is not None
    assert title in section.title
    tables = [block for block in section.blocks if isinstance(block, Table)]
    assert len(tables) == len(captions)
    assert all(table.caption.startswith(words) for table, words in zip(tables, captions, strict=True))


def test_the_numbers_of_a_row_have_the_same_digits_and_their_unit(builder: Builder) -> None:
    plan_study(builder, "p", {"a": 0.3, "b": 0.8}, seeds=2)
    study, ablation = study_of(builder, "p")
    psnr = {"a": level({0: 8.4, 1: 8.9, 2: 8.1}), "b": level({0: 8.37, 1: 8.36, 2: 8.38})}
    shares = {"a": level({0: 0.1, 1: 0.2}), "b": level({0: 0.3, 1: 0.4})}
    found = (
        MetricSummary("test/psnr", "maximize", psnr, {}, {}),
        MetricSummary("val/dead_partitions", "minimize", {"a": level({0: 6.0, 1: 6.0})}, {}, {}),
        MetricSummary("train/gradient_share/mse", "minimize", shares, {}, {}),
        MetricSummary("train/gradient_share/kl", "minimize", shares, {}, {}),
    )
    known = dataclasses.replace(study, ablation=dataclasses.replace(ablation, generative=found))
    section = generative.section(known, "", several=False)
    assert section is not None
    rows = {
        str(row[0].text): row for block in section.blocks if isinstance(block, Table) for row in block.rows
    }
    assert list(rows) == [
        "test PSNR (dB)",
        "validation dead partitions (lower is better)",
        "train gradient share of mse",
        "train gradient share of kl",
    ]
    digits = {
        len(text.rpartition(".")[2])
        for cell in rows["test PSNR (dB)"][1:]
        for text in re.findall(r"[\d.]+", str(cell.text))
    }
    assert len(digits) == 1
    assert str(rows["validation dead partitions (lower is better)"][1].text).split()[0] == "6"


def test_a_metric_that_no_run_measured_has_its_place(builder: Builder) -> None:
    plan_study(builder, "p", {"a": 0.3, "b": 0.8}, seeds=2)
    _, ablation = study_of(builder, "p")
    lacking = MetricSummary("val/partition_information", "minimize", {}, {}, {})
    (block,) = tables.further_tables(dataclasses.replace(ablation, others=(lacking,)), "f")
    assert isinstance(block, Text)
    assert block.paragraphs == ("Validation partition information: not measured in any run.",)


def test_no_label_of_a_heat_map_runs_into_the_next(builder: Builder) -> None:
    """Names are broken where they may be, and no wider than their column; a class's is cut only without room."""
    ids = ["document", "bottleneck_1024", "bottleneck_512", "mixed_precision", "no_head", "no_residual"]
    plan_study(builder, "p", dict.fromkeys(ids, 0.6), seeds=2)
    _, ablation = study_of(builder, "p")
    (f1, *_) = ablation.breakdowns
    entry = dataclasses.replace(f1.entries[0], name="Fighting-Fighting")
    named = dataclasses.replace(f1, entries=(entry, *f1.entries))
    figure = class_deltas(named, ablation, "f1")
    assert figure is not None
    svg = re.sub(r"<title>.*?</title>", "", str(figure.svgs[0]))
    assert ">Fighting-Fighting<" in svg
    heads = re.findall(r'<text x="([\d.]+)" y="([\d.]+)" class="tick" text-anchor="middle">([^<–]+)<', svg)
    texts = [text for _, _, text in heads]
    assert {"bottleneck_", "1024", "512", "mixed_", "precision"} <= set(texts)
    places = sorted({float(x) for x, _, _ in heads})
    assert CHARACTER * max(map(len, texts)) <= min(b - a for a, b in pairwise(places))


def test_no_number_runs_out_of_a_waterfall(builder: Builder) -> None:
    ids = ("head", "transfer", "augmented")
    claims = [claim("each", "order", groups=tuple((one,) for one in ids))]
    plan_study(builder, "p", {"head": 0.2, "transfer": 0.6, "augmented": 0.5}, claims=claims, seeds=3)
    study, ablation = study_of(builder, "p")
    (chain,) = ablation.chains
    tiny = Effect(3, -0.0000029, 0.0000028, -0.0000060, 0.0000003, 0.06, -1.0, 0.25, 0.0)
    steps = tuple(dataclasses.replace(step, effect=tiny) for step in chain.steps)
    chains = (dataclasses.replace(chain, steps=steps),)
    section = interaction_section.section(
        dataclasses.replace(study, ablation=dataclasses.replace(ablation, chains=chains)), "", several=False
    )
    assert section is not None
    (figure,) = section.blocks
    assert isinstance(figure, Figure)
    values = re.findall(r'<text x="([\d.]+)"[^>]*class="value">([^<]+)<', str(figure.svgs[0]))
    assert len(values) == 3
    assert all(float(x) + CHARACTER * len(text) <= WIDTH for x, text in values)


def test_the_scores_of_classes_are_listed_once(builder: Builder) -> None:
    plan_study(builder, "p", {"a": 0.3, "b": 0.8}, seeds=2)
    study, ablation = study_of(builder, "p")
    (f1, *_) = ablation.breakdowns
    section = study_section.study_section(study, "", several=False)
    assert section is not None
    listed = [
        table
        for block in section.blocks
        if (table := block.table if isinstance(block, Figure) else block) and isinstance(table, Table)
        if {entry.name for entry in f1.entries} <= {str(row[0].text) for row in table.rows}
        if "Recall" not in table.caption
    ]
    assert [table.caption.split(" with ")[0] for table in listed] == ["Differences in F1 from the reference,"]
    alone = dataclasses.replace(f1, effects={})
    assert tables.breakdown_table(alone, ablation, "t") is not None, (
        "without a reference there is no heat map"
    )
