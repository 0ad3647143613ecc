"""``extend`` and ``replay``: what comes back to trials that have ended."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pokeopt.cli.options import (
    GpusPerTrial,
    Home,
    Json,
    Name,
    NoReport,
    Quiet,
    RayAddress,
    Storage,
    Timeout,
    Workers,
    at_least,
    default_home,
    number_or_auto,
    seconds,
    store_at,
)
from pokeopt.cli.output import console, error_line, print_facts, print_json, print_table, say
from pokeopt.cli.running import let_finish, screened
from pokeopt.cli.words import duration, plural, score

if TYPE_CHECKING:
    from pokeopt.continuing import ExtendResult
    from pokeopt.store import StudyView
    from pokeopt.study.replaying import Replay

MOST_SHOWN = 10


def extend(
    name: Name,
    epochs: Annotated[int, typer.Option(help="Epochs in all, from the first one on.", show_default=False)],
    top: Annotated[int, typer.Option(help="How many of the best trials.")] = 5,
    timeout: Timeout = None,
    workers: Workers = None,
    gpus_per_trial: GpusPerTrial = None,
    storage: Storage = None,
    home: Home = None,
    ray_address: RayAddress = None,
    no_report: NoReport = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> int:
    """Train the best trials of a search for more epochs.

    They are new trials of the study NAME.eEPOCHS, since scores of two budgets never mix. Each goes on from its
    checkpoint where that gives what so many epochs from the start would have given, else it starts again and
    the output says why. The same command resumes; a larger --top adds trials.
    """
    at_least("--epochs", epochs, 1)
    at_least("--top", top, 1)
    timeout_s = seconds("--timeout", timeout)
    n_workers = number_or_auto("--workers", workers, int, "a whole number")
    n_gpus = number_or_auto("--gpus-per-trial", gpus_per_trial, float, "a number")

    from pokeopt import continuing

    began = time.monotonic()
    with screened(quiet or as_json, in_process=n_workers == 0) as watch:
        result = continuing.extend(
            name,
            epochs=epochs,
            top=top,
            timeout_s=timeout_s,
            workers=n_workers,
            gpus_per_trial=n_gpus,
            storage=storage,
            home=home or default_home(),
            ray_address=ray_address,
            report=not no_report,
            watch=watch,
        )
        if result.run.stopped_by is not None:
            let_finish()
    parent = store_at(storage, home).load(result.parent, exact=True)
    if as_json:
        print_json(_extended_as_plain(result, parent))
    elif not quiet:
        _print_extended(result, parent, time.monotonic() - began)
    if result.run.exit_code == 1 and result.run.message:
        error_line(result.run.name, result.run.message, f"see pokeopt show {result.run.name}")
    return result.run.exit_code


def replay(
    name: Name,
    trial: Annotated[int, typer.Argument(metavar="TRIAL", help="Its number.", show_default=False)],
    storage: Storage = None,
    home: Home = None,
    as_json: Json = False,
) -> int:
    """Run one trial again and say whether it agrees.

    It is trained on the CPU with its own values, seeds and threads, and every number that was stored of it is
    compared bit for bit: each epoch, the final metrics, the predictions. Code, data, versions and device that
    are not as they were are named. Nothing is stored. Exit code 1 if a number differs.
    """
    from pokeopt import continuing

    with _epoch_counter(f"{name} {trial}") as heard:
        found = continuing.replay(name, trial, storage=storage, home=home or default_home(), heard=heard)
    if as_json:
        print_json({"agrees": found.agrees} | asdict(found))
    else:
        _print_replay(found)
    return 0 if found.agrees else 1


def _print_extended(result: ExtendResult, parent: StudyView, elapsed_s: float) -> None:
    from pokeopt.cli.summary import trial_counts

    run = result.run
    say()
    say(f"{run.name}: {trial_counts(run.search)}; this command took {duration(elapsed_s)}")
    rows = []
    for row in run.search.counted:
        old = parent.trials[row.attrs["extends"]]
        start = int(row.attrs.get("continued_from", 0))
        how = f"from epoch {start}" if start else "from the start"
        rows.append(
            [
                str(row.number),
                str(old.number),
                score(old.value),
                score(row.value) if row.state == "COMPLETE" else row.shown_state,
                str(row.attrs.get("best_step", "")),
                how,
            ]
        )
    columns = ["trial", f"{parent.name} trial", "score", f"score in {run.name}", "kept epoch", "trained"]
    print_table(columns, rows, right=columns[:5])
    for note in dict.fromkeys(one.note for one in result.continuations if one.note):
        numbers = [str(one.trial) for one in result.continuations if one.note == note]
        say(f"{'trials' if len(numbers) > 1 else 'trial'} {', '.join(numbers)}: {note}")
    for line in (*run.notes, run.message):
        if line:
            say(line)
    say()
    print_facts({"report": str(run.report_path)} if run.report_path else {})
    say(f"  pokeopt show {run.name}")


def _extended_as_plain(result: ExtendResult, parent: StudyView) -> dict[str, Any]:
    from pokeopt.cli.summary import trial_as_plain

    run = result.run
    return {
        "name": run.name,
        "parent": parent.name,
        "states": run.search.states(),
        "trials": [trial_as_plain(row) for row in run.search.counted],
        "continuations": [asdict(one) for one in result.continuations],
        "report": run.report_path,
        "stopped_by": run.stopped_by,
        "message": run.message,
        "exit_code": run.exit_code,
    }


@contextmanager
def _epoch_counter(label: str) -> Iterator[Callable[[int, int], None] | None]:
    """Show a bar of epochs while a replay runs, where somebody looks: on a terminal, and away from the result."""
    screen = console(sys.stderr)
    if not screen.is_terminal:
        yield None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=screen, transient=True, refresh_per_second=4) as bar:
        task = bar.add_task(label, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=max(done, total))


def _print_replay(found: Replay) -> None:
    compared = f"{plural(found.n_numbers, 'number')} of {plural(found.n_epochs, 'epoch')}"
    compared += " and the predictions" if found.has_predictions else ""
    if found.agrees:
        say(f"{found.study} {found.trial} agrees: {compared} are the same bit for bit")
    else:
        n, first = len(found.deviations), found.deviations[0]
        say(f"{found.study} {found.trial} differs in {n} of {compared}, first in: {first.what}")
    if found.differences:
        say()
        say("not as it was then:" if found.agrees else "not as it was then, and so a possible cause:")
        print_table(["what", "then", "now"], [[one.what, one.then, one.now] for one in found.differences])
    elif not found.agrees:
        say("code, data, versions and device are as they were")
    if found.deviations:
        say()
        shown = sorted(found.deviations, key=lambda one: -one.size)[:MOST_SHOWN]
        rows = [[one.what, _exact(one.stored), _exact(one.found)] for one in shown]
        print_table(["the largest differences", "stored", "now"], rows, right=("stored", "now"))


def _exact(value: float | None) -> str:
    return "-" if value is None else repr(value)
