"""Who may import whom, and how little `import napari_diffusion` brings with it."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import napari_diffusion

PACKAGE = Path(napari_diffusion.__file__).parent
HEAVY = ("napari", "qtpy", "PyQt6", "PySide6", "magicgui", "numba", "scipy", "dask", "skimage",
         "zarr", "tifffile", "PIL", "tqdm", "rich", "psutil", "pyqtgraph")  # fmt: skip

FIELDS = {"component", "map", "function"}

# The parts of the package, from the ground up; what stands in one line knows the lines above it.
KNOWN_TO = {
    "filters": {*FIELDS, "grid", "image", "drive", "compiled", "estimate", "blocks", "probe"},
    "noise": {*FIELDS, "grid", "image", "drive", "compiled", "estimate", "blocks"},
    "schedules": FIELDS,
    "domains": {*FIELDS, "grid", "image", "drive", "compiled", "estimate"},
    "metrics": {*FIELDS, "grid", "image", "drive", "compiled", "estimate"},
    "probe": {"compiled"},
    "estimate": {"map", "grid", "image", "drive", "compiled", "blocks", "filters", "noise"},
    "map": set(),
    "function": set(),
    "parameter": {"map", "function"},
    "component": {"parameter"},
    "compiled": set(),
    "grid": set(),
    "image": {"grid"},
    "drive": {"grid", "filters", "noise"},
}
ENGINE = {
    *KNOWN_TO,
    "blocks", "canvas", "catalog", "changes", "choose", "denoise", "derived", "ensemble", "ladder",
    "loop", "methods", "noisy_copy", "parts", "presets", "preview", "provenance", "recipe",
    "remarks", "risk", "stages", "subject", "trial", "twin",
}  # fmt: skip
TOP = {"cli", "widgets", "__main__", "contact_sheet", "store", "samples"}
GUI = {"napari", "qtpy", "PyQt6", "PySide6", "magicgui", "superqt", "vispy", "pyqtgraph"}


def run(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def part_of(path):
    """Return the part of the package that a file belongs to: a module's or a folder's name."""
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


def imports(path):
    """Yield the module, and the names from it, of every import in a file, wherever it stands."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name
        elif isinstance(node, ast.ImportFrom):
            if node.level or node.module == "napari_diffusion":
                inside = part_of(path) + "." if node.level else ""
                yield from (f"napari_diffusion.{inside}{alias.name}" for alias in node.names)
            else:
                yield node.module


def own_parts(path):
    return {
        name.split(".")[1] for name in imports(path) if name.startswith("napari_diffusion.")
    } - {part_of(path)}


FILES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize(
    "path", [f for f in FILES if part_of(f) in KNOWN_TO], ids=lambda f: str(f.relative_to(PACKAGE))
)
def test_components_know_arrays_and_grids_and_nothing_above(path):
    assert own_parts(path) <= KNOWN_TO[part_of(path)]


def test_what_components_know_leads_nowhere_above_either():
    """Step by step from import to import, those inside functions too."""
    leads_to = {}
    for path in FILES:
        leads_to.setdefault(part_of(path), set()).update(own_parts(path))
    for start in ("filters", "noise", "schedules", "domains", "estimate", "blocks"):
        reached, ahead = set(), {start}
        while ahead:
            reached |= ahead
            ahead = set().union(*(leads_to[part] for part in ahead)) - reached
        assert not reached & {"loop", "recipe", "canvas", "presets", "catalog"}, start


@pytest.mark.parametrize(
    "path", [f for f in FILES if part_of(f) in ENGINE], ids=lambda f: str(f.relative_to(PACKAGE))
)
def test_the_engine_knows_neither_window_nor_command_line(path):
    assert not own_parts(path) & TOP
    assert not {name.split(".")[0] for name in imports(path)} & GUI


def test_nothing_but_the_windows_knows_qt():
    for path in FILES:
        if part_of(path) == "widgets":
            continue
        assert not {name.split(".")[0] for name in imports(path)} & (GUI - {"napari"}), path.name


def test_every_part_of_the_package_has_its_place():
    parts = {part_of(path) for path in FILES} - {"__init__"}
    assert parts <= ENGINE | TOP, "say in this test who may know the new part"


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


def test_public_names():
    for name in napari_diffusion.__all__:
        assert getattr(napari_diffusion, name) is not None
    assert sorted(napari_diffusion.__all__) == sorted(set(napari_diffusion.__all__))
    for module in (
        napari_diffusion.filters,
        napari_diffusion.noise,
        napari_diffusion.schedules,
        napari_diffusion.estimate,
    ):
        for name in getattr(module, "__all__", ()):
            assert getattr(module, name) is not None
    assert napari_diffusion.__version__[0].isdigit()
