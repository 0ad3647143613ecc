"""What a notebook shows of a study and of a trial: small tables of HTML, in the notebook's own style."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from pokeopt.records import TrialState

if TYPE_CHECKING:
    from pokeopt.store.rows import StudyView, TrialRow

MOST_TRIALS = 5


def study_html(view: StudyView) -> str:
    """Return a study's name, states and best trials (of a confirm study: its last cells) as HTML."""
    states = ", ".join(f"{n} {state}" for state, n in view.states().items())
    head = f"<p><b>{escape(view.name)}</b> ({escape(view.kind)}): {escape(states or 'no trial yet')}</p>"
    is_search = view.kind == "search"
    rows = view.ranked[:MOST_TRIALS] if is_search else view.complete[-MOST_TRIALS:]
    keys = list(dict.fromkeys(key for row in rows for key in row.params))
    columns = ["trial", *view.metrics, *(keys if is_search else ("arm", "seed"))]
    cells = [
        [
            row.number,
            *(row.values or ()),
            *([row.params.get(key, "") for key in keys] if is_search else (row.arm_id, row.seed)),
        ]
        for row in rows
    ]
    return head + (_table(columns, cells) if rows else "")


def trial_html(row: TrialRow) -> str:
    """Return a trial's state, parameters and first metrics as HTML."""
    cause = f" ({row.stop_cause})" if row.stop_cause else ""
    head = f"<p><b>trial {row.number}</b>: {escape(row.shown_state)}{escape(cause)}</p>"
    what = dict(row.params) if row.params else {"arm": row.arm_id, "seed": row.seed}
    metrics: list[tuple[Any, ...]] = []
    if row.state is TrialState.COMPLETE:
        scored = [
            key.partition("/")[2] for key in row.attrs if key.startswith("test/") and key.count("/") == 1
        ]
        metrics = [(key, row.metric(f"val/{key}"), row.metric(f"test/{key}")) for key in sorted(scored)]
    return head + _table(["setting", "value"], what.items()) + _table(["metric", "val", "test"], metrics)


def _table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    lines = ["".join(f"<td>{escape(_text(cell))}</td>" for cell in row) for row in rows]
    if not lines:
        return ""
    head = "".join(f"<th>{escape(column)}</th>" for column in columns)
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _text(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
