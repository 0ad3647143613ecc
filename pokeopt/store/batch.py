"""Many user attributes in one transaction: a trial has a hundred, and Optuna commits each by itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from optuna.exceptions import StorageInternalError
from optuna.storages import BaseStorage, RDBStorage
from optuna.storages._cached_storage import _CachedStorage
from optuna.storages._rdb import models

UPSERTS = ("sqlite", "postgresql")  # databases whose INSERT can replace


def write_user_attrs(storage: BaseStorage, trial_id: int, attrs: Mapping[str, Any]) -> None:
    """Write user attributes of a trial that has not finished, all or none where the storage is a database.

    Args:
        storage: Any of Optuna's; one without transactions is written key by key.
        trial_id: Optuna's own id of the trial.
        attrs: JSON values by key.

    Raises:
        StorageInternalError: If the database cannot be written.
        UpdateFinishedTrialError: If the trial has finished.
    """
    import sqlalchemy

    backend = storage._backend if isinstance(storage, _CachedStorage) else storage
    if not attrs:
        return
    if not isinstance(backend, RDBStorage) or backend.engine.name not in UPSERTS:
        for key, value in attrs.items():
            storage.set_trial_user_attr(trial_id, key, value)
        return
    if backend.engine.name == "sqlite":
        from sqlalchemy.dialects.sqlite import insert
    else:
        from sqlalchemy.dialects.postgresql import insert  # type: ignore[assignment]
    table = models.TrialUserAttributeModel
    rows = [
        {"trial_id": trial_id, "key": key, "value_json": json.dumps(value)} for key, value in attrs.items()
    ]
    statement = insert(table).values(rows)
    statement = statement.on_conflict_do_update(
        index_elements=[table.trial_id, table.key], set_={"value_json": statement.excluded.value_json}
    )
    try:
        with backend.engine.begin() as connection:
            state = connection.execute(
                sqlalchemy.select(models.TrialModel.state).where(models.TrialModel.trial_id == trial_id)
            ).scalar_one()
            backend.check_trial_is_updatable(trial_id, state)
            connection.execute(statement)
    except sqlalchemy.exc.SQLAlchemyError as error:
        raise StorageInternalError(str(error)) from error
