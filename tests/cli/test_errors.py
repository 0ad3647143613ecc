"""The user's mistakes: one line on standard error, exit code 2, nothing written."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Run

MALFORMED = sorted((Path(__file__).parent.parent / "malformed").glob("*.yaml"))
MISTAKES = {
    "unknown command": (["rum"], "rum"),
    "unknown option": (["run", "space.yaml", "--trails", "3"], "--trails"),
    "missing argument": (["run"], "SPACE.yaml"),
    "no such file": (["run", "space.yaml"], "space.yaml"),
    "no such file to plan": (["plan", "space.yaml"], "space.yaml"),
    "a number that is none": (["run", "space.yaml", "--trials", "many"], "--trials"),
    "no trials": (["run", "space.yaml", "--trials", "0"], "--trials"),
    "a duration without unit": (["run", "space.yaml", "--timeout", "30"], "--timeout"),
    "workers in words": (["run", "space.yaml", "--workers", "two"], "--workers"),
    "no such study": (["show", "mlp"], "mlp"),
    "no best of no study": (["best", "mlp"], "mlp"),
    "nothing to report": (["report", "mlp"], "mlp"),
    "nothing to delete": (["delete", "mlp", "--yes"], "mlp"),
    "a store of another kind": (["list", "--storage", "mysql://db"], "mysql://db"),
    "no such source": (["data", "describe", "creeatures"], "creeatures"),
    "no such table": (["data", "describe", "nope.csv"], "there is no such file"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_line(run: Run, tmp_path: Path, mistake: str) -> None:
    words, named = MISTAKES[mistake]
    code, out, err = run(*words)
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert named in err
    assert list(tmp_path.iterdir()) == []


def test_there_are_malformed_files() -> None:
    assert len(MALFORMED) >= 20


@pytest.mark.parametrize("command", ["run", "plan"])
@pytest.mark.parametrize("path", MALFORMED, ids=lambda path: path.stem)
def test_a_malformed_file_is_one_line(run: Run, tmp_path: Path, path: Path, command: str) -> None:
    expected = path.read_text(encoding="utf-8").splitlines()[0].removeprefix("# expect: ")
    code, out, err = run(command, str(path))
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert expected in err
    assert list(tmp_path.iterdir()) == []


def test_as_a_process(tmp_path: Path) -> None:
    """The installed program, too, ends with the code and without a traceback."""
    line = [sys.executable, "-m", "pokeopt", "run", "space.yaml"]
    done = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.startswith("error: ")


@pytest.mark.parametrize("place", ["a file/schema.json", "a folder", "/sys/schema.json"])
def test_an_output_that_cannot_be_written(run: Run, tmp_path: Path, place: str) -> None:
    (tmp_path / "a file").touch()
    (tmp_path / "a folder").mkdir()
    code, _, err = run("schema", "-o", place)
    assert code == 1
    assert err.startswith("error: ")
    assert err.count("\n") == 1


def test_a_reader_that_leaves_early() -> None:
    """``pokeopt schema | head -1`` ends without a complaint."""
    line = f"{sys.executable} -m pokeopt schema | head -n 1"
    done = subprocess.run(line, shell=True, capture_output=True, text=True, check=False, timeout=120)
    assert done.stderr == ""


def test_a_run_without_a_result_says_so_even_quietly(run: Run, tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text(
        "from dataclasses import dataclass\nfrom pokeopt.registry import MODELS\n\n\n"
        "@MODELS.register('bad')\n@dataclass(frozen=True)\nclass Bad:\n"
        "    def build(self, image, n_classes):\n        raise ValueError('no')\n"
    )
    text = "data: {source: digits, limit: 100}\nmodel: {family: bad}\nplugins: [bad.py]\nresources: {workers: 0}\n"
    (tmp_path / "bad.yaml").write_text(text)
    code, out, err = run("run", "bad.yaml", "--trials", "2", "--quiet")
    assert (code, out) == (1, "")
    assert "no trial gave a result (2 failed)" in err


def test_a_plugins_component_is_a_dataclass_or_a_function(run: Run, tmp_path: Path) -> None:
    text = "from pokeopt.registry import MODELS\n\n\n@MODELS.register('plain')\nclass Plain:\n    pass\n"
    (tmp_path / "plain.py").write_text(text)
    (tmp_path / "space.yaml").write_text(
        "data: {source: digits}\nmodel: {family: plain}\nplugins: [plain.py]\n"
    )
    code, _, err = run("plan", "space.yaml")
    assert code == 2
    assert "the model 'plain' has no settings that can be told" in err
    assert "add @dataclass(frozen=True) above it" in err


def test_a_plugin_may_not_end_the_program(run: Run, tmp_path: Path) -> None:
    (tmp_path / "ends.py").write_text("import sys\n\nsys.exit(3)\n")
    (tmp_path / "space.yaml").write_text("data: {source: digits}\nmodel: {family: mlp}\nplugins: [ends.py]\n")
    code, _, err = run("plan", "space.yaml")
    assert code == 2
    assert "the plugin cannot be imported: SystemExit: 3" in err


def test_a_report_is_no_folder(run: Run, home: Path, tmp_path: Path) -> None:
    before = sorted(path.name for path in tmp_path.iterdir())
    code, out, err = run("report", "mlp", "--home", str(home), "-o", str(tmp_path))
    assert (code, out) == (2, "")
    assert "this is a folder; give the file to write" in err
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    code, _, err = run("report", "mlp", "--home", str(home), "-o", "/proc/nowhere/report.html")
    assert code == 1
    assert err.count("\n") == 1
