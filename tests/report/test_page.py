"""The page: one offline file, the same bytes twice, nobody's text becomes markup."""

from __future__ import annotations

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pokeopt.report import render_html, summarise, write_report
from pokeopt.store import Store

if TYPE_CHECKING:
    from tests.report.conftest import Builder

VOID = {"meta", "link", "br", "img", "hr", "input", "col"}
EVIL = "<script>alert(1)</script>\"'&"


class Reader(HTMLParser):
    """Collects what a test asks about, and fails at tags that do not nest."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.references: list[str] = []
        self.tables: list[dict[str, int]] = []
        self.unlabelled: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag not in VOID:
            self.open.append(tag)
        if "id" in found:
            self.ids.append(found["id"] or "")
        if tag == "a":
            self.links.append(found.get("href") or "")
        for key in ("src", "srcset", "data", "action", "poster", "xlink:href"):
            if key in found:
                self.references.append(found[key] or "")
        if tag == "link":
            self.references.append(found.get("href") or "")
        if tag == "table":
            self.tables.append({"caption": 0, "col": 0, "row": 0})
        elif tag == "caption":
            self.tables[-1]["caption"] += 1
        elif tag == "th":
            self.tables[-1][str(found.get("scope"))] += 1
        if tag == "svg" and not (
            found.get("aria-hidden") or (found.get("role") == "img" and found.get("aria-label"))
        ):
            self.unlabelled.append(str(found))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def page(whole: Store) -> str:
    return render_html(summarise(whole, "mlp"))


@pytest.fixture(scope="module")
def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    assert reader.open == []
    return reader


def test_nothing_is_fetched(page: str, read: Reader) -> None:
    assert not re.search(r"https?://", page)
    assert "@import" not in page
    assert "url(" not in page
    assert all(reference.startswith("data:") for reference in read.references)
    policy = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:"
    assert policy in page
    assert len(page) < 3_000_000


def test_ids_are_unique_and_links_lead_somewhere(read: Reader) -> None:
    assert len(set(read.ids)) == len(read.ids)
    assert {link.removeprefix("#") for link in read.links} <= set(read.ids)


def test_tables_and_drawings_can_be_read_aloud(read: Reader) -> None:
    assert read.tables
    assert all(table["caption"] == 1 and table["col"] > 0 and table["row"] > 0 for table in read.tables)
    assert read.unlabelled == []


def test_the_finding_the_forest_and_the_tables_stand_before_the_script(page: str) -> None:
    head, _, _ = page.partition("<script>")
    for text in (
        "The best configuration beats the baseline", "What changes test macro-F1", "Confusion matrix of best",
        "No effect may be read from this section", "out of memory", "PED-ANOVA", "silhouette_crop", "ValueError: boom",
    ):  # fmt: skip
        assert text in head


def test_equal_stores_give_equal_bytes(whole: Store, page: str, tmp_path: Path) -> None:
    assert render_html(summarise(whole, "mlp")) == page
    code = (
        "import sys; from pokeopt.store import open_store; from pokeopt.report import write_report;"
        "write_report(open_store(home=sys.argv[1]), 'mlp', sys.argv[2])"
    )
    file = tmp_path / "again.html"
    command = [sys.executable, "-c", code, str(whole.home), str(file)]
    subprocess.run(command, check=True, env={"PYTHONHASHSEED": "7"})
    assert file.read_text(encoding="utf-8") == page


def test_the_file_is_replaced_whole(whole: Store, tmp_path: Path) -> None:
    file = tmp_path / "reports" / "mlp.html"
    assert write_report(whole, "mlp", file) == file
    file.write_text("old")
    write_report(whole, ["mlp"], file)
    assert file.read_text(encoding="utf-8").endswith("</html>")
    assert [path.name for path in file.parent.iterdir()] == ["mlp.html"]


def test_several_studies_share_a_page_and_no_id(builder: Builder) -> None:
    builder.confirm("a", seeds=2)
    builder.confirm("b", seeds=2)
    reader = Reader()
    reader.feed(render_html(summarise(builder.store, ["a", "b"])))
    assert len(set(reader.ids)) == len(reader.ids)
    assert "s1-ablation" in reader.ids


def test_everybodys_text_is_escaped(builder: Builder) -> None:
    spec = {
        "name": EVIL,
        "path": EVIL,
        "data": {"source": EVIL, "preprocess": []},
        "external": {EVIL: {"of": "test"}},
    }
    arms = [
        {"id": id_, "label": f"{id_} = {EVIL}", "changes": {EVIL: [EVIL, EVIL]}, "config_hash": id_}
        for id_ in ("baseline", "best", EVIL)
    ]
    made = builder.study("e", "search", spec=spec)
    params = {EVIL: EVIL}
    builder.row(made, cause="error", params=params, attrs={"error": EVIL, "error_type": EVIL, "host": EVIL})
    builder.row(made, values=[0.5], params=params, curve={1: 0.2, 2: 0.5}, attrs={f"{EVIL}/macro_f1": 0.3})
    confirm = builder.study("e.ablation", "confirm", spec=spec, arms=arms, seeds=[0, 1])
    for seed in (0, 1):
        for arm in arms:
            attrs = {
                "arm_id": arm["id"],
                "seed": seed,
                "config_hash": arm["config_hash"],
                f"test/f1/{EVIL}": 0.1,
            }
            builder.row(confirm, values=[0.1 * seed], attrs=attrs)
    page = render_html(summarise(builder.store, "e"))
    assert "alert(1)" in page
    assert "<script>alert" not in page
    assert page.count("<script>") == 1
    reader = Reader()
    reader.feed(page)
    assert reader.open == []


def test_reports_load_neither_torch_nor_ray() -> None:
    code = (
        "import sys, pokeopt.report, pokeopt.ablation;"
        "print([name for name in ('torch', 'torchvision', 'ray') if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert result.stdout.strip() == "[]"
