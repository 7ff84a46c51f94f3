"""The page of the architecture is true: its drawing, and every file that it names."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "docs" / "architecture.md", ROOT / "CONTRIBUTING.md"]

sys.path.insert(0, str(ROOT / "docs"))
try:
    import _imports
finally:
    sys.path.remove(str(ROOT / "docs"))


def test_the_drawing_is_that_of_the_code():
    page = _imports.PAGE.read_text("utf-8")
    assert _imports.BEGIN in page
    assert _imports.filled(page) == page, "renew it: python docs/_imports.py"


@pytest.mark.parametrize("container", _imports.CONTAINERS)
def test_no_arrow_goes_up(container):
    assert _imports.wrong(container) == []


def test_imports_in_functions_and_for_types_count(tmp_path, monkeypatch):
    monkeypatch.setattr(_imports, "ROOT", tmp_path)
    (tmp_path / "pyproject.toml").write_text(
        "[[tool.importlinter.contracts]]\ncontainers = ['p']\nlayers = ['a', 'b | c']\n"
    )
    for folder, code in {
        "a": "def f():\n    from p.b.x import y\n",
        "b": "if TYPE_CHECKING:\n    import p.c.z\n",
        "c": "from p import a, other\n",
    }.items():
        (tmp_path / "src/p" / folder).mkdir(parents=True)
        (tmp_path / "src/p" / folder / "x.py").write_text(code)
    assert _imports.arrows("p") == {("a", "b"), ("b", "c"), ("c", "a")}
    assert _imports.wrong("p") == ["b → c", "c → a"]
    assert _imports.drawing("p").splitlines()[3:6] == ["a ■ ↓ ·", "", "b · ■ ↓"]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_every_file_and_folder_that_a_page_names_is_there(page):
    folders = [ROOT, ROOT / "src", ROOT / "src" / "napari_diffusion"]
    text = re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    named = set(re.findall(r"`((?:[a-z_]+/)+[a-z_]*(?:\.\w+)?|[a-z_]+/?[a-z_]*\.(?:py|md))`", text))
    assert named
    missing = {each for each in named if not any((folder / each).exists() for folder in folders)}
    assert {each for each in missing if not each.endswith("opening.py")} == set()
