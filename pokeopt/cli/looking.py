"""``list``, ``show``, ``best``, ``report``, ``dashboard``: what is there, read from the store."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pokeopt.cli.completion import study_names
from pokeopt.cli.options import Home, Json, Name, Storage, store_at
from pokeopt.cli.output import print_facts, print_json, print_table, say, warn
from pokeopt.cli.words import ago, counts, duration, moment, score, setting, settings
from pokeopt.errors import StoreError, UserError

if TYPE_CHECKING:
    from pokeopt.store import Store, StudyView, TrialRow

MAX_CHANGED = 3


def list_(storage: Storage = None, home: Home = None, as_json: Json = False) -> int:
    """List the studies of the store, oldest first."""
    from pokeopt.cli.summary import trial_as_plain

    store = store_at(storage, home)
    views = [_exactly(store, name) for name in store.names()]
    if as_json:
        print_json(
            [
                _study_as_plain(view) | {"best": trial_as_plain(view.best) if view.best else None}
                for view in views
            ]
        )
        return 0
    if not views:
        say(f"no study yet in {store.file or store.url}; pokeopt run SPACE.yaml makes one")
        return 0
    rows = []
    for view in views:
        best = score(view.best.value) if view.best and view.kind == "search" else ""
        rows.append(
            [
                view.name,
                view.kind,
                str(len(view.counted)),
                best,
                view.metrics[0],
                moment(view.created),
                ago(view.last_active),
                counts(view.states()),
            ]
        )
    columns = ["name", "kind", "trials", "best", "metric", "started", "last active", "states"]
    print_table(columns, rows, right=("trials", "best"))
    return 0


def show(
    name: Name,
    trial: Annotated[
        int | None, typer.Argument(metavar="[TRIAL]", help="One trial, by number.", show_default=False)
    ] = None,
    storage: Storage = None,
    home: Home = None,
    as_json: Json = False,
) -> int:
    """Show a study, or everything stored of one trial."""
    from pokeopt.cli.summary import print_effects, trial_as_plain
    from pokeopt.report.confirm import summarise_confirm

    store = store_at(storage, home)
    view = store.load(name)
    if trial is not None:
        row = _row(view, trial)
        if as_json:
            print_json(trial_as_plain(row))
        else:
            _print_trial(store, view, row)
        return 0
    if as_json:
        print_json(_study_as_plain(view) | {"trials": [trial_as_plain(row) for row in view.trials]})
        return 0
    _print_study(view)
    if view.kind == "confirm":
        say()
        print_effects(summarise_confirm(store, view))
    return 0


def best(name: Name, storage: Storage = None, home: Home = None, as_json: Json = False) -> int:
    """Show the best trial and what it changes.

    Exit code 1 if no trial is complete yet.
    """
    from pokeopt.cli.summary import print_changes, score_line, trial_as_plain

    view = store_at(storage, home).load(name)
    if view.kind != "search":
        parent = view.attrs.get("parent", "its parent")
        what = "a confirm study has arms, not a best trial"
        raise UserError(view.name, what, f"see pokeopt show {view.name}, or pokeopt best {parent}")
    row = view.best
    if row is None:
        found = counts(view.states())
        what = f"no trial is complete ({found})" if found else "it has no trial yet"
        raise StoreError(view.name, what, f"see pokeopt show {view.name}")
    if as_json:
        print_json({"study": view.name} | trial_as_plain(row))
        return 0
    say(f"{view.name} trial {row.number}: {score_line(view, row)}")
    print_changes(view, row)
    return 0


def report(
    names: Annotated[
        list[str],
        typer.Argument(
            metavar="NAME...",
            help="Studies, plans, or a folder of plans; two are compared.",
            show_default=False,
            autocompletion=study_names,
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Where to write.", show_default="reports/NAME.html"
        ),
    ] = None,
    format_: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="FORMAT",
            help="html, md, tex, csv or json.",
            show_default="by FILE's suffix, else html",
        ),
    ] = None,
    storage: Storage = None,
    home: Home = None,
) -> int:
    """Write a report on studies as one HTML file.

    A search includes its confirm study. The file needs no network. md and tex hold the same as text and tables,
    csv every number in the long form, json what the report says as values.
    """
    from pokeopt.cli.names import studies_asked
    from pokeopt.report.write import check_format, format_of, write_report

    store = store_at(storage, home)
    kind = check_format(format_) if format_ is not None else format_of(output or Path())
    asked = studies_asked(store, names)
    path = write_report(store, asked.names, output or Path("reports") / f"{asked.title}.{kind}", kind)
    say(str(path))
    for file in asked.lacking:
        warn(f"{file} has not been run, so it is not in the report")
    return 0


def dashboard(
    port: Annotated[int, typer.Option(help="Port; 0 takes a free one.", min=0, max=65535)] = 8080,
    allow_writes: Annotated[
        bool, typer.Option("--allow-writes", help="Let the page change notes and delete studies.")
    ] = False,
    host: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS",
            help="Address to listen on; 0.0.0.0 is every one of this machine. Others than 127.0.0.1 ask for a token.",
        ),
    ] = "127.0.0.1",
    storage: Storage = None,
    home: Home = None,
) -> int:
    """Serve optuna-dashboard on the store until Ctrl-C.

    The page is live, read-only, and reachable from this machine only, unless the options say otherwise.
    """
    from pokeopt.dashboard import make_server

    with make_server(store_at(storage, home), port, host=host, allow_writes=allow_writes) as server:
        mode = "changes are allowed" if allow_writes else "read-only"
        say(f"{server.url}  ({mode}; Ctrl-C ends it)")
        sys.stdout.flush()  # the address is what a pipe waits for
        server.serve_forever()
    return 0


def _exactly(store: Store, name: str) -> StudyView:
    """Load the study of that very name: a bare NAME would mean the newest of NAME, NAME-2, ..."""
    return store.load(name, exact=True)


def _row(view: StudyView, number: int) -> TrialRow:
    if not 0 <= number < len(view.trials):
        mend = f"trials are 0 to {len(view.trials) - 1}" if view.trials else "it has none yet"
        raise UserError(view.name, f"there is no trial {number}", mend)
    return view.trials[number]


def _print_study(view: StudyView) -> None:
    from pokeopt.cli.summary import changed_values, trial_counts

    print_facts(
        {
            "study": f"{view.name} ({view.kind})",
            "metric": ", ".join(f"{m} ({d})" for m, d in zip(view.metrics, view.directions, strict=False)),
            "trials": trial_counts(view),
            "started": moment(view.created),
        }
    )
    if not view.trials:
        return
    say()
    rows = []
    for row in view.trials:
        if view.kind == "search":
            changed = {key: to for key, (_, to) in changed_values(view, row).items()}
            what = settings(changed, MAX_CHANGED) or ("baseline" if row.params else "")
        else:
            what = f"{row.arm_id}, seed {row.seed}"
        value = score(row.value) if row.state == "COMPLETE" else ""
        rows.append(
            [str(row.number), row.shown_state, value, str(row.attrs.get("epochs_run", "")), _time(row), what]
        )
    columns = [
        "trial",
        "state",
        "score",
        "epochs",
        "time",
        "differs from the baseline" if view.kind == "search" else "cell",
    ]
    print_table(columns, rows, right=("trial", "score", "epochs", "time"))


def _print_trial(store: Store, view: StudyView, row: TrialRow) -> None:
    cause = f" ({row.stop_cause})" if row.stop_cause else ""
    facts = {"trial": f"{view.name} {row.number}", "state": f"{row.shown_state}{cause}"}
    if row.state == "COMPLETE":
        facts["score"] = ", ".join(
            f"{name} {score(value)}" for name, value in zip(view.metrics, row.values or (), strict=False)
        )
    facts |= {"started": moment(row.started), "time": _time(row)}
    links = {
        "replaced by": row.replaced_by,
        "retry of": row.attrs.get("retry_of"),
        "arm": row.arm_id,
        "seed": row.seed,
        "pruner": row.attrs.get("pruner"),
        "kept epoch": row.attrs.get("best_step"),
        "parameters": row.attrs.get("n_params"),
        "device": row.attrs.get("device"),
        "host": row.attrs.get("host"),
        "code": row.attrs.get("code_version"),
    }
    facts |= {name: str(value) for name, value in links.items() if value is not None}
    print_facts(facts)
    if row.params:
        say()
        print_table(["parameter", "value"], [[path, setting(value)] for path, value in row.params.items()])
    metrics = {key: row.metric(key) for key in sorted(row.attrs) if "/" in key}
    if metrics:
        say()
        print_table(
            ["metric", "value"], [[key, score(value)] for key, value in metrics.items()], right=("value",)
        )
    if row.curve:
        say()
        say(
            f"{view.metrics[0]} by step: "
            + ", ".join(f"{step} {score(value)}" for step, value in row.curve.items())
        )
    files = store.artifacts(view.name, row.number)
    if files:
        say()
        say(f"files: {', '.join(sorted(files))}")
    if error := row.attrs.get("error"):
        say()
        say(str(error))


def _time(row: TrialRow) -> str:
    wall_s = row.attrs.get("wall_s")
    return duration(float(wall_s)) if wall_s is not None else "-"


def _study_as_plain(view: StudyView) -> dict[str, Any]:
    return {
        "name": view.name,
        "kind": view.kind,
        "metrics": view.metrics,
        "directions": view.directions,
        "created": view.created,
        "last_active": view.last_active,
        "states": view.states(),
        "n_trials": len(view.counted),
    }
