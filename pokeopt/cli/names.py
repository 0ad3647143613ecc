"""What a person may type where studies are meant: their names, the files that made them, a folder of such files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pokeopt.errors import UserError
from pokeopt.registry import nearest

if TYPE_CHECKING:
    from pokeopt.store import Store

QUICK = ".quick"  # behind the name of a plan's smoke run
YAML = (".yaml", ".yml")
LONGEST = 80  # letters of a file's name


@dataclass(frozen=True)
class Asked:
    """The studies that were asked for.

    Attributes:
        names: Their names in the store, each once, in the order in which they were asked for.
        lacking: Files whose study is not in the store yet.
        title: What a file about all of them is called.
    """

    names: tuple[str, ...]
    lacking: tuple[Path, ...]
    title: str


def studies_asked(store: Store, words: Sequence[str]) -> Asked:
    """Return the studies that names, files and folders stand for; a file whose study was not run is left out.

    A plan of which only the quick run is there stands for that one. A study's name wins over a file of that name.

    Raises:
        UserError: If a name is no study's, or none of a folder's files has been run.
    """
    known = set(store.names())
    names: dict[str, None] = {}
    lacking: list[Path] = []
    titles: list[str] = []
    for word in words:
        path = Path(word)
        if word not in known and (path.is_dir() or (path.suffix.lower() in YAML and path.is_file())):
            found, missing = _of_path(store, path, known)
            names |= dict.fromkeys(found)
            lacking += missing
            titles.append(path.resolve().name if path.is_dir() else found[0])
        else:
            name = _named(store, word, known)
            names[name] = None
            titles.append(name)
    return Asked(tuple(names), tuple(lacking), _title(titles))


def _of_path(store: Store, path: Path, known: set[str]) -> tuple[list[str], list[Path]]:
    """Return the studies of a file, or of the files right in a folder, and the files without one."""
    files = (
        sorted(f for f in path.iterdir() if f.suffix.lower() in YAML and f.is_file())
        if path.is_dir()
        else [path]
    )
    if not files:
        raise UserError(
            str(path), "there is no .yaml file in this folder", "name a study, a plan or a folder of plans"
        )
    found, missing = [], []
    for file in files:
        name = _stored(store, _name_in(file), known)
        if name is None:
            missing.append(file)
        else:
            found.append(name)
    if not found:
        what = f"none of its {len(files)} files has been run" if path.is_dir() else "it has not been run"
        raise UserError(str(path), what, f"pokeopt ablate {path} runs plans, pokeopt run FILE a search")
    return found, missing


def _named(store: Store, word: str, known: set[str]) -> str:
    name = _stored(store, word, known)
    if name is not None:
        return name
    if Path(word).suffix.lower() in YAML:
        raise UserError(word, "there is no such file", "see pokeopt list for the names of studies")
    where = f"store {store.file or store.url}"
    raise UserError(where, f"no study is called '{word}'", nearest(word, sorted(known)))


def _stored(store: Store, name: str, known: set[str]) -> str | None:
    """Return the newest study of that name, else the quick run of the plan of that name."""
    return next((n for n in (store.newest(name), f"{name}{QUICK}") if n in known), None)


def _name_in(file: Path) -> str:
    from pokeopt.spec.document import read_document

    node = read_document(file).mapping.get("name")
    return str(node.value) if node is not None and node.value is not None else file.stem


def _title(titles: Sequence[str]) -> str:
    """Return a name for a file about several studies that a file system takes."""
    whole = "+".join(dict.fromkeys(titles))
    if len(whole) <= LONGEST:
        return whole
    return f"{titles[0][:LONGEST]}+{len(set(titles)) - 1}"
