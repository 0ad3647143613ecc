"""The search's tables: what the best changes, what it scores on every set, and every trial."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pokeopt.report.blocks import Cell, Column, Table, cells, simple_table
from pokeopt.report.summary import SearchSummary, TrialSummary
from pokeopt.report.thinning import thinned
from pokeopt.report.words import (
    ABSENT,
    PARTS,
    bare_name,
    capital,
    column_digits,
    duration,
    metric_name,
    number,
    plain,
)

MOST_TRIALS, MOST_TOP = 1000, 200  # rows, and those of the best among them
MOST_OPEN = 60  # rows of a table that is not folded


def best_table(search: SearchSummary, id_: str) -> Table | None:
    """Return the parameters in which the best trial differs from the baseline; all of them where there is
    none.
    """
    best, baseline = search.trial(search.best), search.trial(search.baseline)
    if best is None:
        return None
    if baseline is None:
        rows = [[name, plain(value)] for name, value in best.params.items()]
        return simple_table(id_, f"Parameters of trial {best.number}.", ["Parameter", "Best"], rows)
    rows = [[name, plain(pair[0]), plain(pair[1])] for name, pair in search.changed.items()]
    caption = f"Where trial {best.number} differs from the baseline (trial {baseline.number})."
    if not rows:
        caption = f"Trial {best.number} differs from the baseline in no parameter."
    return simple_table(id_, caption, ["Parameter", "Baseline", "Best"], rows)


def best_parts_table(search: SearchSummary, id_: str) -> Table | None:
    """Return the scores of the best and the baseline trial on every set."""
    found = [("baseline", search.trial(search.baseline)), ("best", search.trial(search.best))]
    trials = [(name, trial) for name, trial in found if trial is not None and trial.parts]
    if not trials or not search.parts:
        return None
    name = bare_name(search.metrics[0])
    digits = column_digits(value for _, trial in trials for value in trial.parts.values())
    rows = [
        [f"trial {trial.number} ({role})", *(number(trial.parts.get(part), digits) for part in search.parts)]
        for role, trial in trials
    ]
    titles = ["Trial", *(PARTS.get(part, part) for part in search.parts)]
    runs = "one run each" if search.n_seeds == 1 else f"means of {search.n_seeds} networks"
    return simple_table(id_, f"{capital(name)} by the set that it was measured on; {runs}.", titles, rows)


def trials_table(search: SearchSummary, id_: str) -> Table:
    """Return every trial that counts, with its end and its parameters; of very many, evenly spaced ones and the
    top tenth.
    """
    top = frozenset((search.facts.top if search.facts else ())[:MOST_TOP])
    listed = thinned(
        search.trials,
        MOST_TRIALS,
        keep=lambda t: t.number in top or t.is_baseline or t.number == search.best or t.is_on_front,
    )
    names = list(dict.fromkeys(name for trial in search.trials for name in trial.params))
    shown = {name: [trial.params.get(name) for trial in listed] for name in names}
    columns = (
        Column("Trial", is_number=False),
        Column("State", is_number=False),
        Column("Cause", is_number=False),
        Column("Rung", note="rung, of its bracket where there are brackets, at which a pruner stopped it"),
        *(Column(metric_name(metric)) for metric in search.metrics),
        *((Column("test"),) if "test" in search.parts else ()),
        Column("Epochs"),
        Column("Time"),
        *(Column(name, is_number=all(_is_number(value) for value in shown[name])) for name in names),
    )
    digits = _digits(search)
    rows = tuple(_trial_row(trial, search, names, digits) for trial in listed)
    caption = (
        "All trials but those that a retry replaced. In brackets: a stopped trial's last value, no score."
    )
    if len(listed) < len(search.trials):
        caption += (
            f" Listed are {len(listed)} of {len(search.trials)}, the best ones among them; the CSV holds all."
        )
    return Table(id_, caption, columns, rows, is_sortable=True, fold=_fold(len(rows)))


def _fold(count: int) -> str:
    """Return the line that a long table lies under; nothing for a short one."""
    return f"All {count} trials" if count > MOST_OPEN else ""


def _digits(search: SearchSummary) -> list[int]:
    """Return the decimals of each objective's column."""
    return [
        column_digits(trial.values[i] for trial in search.trials if len(trial.values) > i)
        for i in range(len(search.metrics))
    ]


def _trial_row(
    trial: TrialSummary, search: SearchSummary, names: Iterable[str], digits: Sequence[int]
) -> tuple[Cell, ...]:
    role = " best" if trial.number == search.best else " baseline" if trial.is_baseline else ""
    values = list(trial.values) + [None] * (len(search.metrics) - len(trial.values))
    is_score = trial.state == "complete"
    epochs = str(trial.epochs_run) if trial.epochs_run is not None else ABSENT
    return cells(
        Cell(f"{trial.number}{role}", trial.number, look="best" if "best" in role else ""),
        trial.state + (", on the front" if trial.is_on_front else ""),
        trial.cause,
        Cell(str(trial.rung) if trial.rung is not None else "", trial.rung),
        *(_value(value, d, is_score) for value, d in zip(values, digits, strict=True)),
        *((_optional(trial.parts.get("test"), digits[0]),) if "test" in search.parts else ()),
        Cell(epochs, trial.epochs_run),
        Cell(duration(trial.wall_s), trial.wall_s),
        *(_param(trial.params.get(name)) for name in names),
    )


def _value(value: float | None, digits: int, is_score: bool) -> Cell:
    text = number(value, digits)
    return Cell(text if is_score or value is None else f"({text})", value, "" if is_score else "unsettled")


def _optional(value: float | None, digits: int) -> Cell:
    return Cell("" if value is None else number(value, digits), value)


def _param(value: object) -> Cell:
    if value is None or isinstance(value, (bool, str)) or not isinstance(value, (int, float)):
        return Cell("" if value is None else plain(value))
    return Cell(plain(value), float(value))


def _is_number(value: object) -> bool:
    return value is None or (isinstance(value, (int, float)) and not isinstance(value, bool))
