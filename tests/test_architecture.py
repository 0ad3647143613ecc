"""The one rule of the house, drawn from the source: imports point up the page. And packages load lazily."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import pokeopt

PACKAGE = Path(pokeopt.__file__).parent

# The way of the data: a module imports from lines above its own, never from below.
ORDER = (
    "errors",
    "records",
    "registry",
    "spec",
    "data",
    "models",
    "losses",
    "metrics",
    "training",
    "trial",
    "store",
    "ablation",
    "report",
    "study",
    "inference",
    "tracking",
    "dashboard",
    "doctor",
    "api",
    "continuing",
    "handle",
    "cli",
    "__main__",
)
HEAVY = {"torch", "torchvision", "ray"}
WITHOUT_TORCH = (
    "report",
    "store",
    "ablation",
    "spec",
    "metrics",
    "cli",
    "study",
    "dashboard",
    "doctor",
    "api",
    "continuing",
    "handle",
)


def modules() -> Iterator[tuple[str, Path, ast.Module]]:
    """Yield (first part below pokeopt, file, syntax tree) of every source file."""
    for path in sorted(PACKAGE.rglob("*.py")):
        top = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        yield top, path, ast.parse(path.read_text(encoding="utf-8"), str(path))


def imported(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Yield (dotted name, line) of every import, those inside functions and for type checkers included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module, node.lineno
            if node.module == "pokeopt":  # from pokeopt import trial
                yield from ((f"pokeopt.{alias.name}", node.lineno) for alias in node.names)


def test_every_module_has_its_line() -> None:
    """A new package takes a place in the order before it takes code."""
    found = {top for top, _, _ in modules()} - {"__init__"}
    assert found <= set(ORDER), f"no line for {sorted(found - set(ORDER))}"


def test_imports_point_up() -> None:
    wrong = []
    for top, path, tree in modules():
        if top == "__init__":
            continue
        for name, line in imported(tree):
            parts = name.split(".")
            if parts[0] == "pokeopt" and len(parts) > 1 and ORDER.index(parts[1]) > ORDER.index(top):
                wrong.append(f"{path.relative_to(PACKAGE.parent)}:{line} imports {name} from below")
    assert not wrong, "\n".join(wrong)


def test_only_study_imports_ray() -> None:
    wrong = [
        f"{path.relative_to(PACKAGE.parent)}:{line}"
        for top, path, tree in modules()
        if top != "study"
        for name, line in imported(tree)
        if name.split(".")[0] == "ray"
    ]
    assert not wrong, wrong


@pytest.mark.parametrize("top", ["report", "store", "ablation", "spec", "metrics"])
def test_no_torch_where_a_laptop_reads_results(top: str) -> None:
    wrong = [
        f"{path.relative_to(PACKAGE.parent)}:{line} imports {name}"
        for owner, path, tree in modules()
        if owner == top
        for name, line in imported(tree)
        if name.split(".")[0] in HEAVY
    ]
    assert not wrong, wrong


def test_only_the_command_line_prints_and_exits() -> None:
    wrong = []
    for top, path, tree in modules():
        if top in ("cli", "__main__"):
            continue
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in ("print", "exit")
            ):
                wrong.append(f"{path.relative_to(PACKAGE.parent)}:{node.lineno} calls {node.func.id}")
            if isinstance(node, ast.Attribute) and node.attr == "exit" and ast.unparse(node) == "sys.exit":
                wrong.append(f"{path.relative_to(PACKAGE.parent)}:{node.lineno} calls sys.exit")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name", WITHOUT_TORCH)
def test_loads_lazily(name: str) -> None:
    """A look at results must not wait seconds for libraries that train."""
    code = f"import sys, pokeopt.{name}; print(*({HEAVY!r} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.split() == [], f"import pokeopt.{name} loads {done.stdout}"


def test_help_is_fast_and_loads_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from pokeopt.cli import main\n"
        "main(['run', '--help'])\n"
        "heavy = {'torch', 'torchvision', 'ray', 'optuna', 'pandas', 'sklearn', 'scipy', 'plotly', 'numpy'}\n"
        "print('LOADED', *sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.splitlines()[-1] == "LOADED"
