"""The demonstration in the real window."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("napari")

CODE = """
import sys
from pathlib import Path

from napari_diffusion import PRESETS
from napari_diffusion.widgets.loop.demo import demo

demo(Path(sys.argv[1]), PRESETS["explore"], stay=False)
"""


RESTORE = """
import sys
from pathlib import Path

import napari_diffusion as nd
from napari_diffusion.widgets.loop.demo import demo

recipe = nd.Recipe.from_dict(nd.samples.damaged_face().recipe)
demo(Path(sys.argv[1]), recipe.replaced(num_steps=4, rounds=1), False, "damaged")
"""


@pytest.mark.slow
def test_a_damaged_face_is_restored_in_the_window(qapp, tmp_path):
    """Its missing values are treated as missing by a click, and its holes are filled."""
    from PIL import Image

    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", RESTORE, str(tmp_path / "demo")],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert "ERROR" not in done.stderr
    end = np.asarray(Image.open(tmp_path / "demo" / "window.png").convert("L"))
    # Where the hole below the eye was.
    assert end[455:485, 720:748].min() > 20


@pytest.mark.slow
def test_it_leaves_images_of_the_window_half_way_and_at_the_end(qapp, tmp_path):
    from PIL import Image

    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", CODE, str(tmp_path / "demo")],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    half, end = (
        np.asarray(Image.open(tmp_path / "demo" / name))
        for name in ("window-half-way.png", "window.png")
    )
    assert half.shape == end.shape
    assert half.shape[:2] == (800, 1280)
    # Something is on the canvas, and the layer list has grown.
    assert end[300:500, 500:700].std() > 5
    assert np.mean(half != end) > 0.01
