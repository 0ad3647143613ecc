"""Ctrl-C, SIGTERM: the first asks the study to stop, further ones change nothing until it has."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopSignals:
    """Remembers the first signal that asked for a stop."""

    def __init__(self) -> None:
        self.received: signal.Signals | None = None
        self.on_stop: Callable[[], None] | None = None
        self.is_in_ray = False

    def handle(self, number: int, _frame: FrameType | None) -> None:
        """Take a signal: note it, tell the study, and end Ray Tune's loop by the way that it offers for it."""
        if self.received is not None:
            return
        self.received = signal.Signals(number)
        if self.on_stop is not None:
            self.on_stop()
        if self.is_in_ray:
            os.kill(os.getpid(), signal.SIGUSR1)


@contextmanager
def stop_signals() -> Iterator[StopSignals]:
    """Handle SIGINT and SIGTERM inside the block (in the main thread; elsewhere signals do not arrive)."""
    signals = StopSignals()
    if threading.current_thread() is not threading.main_thread():
        yield signals
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}
    for number in SIGNALS:
        signal.signal(number, signals.handle)
    try:
        yield signals
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
