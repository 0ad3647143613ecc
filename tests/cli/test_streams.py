"""What libraries write to the process's own descriptors does not reach the terminal."""

from __future__ import annotations

import subprocess
import sys

CODE = """
import os, subprocess, sys
from pokeopt.cli.streams import quiet_libraries
print("before")
with quiet_libraries() as terminal:
    print("from python")
    os.write(1, b"from c\\n")
    subprocess.run(["sh", "-c", "echo from a child; echo and its error >&2"])
    terminal.write("ours\\n")
    {last}
print("after")
"""


def outcome(last: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-c", CODE.format(last=last)]
    return subprocess.run(line, capture_output=True, text=True, check=False, timeout=60)


def test_only_ours_is_shown() -> None:
    done = outcome("pass")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split("\n") == ["before", "ours", "after", ""]


def test_a_bug_is_shown_with_what_was_hidden() -> None:
    done = outcome("raise RuntimeError('a bug')")
    assert "from a child" in done.stderr
    assert "RuntimeError: a bug" in done.stderr


def test_an_error_on_purpose_stays_alone() -> None:
    done = outcome("from pokeopt.errors import StoreError; raise StoreError('a', 'b', 'c')")
    assert "from a child" not in done.stderr
