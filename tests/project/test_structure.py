"""How the files of the package stand to each other."""

import ast
import graphlib
from pathlib import Path

import pytest

import napari_diffusion

ROOT = Path(napari_diffusion.__file__).parent

# Folders with circles that are still to be cut.
CIRCLES = {"cli", "widgets"}


def module_of(path):
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(tree):
    """Yield the full names that a file imports; within functions and for types too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "imports name the whole path"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.fixture(scope="module")
def graph():
    """Return the files of the package that each of them imports, the root's own left out."""
    files = {module_of(path): path for path in ROOT.rglob("*.py") if path.parent != ROOT}
    found = {}
    for module, path in files.items():
        found[module] = set()
        for name in imported(ast.parse(path.read_text(encoding="utf-8"))):
            while name and name not in files:
                name = name.rpartition(".")[0]
            found[module] |= {name} - {"", module}
    return found


def test_no_circle_of_files(graph):
    kept = {m: used for m, used in graph.items() if m.split(".")[1] not in CIRCLES}
    assert len(kept) > 200
    graphlib.TopologicalSorter(kept).prepare()
