"""Start the command line as a shell would, and look at what it leaves behind."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import psutil

MARK = "POKEOPT_TEST_MARK"


class Driver:
    """The command line in one folder, run again and again; every process that it starts bears its mark."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.mark = folder, uuid.uuid4().hex

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start it in a process group of its own, as a shell does."""
        return subprocess.Popen(
            [sys.executable, "-m", "pokeopt", *words],
            cwd=self.folder,
            env={**os.environ, MARK: self.mark},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def processes(self) -> list[str]:
        """Return what is alive of all that it started: drivers, raylets, servers, workers."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.status() != psutil.STATUS_ZOMBIE and process.environ().get(MARK) == self.mark:
                    found.append(f"{process.pid} {' '.join(process.cmdline())[-120:]}")
            except psutil.Error:
                continue  # it ended while we looked
        return found

    def is_gone(self, within_s: float = 10) -> bool:
        """Whether nothing of it is left."""
        return wait_until(lambda: not self.processes(), within_s)


def wait_until(condition: Callable[[], bool], timeout_s: float) -> bool:
    """Return whether the condition came true in time."""
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.2)
    return condition()
