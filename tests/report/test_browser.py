"""The page in a real browser without a network: a silent console, no scroll of the page, nothing folded in print."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from pokeopt.report import write_report
from pokeopt.store import Store

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--enable-logging=stderr",
    "--host-resolver-rules=MAP * ~NOTFOUND",
)  # fmt: skip
MEASURE = """
<script>
addEventListener("load", () => {
  const say = (name, value) => document.documentElement.setAttribute("data-" + name, value);
  const width = document.documentElement.clientWidth;
  say("overflow", document.documentElement.scrollWidth - width);
  const out = [...document.querySelectorAll("main *")].filter((e) => !e.closest(".scroll, .drawings, pre")
    && e.getBoundingClientRect().right > width + 1);
  say("outside", out.map((e) => e.tagName).join(" ") || "none");
  const words = "study, ".repeat(60);
  const narrowest = ["facts", "findings"].map((look) => {
    const list = document.createElement("dl");
    list.className = look;
    list.innerHTML = `<dt>${words}</dt><dd>${words}</dd>`;
    document.querySelector("main section").append(list);
    const room = list.lastChild.getBoundingClientRect().width / list.getBoundingClientRect().width;
    list.remove();
    return room;
  });
  say("read", Math.min(...narrowest) > 0.5);
  dispatchEvent(new Event("beforeprint"));
  say("folded", document.querySelectorAll("details:not([open])").length);
  dispatchEvent(new Event("afterprint"));
  say("unfolded", document.querySelectorAll("details[open]").length);
  const table = document.querySelector("table.sortable");
  const button = table.tHead.querySelectorAll("button")[1];
  button.click();
  const numbers = () => [...table.tBodies[0].rows].map((row) => Number(row.cells[1].dataset.sort));
  const up = numbers();
  button.click();
  const down = numbers();
  say("sorted", up.every((n, i) => i === 0 || up[i - 1] <= n) && down.every((n, i) => i === 0 || down[i - 1] >= n));
  const style = getComputedStyle(document.body);
  say("ground", style.backgroundColor);
});
</script>
"""


def browse(page: Path, profile: Path, *options: str) -> tuple[str, str]:
    """Return the page's DOM after its scripts ran, and what the browser logged about it."""
    assert CHROMIUM is not None
    command = [CHROMIUM, *FLAGS, *options, f"--user-data-dir={profile}", "--dump-dom", page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    return done.stdout, "\n".join(console)


@pytest.fixture(scope="module")
def page(whole: Store, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_report(whole, "mlp", tmp_path_factory.mktemp("page") / "mlp.html")


@pytest.fixture(scope="module")
def measured(page: Path) -> Path:
    """The page with a probe at its end."""
    file = page.with_name("measured.html")
    file.write_text(
        page.read_text(encoding="utf-8").replace("</body>", f"{MEASURE}</body>"), encoding="utf-8"
    )
    return file


def test_it_opens_without_a_word_on_the_console(page: Path, tmp_path: Path) -> None:
    dom, console = browse(page, tmp_path)
    assert console == ""
    assert "The best configuration beats the baseline" in dom
    assert "<button" in dom  # the script ran


@pytest.mark.parametrize("width", [500, 820, 1280])
def test_wide_tables_scroll_inside_and_the_page_never(measured: Path, tmp_path: Path, width: int) -> None:
    dom, _ = browse(measured, tmp_path, f"--window-size={width},900")
    found = dict(
        re.findall(
            r'data-(overflow|outside|read|folded|unfolded|sorted)="([^"]*)"', dom.partition("<head>")[0]
        )
    )
    assert found == {
        "overflow": "0",
        "outside": "none",
        "read": "true",  # a long name leaves its text half of the line
        "folded": "0",
        "unfolded": "0",
        "sorted": "true",
    }


def test_dark_mode_has_a_dark_ground(measured: Path, tmp_path: Path) -> None:
    grounds = []
    for i, option in enumerate(
        ("--blink-settings=preferredColorScheme=1", "--blink-settings=preferredColorScheme=0")
    ):
        dom, _ = browse(measured, tmp_path / str(i), option)
        colour = re.search(r'data-ground="rgb\((\d+), (\d+), (\d+)\)"', dom)
        assert colour is not None
        grounds.append(sum(map(int, colour.groups())))
    light, dark = grounds
    assert light == 3 * 255
    assert dark < 150
