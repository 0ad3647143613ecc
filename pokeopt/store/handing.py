"""What optuna-dashboard shows of a report: the file as an artifact of the study, its finding as the study's note."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from pokeopt.store.attached import attached
from pokeopt.store.notes import note_of, write_note
from pokeopt.store.writing import persistently

if TYPE_CHECKING:
    import optuna

    from pokeopt.store.opening import Store

OURS = "*Written by pokeopt with the report; a note that you change stays as it is.*"
MOST_LETTERS = 5000  # of a finding; a note of that length is stored and shown whole


def hand_over(store: Store, name: str, html_path: Path, finding: str) -> None:
    """Attach a report to a study and save its finding as the study's note, each in the place of the last one.

    A note that a person wrote or changed is left alone.

    Args:
        store: Where the study lies.
        name: The study, exactly.
        html_path: The report, one self-contained file.
        finding: Its sentences.

    Raises:
        UserError: If no study is called so.
        StoreError: If the store refuses to be written.
    """
    from optuna.artifacts import upload_artifact

    study = store.study(name)
    known = dict(attached(store.storage, study)).get(html_path.name)
    if known is not None:
        _replace(html_path, store.artifacts_dir / known)
    else:
        persistently(
            lambda: upload_artifact(
                artifact_store=store.artifact_store,
                file_path=str(html_path),
                study_or_trial=study,
                storage=store.storage,
                mimetype="text/html",
            )
        )
    _note(study, finding)


def _replace(source: Path, target: Path) -> None:
    """Put a file in another's place in one step: the dashboard may be reading it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_name(f".{target.name}.{os.getpid()}")
    shutil.copyfile(source, fresh)
    fresh.replace(target)


def _note(study: optuna.Study, finding: str) -> None:
    present = note_of(study)
    if present and not present.endswith(OURS):
        return
    body = f"{finding[:MOST_LETTERS]}\n\n{OURS}"
    if body != present:
        persistently(lambda: write_note(study, None, body))
