"""The Python in the pages is type-checked, page by page, as strictly as the package."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
MYPY = [sys.executable, "-m", "mypy", "--config-file", str(ROOT / "pyproject.toml")]
MYPY += ["--cache-dir", str(ROOT / ".mypy_cache")]
FENCE = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)

pytestmark = pytest.mark.skipif(find_spec("mypy") is None, reason="mypy comes with the extra lint")


def module_of(text):
    """Return the Python of a page, each line where it stands on the page."""
    lines = [""] * (text.count("\n") + 1)
    for found in FENCE.finditer(text):
        first = text.count("\n", 0, found.start(1))
        for k, line in enumerate(found[1].splitlines()):
            lines[first + k] = line
    return "\n".join(lines)


def faults_of(pages, folder):
    """Return what mypy says of the code of pages, given by name, one module each."""
    for name, text in pages.items():
        (folder / f"{name}.py").write_text(module_of(text), "utf-8")
    done = subprocess.run(
        [*MYPY, "."],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={**os.environ, "MYPYPATH": str(ROOT / "src")},
    )
    assert done.returncode in (0, 1), done.stderr
    return done.stdout.splitlines()[:-1]


def test_the_code_of_the_pages_has_the_types_of_the_package(tmp_path):
    texts = {f"page_{path.stem.replace('-', '_')}": path.read_text("utf-8") for path in PAGES}
    assert len(texts) > 10
    assert (
        faults_of({name: text for name, text in texts.items() if FENCE.search(text)}, tmp_path)
        == []
    )


def test_a_wrong_call_is_found_where_it_stands(tmp_path):
    blocks = ("import napari_diffusion as nd", "nd.denoise(fats=1)")
    page = "# Page\n\n" + "\n\n".join(f"```python\n{code}\n```" for code in blocks)
    first, *_ = faults_of({"page": page}, tmp_path)
    assert first.startswith("page.py:8: error")
