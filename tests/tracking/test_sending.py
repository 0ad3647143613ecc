"""A tracker is off the critical path: whatever it does, the study is the same, and its end says what was lost."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pokeopt import api
from pokeopt.errors import SpecError, UserError
from pokeopt.records import EpochRecord, StopCause
from pokeopt.registry import TRACKERS, import_plugins
from pokeopt.spec import load_study
from pokeopt.study.events import EpochEnded, StudyBegan, TrialBegan, TrialEnded
from pokeopt.tracking import sending
from pokeopt.tracking.sending import Sender
from tests.tracking.conftest import TROUBLED, write_space

Search = Callable[..., api.RunResult]
STATES = {"complete": 1, "diverged": 1, "failed": 1}


@pytest.mark.parametrize("mode", ["connect", "begin", "end", "exit"])
def test_a_broken_tracker_hurts_nothing(mode: str, search: Search) -> None:
    result = search(f"{{troubled: {{mode: {mode}}}}}")
    assert result.exit_code == 0
    assert result.search.states() == STATES
    (note,) = [note for note in result.notes if note.startswith("troubled: ")]
    assert "messages were not sent" in note
    assert ("SystemExit: 3" if mode == "exit" else f"ConnectionError: cannot {mode}") in note


def test_a_tracker_that_hangs_is_left_behind(search: Search, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "CLOSE_S", 0.5)
    began = time.monotonic()
    result = search("{troubled: {mode: hang}}")
    assert result.search.states() == STATES
    assert any("were still waiting at the end" in note for note in result.notes), result.notes
    assert time.monotonic() - began < 60


def test_a_broken_tracker_does_not_hurt_the_next(search: Search, tmp_path: Path) -> None:
    search("{troubled: {mode: begin}}, {troubled: {mode: fine}}")
    assert (tmp_path / "troubled" / "0.txt").read_text() == "1 2 3"


def test_epochs_that_were_not_sent_come_with_the_trials_end(search: Search, tmp_path: Path) -> None:
    """A tracker that is away for a while has the whole curve in the end; nothing was lost, so nothing is said."""
    result = search("{troubled: {mode: log}}", trials=1)
    assert (tmp_path / "troubled" / "0.txt").read_text() == "1 2 3"
    assert not [note for note in result.notes if note.startswith("troubled")]


def test_a_slow_tracker_holds_nobody_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "MOST_WAITING", 50)
    monkeypatch.setattr(sending, "MOST_BYTES", 1000)
    import_plugins([str(TROUBLED)])

    def connect() -> object:
        time.sleep(1)  # everything below is queued before it is there
        return TRACKERS.make("troubled").connect(tmp_path)

    sender = Sender("troubled", connect)  # type: ignore[arg-type]
    began = time.monotonic()
    sender.send(StudyBegan("tiny", "key", {}))
    sender.send(TrialBegan("tiny", 0, "", {}, {}))
    curve = tuple(EpochRecord(step=step) for step in range(1, 1001))
    for record in curve:
        sender.send(EpochEnded("tiny", 0, record))
    for number in (0, 1):
        sender.send(TrialBegan("tiny", number, "", {}, {}))
        sender.send(TrialEnded("tiny", number, StopCause.BUDGET, curve, files={"big": bytes(600)}))
    assert time.monotonic() - began < 0.5
    note = sender.close(time.monotonic() + 30)
    assert (tmp_path / "troubled" / "0.txt").read_text().split() == [str(record.step) for record in curve]
    assert note is not None
    assert "1 files were left out because it was too slow" in note, "the second one's; the first fits"


def test_an_unknown_tracker_is_refused_with_the_nearest_name(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"no tracker is called 'mlfow'.*did you mean 'mlflow'"):
        load_study(write_space(tmp_path, "mlfow"))


def test_a_setting_is_checked(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"'wandb' has no key 'projekt'.*did you mean 'project'"):
        load_study(write_space(tmp_path, "{wandb: {projekt: mine}}"))


def test_what_is_not_installed_is_said_before_anything_is_written(search: Search, tmp_path: Path) -> None:
    with pytest.raises(
        UserError, match=r"no_package_is_called_so, which is not installed; pip install 'pokeopt\["
    ):
        search("homeless")
    assert not (tmp_path / "pokeopt.db").exists()


@pytest.mark.parametrize("name", ["mlflow", "wandb", "tensorboard"])
def test_the_page_names_every_setting(name: str) -> None:
    page = (Path(__file__).parents[2] / "docs" / "tracking.md").read_text(encoding="utf-8")
    (row,) = [line for line in page.splitlines() if line.startswith(f"| `{name}` |")]
    assert [setting for setting in TRACKERS.settings(name) if f"`{setting}`" not in row] == []
