"""The command `methods` prints a paragraph, and on request everything else."""

from __future__ import annotations

import json

import numpy as np
import pytest
import tifffile
from PIL import Image

import napari_diffusion as nd
from napari_diffusion.cli import main
from napari_diffusion.cli.methods import TEXTS
from napari_diffusion.records.methods_paragraph import MOST_WORDS

IMAGE = np.random.default_rng(0).integers(0, 256, (20, 24), dtype=np.uint8)
SHORT = [
    *("--steps", "2", "--quiet"),
    *("--set", "starting_noise_scale=2", "--set", "diffusion_filter.contrast=5"),
]


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Image.fromarray(IMAGE).save("a.png")
    tifffile.imwrite(
        "zyx.tif",
        np.random.default_rng(2).random((5, 12, 14), dtype=np.float32),
        imagej=True,
        resolution=((4, 1), (4, 1)),
        metadata={"axes": "ZYX", "spacing": 1.5, "unit": "um"},
    )


@pytest.mark.parametrize("output", ["out.ome.tif", "out.zarr", "out", "out.npy"])
def test_methods_of_any_step_of_a_result(output, capsys):
    assert main(["run", "a.png", output, *SHORT]) == 0
    assert main(["methods", output]) == 0
    said = capsys.readouterr().out
    assert len(said.split()) <= MOST_WORDS
    assert said.startswith("The image 'a.png' was processed with napari-diffusion")
    assert said.count("\n") == 1
    if output != "out.npy":
        assert main(["methods", output, "--step", "0", "--text", "python"]) == 0
        space = {"image": IMAGE}
        exec(capsys.readouterr().out, space)
        explore = nd.PRESETS["explore"].replaced(num_steps=2, starting_noise_scale=2.0)
        fixed = explore.with_filters(lambda each: each)
        chosen = fixed.diffusion_filter.replaced(contrast=5.0)
        expected = next(iter(nd.steps(IMAGE, fixed.replaced(diffusion_filter=chosen))))
        np.testing.assert_array_equal(space["result"], expected.image)


@pytest.mark.parametrize("option", [["--all"], ["--text", "all"]])
def test_all_has_every_text(option, capsys):
    assert main(["run", "a.png", "out.tif", *SHORT]) == 0
    assert main(["methods", "out.tif", *option]) == 0
    said = capsys.readouterr().out
    for name in TEXTS:
        assert f"{name.upper()}\n\n" in said
    for text in ("@article{perona1990,", "import napari_diffusion as nd", "--recipe recipe.json"):
        assert text in said


def test_the_supplement_has_the_whole_record(capsys):
    assert main(["run", "zyx.tif", "out.tif", *SHORT]) == 0
    assert main(["methods", "out.tif", "--text", "supplement"]) == 0
    kept = json.loads(capsys.readouterr().out)
    record = kept["record"]
    assert nd.Recipe.from_dict(record["recipe"]).is_resolved
    assert {"numpy", "numba", "napari-diffusion"} <= set(record["versions"])
    assert record["grid"]["spacing"] == [1.5, 0.25, 0.25]
    assert any("doi:10.1109/34.56205" in each for each in kept["references"])


def test_lengths_have_the_unit_of_the_file(capsys):
    assert main(["run", "zyx.tif", "out.tif", *SHORT]) == 0
    assert main(["methods", "out.tif"]) == 0
    said = capsys.readouterr().out
    assert "voxel size 1.5×0.25×0.25 µm" in said
    assert "µm² per step" in said
    assert "contrast 5 a.u./µm" in said


def test_a_noisy_copy_and_a_single_filter_have_a_paragraph_too(capsys):
    assert (
        main(["noise", "a.png", "noisy.tif", "--noise", "Uniform", "--scale", "3", "--quiet"]) == 0
    )
    assert main(["methods", "noisy.tif", "--all"]) == 0
    said = capsys.readouterr().out
    assert "by adding white uniform noise (standard deviation 3 a.u., random seed 0)." in said
    assert "PYTHON" not in said
    assert main(["methods", "noisy.tif", "--text", "python"]) == 2
    assert "made without a recipe" in capsys.readouterr().err
    assert main(["filter", "a.png", "smooth.tif", "--filter", "Median", "--quiet"]) == 0
    assert main(["methods", "smooth.tif"]) == 0
    assert "by a median filter (radius 1.5 pixels)." in capsys.readouterr().out
