"""A report as a browser shows it, without a network; skipped where there is no Chromium."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess

import pytest
from report_cases import SCRIPT, whole_report

from napari_diffusion.report import write_report

BROWSER = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome", "chrome")
     if (found := shutil.which(name))),
    None,
)  # fmt: skip

pytestmark = [
    pytest.mark.skipif(BROWSER is None, reason="there is no Chromium on this machine"),
    pytest.mark.slow,
]

# Written into the page by the test: what the browser made of it.
PROBE = """
<script>
const slider = document.querySelector(".comparison input");
const before = document.querySelector(".before");
const clips = [getComputedStyle(before).clipPath];
slider.value = 30;
slider.dispatchEvent(new Event("input"));
clips.push(getComputedStyle(before).clipPath);
const stage = document.querySelector(".stage");
const box = stage.getBoundingClientRect();
stage.setPointerCapture = () => {};
stage.dispatchEvent(new PointerEvent("pointerdown", {clientX: box.left + 0.8 * box.width}));
clips.push(getComputedStyle(before).clipPath);
slider.focus();
const found = {
  clips,
  value: slider.value,
  focused: document.activeElement === slider,
  wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
  broken: [...document.images].filter((each) => !each.naturalWidth).length,
  loaded: performance.getEntriesByType("resource").map((each) => each.name)
    .filter((name) => !name.startsWith("data:")).length,
};
document.body.dataset.found = JSON.stringify(found);
</script>
"""


def run(tmp_path, *options):
    """Start the browser with an own profile, and return what it prints."""
    common = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'own'}"]
    done = subprocess.run(
        [BROWSER, *common, *options], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    return write_report(folder / "report.html", whole_report(name=SCRIPT))


def test_the_page_runs_its_own_script_and_no_other(page, tmp_path):
    dom = run(tmp_path, "--dump-dom", page.as_uri()).stdout
    assert '<html lang="en" class="js">' in dom
    assert dom.count("<script>") == 1
    assert "&lt;script&gt;alert(1)&lt;/script&gt;</h1>" in dom
    # The policy of the page forbids what somebody writes into it.
    changed = tmp_path / "changed.html"
    changed.write_text(page.read_text("utf-8").replace("</body>", PROBE + "</body>"), "utf-8")
    assert "data-found" not in run(tmp_path, "--dump-dom", changed.as_uri()).stdout


@pytest.mark.parametrize("width", [1280, 420])
def test_the_slider_uncovers_the_source_and_nothing_overflows(page, tmp_path, width):
    text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page.read_text("utf-8"))
    probed = tmp_path / "probed.html"
    probed.write_text(text.replace("</body>", PROBE + "</body>"), "utf-8")
    dom = run(tmp_path, f"--window-size={width},800", "--dump-dom", probed.as_uri()).stdout
    found = json.loads(html.unescape(re.search(r'data-found="([^"]*)"', dom)[1]))
    assert [re.findall(r"[\d.]+(?=%)", clip)[-1:] for clip in found["clips"]] == [
        ["50"], ["70"], ["20"],
    ]  # fmt: skip
    assert found["value"] == "80"
    assert found["focused"]
    assert found["wide"] == 0
    assert found["broken"] == 0
    assert found["loaded"] == 0


def test_on_paper_it_has_pages(page, tmp_path):
    paper = tmp_path / "report.pdf"
    run(tmp_path, f"--print-to-pdf={paper}", "--no-pdf-header-footer", page.as_uri())
    assert paper.read_bytes().startswith(b"%PDF")
    assert len(re.findall(rb"/Type\s*/Page\b", paper.read_bytes())) >= 3
