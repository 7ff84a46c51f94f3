"""run --recipe RESULT: the recipe of any output of a run."""

from __future__ import annotations

import numpy as np
import pytest

from napari_diffusion.cli import main

WORDS = ["--quiet", "--overwrite"]


@pytest.mark.parametrize("name", ["a", "a.ome.tif", "a.ome.zarr", "a.npy"])
def test_a_result_gives_its_recipe(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    np.save("i.npy", np.random.default_rng(0).random((24, 20), dtype=np.float32))
    assert main(["run", "i.npy", name, "--steps", "2", "--seed", "3", *WORDS]) == 0
    assert main(["run", "i.npy", "b.npy", "--recipe", name, *WORDS]) == 0
    assert main(["run", "i.npy", "c.npy", "--steps", "2", "--seed", "3", *WORDS]) == 0
    np.testing.assert_array_equal(np.load("b.npy"), np.load("c.npy"))
