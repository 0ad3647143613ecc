"""What a person sees while a study runs: one calm block that redraws in place, or plain lines when piped."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.status import Status
from rich.table import Table
from rich.text import Text

from pokeopt.ablation.arms import grouped
from pokeopt.cli.words import counts, duration, score, settings
from pokeopt.study.progress import Progress

REDRAWS_PER_S = 4
PLAIN_EVERY_S = 5.0  # a log of a thousand short trials stays readable
BAR_WIDTH = 40
ACCENT = "cyan"
MAX_RUNNING = 8
MAX_CHANGED = 4


@contextmanager
def live_view(
    progress: Callable[[], Progress],
    console: Console,
    pauses: Status | None = None,
    *,
    captures_prints: bool = False,
) -> Iterator[None]:
    """Show a running study until the block ends.

    Args:
        progress: Gives the newest snapshot; called from another thread, at most 4 times a second.
        console: Where to draw; one that is no terminal gets plain lines.
        pauses: What is shown between studies; it rests meanwhile.
        captures_prints: Draw what this process prints above the block (a user's own code runs in it).
    """
    if is_plain(console):
        with _plain_lines(progress, console):
            yield
        return
    live = Live(
        console=console,
        get_renderable=lambda: block(progress()),
        refresh_per_second=REDRAWS_PER_S,
        redirect_stdout=captures_prints,
        redirect_stderr=captures_prints,
    )
    if pauses is not None:
        pauses.stop()
    try:
        with live:
            yield
    finally:
        if pauses is not None:
            pauses.start()


def waiting(console: Console) -> Status | None:
    """Return what a person sees while no trial runs: data are read, Ray starts, the report is written."""
    return None if is_plain(console) else console.status(Text("preparing", style="dim"))


def is_plain(console: Console) -> bool:
    """Whether drawing in place would leave a mess: in a pipe, in a CI log, on a dumb terminal."""
    return not console.is_terminal or console.is_dumb_terminal or bool(os.environ.get("CI"))


def block(now: Progress) -> RenderableType:
    """Return the live block: title, bar with times, the best so far, states, and what runs."""
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="dim")
    facts.add_column()
    if now.best is not None:
        best = f"{score(now.best.value)}  trial {now.best.number}"
        changed = settings(grouped(now.best.changed), MAX_CHANGED)
        facts.add_row("best", Text(f"{best}  {changed or 'the baseline itself'}"))
    if states := _states(now):
        facts.add_row("states", Text(states))
    parts: list[RenderableType] = [_title(now), _bar(now), facts]
    if now.note:
        parts.append(Text(now.note, style="dim"))
    if now.running:
        parts.append(_running(now))
    return Group(*parts)


def plain_line(now: Progress) -> str:
    """Return the same moment in one line, without the table."""
    parts = [f"{now.study} {now.phase} {now.done}/{now.budget}", duration(now.elapsed_s)]
    if states := _states(now):
        parts.append(states)
    if now.best is not None:
        parts.append(f"best {score(now.best.value)} (trial {now.best.number})")
    if now.eta_s is not None and now.done < now.budget:
        parts.append(f"about {duration(now.eta_s)} left")
    if now.note:
        parts.append(now.note)
    return "; ".join(parts)


@contextmanager
def _plain_lines(progress: Callable[[], Progress], console: Console) -> Iterator[None]:
    """Print a line when a trial has ended or the note has changed, one every few seconds at most."""
    ended = threading.Event()
    printed: list[tuple[int, str]] = []

    def follow() -> None:
        while not ended.wait(1 / REDRAWS_PER_S):
            if show():
                ended.wait(PLAIN_EVERY_S)

    def show() -> bool:
        now = progress()
        key = (now.done, now.note)
        if printed and printed[-1] == key:
            return False
        printed.append(key)
        console.print(plain_line(now), markup=False, highlight=False, soft_wrap=True)
        return True

    thread = threading.Thread(target=follow, name="pokeopt-view", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        show()


def _title(now: Progress) -> Text:
    what = f"search for {now.metric}" if now.phase == "search" else f"confirm cells, scored by {now.metric}"
    return Text.assemble((now.study, "bold"), "  ", (what, "dim"))


def _bar(now: Progress) -> RenderableType:
    line = Table.grid(padding=(0, 2))
    times = duration(now.elapsed_s)
    if now.eta_s is not None and now.done < now.budget:
        times += f", about {duration(now.eta_s)} left"
    bar = ProgressBar(
        total=max(now.budget, 1),
        completed=now.done,
        width=BAR_WIDTH,
        complete_style=ACCENT,
        finished_style=ACCENT,
    )
    line.add_row(bar, f"{now.done}/{now.budget}", Text(times, style="dim"))
    return line


def _states(now: Progress) -> str:
    states = {state: n for state, n in now.states.items() if state not in ("running", "waiting")}
    if now.running:
        states["running"] = len(now.running)
    return counts(states)


def _running(now: Progress) -> RenderableType:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", show_edge=False)
    table.add_column("trial" if now.phase == "search" else "cell")
    for name in ("epoch", "last", "time"):
        table.add_column(name, justify="right")
    for row in now.running[:MAX_RUNNING]:
        name = f"{row.number}  {row.label}".rstrip()
        times = duration(row.seconds)
        table.add_row(Text(name), f"{row.step}/{row.epochs}", score(row.last_value), times)
    if len(now.running) > MAX_RUNNING:
        table.add_row(Text(f"and {len(now.running) - MAX_RUNNING} more", style="dim"))
    return table
