"""A small process that outlives its driver by a few seconds, to clear up what Ray leaves when a driver is killed.

Ray's own processes end when they miss their driver. Those that were only just starting take ten seconds and more, and
nobody removes the session's folder. The guardian waits for the end of its standard input, which the kernel closes
with the driver, then ends what still belongs to the session.

Run as ``python -m pokeopt.study.guardian FOLDER``.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

GRACE_S = 3.0  # Ray's orderly end takes one to two seconds


@contextmanager
def guarded(folder: Path) -> Iterator[None]:
    """Have the Ray session in ``folder`` cleared up after the block, or after this process, whichever ends first."""
    guardian = subprocess.Popen(
        [sys.executable, "-m", "pokeopt.study.guardian", str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # a Ctrl-C in the terminal is not for it
    )
    try:
        yield
    finally:
        assert guardian.stdin is not None
        guardian.stdin.close()
        guardian.returncode = 0  # it ends by itself, and nobody waits for it


def main(folder: str) -> None:
    """Wait for the driver's end, then end the session's processes and remove its folder."""
    sys.stdin.buffer.read()
    end = time.monotonic() + GRACE_S
    while _processes_of(folder) and time.monotonic() < end:
        time.sleep(0.2)
    import psutil

    for pid in _processes_of(folder):
        with contextlib.suppress(psutil.Error):
            psutil.Process(pid).kill()
    shutil.rmtree(folder, ignore_errors=True)


def _processes_of(folder: str) -> list[int]:
    """Return the processes that were started with the session's folder among their arguments."""
    import psutil

    found = []
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        if process.pid != os.getpid() and any(folder in word for word in words):
            found.append(process.pid)
    return found


if __name__ == "__main__":
    main(sys.argv[1])
