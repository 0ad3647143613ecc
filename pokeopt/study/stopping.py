"""Ctrl-C, SIGTERM: the first asks the study to stop, further ones change nothing until it has."""

from __future__ import annotations

import os
import signal
import threading
import time
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
        self.ended_at: float | None = None

    def install(self) -> None:
        """Take SIGINT and SIGTERM; again after ``ray.init``, which takes SIGTERM for itself."""
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                signal.signal(number, self.handle)

    def handle(self, number: int, _frame: FrameType | None) -> None:
        """Take a signal: note it, tell the study, and end Ray Tune's loop by the way that it offers for it."""
        if self.received is not None:
            return
        self.received = signal.Signals(number)
        if self.on_stop is not None:
            self.on_stop()
        self.end_loop()

    def end_loop(self) -> bool:
        """End Ray Tune's loop by the way that it offers for it; return whether it runs here and will end."""
        if not self.is_in_ray or threading.current_thread() is not threading.main_thread():
            return False
        if self.ended_at is None:
            self.ended_at = time.time()
            os.kill(os.getpid(), signal.SIGUSR1)
        return True


@contextmanager
def stop_signals() -> Iterator[StopSignals]:
    """Handle SIGINT and SIGTERM inside the block (in the main thread; elsewhere signals do not arrive)."""
    signals = StopSignals()
    if threading.current_thread() is not threading.main_thread():
        yield signals
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}
    signals.install()
    try:
        yield signals
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
