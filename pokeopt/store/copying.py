"""Copy a study from one of Optuna's storages to another, with all that names something kept in step."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from copy import deepcopy
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from optuna.storages import BaseStorage

ARTIFACT = "artifacts:"  # before an artifact's id: the system attribute that attaches it
TRIAL_NOTE = re.compile(
    r"dashboard:(\d+):(.+)"
)  # a trial's note, which optuna-dashboard keys by the trial's id
NAMES_A_STUDY = ("parent", "extends", "fresh_of", "search")  # user attributes, where they are text


def copy_study(
    source: BaseStorage,
    name: str,
    target: BaseStorage,
    new_name: str,
    renamed: Mapping[str, str],
    artifact_ids: Mapping[str, str],
) -> None:
    """Copy a study row by row, as ``optuna.copy_study`` does; that one loses the notes of trials and renames nothing.

    Args:
        source: Where the study lies.
        name: Its name there.
        target: Where it goes.
        new_name: Its name there.
        renamed: Old to new names of the studies that it may speak of.
        artifact_ids: Old to new ids of its artifacts; what is not in it keeps its id.
    """
    import optuna

    old = optuna.load_study(study_name=name, storage=source, sampler=optuna.samplers.RandomSampler())
    new_id = target.create_new_study(old.directions, new_name)
    trial_ids: dict[str, int] = {}
    for trial in old.get_trials(deepcopy=False):
        row = deepcopy(trial)
        row.system_attrs = dict(_artifact(*pair, artifact_ids) for pair in trial.system_attrs.items())
        row.user_attrs = {key: _named(key, value, renamed) for key, value in trial.user_attrs.items()}
        trial_ids[str(trial._trial_id)] = target.create_new_trial(new_id, template_trial=row)
    for key, value in old.user_attrs.items():
        target.set_study_user_attr(new_id, key, _named(key, value, renamed))
    for key, value in source.get_study_system_attrs(old._study_id).items():
        note = TRIAL_NOTE.fullmatch(key)
        if note is not None and note[1] in trial_ids:
            target.set_study_system_attr(new_id, f"dashboard:{trial_ids[note[1]]}:{note[2]}", value)
        else:
            target.set_study_system_attr(new_id, *_artifact(key, value, artifact_ids))


def _artifact(key: str, value: Any, new_ids: Mapping[str, str]) -> tuple[str, Any]:
    """Return a system attribute with an artifact's new id, in its key and in what it says."""
    new_id = new_ids.get(key.removeprefix(ARTIFACT)) if key.startswith(ARTIFACT) else None
    if new_id is None:
        return key, value
    meta = json.loads(value)  # null where the artifact was deleted on the dashboard's page
    return ARTIFACT + new_id, json.dumps(meta | {"artifact_id": new_id} if meta else meta)


def _named(key: str, value: Any, renamed: Mapping[str, str]) -> Any:
    if key == "spec" and isinstance(value, dict):
        return {**value, "name": renamed.get(value.get("name", ""), value.get("name"))}
    return renamed.get(value, value) if key in NAMES_A_STUDY and isinstance(value, str) else value
