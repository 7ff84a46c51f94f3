"""How little `import napari_diffusion` loads, and which names are public."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import re
import subprocess
import sys
import types
from pathlib import Path

import pytest

import napari_diffusion

ROOT = Path(__file__).resolve().parents[2]
FENCE = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
SHOWN = sorted(
    path
    for pattern in ("README.md", "docs/**/*.md", "docs/*.py", "examples/*.py", "benchmarks/**/*.py")
    for path in ROOT.glob(pattern)
)

HEAVY = ("napari", "qtpy", "PyQt6", "PySide6", "magicgui", "numba", "scipy", "dask", "skimage",
         "zarr", "tifffile", "PIL", "tqdm", "rich", "psutil", "pyqtgraph")  # fmt: skip

GUI = {"napari", "qtpy", "PyQt6", "PySide6", "magicgui", "superqt", "vispy", "pyqtgraph"}


def run(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_the_import_brings_numpy_and_nothing_heavier():
    done = run(
        "import sys, napari_diffusion\nprint(*sorted({name.split('.')[0] for name in sys.modules}))"
    )
    assert done.returncode == 0, done.stderr
    loaded = set(done.stdout.split())
    assert "numpy" in loaded
    assert not loaded & set(HEAVY)


def test_looking_at_components_and_recipes_stays_light():
    done = run(
        "import sys, napari_diffusion as nd\n"
        "recipe = nd.Recipe.from_json(nd.PRESETS['explore'].to_json())\n"
        "[p.range_text() for p in recipe.diffusion_filter.parameters()]\n"
        "recipe.schedule(1.0, 10); nd.Grid.of((5, 6))\n"
        "print(*sorted({name.split('.')[0] for name in sys.modules}))"
    )
    assert done.returncode == 0, done.stderr
    assert not set(done.stdout.split()) & set(HEAVY)


def test_the_engine_runs_where_there_is_no_napari():
    done = run(
        "import sys\n"
        f"for name in {sorted(GUI)!r}: sys.modules[name] = None\n"
        "import numpy as np, napari_diffusion as nd\n"
        "image = np.eye(9, dtype=np.float32)\n"
        "print(len(list(nd.steps(image, nd.PRESETS['explore']))))\n"
        "from dask import array\n"
        "made = nd.run(array.from_array(image, chunks=4), nd.Recipe(num_steps=1))\n"
        "print(made.image.compute().shape)"
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n")[:2] == ["11", "(9, 9)"]


def public_folders():
    """Return every folder of the package that lists public names."""
    folders = sorted(path.parent.name for path in ROOT.glob("src/napari_diffusion/*/__init__.py"))
    if importlib.util.find_spec("napari") is None:
        folders.remove("widgets")
    found = [importlib.import_module(f"napari_diffusion.{name}") for name in folders]
    return [folder for folder in found if hasattr(folder, "__all__")]


def test_public_names():
    for module in (napari_diffusion, *public_folders()):
        assert sorted(module.__all__) == sorted(set(module.__all__)), module.__name__
        for name in module.__all__:
            assert getattr(module, name) is not None
    assert napari_diffusion.__version__[0].isdigit()


def test_naming_a_dock_is_what_loads_it():
    done = run(
        "import sys, napari_diffusion.widgets as widgets\n"
        "assert 'DiffusionLoop' in widgets.__all__\n"
        "print(*sorted({name.split('.')[0] for name in sys.modules}))"
    )
    assert done.returncode == 0, done.stderr
    assert not set(done.stdout.split()) & GUI
    done = run("import napari_diffusion.widgets as widgets\nwidgets.Nothing")
    assert "has no attribute 'Nothing'" in done.stderr


def private_uses(code):
    """Yield what a text of code takes of the package from a place that is not public."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("napari_diffusion"):
            public = node.module.count(".") < 2 and importlib.import_module(node.module)
            for alias in node.names:
                if alias.name not in getattr(public, "__all__", ()):
                    yield f"from {node.module} import {alias.name}"
        elif isinstance(node, ast.Import):
            yield from (a.name for a in node.names if a.name.startswith("napari_diffusion."))
        elif isinstance(node, ast.Attribute) and not is_public(node):
            yield ast.unparse(node)


def is_public(node):
    """Say whether an attribute of ``nd``, or of one of its modules, is public; others all are."""
    if not re.fullmatch(r"nd(\.[a-zA-Z]\w*)+", ast.unparse(node)):
        return True
    chain = ast.unparse(node).split(".")
    owner = napari_diffusion
    for name in chain[1:]:
        if isinstance(owner, types.ModuleType) and name not in owner.__all__:
            return False
        owner = getattr(owner, name, None)
    return True


@pytest.mark.parametrize("path", SHOWN, ids=lambda path: str(path.relative_to(ROOT)))
def test_pages_examples_and_benchmarks_use_public_names_alone(path):
    text = path.read_text("utf-8")
    codes = FENCE.findall(text) if path.suffix == ".md" else [text]
    assert [use for code in codes for use in private_uses(code)] == []


@pytest.mark.parametrize(
    "code",
    [
        "from napari_diffusion.analysis.step_selection import best_step",
        "from napari_diffusion.analysis import trial",
        "import napari_diffusion.io.reader",
        "nd.analysis.Trial.of(image)",
        "nd.loop",
    ],
)
def test_private_names_are_found_out(code):
    assert list(private_uses(code))
