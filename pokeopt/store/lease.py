"""Who lives: a lease per driver, and the locks that serialise what SQLite cannot.

The kernel drops an flock with its process, so a lease answers "is the owner alive" exactly, also after ``kill -9``,
with no timeout to tune. Another kind of lease (an advisory lock on a database server) needs the same three methods.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Protocol


class Lease(Protocol):
    """Held for a driver's life."""

    def is_alive(self, run_id: str) -> bool:
        """Whether the driver of that run still lives."""

    def others_alive(self) -> bool:
        """Whether any other driver of the same store lives."""

    def release(self) -> None:
        """Give it back."""


class FileLease:
    """A lease as a locked file, for drivers that share a file system.

    Args:
        folder: Where the leases of one store lie.
        run_id: The run that this process drives.
    """

    def __init__(self, folder: Path, run_id: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.run_id = folder, run_id
        self._file: IO[str] = (folder / f"{run_id}.lease").open("a+")
        fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self._file.truncate(0)
        self._file.write(json.dumps({"host": socket.gethostname(), "pid": os.getpid()}))
        self._file.flush()

    def is_alive(self, run_id: str) -> bool:
        """Whether the driver of that run still lives (always true for our own)."""
        return run_id == self.run_id or lease_is_held(self.folder, run_id)

    def others_alive(self) -> bool:
        """Whether any other driver of the same store lives; leases of dead ones are swept away."""
        alive = False
        for path in self.folder.glob("*.lease"):
            if path.stem == self.run_id:
                continue
            if lease_is_held(self.folder, path.stem):
                alive = True
            else:
                path.unlink(missing_ok=True)
        return alive

    def release(self) -> None:
        """Drop the lock and remove its file."""
        (self.folder / f"{self.run_id}.lease").unlink(missing_ok=True)
        self._file.close()


def lease_is_held(folder: Path, run_id: str) -> bool:
    """Whether some process holds the lease of that run."""
    try:
        file = (folder / f"{run_id}.lease").open("r+")
    except FileNotFoundError:
        return False
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


@contextmanager
def file_lock(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on ``path`` (made if absent); the kernel drops it with the process."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
