"""One rule says which steps are kept, on the command line and in the dock."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import napari_diffusion as nd
from napari_diffusion.cli import main
from napari_diffusion.io import step_paths
from napari_diffusion.loop.kept_steps import kept_steps

FINAL = nd.filters.Heat(time=0.1)


@pytest.mark.parametrize(
    ("keep_every", "first_step", "kept"),
    [
        (1, 0, [0, 1, 2, 3, 4, 5]),
        (2, 0, [0, 2, 4, 5]),
        (3, 0, [0, 3, 5]),
        (9, 0, [0, 5]),
        (3, 4, [5]),
        (1, 3, [3, 4, 5]),
    ],
)
def test_step_0_every_nth_and_the_last_are_kept(keep_every, first_step, kept):
    assert kept_steps(nd.Recipe(num_steps=6), keep_every, first_step) == kept
    final = nd.Recipe(num_steps=6, final_filter=FINAL)
    assert kept_steps(final, keep_every, first_step) == [*kept, 6]


def test_the_last_image_alone():
    assert kept_steps(nd.Recipe(num_steps=6), None) == [5]
    assert kept_steps(nd.Recipe(num_steps=6, final_filter=FINAL), None) == [6]


def test_ten_steps_every_third_on_the_command_line_and_in_the_dock(tmp_path, monkeypatch):
    from napari_diffusion.widgets.layers.layer_axes import Fold
    from napari_diffusion.widgets.run.run_request import Job

    image = np.random.default_rng(0).random((12, 12), dtype=np.float32)
    recipe = nd.Recipe(num_steps=10, starting_noise_scale=0.1, final_filter=FINAL)
    dock = Job(image, Fold("yx", (12, 12)), {"axes": "yx"}, recipe, "image", keep_every=3)
    monkeypatch.chdir(tmp_path)
    np.save("image.npy", image)
    Path("recipe.json").write_text(recipe.to_json())
    words = ["--recipe", "recipe.json", "--keep", "every:3", "--quiet"]
    assert main(["run", "image.npy", "out", *words]) == 0
    written = [int(path.name[5:9]) for path in step_paths(Path("out"))]
    assert written == sorted(dock.kept) == [0, 3, 6, 9, 10]
