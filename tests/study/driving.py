"""Start the command line as a shell would, and look at what it leaves behind."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil


def start(*words: str, cwd: Path) -> subprocess.Popen[str]:
    """Start the command line in a process group of its own, as a shell would."""
    return subprocess.Popen(
        [sys.executable, "-m", "pokeopt", *words],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def ray_processes() -> set[int]:
    """Return the processes of every Ray on this machine: raylets, servers, workers."""
    found = set()
    for process in psutil.process_iter(["cmdline", "name", "status"]):
        line = " ".join(process.info["cmdline"] or [])
        is_ray = (
            process.info["name"] in ("raylet", "gcs_server") or line.startswith("ray::") or "/ray/" in line
        )
        if is_ray and process.info["status"] != psutil.STATUS_ZOMBIE:
            found.add(process.pid)
    return found


def wait_until(condition: Callable[[], bool], timeout_s: float) -> bool:
    """Return whether the condition came true in time."""
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.2)
    return condition()
