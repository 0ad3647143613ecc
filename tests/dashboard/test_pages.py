"""The pages as a browser draws them: live, with the note and the plots, and without a button that is refused."""

from __future__ import annotations

import json
import re
import subprocess
import time
from pathlib import Path

import pytest

from pokeopt.api import write_report
from pokeopt.records import StopCause
from pokeopt.store import Store, open_store
from pokeopt.store.writing import StudyWriter
from tests.dashboard.serving import ask, served
from tests.report.conftest import Builder

WITHIN_S = 10.0
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
         "--disable-dev-shm-usage", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1")  # fmt: skip


def dom(chromium: str, url: str, profile: Path) -> str:
    """Return a page after its scripts ran."""
    command = [
        chromium,
        *FLAGS,
        "--virtual-time-budget=15000",
        f"--user-data-dir={profile}",
        "--dump-dom",
        url,
    ]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout


def offered(page: str) -> list[str]:
    """Return the texts of the buttons and cards that are left to press."""
    tags = re.findall(r"<(?:button|div)[^>]*>(?:<[^>]*>)*[^<]*", page)
    kept = [tag for tag in tags if "data-pokeopt-refused" not in tag]
    return [text for tag in kept if (text := re.sub(r"<[^>]*>", "", tag).strip())]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """One finished trial with a note, a picture and curves, and one that runs."""
    store = open_store(None, tmp_path / "state")
    attrs = {"kind": "search", "metrics": ["val/macro_f1"], "baseline": {"model.dropout": 0.2}}
    writer = StudyWriter(store, "mlp", ("maximize",), attrs)
    trial = writer.ask(None)
    trial.suggest_float("model.dropout", 0.4, 0.4)
    writer.record(trial, 1, 0.625)
    facts = {"best_step": 1, "epochs_run": 1, "test/macro_f1": 0.51, "wall_s": 2.5}
    png = bytes.fromhex("89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63f8cfc0"
                        "00000301010018dd8db00000000049454e44ae426082")  # fmt: skip
    writer.finish(trial, StopCause.BUDGET, (0.625,), facts, {"curves.json": b"{}", "worst.png": png})
    running = writer.ask(None)
    running.suggest_float("model.dropout", 0.1, 0.1)
    writer.record(running, 1, 0.25)
    return store


def test_an_epoch_is_on_the_page_within_ten_seconds(store: Store) -> None:
    """The page asks every few seconds, and optuna-dashboard keeps trials for some: together that may be too long."""
    with served(store) as url:
        ask(f"{url}/api/studies/1")  # fills its cache
        driver = StudyWriter(open_store(None, store.home), "mlp", ("maximize",))
        trial = driver.study.get_trials()[1]
        began = time.monotonic()
        driver.store.storage.set_trial_intermediate_value(trial._trial_id, 2, 0.5)
        seen: list[float] = []
        while 0.5 not in seen and time.monotonic() - began < WITHIN_S:
            time.sleep(0.5)
            trials = json.loads(ask(f"{url}/api/studies/1")[1])["trials"]
            assert trials[1]["state"] == "Running"
            seen = [report["value"] for report in trials[1]["intermediate_values"]]
        assert 0.5 in seen


@pytest.mark.slow
def test_the_page_of_a_trial_has_its_note_and_pictures(store: Store, chromium: str, tmp_path: Path) -> None:
    with served(store) as url:
        page = dom(chromium, f"{url}/dashboard/studies/1/trials?numbers=0", tmp_path / "profile")
        shown = re.findall(r'<img[^>]*src="([^"]*)"', page)
        images = [path for path in shown if path.startswith("/artifacts/")]
        assert [ask(url + path)[0] for path in images] == [200]
    assert "val/macro_f1 <strong>0.625</strong>, read at epoch 1." in page
    assert "<td>model.dropout</td><td>0.2</td><td>0.4</td>" in re.sub(r"<td[^>]*>", "<td>", page).replace(
        "\n", ""
    )
    assert "worst.png" in page
    assert "curves.json" in page


@pytest.mark.slow
def test_a_read_only_page_offers_nothing_that_is_refused(store: Store, chromium: str, tmp_path: Path) -> None:
    places = ["/dashboard", "/dashboard/studies/1/trials?numbers=0", "/dashboard/studies/1/trials?numbers=1"]
    with served(store) as url:
        pages = [dom(chromium, url + place, tmp_path / "profile") for place in places]
    for page in pages:
        assert "Read-only. Start it with --allow-writes" in page
        assert not {"Create", "Fail Trial", "Upload a New File"} & set(offered(page))
    assert "Reload" in offered(pages[0]), "what reads stays"
    with served(store, allow_writes=True) as url:
        writable = [dom(chromium, url + place, tmp_path / "profile") for place in places]
    assert not any("Read-only." in page for page in writable)
    assert "Create" in offered(writable[0]), "else the names of the buttons changed, and nothing is hidden"
    assert "Upload a New File" in writable[2], "a running trial takes files"
    assert 'data-testid="EditIcon"' in writable[1]
    assert 'aria-label="delete study"' in writable[0]
    assert "Fail Trial" in offered(writable[2])


@pytest.mark.slow
def test_the_page_of_a_study_draws_our_plots(chromium: str, tmp_path: Path) -> None:
    store = open_store(home=tmp_path / ".pokeopt")
    made = Builder(store)
    made.search()
    made.confirm()
    write_report(store, ["mlp"], tmp_path / "mlp.html")
    study_id = store.study("mlp")._study_id
    with served(store) as url:
        page = dom(chromium, f"{url}/dashboard/studies/{study_id}", tmp_path / "profile")
        note = dom(chromium, f"{url}/dashboard/studies/{study_id}/note", tmp_path / "profile")
    assert "Effect on test macro-F1 against the baseline" in page
    assert "by epoch" in page
    assert "mlp.html" in page, "the report, as a file of the study"
    assert "Written by pokeopt with the report" in note
