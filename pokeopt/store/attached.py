"""Which artifacts a study or a trial names."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from optuna.artifacts._upload import ARTIFACTS_ATTR_PREFIX

if TYPE_CHECKING:
    from optuna import Study
    from optuna.storages import BaseStorage
    from optuna.trial import FrozenTrial


def attached(storage: BaseStorage, owner: Study | FrozenTrial) -> list[tuple[str, str]]:
    """Return (file name, artifact id) of everything attached, oldest first.

    Optuna's own ``get_all_artifact_meta`` fails on what optuna-dashboard leaves of an artifact that was deleted there.
    """
    if hasattr(owner, "_trial_id"):
        attrs = storage.get_trial_system_attrs(owner._trial_id)
    else:
        attrs = storage.get_study_system_attrs(owner._study_id)
    metas = [json.loads(text) for key, text in attrs.items() if key.startswith(ARTIFACTS_ATTR_PREFIX)]
    return [(meta["filename"], meta["artifact_id"]) for meta in metas if meta is not None]
