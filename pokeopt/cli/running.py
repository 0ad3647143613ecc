"""``run`` and ``plan``: from a file to a study, and from a file to what it would cost."""

from __future__ import annotations

import signal
import time
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pokeopt.cli.options import (
    Home,
    Json,
    Sets,
    Space,
    Storage,
    at_least,
    default_home,
    number_or_auto,
    seconds,
    store_at,
)
from pokeopt.cli.output import console, error_line, print_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from pokeopt.study.progress import Progress


def run(
    ctx: typer.Context,
    space: Space,
    trials: Annotated[
        int | None, typer.Option(help="Trials in total, those of earlier launches included.")
    ] = None,
    timeout: Annotated[
        str | None, typer.Option(metavar="TIME", help="Stop cleanly after 90s, 30m or 2h.")
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="Epochs of each trial.")] = None,
    workers: Annotated[
        str | None,
        typer.Option(
            metavar="N", help="Trials at a time; 0 runs them in this process, auto fills the machine."
        ),
    ] = None,
    gpus_per_trial: Annotated[
        str | None, typer.Option(metavar="SHARE", help="Share of a GPU for each trial, like 0.25; or auto.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the search.")] = None,
    name: Annotated[
        str | None, typer.Option(help="Name of the study.", show_default="the file's stem")
    ] = None,
    storage: Storage = None,
    home: Home = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Start NAME-2 instead of resuming; nothing is deleted.")
    ] = False,
    warm_start: Annotated[
        str | None, typer.Option(metavar="NAME", help="Try the 5 best configurations of that study first.")
    ] = None,
    sets: Sets = None,
    ray_address: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Use a running Ray cluster.")
    ] = None,
    track: Annotated[
        list[str] | None,
        typer.Option(metavar="TRACKER", help="Also send to a tracker; may be repeated.", show_default=False),
    ] = None,
    no_ablation: Annotated[bool, typer.Option("--no-ablation", help="Leave out the confirm study.")] = False,
    no_report: Annotated[bool, typer.Option("--no-report", help="Write no report.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
    as_json: Json = False,
) -> int:
    """Search, confirm from the baseline to the best, and report.

    The search finds good values; the confirm study (`ablation:` in the file) runs the baseline, the best and
    what lies between them again with common seeds; one report is written over both. The same command resumes
    a study that was stopped or killed; no flag is needed.
    """
    began = time.monotonic()
    at_least("--trials", trials, 1)
    at_least("--epochs", epochs, 0)
    timeout_s = seconds("--timeout", timeout)
    n_workers = number_or_auto("--workers", workers, int, "a whole number")
    n_gpus = number_or_auto("--gpus-per-trial", gpus_per_trial, float, "a number")

    from pokeopt import api
    from pokeopt.cli.live import live_view, waiting
    from pokeopt.cli.streams import quiet_libraries
    from pokeopt.cli.summary import as_plain, print_summary

    in_process = n_workers == 0  # the user's own code runs here and may print, or stop in a debugger
    with nullcontext() if in_process else quiet_libraries() as terminal:
        screen = console(terminal)
        is_silent = quiet or as_json
        pauses = None if is_silent else waiting(screen)

        def watch(progress: Callable[[], Progress]) -> AbstractContextManager[None]:
            if is_silent:
                return nullcontext()
            return live_view(progress, screen, pauses, captures_prints=in_process)

        with pauses or nullcontext():
            result = api.run(
                space,
                sets=tuple(sets or ()),
                trials=trials,
                timeout_s=timeout_s,
                epochs=epochs,
                workers=n_workers,
                gpus_per_trial=n_gpus,
                seed=seed,
                name=name,
                storage=storage,
                home=home or default_home(),
                fresh=fresh,
                warm_start=warm_start,
                ray_address=ray_address,
                track=tuple(track or ()),
                ablation=not no_ablation,
                report=not no_report,
                watch=watch,
            )
            if result.stopped_by is not None:
                # what was asked for has happened: a second Ctrl-C shall not cut the last words short
                for number in (signal.SIGINT, signal.SIGTERM):
                    signal.signal(number, signal.SIG_IGN)
    store = store_at(storage, home)
    if as_json:
        print_json(as_plain(result, store))
    elif not quiet:
        place = ["--storage", storage] if storage else []
        place += ["--home", str(home)] if home else []
        print_summary(result, store, time.monotonic() - began, ctx.obj, place)
    if result.exit_code == 1 and result.message:
        error_line(result.name, result.message, f"see pokeopt show {result.name}")
    return result.exit_code


def plan(
    space: Annotated[
        Path, typer.Argument(metavar="FILE.yaml", help="The search-space file.", show_default=False)
    ],
    measure: Annotated[
        bool, typer.Option("--measure", help="Time about 20 batches of a few configurations.")
    ] = False,
    sets: Sets = None,
    storage: Storage = None,
    home: Home = None,
    as_json: Json = False,
) -> int:
    """Check a file and say what running it would take.

    Prints parameters, trials, cells, model sizes and time. Nothing is trained but what --measure times;
    the image cache is filled.
    """
    from pokeopt.cli.planned import print_plan
    from pokeopt.study.planning import make_plan

    planned = make_plan(space, sets=sets or (), storage=storage, home=home or default_home(), measure=measure)
    if as_json:
        print_json(planned.as_dict())
    else:
        print_plan(planned)
    return 0
