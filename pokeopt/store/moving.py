"""One file to carry a study to another machine: its rows in a SQLite file of Optuna's, its artifacts beside, zipped."""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import shutil
import tempfile
import uuid
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pokeopt.errors import UserError
from pokeopt.records import TrialState
from pokeopt.spec.study import check_name
from pokeopt.store.copying import copy_study

if TYPE_CHECKING:
    from optuna import Study
    from optuna.storages import BaseStorage
    from optuna.trial import FrozenTrial

    from pokeopt.store.opening import Store

FORMAT = 1
MANIFEST, ROWS, ARTIFACTS = "study.json", "study.db", "artifacts/"
CHILD = r"\.(ablation|e\d+|.+\.tune|.+\.s\d+)"  # studies that pokeopt makes beside NAME


def family(store: Store, name: str) -> list[str]:
    """Return a study and the studies that were made of it: its confirm study, extensions, nested searches."""
    child = re.compile(re.escape(name) + CHILD)
    return [name, *(known for known in store.names() if child.fullmatch(known))]


def export_study(store: Store, name: str, output: Path) -> list[str]:
    """Write a study, and those made of it, as one file; return their names. Checkpoints and images stay behind.

    Raises:
        UserError: If there is no such study, or a driver still writes it.
    """
    store.study(name)  # the error for a name that is not there
    names = family(store, name)
    _refuse_running(store, names)
    with tempfile.TemporaryDirectory() as folder, whole_file(output) as draft:
        rows = Path(folder) / ROWS
        with _sqlite(rows) as storage:
            for one in names:
                copy_study(store.storage, one, storage, one, {}, {})
        manifest = {
            "format": FORMAT,
            "name": name,
            "studies": names,
            "versions": {package: importlib.metadata.version(package) for package in ("pokeopt", "optuna")},
        }
        with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(MANIFEST, json.dumps(manifest, indent=2))
            archive.write(rows, ROWS)
            for artifact_id in _artifact_ids(store, names):
                path = store.artifacts_dir / artifact_id
                if path.is_file():
                    archive.write(path, ARTIFACTS + artifact_id)
    return names


def import_study(store: Store, path: Path, name: str | None = None) -> list[str]:
    """Add what ``export_study`` wrote to a store; return the names that the studies have there.

    Args:
        store: Where to.
        path: The file.
        name: Another name for the study; those made of it follow.

    Raises:
        UserError: If the file is none of ours, or a name is taken; the store is left as it was.
    """
    with tempfile.TemporaryDirectory() as folder, _opened(path) as (archive, manifest):
        old = str(manifest["name"])
        if name is not None:
            check_name(name, "--name")
        renamed = {one: (name or old) + one.removeprefix(old) for one in manifest["studies"]}
        known = store.names()
        for new in renamed.values():
            if new in known:
                raise UserError(str(path), f"a study is called '{new}' already", "give --name NEW")
        rows = Path(archive.extract(ROWS, folder))
        members = [member for member in archive.namelist() if member.startswith(ARTIFACTS)]
        # new ids: a study that is imported twice must not lose its files when one of the two is deleted
        ids = {member.removeprefix(ARTIFACTS): str(uuid.uuid4()) for member in members}
        try:
            store.artifacts_dir.mkdir(parents=True, exist_ok=True)
            for member in members:
                target = store.artifacts_dir / ids[member.removeprefix(ARTIFACTS)]
                with archive.open(member) as source, target.open("wb") as file:
                    shutil.copyfileobj(source, file)
            with _sqlite(rows) as storage, store.ask_lock():
                for one, new in renamed.items():
                    copy_study(storage, one, store.storage, new, renamed, ids)
        except BaseException:
            _undo(store, renamed.values(), ids.values())
            raise
    return list(renamed.values())


@contextmanager
def whole_file(output: Path) -> Iterator[Path]:
    """Give a draft beside ``output`` that takes its place at the end; nothing is left of it after an error."""
    output.parent.mkdir(parents=True, exist_ok=True)
    draft = output.with_name(f".{output.name}.{os.getpid()}")
    try:
        yield draft
        draft.replace(output)
    finally:
        draft.unlink(missing_ok=True)


@contextmanager
def _sqlite(path: Path) -> Iterator[BaseStorage]:
    """Open Optuna's storage in one plain file, and let go of it."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    storage = optuna.storages.RDBStorage(f"sqlite:///{path}")
    try:
        yield storage
    finally:
        storage.remove_session()
        storage.engine.dispose()


def _artifact_ids(store: Store, names: Sequence[str]) -> list[str]:
    from pokeopt.store.attached import attached

    found: dict[str, None] = {}
    for name in names:
        study = store.study(name)
        owners: list[Study | FrozenTrial] = [study, *study.get_trials(deepcopy=False)]
        for owner in owners:
            found |= dict.fromkeys(artifact_id for _, artifact_id in attached(store.storage, owner))
    return list(found)


def _refuse_running(store: Store, names: Sequence[str]) -> None:
    from pokeopt.store.cleaning import live_runs

    alive = set(live_runs(store))
    for name in names:
        rows = store.load(name, exact=True).trials
        if any(row.state is TrialState.RUNNING and row.attrs.get("run_id") in alive for row in rows):
            raise UserError(f"study {name}", "it is running", "stop it with Ctrl-C, or wait for its end")


@contextmanager
def _opened(path: Path) -> Iterator[tuple[zipfile.ZipFile, dict[str, Any]]]:
    """Open a file of ours with its manifest; what is wrong with it becomes one line."""
    mend = "give a file that pokeopt export-study wrote"
    try:
        archive = zipfile.ZipFile(path)
    except OSError as error:
        raise UserError(str(path), (error.strerror or "it cannot be read").lower(), mend) from None
    except zipfile.BadZipFile:
        raise UserError(str(path), "it is no exported study", mend) from None
    with archive:
        try:
            manifest = json.loads(archive.read(MANIFEST))
            broken = archive.testzip()
        except KeyError:
            raise UserError(str(path), "it is no exported study", mend) from None
        except (zipfile.BadZipFile, zlib.error) as error:
            raise UserError(str(path), f"it is damaged: {error}", "copy or export it again") from None
        if broken is not None:
            raise UserError(str(path), f"it is damaged: {broken} has changed", "copy or export it again")
        if manifest["format"] != FORMAT:
            what = f"pokeopt {manifest['versions']['pokeopt']} wrote it in a form that is unknown here"
            raise UserError(str(path), what, "update pokeopt")
        yield archive, manifest


def _undo(store: Store, names: Iterable[str], artifact_ids: Iterable[str]) -> None:
    """Take back a half import."""
    for artifact_id in artifact_ids:
        (store.artifacts_dir / artifact_id).unlink(missing_ok=True)
    known = store.names()
    for name in names:
        if name in known:
            store.delete(name)
