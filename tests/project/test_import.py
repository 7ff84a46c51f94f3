"""How little `import napari_diffusion` loads, and which names are public."""

from __future__ import annotations

import subprocess
import sys

import napari_diffusion

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
