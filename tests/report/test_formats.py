"""One report in five formats: the same numbers, the same bytes twice, nothing to stumble on."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pokeopt.errors import UserError
from pokeopt.report import summarise, write_report
from pokeopt.report.tidy_csv import COLUMNS, render_csv
from pokeopt.report.write import FORMATS, Format, check_format, format_of
from pokeopt.store import Store

if TYPE_CHECKING:
    from tests.report.conftest import Builder


@pytest.fixture(scope="module")
def rows(whole: Store) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(render_csv(whole, summarise(whole, "mlp")))))


@pytest.mark.parametrize("format_", FORMATS)
def test_equal_stores_give_equal_bytes(whole: Store, tmp_path: Path, format_: Format) -> None:
    first = write_report(whole, "mlp", tmp_path / f"a.{format_}").read_bytes()
    second = write_report(whole, "mlp", tmp_path / "b", format_).read_bytes()
    assert first == second
    assert len(first) > 1000


@pytest.mark.parametrize("format_", ["html", "md", "tex"])
def test_every_format_has_the_numbers_of_the_finding(whole: Store, tmp_path: Path, format_: Format) -> None:
    text = write_report(whole, "mlp", tmp_path / "r", format_).read_text(encoding="utf-8")
    best = next(a for a in summarise(whole, "mlp").studies[0].ablation.arms if a.id == "best")  # type: ignore[union-attr]
    assert best.effect is not None
    assert best.effect.mean is not None
    for words in ("The best configuration beats the baseline", f"{best.effect.mean:+.3f}", "out of memory"):
        assert words in text, words


def test_csv_has_every_number_once(rows: list[dict[str, str]], whole: Store) -> None:
    key = [tuple(row[name] for name in COLUMNS if name != "value") for row in rows]
    assert [k for k, n in Counter(key).items() if n > 1] == []
    search, confirm = whole.load("mlp"), whole.load("mlp.ablation")
    curves = [row for row in rows if row["study"] == "mlp" and row["what"] == "curve"]
    assert len(curves) == sum(len(trial.curve) for trial in search.trials)
    assert {(r["trial"], r["state"]) for r in rows if r["study"] == "mlp"} == {
        (str(trial.number), trial.shown_state) for trial in search.trials
    }
    cells = {(r["arm"], r["seed"]) for r in rows if r["study"] == "mlp.ablation"}
    assert len(cells) == len(confirm.attrs["arms"]) * 5


def test_csv_has_no_score_of_what_did_not_complete(rows: list[dict[str, str]]) -> None:
    """The last report of a pruned trial is no result."""
    assert {row["state"] for row in rows if row["what"] == "metric"} == {"complete"}
    assert {row["state"] for row in rows} >= {"pruned", "failed", "diverged", "retried"}


def test_csv_has_the_scores_that_the_report_compares(rows: list[dict[str, str]], whole: Store) -> None:
    """Those recomputed from predictions, not those that a log told."""
    ablation = summarise(whole, "mlp").studies[0].ablation
    assert ablation is not None
    for arm in ablation.arms:
        told = {
            int(r["seed"]): float(r["value"])
            for r in rows
            if (r["study"], r["arm"], r["what"], r["name"])
            == ("mlp.ablation", arm.id, "metric", ablation.metric)
        }
        assert told == dict(arm.scores)


def test_csv_gives_a_shared_cell_to_each_of_its_arms_and_names_what_was_not_run(builder: Builder) -> None:
    hashes = {"baseline": "a", "best": "a", "x": "b"}
    arms = [{"id": id_, "label": id_, "changes": {}, "config_hash": hash_} for id_, hash_ in hashes.items()]
    study = builder.study("p", "confirm", arms=arms, seeds=[0, 1], reference="baseline")
    builder.row(
        study, values=[0.5], attrs={"arm_id": "baseline", "seed": 0, "config_hash": "a", "test/macro_f1": 0.4}
    )
    found = list(csv.DictReader(io.StringIO(render_csv(builder.store, summarise(builder.store, "p")))))
    scores = {(r["arm"], r["seed"]): r["value"] for r in found if r["name"] == "test/macro_f1"}
    assert scores == {("baseline", "0"): "0.4", ("best", "0"): "0.4"}
    not_run = {(r["arm"], r["seed"], r["what"]) for r in found if r["state"] == "not run"}
    assert not_run >= {("x", "0", "none"), ("x", "1", "none")}


def test_csv_reads_a_prefix_arm_from_the_report(builder: Builder) -> None:
    """It shares the rows of the longer arm, but none of their scores."""
    arms = [
        {
            "id": "e2",
            "label": "2 epochs",
            "changes": {},
            "config_hash": "a",
            "prefix": {"of": "e4", "epochs": 2},
        },
        {"id": "e4", "label": "4 epochs", "changes": {}, "config_hash": "a"},
    ]
    study = builder.study("t", "confirm", arms=arms, seeds=[0], reference="e4")
    builder.row(
        study, values=[0.5], attrs={"arm_id": "e4", "seed": 0, "config_hash": "a", "test/macro_f1": 0.4}
    )
    found = list(csv.DictReader(io.StringIO(render_csv(builder.store, summarise(builder.store, "t")))))
    assert not [r for r in found if r["arm"] == "e2" and r["name"] == "test/macro_f1" and r["value"] == "0.4"]


def test_json_is_strict(builder: Builder, tmp_path: Path) -> None:
    study = builder.study("s", "search")
    builder.row(study, values=[0.5], curve={1: 0.5}, attrs={"wall_s": float("inf")})

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    text = write_report(builder.store, "s", tmp_path / "s.json").read_text(encoding="utf-8")
    assert json.loads(text, parse_constant=refuse)["studies"][0]["name"] == "s"


def test_a_suffix_names_the_format_and_a_wrong_name_is_refused() -> None:
    assert [format_of(Path(name)) for name in ("a.md", "a.tex", "a.csv", "a.json", "a.html", "a.v2", "a")] == [
        "md", "tex", "csv", "json", "html", "html", "html",
    ]  # fmt: skip
    assert check_format("TEX") == "tex"
    with pytest.raises(UserError, match="'pdf' is no format"):
        check_format("pdf")


def test_two_searches_share_a_page_with_their_comparison(builder: Builder, tmp_path: Path) -> None:
    builder.search("a")
    builder.search("b")
    text = write_report(builder.store, ["a", "b"], tmp_path / "ab.md").read_text(encoding="utf-8")
    assert re.search(r"^## Comparison: a and b$", text, re.MULTILINE)
    assert "One run each" in text
