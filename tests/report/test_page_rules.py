"""What holds for every page: nothing fetched, everything readable aloud, on paper, without a script, by keyboard."""

from __future__ import annotations

import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

from pokeopt.report import write_report
from pokeopt.store import Store
from tests.report.test_browser import CHROMIUM, FLAGS, browse

POLICY = {
    "default-src": ["'none'"],
    "script-src": ["'unsafe-inline'"],
    "style-src": ["'unsafe-inline'"],
    "img-src": ["data:", "blob:"],
}
PDFTOTEXT = shutil.which("pdftotext")
needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")
PROBE = """
<script>
addEventListener("load", () => {
  const say = (name, value) => document.documentElement.setAttribute("data-" + name, value);
  const input = document.querySelector(".filter input");
  const table = document.getElementById(input.getAttribute("aria-controls"));
  const shown = () => [...table.tBodies[0].rows].filter((row) => row.getClientRects().length).length;
  for (let e = table; e; e = e.parentElement) if (e.tagName === "DETAILS") e.open = true;
  const all = shown();
  input.value = "PRUNED";
  input.dispatchEvent(new Event("input"));
  const some = [...table.tBodies[0].rows].filter((row) => !row.hidden);
  say("filtered", some.length && some.length < all && some.every((row) => row.textContent.includes("pruned"))
    && shown() === some.length);
  dispatchEvent(new Event("beforeprint"));
  say("printed", shown() === all);
  dispatchEvent(new Event("afterprint"));
  say("restored", shown() === some.length);
  const head = [...table.tHead.rows[0].cells].findIndex((cell) => cell.textContent.startsWith("validation"));
  const button = table.tHead.rows[0].cells[head].querySelector("button");
  const isEmpty = () => [...table.tBodies[0].rows].map((row) => row.cells[head].dataset.sort === undefined);
  const atEnd = (flags) => flags.every((flag, i) => i === 0 || flag >= flags[i - 1]);
  button.click();
  const up = isEmpty();
  button.click();
  say("emptylast", atEnd(up) && atEnd(isEmpty()) && up.includes(true) && up.includes(false));
  button.focus();
  say("focus", document.activeElement === button && button.tabIndex === 0);
  say("aria", table.tHead.rows[0].cells[head].getAttribute("aria-sort"));
});
</script>
"""


class Figures(HTMLParser):
    """What each figure holds, and every table's heads."""

    def __init__(self) -> None:
        super().__init__()
        self.figures: list[set[str]] = []
        self.is_open = False
        self.scopes: list[str | None] = []
        self.policies: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "figure":
            self.figures.append(set())
            self.is_open = True
        if self.is_open:
            if tag == "svg" and found.get("role") == "img" and found.get("aria-label"):
                self.figures[-1].add("drawing")
            elif tag == "img" and found.get("alt"):
                self.figures[-1].add("image")
            elif tag in ("figcaption", "table", "caption", "h3", "p"):
                self.figures[-1].add(tag)
        if tag == "th":
            self.scopes.append(found.get("scope"))
        if tag == "meta" and found.get("http-equiv") == "Content-Security-Policy":
            self.policies.append(found.get("content") or "")

    def handle_endtag(self, tag: str) -> None:
        self.is_open = self.is_open and tag != "figure"


@pytest.fixture(scope="module")
def page(whole: Store, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_report(whole, "mlp", tmp_path_factory.mktemp("rules") / "mlp.html")


@pytest.fixture(scope="module")
def read(page: Path) -> Figures:
    reader = Figures()
    reader.feed(page.read_text(encoding="utf-8"))
    return reader


def test_the_policy_lets_nothing_in(read: Figures) -> None:
    (policy,) = read.policies
    rules = {rule.split()[0]: rule.split()[1:] for rule in policy.split(";") if rule.strip()}
    assert rules == POLICY


def test_every_figure_has_its_question_reading_words_and_numbers(read: Figures) -> None:
    assert len(read.figures) > 5
    for figure in read.figures:
        assert "h3" in figure
        if "drawing" in figure:
            assert {"figcaption", "table", "caption"} <= figure, figure
        else:
            assert "image" in figure


def test_every_head_says_what_it_heads(read: Figures) -> None:
    assert set(read.scopes) == {"col", "row"}


def test_who_wants_no_motion_gets_none(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    moving = re.findall(r"(?<![\w-])(?:transition|animation|scroll-behavior)\s*:", text)
    asked = re.findall(r"@media \(prefers-reduced-motion: no-preference\) \{[^}]*\{[^}]*\}", text)
    assert len(moving) == sum(
        len(re.findall(r"(?:transition|animation|scroll-behavior)\s*:", a)) for a in asked
    )


@needs_browser
def test_tables_filter_and_sort_by_keyboard(page: Path, tmp_path: Path) -> None:
    file = tmp_path / "probed.html"
    file.write_text(page.read_text(encoding="utf-8").replace("</body>", f"{PROBE}</body>"), encoding="utf-8")
    dom, console = browse(file, tmp_path / "profile")
    found = dict(re.findall(r'data-(\w+)="([^"]*)"', dom.partition("<head>")[0]))
    assert console == ""
    assert found == {
        "filtered": "true", "printed": "true", "restored": "true", "emptylast": "true", "focus": "true",
        "aria": "descending",
    }  # fmt: skip


@needs_browser
def test_without_its_script_the_finding_and_the_tables_are_there(page: Path, tmp_path: Path) -> None:
    """Mail programs run none."""
    file = tmp_path / "silent.html"
    text = page.read_text(encoding="utf-8")
    file.write_text(text.replace("script-src 'unsafe-inline'", "script-src 'none'"), encoding="utf-8")
    dom, _ = browse(file, tmp_path / "profile")
    assert "<button" not in dom, "the script was to be refused"
    assert "<input" not in dom
    assert "The best configuration beats the baseline" in dom
    assert dom.count("<table") == text.count("<table")


@needs_browser
@pytest.mark.skipif(PDFTOTEXT is None, reason="no pdftotext on this machine")
@pytest.mark.parametrize("scheme", ["0", "1"], ids=["dark", "light"])
def test_paper_holds_what_was_folded(page: Path, tmp_path: Path, scheme: str) -> None:
    assert CHROMIUM is not None
    assert PDFTOTEXT is not None
    pdf = tmp_path / "mlp.pdf"
    options = [f"--blink-settings=preferredColorScheme={scheme}", f"--user-data-dir={tmp_path / 'profile'}"]
    command = [CHROMIUM, *FLAGS, *options, "--no-pdf-header-footer", f"--print-to-pdf={pdf}", page.as_uri()]
    subprocess.run(command, capture_output=True, timeout=120, check=True)
    text = subprocess.run([PDFTOTEXT, "-layout", pdf, "-"], capture_output=True, text=True, check=True).stdout
    for words in ("The best configuration beats the baseline", "Effects on test macro-F1", "silhouette_crop"):
        assert words in text, words
    assert "Rows with" not in text, "a filter is no use on paper"
