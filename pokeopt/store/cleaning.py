"""What no living process and no study owns any more: rows left running, artifacts, checkpoints."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from pokeopt.records import TrialState
from pokeopt.store.lease import lease_is_held

if TYPE_CHECKING:
    from pokeopt.store.opening import Store


def live_runs(store: Store) -> list[str]:
    """Return the run ids whose driver lives now."""
    runs = sorted(path.stem for path in store.leases_dir.glob("*.lease"))
    return [run_id for run_id in runs if lease_is_held(store.leases_dir, run_id)]


def rows_left_running(store: Store) -> list[tuple[str, int]]:
    """Return (study, trial number) of RUNNING rows whose driver is dead; the next ``run`` ends them."""
    alive = set(live_runs(store))
    return [
        (name, row.number)
        for name in store.names()
        for row in store.load(name, exact=True).trials
        if row.state is TrialState.RUNNING and row.attrs.get("run_id") not in alive
    ]


def unowned(store: Store) -> list[Path]:
    """Return artifact files that no study and no trial names, and checkpoint folders of studies that are gone."""
    artifacts = _files(store.artifacts_dir) - set(_named_artifacts(store))
    names = set(store.names())
    folders = store.checkpoints_dir.iterdir() if store.checkpoints_dir.is_dir() else ()
    checkpoints = [path for path in folders if path.name not in names]
    return [*(store.artifacts_dir / name for name in sorted(artifacts)), *sorted(checkpoints)]


def size_of(path: Path) -> int:
    """Return the bytes of a file, or of all files under a folder."""
    if path.is_dir():
        return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    return path.stat().st_size if path.exists() else 0


def remove(path: Path) -> int:
    """Remove a file or a folder; return the bytes that this freed."""
    freed = size_of(path)
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    return freed


def _files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.is_file()} if folder.is_dir() else set()


def _named_artifacts(store: Store) -> Iterator[str]:
    from pokeopt.store.attached import attached

    for name in store.names():
        study = store.study(name)
        for owner in (study, *study.get_trials(deepcopy=False)):
            yield from (artifact_id for _, artifact_id in attached(store.storage, owner))
