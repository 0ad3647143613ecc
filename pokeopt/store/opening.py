"""Open a store and read it: Optuna's storage, its artifacts, and the folder that both live in."""

from __future__ import annotations

import hashlib
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pokeopt.errors import StoreError, UserError
from pokeopt.records import TrialState
from pokeopt.registry import nearest
from pokeopt.store.lease import file_lock
from pokeopt.store.rows import StudyView, TrialRow

if TYPE_CHECKING:
    import optuna
    from optuna.artifacts import FileSystemArtifactStore
    from optuna.storages import BaseStorage

SQLITE_TIMEOUT_S = 60


def default_home() -> Path:
    """Return the folder of all state: ``POKEOPT_HOME``, or ``.pokeopt`` under the working directory."""
    return Path(os.environ.get("POKEOPT_HOME") or ".pokeopt").absolute()


def open_store(storage: str | None = None, home: Path | str | None = None) -> Store:
    """Return the store at ``storage`` (default: ``HOME/pokeopt.db``); nothing is written before it is needed.

    Args:
        storage: ``sqlite:///...``, ``postgresql+psycopg://...`` or ``journal:///path``.
        home: The folder of artifacts, checkpoints, cache and locks.

    Raises:
        UserError: If the address is none of these.
    """
    folder = Path(home).absolute() if home else default_home()
    url = storage or f"sqlite:///{folder / 'pokeopt.db'}"
    if not url.startswith(("sqlite:///", "postgresql+psycopg://", "journal:///")):
        mend = "use sqlite:///FILE, journal:///FILE or postgresql+psycopg://USER@HOST/NAME"
        raise UserError("--storage", f"'{url}' is no address of a store", mend)
    return Store(url, folder)


class Store:
    """Optuna's storage with the folder beside it."""

    def __init__(self, url: str, home: Path) -> None:
        self.url, self.home = url, home
        self.artifacts_dir = home / "artifacts"
        self.checkpoints_dir = home / "checkpoints"
        self.models_dir = home / "models"
        self.cache_dir = home / "cache"
        self._key = hashlib.sha1(url.encode()).hexdigest()[:12]
        self.leases_dir = home / "locks" / self._key

    @property
    def file(self) -> Path | None:
        """The file that holds the storage; None for a server."""
        for prefix in ("sqlite:///", "journal:///"):
            if self.url.startswith(prefix):
                return Path(self.url.removeprefix(prefix)).absolute()
        return None

    @property
    def exists(self) -> bool:
        """Whether there is something to read (a server is taken to be there)."""
        return self.file is None or (self.file.is_file() and self.file.stat().st_size > 0)

    @cached_property
    def storage(self) -> BaseStorage:
        """Optuna's storage, created at the first look."""
        self.home.mkdir(parents=True, exist_ok=True)
        # four processes that open a fresh SQLite file at once race in CREATE TABLE: one at a time
        with file_lock(self.home / "locks" / f"{self._key}.init"):
            try:
                return _open_storage(self.url)
            except Exception as error:
                what = f"the store cannot be opened: {str(error).splitlines()[0]}"
                raise StoreError(self.url, what, "check the address, the file and its permissions") from error

    @cached_property
    def artifact_store(self) -> FileSystemArtifactStore:
        """Where artifacts lie."""
        from optuna.artifacts import FileSystemArtifactStore

        self.artifacts_dir.mkdir(parents=True, exist_ok=True)
        return FileSystemArtifactStore(self.artifacts_dir)

    @contextmanager
    def ask_lock(self) -> Iterator[None]:
        """Hold the one right to ask: SQLite would hand the same WAITING trial to two drivers."""
        with file_lock(self.home / "locks" / f"{self._key}.ask"):
            yield

    def names(self) -> list[str]:
        """Return the names of all studies, oldest first."""
        if not self.exists:
            return []
        studies = sorted(self.storage.get_all_studies(), key=lambda study: study._study_id)
        return [study.study_name for study in studies]

    def newest(self, name: str) -> str:
        """Return what a bare name means: the newest of NAME, NAME-2, NAME-3 that ``--fresh`` started."""
        if not self.exists:
            return name
        fresh = [s for s in self.storage.get_all_studies() if s.user_attrs.get("fresh_of") == name]
        return max(fresh, key=lambda study: study._study_id).study_name if fresh else name

    def study(self, name: str) -> optuna.Study:
        """Return Optuna's study of that exact name; UserError with the nearest name if there is none."""
        import optuna

        known = self.names()
        if name not in known:
            where = f"store {self.file or self.url}"
            raise UserError(where, f"no study is called '{name}'", nearest(name, known))
        sampler = optuna.samplers.RandomSampler()
        return optuna.load_study(
            study_name=name, storage=self.storage, sampler=sampler, pruner=optuna.pruners.NopPruner()
        )

    def load(self, name: str, *, exact: bool = False) -> StudyView:
        """Return everything known of a study, as frozen rows.

        Args:
            name: Its name; NAME means the newest of NAME, NAME-2, ...
            exact: Take the name as it is.
        """
        study = self.study(name if exact else self.newest(name))
        frozen = study.get_trials(deepcopy=False)
        attrs = dict(study.user_attrs)
        replaced = {
            t.user_attrs["retry_of"]: t.number for t in frozen if t.user_attrs.get("retry_of") is not None
        }
        rows = tuple(row_of(trial, replaced.get(trial.number)) for trial in frozen)
        return StudyView(
            name=study.study_name,
            kind=str(attrs.get("kind", "search")),
            spec=attrs.get("spec", {}),
            attrs=attrs,
            metrics=tuple(attrs.get("metrics", ())) or (str(attrs.get("metric", "value")),),
            directions=tuple(direction.name.lower() for direction in study.directions),
            trials=rows,
            created=_created(frozen),
        )

    def artifacts(self, name: str, number: int) -> dict[str, str]:
        """Return file name -> artifact id of a trial; of one file name the last upload counts."""
        from optuna.artifacts import get_all_artifact_meta

        study = self.study(self.newest(name))
        trial = study.get_trials(deepcopy=False)[number]
        metas = get_all_artifact_meta(trial, storage=self.storage)
        return {meta.filename: meta.artifact_id for meta in metas}

    def read_artifact(self, name: str, number: int, filename: str) -> bytes | None:
        """Return an artifact's bytes; None if the trial has none of that name, or its file is gone."""
        artifact_id = self.artifacts(name, number).get(filename)
        if artifact_id is None or not (self.artifacts_dir / artifact_id).is_file():
            return None
        with self.artifact_store.open_reader(artifact_id) as reader:
            return reader.read()

    def models_of(self, name: str) -> list[Path]:
        """Return the folders of a study's retrained networks, ``models/NAME-TRIAL``."""
        return sorted(path for path in self.models_dir.glob(f"{name}-*") if owner_of_models(path) == name)

    def delete(self, name: str) -> None:
        """Delete a study with its artifacts, checkpoints and retrained networks."""
        import shutil

        import optuna

        from pokeopt.store.attached import attached

        study = self.study(name)
        owners: list[optuna.Study | optuna.trial.FrozenTrial] = [study, *study.get_trials(deepcopy=False)]
        for owner in owners:
            for _, artifact_id in attached(self.storage, owner):
                (self.artifacts_dir / artifact_id).unlink(missing_ok=True)
        for folder in (self.checkpoints_dir / name, *self.models_of(name)):
            shutil.rmtree(folder, ignore_errors=True)
        optuna.delete_study(study_name=name, storage=self.storage)


def owner_of_models(folder: Path) -> str:
    """Return the study whose retrained networks a folder ``models/NAME-TRIAL`` holds.

    >>> owner_of_models(Path("models/mlp-2-13"))
    'mlp-2'
    """
    return folder.name.rpartition("-")[0]


def row_of(trial: optuna.trial.FrozenTrial, replaced_by: int | None) -> TrialRow:
    """Return Optuna's trial as a row of ours."""
    return TrialRow(
        number=trial.number,
        state=TrialState(trial.state.name),
        values=tuple(trial.values) if trial.values is not None else None,
        params=dict(trial.params),
        attrs=dict(trial.user_attrs),
        curve=dict(sorted(trial.intermediate_values.items())),
        started=trial.datetime_start,
        ended=trial.datetime_complete,
        replaced_by=replaced_by,
    )


def _open_storage(url: str) -> BaseStorage:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    if url.startswith("journal:///"):
        from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

        path = url.removeprefix("journal:///")
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            return optuna.storages.JournalStorage(JournalFileBackend(path, JournalFileOpenLock(path)))
    if not url.startswith("sqlite:///"):
        return optuna.storages.get_storage(url)
    Path(url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    backend = optuna.storages.RDBStorage(url, engine_kwargs={"connect_args": {"timeout": SQLITE_TIMEOUT_S}})
    _write_ahead(backend.engine)
    return optuna.storages.get_storage(backend)


def _write_ahead(engine: Any) -> None:
    """Let SQLite append to a log instead of syncing at each commit: a killed process loses nothing by it."""
    import sqlalchemy

    @sqlalchemy.event.listens_for(engine, "connect")
    def set_pragmas(connection: Any, _: Any) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=NORMAL")
        cursor.close()

    engine.dispose()  # the connections made before the listener


def _created(trials: list[optuna.trial.FrozenTrial]) -> Any:
    return min((t.datetime_start for t in trials if t.datetime_start), default=None)
