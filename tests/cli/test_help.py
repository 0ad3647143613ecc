"""Every command says what it does, and its example can be typed."""

from __future__ import annotations

import shlex
from typing import Any

import pytest
import typer

from pokeopt.cli.app import DATA_EXAMPLES, EXAMPLES, app
from tests.cli.conftest import Run

COMMANDS = {
    function.__name__.rstrip("_").replace("_", "-"): example for function, example in EXAMPLES.items()
}
COMMANDS |= {f"data {function.__name__.rstrip('_')}": example for function, example in DATA_EXAMPLES.items()}


@pytest.mark.parametrize("name", COMMANDS)
def test_help_ends_with_an_example(run: Run, name: str) -> None:
    code, out, err = run(*name.split(), "--help")
    assert (code, err) == (0, "")
    assert out.rstrip().splitlines()[-1].strip() == COMMANDS[name]
    assert COMMANDS[name].startswith(f"pokeopt {name} ") or COMMANDS[name] == f"pokeopt {name}"


def test_a_group_of_commands_ends_with_an_example_of_one(run: Run) -> None:
    code, out, _ = run("data", "--help")
    assert code == 0
    assert out.rstrip().splitlines()[-1].strip() in DATA_EXAMPLES.values()


@pytest.mark.parametrize("name", COMMANDS)
def test_example_parses(name: str) -> None:
    """An option that was renamed must not live on in an example."""
    words = shlex.split(COMMANDS[name])[1:]
    command: Any = typer.main.get_command(app)
    while hasattr(command, "commands"):
        command = command.commands[words.pop(0)]
    assert command.make_context(name, words).command is command  # a word that it does not know raises


@pytest.mark.parametrize("name", COMMANDS)
def test_first_line_is_a_sentence_with_a_verb_first(name: str) -> None:
    command: Any = typer.main.get_command(app)
    for word in name.split():
        command = command.commands[word]
    first = command.help.splitlines()[0]
    assert first[0].isupper()
    assert first.endswith(".")
    assert len(first) <= 66, "it would be cut in the list of commands"


def test_no_arguments_show_the_commands(run: Run) -> None:
    _, out, err = run()
    assert "Commands:" in out + err


def test_version(run: Run) -> None:
    code, out, _ = run("--version")
    assert code == 0
    assert out.startswith("pokeopt ")
