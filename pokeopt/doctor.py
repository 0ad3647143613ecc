"""Whether this machine and this store are fit to run a study: facts, and what to do about the bad ones."""

from __future__ import annotations

import os
import platform
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pokeopt.store import Store

LOW_DISK_BYTES = (
    5_000_000_000  # the default checkpoint quota is 10 GB; below half of it a long study may fill the disk
)
LOW_MEMORY_BYTES = 2_000_000_000  # Ray's own processes take about one
LIBRARIES = ("optuna", "ray", "torch", "torchvision", "optuna-dashboard")


@dataclass(frozen=True)
class Finding:
    """One fact.

    Attributes:
        name: What was looked at.
        value: What it is.
        mend: What to do about it; empty where all is well.
    """

    name: str
    value: str
    mend: str = ""

    @property
    def is_good(self) -> bool:
        """Whether there is nothing to mend."""
        return not self.mend


def examine_machine(home: Path) -> Iterator[Finding]:
    """Yield what concerns every study: versions, device, cores, memory, disk."""
    from pokeopt.study.resources import available_cpus

    yield Finding("python", f"{platform.python_version()} on {platform.system()} {platform.machine()}")
    for library in LIBRARIES:
        yield _library(library)
    yield _device()
    yield Finding("cores", f"{available_cpus()} for this process, {os.cpu_count()} in the machine")
    yield _memory()
    folder = next(path for path in (home, *home.parents) if path.exists())
    free = shutil.disk_usage(folder).free
    mend = "" if free > LOW_DISK_BYTES else "free some disk, or move the state with --home"
    yield Finding("disk", f"{free / 1e9:.1f} GB free at {folder}", mend)
    mend = "" if os.access(folder, os.W_OK) else f"make {folder} writable, or move the state with --home"
    yield Finding("home", f"{home}{'' if home.exists() else ' (not made yet)'}", mend)


def examine_store(store: Store) -> Iterator[Finding]:
    """Yield what concerns one store: integrity, rows that a dead driver left, sizes."""
    from pokeopt.store.cleaning import live_runs, rows_left_running, size_of, unowned

    if not store.exists:
        yield Finding("store", f"nothing at {store.url} yet")
        return
    yield Finding("store", store.url)
    if store.url.startswith("sqlite:///") and store.file is not None:
        integrity = _integrity(store.file)
        yield integrity
        if not integrity.is_good:
            return  # what it holds cannot be trusted
    names = store.names()
    rows = sum(len(store.load(name, exact=True).trials) for name in names)
    yield Finding("studies", f"{len(names)} with {rows} rows")
    alive = live_runs(store)
    yield Finding("drivers", f"{len(alive)} running now")
    left = rows_left_running(store)
    shown = ", ".join(f"{name} {number}" for name, number in left[:5]) + (", ..." if len(left) > 5 else "")
    mend = "run the study again: it ends them and goes on" if left else ""
    yield Finding("left running", f"{len(left)} rows without a driver{': ' + shown if left else ''}", mend)
    sizes = {
        "store": store.file,
        "artifacts": store.artifacts_dir,
        "checkpoints": store.checkpoints_dir,
        "cache": store.cache_dir,
    }
    parts = [f"{name} {size_of(path) / 1e6:.1f} MB" for name, path in sizes.items() if path is not None]
    yield Finding("size", ", ".join(parts))
    orphans = unowned(store)
    yield Finding("unowned files", f"{len(orphans)}{'; pokeopt clean removes them' if orphans else ''}")


def _library(name: str) -> Finding:
    try:
        return Finding(name, version(name))
    except PackageNotFoundError:
        return Finding(name, "missing", f"pip install {name}")


def _device() -> Finding:
    try:
        import torch
    except ImportError as error:
        return Finding("device", f"torch cannot be imported: {error}", "install torch for this platform")
    if not torch.cuda.is_available():
        return Finding("device", f"cpu, {torch.get_num_threads()} threads")
    names = [torch.cuda.get_device_properties(i) for i in range(torch.cuda.device_count())]
    return Finding("device", ", ".join(f"{p.name} ({p.total_memory / 1e9:.0f} GB)" for p in names))


def _memory() -> Finding:
    import psutil

    memory = psutil.virtual_memory()
    mend = "" if memory.available > LOW_MEMORY_BYTES else "close other programs, or use --workers 1"
    return Finding("memory", f"{memory.available / 1e9:.1f} of {memory.total / 1e9:.1f} GB available", mend)


def _integrity(file: Path) -> Finding:
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
            answers = [str(row[0]) for row in connection.execute("PRAGMA integrity_check")]
    except sqlite3.DatabaseError as error:
        answers = [str(error)]
    if answers == ["ok"]:
        return Finding("integrity", "ok")
    return Finding("integrity", answers[0], "restore the file from a copy, or start a new one with --storage")
