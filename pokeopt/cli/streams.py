"""Standard output and error while libraries work: theirs are kept aside, ours reach the terminal."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from pokeopt.errors import PokeoptError

TAIL_BYTES = 4000


@contextmanager
def quiet_libraries() -> Iterator[TextIO]:
    """Yield the terminal, while whatever else writes to descriptors 1 and 2 ends in a passing file.

    Ray's processes write to the descriptors that they inherit, so replacing ``sys.stdout`` would not be
    enough. If the block raises what nobody raises on purpose, the end of that file follows on standard
    error: it may explain the bug. Where standard output is no descriptor (a notebook, a test that
    captures), nothing is moved.
    """
    if not _is_descriptor(sys.stdout, 1) or not _is_descriptor(sys.stderr, 2):
        yield sys.stdout
        return
    sys.stdout.flush()
    sys.stderr.flush()
    saved_out, saved_err = os.dup(1), os.dup(2)
    with tempfile.TemporaryFile() as aside, os.fdopen(os.dup(saved_out), "w", buffering=1) as terminal:
        os.dup2(aside.fileno(), 1)
        os.dup2(aside.fileno(), 2)
        is_bug = False
        try:
            yield terminal
        except Exception as error:
            is_bug = not isinstance(error, PokeoptError)
            raise
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os.dup2(saved_out, 1)
            os.dup2(saved_err, 2)
            os.close(saved_out)
            os.close(saved_err)
            if is_bug:
                sys.stderr.write(_tail(aside.fileno()))


def _is_descriptor(stream: TextIO, number: int) -> bool:
    try:
        return stream.fileno() == number
    except (OSError, ValueError, AttributeError):
        return False


def _tail(descriptor: int) -> str:
    end = os.fstat(descriptor).st_size
    start = max(end - TAIL_BYTES, 0)
    return os.pread(descriptor, end - start, start).decode(errors="replace")
