"""Evaluations of a study's models on further labelled sets: artifacts of the study, which its next report reads."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pokeopt.store.attached import attached
from pokeopt.store.writing import persistently

if TYPE_CHECKING:
    import optuna

    from pokeopt.store.opening import Store

FILE_NAME = "evaluations.json"


def read_evaluations(store: Store, name: str) -> list[dict[str, Any]]:
    """Return the evaluations of a study, oldest first; none where there are none.

    Each has ``model`` (what a table calls it), ``trial``, ``weights`` (``trial``, ``retrained`` or ``ensemble``),
    ``data`` (the set's name), ``data_hash``, ``n`` (its images), ``at`` (ISO time), ``metrics`` (name without part to
    value there), ``intervals`` (name to its 95 % interval over images, where it has one), ``local`` (PART/NAME to the
    same model's value on parts of the study), ``own`` (part of the study to how many of the images lie in it; older
    entries have none) and ``predictions`` (the artifact with ids, truth and outputs).

    Raises:
        UserError: If no study is called so.
    """
    content = _content(store, store.study(name), FILE_NAME)
    entries: list[dict[str, Any]] = json.loads(content)["evaluations"] if content else []
    return entries


def read_evaluation_file(store: Store, name: str, filename: str) -> bytes | None:
    """Return the predictions of an evaluation; None if they are gone."""
    return _content(store, store.study(name), filename)


def write_evaluation(store: Store, name: str, entry: Mapping[str, Any], predictions: bytes) -> None:
    """Add an evaluation to a study; one of the same model on the same images is replaced.

    Args:
        store: Where the study lies.
        name: The study, exactly.
        entry: See ``read_evaluations``; ``predictions`` is filled in here.
        predictions: An .npz file.

    Raises:
        UserError: If no study is called so.
        StoreError: If the store refuses to be written.
    """
    study = store.study(name)
    with store.ask_lock():  # two that evaluate at once each add to what the other wrote
        entries = read_evaluations(store, name)
        same = [one for one in entries if _key(one) == _key(entry)]
        taken = {str(one["predictions"]) for one in entries}
        number = next(n for n in range(1, len(taken) + 2) if f"evaluation-{n}.npz" not in taken)
        filename = same[0]["predictions"] if same else f"evaluation-{number}.npz"
        entries = [one for one in entries if _key(one) != _key(entry)]
        entries.append({**entry, "predictions": filename})
        _put(store, study, filename, predictions)
        text = json.dumps({"evaluations": entries}, indent=1, ensure_ascii=False)
        _put(store, study, FILE_NAME, text.encode())


def _key(entry: Mapping[str, Any]) -> tuple[Any, ...]:
    return entry["model"], entry["data_hash"]


def _content(store: Store, study: optuna.Study, filename: str) -> bytes | None:
    known = dict(attached(store.storage, study)).get(filename)
    file = store.artifacts_dir / known if known else None
    return file.read_bytes() if file is not None and file.is_file() else None


def _put(store: Store, study: optuna.Study, filename: str, content: bytes) -> None:
    """Attach a file to a study, in the place of the one of that name."""
    from optuna.artifacts import upload_artifact

    known = dict(attached(store.storage, study)).get(filename)
    if known is not None:
        target = store.artifacts_dir / known
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = target.with_name(f".{target.name}.{os.getpid()}")
        draft.write_bytes(content)
        draft.replace(target)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / filename
        path.write_bytes(content)
        persistently(
            lambda: upload_artifact(
                artifact_store=store.artifact_store,
                file_path=str(path),
                study_or_trial=study,
                storage=store.storage,
            )
        )
