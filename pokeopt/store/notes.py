"""The notes that optuna-dashboard shows beside a study and beside each of its trials."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pokeopt.store.trial_notes import OURS, trial_note

if TYPE_CHECKING:
    from optuna import Study

    from pokeopt.records import StopCause

LETTERS = 2045  # of one attribute: where optuna-dashboard cuts a note in parts


def write_trial_note(study: Study, trial_id: int, cause: StopCause, values: tuple[float, ...] | None) -> None:
    """Write the note of a trial that is about to end, below what a person wrote there while it ran.

    Args:
        study: Its study.
        trial_id: Optuna's own id of the trial. Its attributes must have been written: they are what the note tells.
        cause: Why it ends.
        values: The objectives of a COMPLETE trial.
    """
    attrs = study._storage.get_study_system_attrs(study._study_id)  # once: all notes of the study are in it
    present = _note_in(attrs, trial_id)
    if OURS not in present:
        body = trial_note(study._storage.get_trial(trial_id), study.user_attrs, cause, values)
        _write(study, trial_id, f"{present}\n\n{body}".strip(), attrs)


def note_of(study: Study, trial_id: int | None = None) -> str:
    """Return the note of a trial, or of the study."""
    return _note_in(study._storage.get_study_system_attrs(study._study_id), trial_id)


def _note_in(attrs: Mapping[str, Any], trial_id: int | None) -> str:
    prefix = _prefix(trial_id)
    n_parts = sum(key.startswith(f"{prefix}note_str:") for key in attrs)
    return "".join(attrs[f"{prefix}note_str:{i}"] for i in range(n_parts))


def write_note(study: Study, trial_id: int | None, body: str) -> None:
    """Write the note of a trial, or of the study, in the place of the one before.

    The attributes are those of ``optuna_dashboard.save_note``, which a test compares with it: its package imports
    scikit-learn and SciPy, seconds that every driver would wait while its trials run.
    """
    _write(study, trial_id, body, study._storage.get_study_system_attrs(study._study_id))


def _write(study: Study, trial_id: int | None, body: str, attrs: Mapping[str, Any]) -> None:
    storage, study_id, prefix = study._storage, study._study_id, _prefix(trial_id)
    parts = [body[at : at + LETTERS] for at in range(0, len(body), LETTERS)]
    n_before = sum(key.startswith(f"{prefix}note_str:") for key in attrs)
    parts += [""] * (n_before - len(parts))
    for i, part in enumerate(parts):
        storage.set_study_system_attr(study_id, f"{prefix}note_str:{i}", part)
    # last: a page that sees the new version sees the whole note
    storage.set_study_system_attr(study_id, f"{prefix}note_ver", int(attrs.get(f"{prefix}note_ver", 0)) + 1)


def _prefix(trial_id: int | None) -> str:
    return "dashboard:" if trial_id is None else f"dashboard:{trial_id}:"
