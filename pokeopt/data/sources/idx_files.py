"""IDX files: arrays of bytes behind a header of their shape, as MNIST has them."""

from __future__ import annotations

import gzip
import math
import threading
import zlib
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pokeopt.errors import DataError

Bytes = npt.NDArray[np.uint8]
UNSIGNED_BYTE = 8  # among the types that a header may name
_reading = threading.Lock()  # images are decoded by several threads; one unpacks, the others wait


def read_idx(path: str, digest: str, n_axes: int) -> Bytes:
    """Return the array of a file: mapped where it is plain, unpacked once a process where it ends in ``.gz``.

    Args:
        path: The file.
        digest: Of its bytes, so that a changed file is read anew.
        n_axes: What it must have: 3 for images (N, H, W), 1 for labels (N,).

    Raises:
        DataError: If it is no such file, or is shorter or longer than its header says.
    """
    with _reading:
        return _read(path, digest, n_axes)


@lru_cache(maxsize=8)
def _read(path: str, digest: str, n_axes: int) -> Bytes:  # noqa: ARG001 - part of the key
    try:
        data = _bytes(Path(path))
    except (OSError, ValueError, EOFError, zlib.error) as error:  # an empty file cannot be mapped
        what = f"the file cannot be read: {error}".splitlines()[0]
        raise DataError(path, what, "replace it") from error
    magic = bytes([0, 0, UNSIGNED_BYTE, n_axes])
    n_header = len(magic) + 4 * n_axes
    if bytes(data[:4]) != magic or len(data) < n_header:
        what = f"the file begins with {bytes(data[:4]).hex()}, not with {magic.hex()}"
        raise DataError(path, what, "replace it by the IDX file of that name")
    shape = [int(size) for size in np.frombuffer(bytes(data[4:n_header]), dtype=">u4")]
    n_expected = n_header + math.prod(shape)
    if len(data) != n_expected:
        what = f"the file has {len(data)} bytes, its header says {n_expected}"
        raise DataError(path, what, "replace it: it was cut off or changed")
    return data[n_header:].reshape(shape)


def _bytes(path: Path) -> Bytes:
    if path.suffix == ".gz":
        return np.frombuffer(gzip.decompress(path.read_bytes()), dtype=np.uint8)
    return np.memmap(path, dtype=np.uint8, mode="r")
