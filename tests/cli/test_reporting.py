"""``report`` and ``compare``: what may be typed, where it lands, what is said of what is not there."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from pokeopt.records import StopCause
from pokeopt.store import open_store
from pokeopt.store.writing import StudyWriter
from tests.cli.conftest import ARMS, Run


@pytest.fixture
def plans(tmp_path: Path, home: Path) -> Path:
    """A folder of three plans: one was run, of one only the quick run is there, one was not run."""
    folder = tmp_path / "studies" / "001"
    folder.mkdir(parents=True)
    for stem, name in (("t1-crop", None), ("t2-depth", "depth"), ("t3-mix", None)):
        (folder / f"{stem}.yaml").write_text(f"name: {name}\n" if name else "seeds: 3\n")
    store = open_store(None, home)
    for name in ("t1-crop", "depth.quick"):
        attrs = {
            "kind": "confirm",
            "metrics": ["val/macro_f1"],
            "arms": ARMS,
            "seeds": [0],
            "reference": "baseline",
        }
        StudyWriter(store, name, ("maximize",), attrs)
    return folder


@pytest.mark.parametrize("kind", ["html", "md", "tex", "csv", "json"])
def test_each_format_has_its_file(run: Run, home: Path, kind: str) -> None:
    code, out, err = run("report", "mlp", "--format", kind, "--home", str(home))
    assert (code, out.strip(), err) == (0, f"reports/mlp.{kind}", "")
    text = Path(f"reports/mlp.{kind}").read_text(encoding="utf-8")
    if kind == "json":
        assert json.loads(text)["studies"][0]["name"] == "mlp"
    elif kind == "csv":
        assert {row["study"] for row in csv.DictReader(text.splitlines())} == {"mlp", "mlp.ablation"}
    else:
        assert "0.720" in text, "the mean of the best arm"


def test_the_suffix_decides_where_no_format_is_given(run: Run, home: Path) -> None:
    assert run("report", "mlp", "-o", "out/r.md", "--home", str(home))[0] == 0
    assert Path("out/r.md").read_text(encoding="utf-8").startswith("# mlp\n")


def test_a_wrong_format_writes_nothing(run: Run, home: Path) -> None:
    code, _, err = run("report", "mlp", "--format", "pdf", "--home", str(home))
    assert code == 2
    assert err.strip().endswith("give one of html, md, tex, csv, json")
    assert not Path("reports").exists()


def test_a_folder_stands_for_its_plans(run: Run, home: Path, plans: Path) -> None:
    code, out, err = run("report", str(plans), "--format", "json", "--home", str(home))
    assert (code, out.strip()) == (0, "reports/001.json")
    named = [study["name"] for study in json.loads(Path("reports/001.json").read_text())["studies"]]
    assert named == ["t1-crop", "depth.quick"], "the quick run where there is no other"
    assert err.strip() == f"note: {plans / 't3-mix.yaml'} has not been run, so it is not in the report"


def test_a_file_stands_for_its_study(run: Run, home: Path, plans: Path) -> None:
    code, out, _ = run("report", str(plans / "t2-depth.yaml"), "--format", "json", "--home", str(home))
    assert (code, out.strip()) == (0, "reports/depth.quick.json")


@pytest.mark.parametrize(
    ("word", "what"),
    [
        ("studies/001/t3-mix.yaml", "it has not been run"),
        ("studies/001/t9.yaml", "there is no such file"),
        ("studies", "there is no .yaml file in this folder"),
        ("mlq", "did you mean 'mlp'"),
    ],
)
def test_what_is_not_there_is_one_line(run: Run, home: Path, plans: Path, word: str, what: str) -> None:
    code, out, err = run("report", word, "--home", str(home))
    assert (code, out) == (2, "")
    assert what in err
    assert len(err.splitlines()) == 1


def test_many_names_make_a_file_name_that_a_disk_takes(run: Run, home: Path) -> None:
    store = open_store(None, home)
    names = [f"a-study-with-quite-a-long-name-{i}" for i in range(12)]
    for name in names:
        StudyWriter(store, name, ("maximize",), {"kind": "search", "metrics": ["val/macro_f1"]})
    code, out, _ = run("report", *names, "--format", "csv", "--home", str(home))
    assert (code, out.strip()) == (0, f"reports/{names[0]}+11.csv")


def test_compare(run: Run, home: Path) -> None:
    store = open_store(None, home)
    attrs = {
        "kind": "confirm",
        "metrics": ["val/macro_f1"],
        "arms": ARMS,
        "seeds": [0, 1, 2],
        "reference": "baseline",
    }
    writer = StudyWriter(store, "again", ("maximize",), attrs)
    for seed in range(3):
        trial = writer.ask(None)
        score = 0.4 + 0.011 * seed
        facts = {"arm_id": "baseline", "seed": seed, "config_hash": "a", "test/macro_f1": score}
        writer.finish(trial, StopCause.BUDGET, (score,), facts, {})
    code, out, err = run("compare", "mlp", "again", "--home", str(home))
    assert (code, err) == (0, "")
    assert "search.trials" in out
    line = next(line for line in out.splitlines() if line.startswith("baseline "))
    # differences -0.100, -0.099, -0.098: mean -0.099, t interval 4.303 * 0.001 / sqrt(3)
    assert "[-0.1015, -0.0965]" in line
    assert line.endswith("3 common seeds, paired  settled")
    assert "Test macro-F1 is lower in again for “baseline” by 0.0990 [0.0965, 0.1015]" in out
    told = json.loads(run("compare", "mlp", "again", "--json", "--home", str(home))[1])
    assert told["arms"][0]["difference"]["mean"] == pytest.approx(-0.099)
    assert (
        run("compare", "mlp", "again", "-o", "both.md", "--home", str(home))[1].splitlines()[-1] == "both.md"
    )
    assert "## Comparison: mlp and again" in Path("both.md").read_text(encoding="utf-8")


def test_compare_with_what_is_not_there(run: Run, home: Path) -> None:
    code, out, err = run("compare", "mlp", "mlp.ablation", "--home", str(home))
    assert (code, out) == (2, "")
    assert err.startswith("error: mlp: mlp.ablation is a part of mlp;")
