"""Digests of files by their bytes, remembered by path, size and time of change."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from pokeopt.errors import DataError

SETTLED_S = 2.0  # a file changed later than this may change again within the resolution of its clock


def file_digests(paths: Sequence[Path], home: Path) -> list[str]:
    """Return the SHA-256 of each file; a file that has not changed since the last call is not read again.

    Args:
        paths: The files of one data set.
        home: Folder of all state, where digests are remembered.

    Raises:
        DataError: If a file cannot be read.
    """
    if not paths:
        return []
    memory = home / "cache" / "digests" / f"{_name(paths)}.json"
    known = _recall(memory)
    now, digests, settled = time.time(), [], {}
    for path in paths:
        try:
            stat = path.stat()
            entry = known.get(str(path))
            if entry is None or entry[:2] != [stat.st_size, stat.st_mtime_ns]:
                with path.open("rb") as file:
                    entry = [stat.st_size, stat.st_mtime_ns, hashlib.file_digest(file, "sha256").hexdigest()]
        except OSError as error:
            raise DataError(
                str(path), f"the file cannot be read: {error.strerror}", "mend or remove it"
            ) from error
        digests.append(str(entry[2]))
        if now - stat.st_mtime > SETTLED_S:
            settled[str(path)] = entry
    if settled != known:
        _remember(memory, settled)
    return digests


def _name(paths: Sequence[Path]) -> str:
    folders = sorted({str(path.parent) for path in paths})
    return hashlib.sha256("\n".join(folders).encode()).hexdigest()[:16]


def _recall(memory: Path) -> dict[str, list[int | str]]:
    try:
        return dict(json.loads(memory.read_bytes()))
    except (OSError, ValueError):  # not there yet, or cut off: the files are read again
        return {}


def _remember(memory: Path, entries: dict[str, list[int | str]]) -> None:
    with contextlib.suppress(OSError):  # a full disk costs time here, not the study
        memory.parent.mkdir(parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(prefix=f"{memory.stem}.", suffix=".draft", dir=memory.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(entries, file)
            os.replace(draft, memory)
        except OSError:
            Path(draft).unlink(missing_ok=True)
            raise
