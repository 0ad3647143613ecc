"""``run`` and ``plan``: from a file to a study, and from a file to what it would cost."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pokeopt.cli.options import (
    Base,
    Fidelity,
    GpusPerTrial,
    Home,
    Json,
    NoReport,
    Quiet,
    RayAddress,
    Seeds,
    Sets,
    Space,
    Storage,
    Timeout,
    Workers,
    at_least,
    default_home,
    number_or_auto,
    seconds,
    store_at,
)
from pokeopt.cli.output import console, error_line, print_json
from pokeopt.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pokeopt.study.launch import Watch
    from pokeopt.study.progress import Progress


def run(
    ctx: typer.Context,
    space: Space,
    trials: Annotated[
        int | None, typer.Option(help="Trials in total, those of earlier launches included.")
    ] = None,
    timeout: Timeout = None,
    epochs: Annotated[int | None, typer.Option(help="Epochs of each trial.")] = None,
    workers: Workers = None,
    gpus_per_trial: GpusPerTrial = None,
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
    ray_address: RayAddress = None,
    track: Annotated[
        list[str] | None,
        typer.Option(metavar="TRACKER", help="Also send to a tracker; may be repeated.", show_default=False),
    ] = None,
    no_ablation: Annotated[bool, typer.Option("--no-ablation", help="Leave out the confirm study.")] = False,
    no_report: NoReport = False,
    quiet: Quiet = False,
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
    from pokeopt.cli.summary import as_plain, print_summary

    with screened(quiet or as_json, in_process=n_workers == 0) as watch:
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
            let_finish()
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


def ablate(
    ctx: typer.Context,
    plans: Annotated[
        list[Path] | None,
        typer.Argument(metavar="PLAN.yaml...", help="Plans, or folders of them.", show_default=False),
    ] = None,
    study: Annotated[
        str | None, typer.Option(metavar="NAME", help="Enumerate the arms from this search instead.")
    ] = None,
    mode: Annotated[
        str | None,
        typer.Option(
            metavar="MODE",
            help="With --study: one-at-a-time, leave-one-out or path.",
            show_default="its file's",
        ),
    ] = None,
    top: Annotated[
        int | None, typer.Option(help="With --study: keep so many factors.", show_default="its file's")
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="The plans' quick setting: a smoke run, no verdicts.")
    ] = False,
    seeds: Seeds = None,
    base: Base = None,
    fidelity: Fidelity = None,
    sets: Sets = None,
    timeout: Timeout = None,
    workers: Workers = None,
    gpus_per_trial: GpusPerTrial = None,
    storage: Storage = None,
    home: Home = None,
    ray_address: RayAddress = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="The report.", show_default="reports/NAME.html"),
    ] = None,
    no_report: NoReport = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> int:
    """Run the missing (arm, seed) cells of ablation plans and report.

    Every arm is trained with the same seeds, in full and without pruning; the plan's claims get a verdict each.
    With --study the arms between a search's baseline and best are enumerated. Exit code 1 if a cell has no result.
    """
    at_least("--seeds", seeds, 1)
    at_least("--top", top, 1)
    timeout_s = seconds("--timeout", timeout)
    n_workers = number_or_auto("--workers", workers, int, "a whole number")
    n_gpus = number_or_auto("--gpus-per-trial", gpus_per_trial, float, "a number")

    from pokeopt import api
    from pokeopt.cli.ablated import ablated_as_plain, print_ablated

    began = time.monotonic()
    with screened(quiet or as_json, in_process=n_workers == 0) as watch:
        result = api.ablate(
            tuple(plans or ()),
            study=study,
            mode=mode,
            top=top,
            quick=quick,
            seeds=seeds,
            base=base,
            fidelity=fidelity,
            sets=tuple(sets or ()),
            timeout_s=timeout_s,
            workers=n_workers,
            gpus_per_trial=n_gpus,
            storage=storage,
            home=home or default_home(),
            ray_address=ray_address,
            report=not no_report,
            output=output,
            watch=watch,
        )
        if result.stopped_by is not None:
            let_finish()
    store = store_at(storage, home)
    if as_json:
        print_json(ablated_as_plain(result, store))
    elif not quiet:
        print_ablated(result, store, time.monotonic() - began, ctx.obj)
    if result.exit_code == 1:
        what = result.message or f"{result.n_holes} declared cells have no result"
        name = result.views[0].name if result.views else "ablate"
        error_line(name, what, f"see pokeopt show {name}")
    return result.exit_code


@contextmanager
def screened(is_silent: bool, *, in_process: bool) -> Iterator[Watch]:
    """Give a run the terminal: libraries are kept quiet, and each study is watched in a live block."""
    from pokeopt.cli.live import live_view, waiting
    from pokeopt.cli.streams import quiet_libraries

    # in this process the user's own code may print, or stop in a debugger
    with nullcontext() if in_process else quiet_libraries() as terminal:
        screen = console(terminal)
        pauses = None if is_silent else waiting(screen)

        def watch(progress: Callable[[], Progress]) -> AbstractContextManager[None]:
            if is_silent:
                return nullcontext()
            return live_view(progress, screen, pauses, captures_prints=in_process)

        with pauses or nullcontext():
            yield watch


def let_finish() -> None:
    """Ignore further signals: what was asked for has happened, and the last words shall not be cut short."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def plan(
    space: Annotated[
        Path,
        typer.Argument(
            metavar="FILE.yaml", help="The search-space file, or an ablation plan.", show_default=False
        ),
    ],
    measure: Annotated[
        bool, typer.Option("--measure", help="Time about 20 batches of a few configurations.")
    ] = False,
    quick: Annotated[bool, typer.Option("--quick", help="Of an ablation plan: its quick setting.")] = False,
    seeds: Seeds = None,
    base: Base = None,
    fidelity: Fidelity = None,
    sets: Sets = None,
    storage: Storage = None,
    home: Home = None,
    as_json: Json = False,
) -> int:
    """Check a file and say what running it would take.

    Prints parameters, trials, arms, cells, model sizes and time. Nothing is trained but what --measure times;
    the image cache is filled. --quick, --seeds, --base and --fidelity are of an ablation plan.
    """
    at_least("--seeds", seeds, 1)
    from pokeopt.cli.planned import print_ablation_plan, print_plan
    from pokeopt.spec.plan import is_plan

    where = home or default_home()
    if is_plan(space):
        from pokeopt.study.planning_cells import plan_ablation

        asked = plan_ablation(
            space,
            quick=quick,
            seeds=seeds,
            base=base,
            fidelity=fidelity,
            sets=sets or (),
            storage=storage,
            home=where,
            measure=measure,
        )
        print_json(asked.as_dict()) if as_json else print_ablation_plan(asked)
        return 0
    of_plans = {"--quick": quick or None, "--seeds": seeds, "--base": base, "--fidelity": fidelity}
    for option, value in of_plans.items():
        if value is not None:
            raise UserError(
                option, f"{space} is a search-space file", "give an ablation plan, or leave it out"
            )
    from pokeopt.study.planning import make_plan

    planned = make_plan(space, sets=sets or (), storage=storage, home=where, measure=measure)
    print_json(planned.as_dict()) if as_json else print_plan(planned)
    return 0
