"""What no living process and no study owns any more: rows left running, artifacts, checkpoints, retrained networks."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pokeopt.records import TrialState
from pokeopt.store.lease import lease_is_held
from pokeopt.store.opening import owner_of_models

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial

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
    """Return artifact files that nothing names, and checkpoints and retrained networks of studies that are gone."""
    artifacts = _files(store.artifacts_dir) - set(_named_artifacts(store))
    names = set(store.names())
    checkpoints = [path for path in _inside(store.checkpoints_dir) if path.name not in names]
    models = [path for path in _inside(store.models_dir) if owner_of_models(path) not in names]
    return [*(store.artifacts_dir / name for name in sorted(artifacts)), *checkpoints, *models]


@dataclass(frozen=True)
class Kept:
    """Something that may go: an entry of the image cache, or the checkpoint of one trial.

    Attributes:
        path: Its folder.
        n_bytes: Its size.
        used_at: When it was last written or read, seconds of ``time.time()``; file systems note a read once a day.
        best_of: The study whose best trial's weights it holds; None of all others.
    """

    path: Path
    n_bytes: int
    used_at: float
    best_of: str | None = None


def kept_for_speed(store: Store) -> list[Kept]:
    """Return what could be made again from a study's record and images, at a price in time."""
    best = {
        store.checkpoints_dir / view.name / str(view.best.proposal): view.name
        for view in (store.load(name, exact=True) for name in store.names())
        if view.kind == "search" and view.best is not None
    }
    folders = [*store.cache_dir.glob("images/*"), *store.checkpoints_dir.glob("*/*")]
    found = []
    for folder in sorted(folder for folder in folders if folder.is_dir()):
        stats = [file.stat() for file in (folder, *folder.rglob("*"))]
        used_at = max(stat.st_mtime for stat in stats)
        read_at = [file.stat().st_atime for file in folder.rglob("*") if file.is_file()]
        found.append(Kept(folder, size_of(folder), max([used_at, *read_at]), best.get(folder)))
    return found


def expired(
    kept: Sequence[Kept], older_than_s: float | None, keep_bytes: float | None, now: float
) -> list[Kept]:
    """Return what is too old, then the longest unused of the rest until it fits; best models are the last to go.

    Args:
        kept: What there is.
        older_than_s: Age in seconds since the last use; None for no limit.
        keep_bytes: What may stay in all; None for no limit.
        now: Seconds of ``time.time()``.
    """
    old = [one for one in kept if older_than_s is not None and now - one.used_at > older_than_s]
    rest = [one for one in kept if one not in old]
    total = sum(one.n_bytes for one in rest)
    for one in sorted(rest, key=lambda one: (one.best_of is not None, one.used_at)):
        if keep_bytes is None or total <= keep_bytes:
            break
        old.append(one)
        total -= one.n_bytes
    return old


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


def _inside(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _files(folder: Path) -> set[str]:
    return {path.name for path in _inside(folder) if path.is_file()}


def _named_artifacts(store: Store) -> Iterator[str]:
    from pokeopt.store.attached import attached

    for name in store.names():
        study = store.study(name)
        owners: list[Study | FrozenTrial] = [study, *study.get_trials(deepcopy=False)]
        for owner in owners:
            yield from (artifact_id for _, artifact_id in attached(store.storage, owner))
