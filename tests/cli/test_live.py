"""The live view: one block on a terminal, plain lines elsewhere."""

from __future__ import annotations

import io
import re
import time

import pytest
from rich.console import Console

from pokeopt.cli.live import MAX_RUNNING, block, is_plain, live_view, plain_line
from pokeopt.study.progress import Best, Progress, Running

RUNNING = Running(14, "", 5, 20, 0.6123, 12.0)
NOW = Progress(
    study="mlp",
    phase="search",
    metric="val/macro_f1",
    budget=24,
    done=14,
    states={"complete": 10, "pruned": 3, "diverged": 1},
    best=Best(
        9,
        0.8731,
        {
            "data.preprocess": "crop",
            "model.width.0": 512,
            "model.width.1": 98,
            "training.learning_rate": 0.003123,
        },
    ),
    running=(RUNNING,),
    elapsed_s=200,
    eta_s=130,
)


def terminal(width: int = 100) -> Console:
    return Console(file=io.StringIO(), force_terminal=True, width=width, color_system=None, _environ={})


def drawn(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", console.file.getvalue())


def test_the_block_says_all_that_matters() -> None:
    console = terminal()
    console.print(block(NOW))
    text = drawn(console)
    for part in (
        "14/24",
        "3m 20s",
        "about 2m 10s left",
        "0.873",
        "trial 9",
        "data.preprocess crop",
        "model.width [512, 98]",
        "0.003123",
    ):
        assert part in text
    for part in ("10 complete", "3 pruned", "1 diverged", "1 running", "5/20", "0.612"):
        assert part in text


def test_before_anything_has_ended() -> None:
    console = terminal()
    console.print(block(Progress("mlp", "search", "val/macro_f1", 24, 0, note="starting Ray")))
    text = drawn(console)
    assert "starting Ray" in text
    assert "left" not in text
    assert "best" not in text


def test_many_running_trials_do_not_fill_the_screen() -> None:
    many = Progress("mlp", "search", "val/macro_f1", 99, 0, running=(RUNNING,) * 50)
    console = terminal()
    console.print(block(many))
    text = drawn(console)
    assert text.count("5/20") == MAX_RUNNING
    assert "and 42 more" in text


def test_names_are_no_markup() -> None:
    """A label like [256, 128] must not be read as a style."""
    cell = Running(3, "model.width=[256,128] seed 2", 1, 2, None, 1.0)
    console = terminal()
    console.print(block(Progress("m[red]", "confirm", "val/macro_f1", 10, 3, running=(cell,))))
    text = drawn(console)
    assert "model.width=[256,128] seed 2" in text
    assert "m[red]" in text


def test_a_pipe_gets_lines_without_escapes() -> None:
    console = Console(file=io.StringIO(), width=100, _environ={})
    done = iter(range(1, 1000))
    with live_view(lambda: Progress("mlp", "search", "val/macro_f1", 24, next(done)), console):
        time.sleep(0.4)
    text = drawn(console)
    assert isinstance(console.file, io.StringIO)
    assert "\x1b" not in console.file.getvalue()
    assert 2 <= len(text.splitlines()) <= 3, "one at the start, one at the end: not one for every look"


def test_lines_repeat_only_what_is_new() -> None:
    console = Console(file=io.StringIO(), width=100, _environ={})
    with live_view(lambda: NOW, console):
        time.sleep(0.6)
    assert drawn(console).splitlines() == [plain_line(NOW)]


def test_a_terminal_is_redrawn_in_place() -> None:
    console = terminal()
    with live_view(lambda: NOW, console):
        time.sleep(0.5)
    assert drawn(console).count("mlp") <= 6, "at most 4 times a second, and once at the end"


@pytest.mark.parametrize(("variable", "value"), [("CI", "true"), ("TERM", "dumb")])
def test_plain_in_ci_and_on_dumb_terminals(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    assert not is_plain(terminal())
    monkeypatch.setenv(variable, value)
    assert is_plain(Console(file=io.StringIO(), force_terminal=True, width=100))


def test_no_color_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    console = Console(file=io.StringIO(), force_terminal=True, width=100)
    console.print(block(NOW))
    assert isinstance(console.file, io.StringIO)
    assert not re.search(r"\x1b\[[0-9;]*(3[0-7]|38;|9[0-7])", console.file.getvalue())
