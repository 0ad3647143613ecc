"""The road to the trackers: a queue and a thread each, so that a slow or broken one holds up nothing.

What is lost on it is counted and told at the end; the study itself is whole in the store.
"""

from __future__ import annotations

import importlib.util
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pokeopt.errors import UserError
from pokeopt.registry import TRACKERS, split_component
from pokeopt.study.events import EpochEnded, Event, Listen, ReportWritten, TrialEnded, nobody
from pokeopt.tracking.base import Connection

MOST_WAITING = 10_000  # epochs that may wait; one more is sent at its trial's end
MOST_BYTES = 256 * 1024**2  # of artifacts that may wait
MOST_FAILURES = 10  # in a row, epochs left out; then a tracker is left alone
CLOSE_S = 60.0  # what waits at the end of a run is given so long
HASTY_S = 5.0  # ... and after a signal or an error


class Sender:
    """One tracker: its queue, and the thread that connects and sends.

    Args:
        name: Its name, for the note.
        connect: Opens the connection; called in the thread, at the first event.
    """

    def __init__(self, name: str, connect: Callable[[], Connection[Any]]) -> None:
        self.name, self._connect = name, connect
        self._queue: deque[Event] = deque()
        self._wake = threading.Condition()
        self._thread: threading.Thread | None = None
        self._connection: Connection[Any] | None = None
        self._n_bytes = self._n_sent = self._n_lost = self._n_in_row = self._n_files_lost = 0
        self._error = ""
        self._is_closing = False

    def send(self, event: Event) -> None:
        """Queue an event; never waits, never raises."""
        with self._wake:
            if isinstance(event, EpochEnded) and len(self._queue) >= MOST_WAITING:
                return  # the end of its trial brings the whole curve
            if isinstance(event, TrialEnded):
                event = self._within_memory(event)
            self._queue.append(event)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name=f"track-{self.name}", daemon=True)
                self._thread.start()
            self._wake.notify()

    def close(self, until: float) -> str | None:
        """Wait for what is queued until that ``time.monotonic()``; return what was lost, in one line, or None."""
        if self._thread is None:
            return None
        with self._wake:
            self._is_closing = True
            self._wake.notify()
        self._thread.join(max(until - time.monotonic(), 0.0))
        with self._wake:
            n_waiting = len(self._queue) + int(self._thread.is_alive())
            self._queue.clear()  # the thread ends after what it is at
        return self._lost(n_waiting)

    def where(self) -> str:
        """Return how to look at what was sent; empty if nothing was."""
        return self._connection.where if self._connection is not None and self._n_sent else ""

    def _within_memory(self, event: TrialEnded) -> TrialEnded:
        size = _size(event)
        if self._n_bytes + size <= MOST_BYTES:
            self._n_bytes += size
            return event
        self._n_files_lost += len(event.files)
        return replace(event, files={})

    def _work(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._queue or self._is_closing)
                if not self._queue:
                    break
                event = self._queue.popleft()
            self._take(event)
            if isinstance(event, TrialEnded):
                with self._wake:
                    self._n_bytes -= _size(event)
        if self._connection is not None:
            self._try(self._connection.close)

    def _take(self, event: Event) -> None:
        if self._n_in_row >= MOST_FAILURES:
            self._n_lost += 1
        elif self._try(lambda: self._connected().take(event)):
            self._n_sent += 1
            self._n_in_row = 0
        elif not isinstance(event, EpochEnded):  # an epoch is made good at its trial's end
            self._n_lost += 1
            self._n_in_row += 1

    def _connected(self) -> Connection[Any]:
        if self._connection is None:
            self._connection = self._connect()
        return self._connection

    def _try(self, act: Callable[[], None]) -> bool:
        try:
            act()
        except (Exception, SystemExit) as error:  # whatever a tracker raises, the study goes on
            self._error = self._error or _one_line(error)
            return False
        return True

    def _lost(self, n_waiting: int) -> str | None:
        parts = []
        if self._n_lost:
            parts.append(
                f"{self._n_lost} of {self._n_lost + self._n_sent + n_waiting} messages were not sent"
            )
        if n_waiting:
            parts.append(f"{n_waiting} were still waiting at the end")
        if self._n_files_lost:
            parts.append(f"{self._n_files_lost} files were left out because it was too slow")
        if not parts:
            return None
        reason = f" ({self._error})" if self._error else ""
        return f"{self.name}: {', '.join(parts)}{reason}; the study is whole in the store"


class Trackers:
    """All trackers of a run; itself a listener."""

    def __init__(self, senders: Sequence[Sender] = ()) -> None:
        self._senders = tuple(senders)

    def __bool__(self) -> bool:
        return bool(self._senders)

    def __call__(self, event: Event) -> None:
        """Queue an event for each of them."""
        for sender in self._senders:
            sender.send(event)

    @property
    def listen(self) -> Listen:
        """What a launch calls with each event; ``nobody`` where there is no tracker."""
        return self if self else nobody

    def report(self, studies: Sequence[str], path: Path) -> None:
        """Send the report over some studies to each of those that were sent."""
        for study in studies:
            self(ReportWritten(study, path))

    def close(self, *, is_hasty: bool = False) -> tuple[str, ...]:
        """Wait for what is queued, a minute at most, in haste 5 s; return what was lost, one line a tracker."""
        until = time.monotonic() + (HASTY_S if is_hasty else CLOSE_S)
        notes = [sender.close(until) for sender in self._senders]
        return tuple(note for note in notes if note is not None)

    def where(self) -> dict[str, str]:
        """Return how to look at what was sent, by tracker."""
        return {sender.name: sender.where() for sender in self._senders if sender.where()}

    def after_error(self, kind: type[BaseException] | None, *_: object) -> None:
        """Close in little time if a run is left by an error; to be pushed on an ExitStack."""
        if kind is not None:
            self.close(is_hasty=True)


def open_trackers(components: Sequence[str | Mapping[str, Any]], home: Path) -> Trackers:
    """Return the trackers of a run; nothing is imported or opened before the first event.

    Args:
        components: ``tracking:`` as in the file.
        home: The folder of all state.

    Raises:
        UserError: If what one needs is not installed.
    """
    senders = []
    for component in (one for i, one in enumerate(components) if one not in components[:i]):
        name, _ = split_component(component)
        tracker = TRACKERS.make(component)
        if importlib.util.find_spec(tracker.needs) is None:
            what = f"'{name}' needs the package {tracker.needs}, which is not installed"
            raise UserError("tracking", what, f"pip install 'pokeopt[{name}]'")
        senders.append(Sender(name, lambda tracker=tracker: tracker.connect(home)))  # type: ignore[misc]
    return Trackers(senders)


def _size(event: TrialEnded) -> int:
    return sum(len(content) for content in event.files.values())


def _one_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0][:200]}" if lines else type(error).__name__
