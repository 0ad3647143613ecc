"""An imported image set on disk: ``images.npy``, ``table.csv``, ``facts.json`` and more in ``<home>/data/<name>``."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from filelock import FileLock

from pokeopt.errors import DataError, StoreError

IMAGES, TABLE, FACTS = "images.npy", "table.csv", "facts.json"


def stored_folder(home: Path, name: str) -> Path:
    """Return where an imported set of this name lies; DataError if that is no name for a folder."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", name):
        what = f"'{name}' cannot name a data set"
        raise DataError("name", what, "use letters, digits, '-', '_' and '.', a letter or digit first")
    return home / "data" / name


def write_stored(
    folder: Path,
    images: npt.NDArray[np.uint8],
    table: pd.DataFrame,
    facts: Mapping[str, Any],
    further: Mapping[str, bytes] | None = None,
) -> str:
    """Write a set as a whole or not at all; one of that name is replaced.

    Args:
        folder: Where to.
        images: (N, H, W, 4), RGBA.
        table: N rows.
        facts: What else is known, as JSON values.
        further: Files that lie beside them, name to bytes.

    Returns:
        The content hash: a digest of images and table.

    Raises:
        StoreError: If the folder cannot be written.
    """
    text = table.to_csv(index=False, lineterminator="\n").encode()
    digest = hashlib.sha256(repr(images.shape).encode() + images.tobytes() + text).hexdigest()
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.parent / f".{folder.name}.lock"):
            for leftover in folder.parent.glob(f".{folder.name}.*.draft"):  # of a killed process
                shutil.rmtree(leftover, ignore_errors=True)
            draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".draft", dir=folder.parent))
            try:
                new = draft / "new"
                new.mkdir()
                np.save(new / IMAGES, images)
                (new / TABLE).write_bytes(text)
                for name, data in (further or {}).items():
                    (new / name).write_bytes(data)
                written = json.dumps({**facts, "content_hash": digest}, indent=1)
                (new / FACTS).write_text(written + "\n", encoding="utf-8")
                if folder.exists():
                    os.replace(folder, draft / "old")
                os.replace(new, folder)
            finally:
                shutil.rmtree(draft, ignore_errors=True)
    except OSError as error:
        what = f"the data set cannot be written: {error.strerror or error}"
        raise StoreError(str(folder), what, "free some space or use another --home") from error
    return digest


def read_stored(folder: Path, import_command: str) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return (table with every cell as text, facts) of an imported set.

    Args:
        folder: Where it lies.
        import_command: How to import it, for the error.

    Raises:
        DataError: If it was not imported, or is broken.
    """
    if not folder.is_dir():
        raise DataError(str(folder), f"'{folder.name}' is not imported", f"run: {import_command}")
    try:
        facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
        table = pd.read_csv(folder / TABLE, dtype=str, keep_default_na=False)
        n_images = len(stored_images(folder))
        if n_images != len(table) or not isinstance(facts["content_hash"], str):
            raise ValueError(f"{n_images} images, {len(table)} rows")
    except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
        what = f"the imported set is broken: {(str(error).splitlines() or [''])[0]}"
        raise DataError(str(folder), what, f"import it again: {import_command}") from error
    return table, facts


def stored_images(folder: Path) -> npt.NDArray[np.uint8]:
    """Return the images of an imported set, (N, H, W, 4), memory-mapped, read-only."""
    images: npt.NDArray[np.uint8] = np.load(folder / IMAGES, mmap_mode="r")
    return images
