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
