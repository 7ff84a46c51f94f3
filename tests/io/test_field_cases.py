"""Situations from the field that touch several parts: what came out wrong once comes out right.

Those of one format stand with its other tests.
"""

from __future__ import annotations

import os

import numpy as np
import pytest

import napari_diffusion as nd
from napari_diffusion.cli import main
from napari_diffusion.io import read_image, read_record


def scene(shape=(64, 64)):
    """Return a noisy image with an edge."""
    base = np.full(shape, 100.0)
    base[..., shape[-1] // 2 :] = 140.0
    return base + 10 * np.random.default_rng(1).standard_normal(shape)


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def heat(source, target, *more):
    words = ["filter", str(source), str(target), "--filter", "Heat", "--set", "time=2", "--quiet"]
    return main([*words, "--overwrite", *more])


def test_nan_is_explained_with_the_option(capsys):
    image = scene().astype("float32")
    image[3, 3] = np.nan
    np.save("a.npy", image)
    assert heat("a.npy", "b.npy") == 1
    said = capsys.readouterr().err
    assert "use --missing ignore" in said
    assert "missing=" not in said
    assert heat("a.npy", "b.npy", "--missing", "ignore") == 0
    made = np.load("b.npy").squeeze()
    assert np.isnan(made[3, 3])
    assert np.isfinite(np.delete(made.ravel(), 3 * 64 + 3)).all()


@pytest.mark.skipif(os.name == "nt", reason="file names are text there")
@pytest.mark.parametrize("name", [b"caf\xe9.npy", b"a\nb.npy", b"\x1b[31m.npy", b"quote'\".npy"])
@pytest.mark.parametrize("target", ["b.tif", "b.ome.zarr", "b.npy", "b.nii.gz", "steps"])
def test_a_file_name_in_any_bytes(name, target):
    np.save("a.npy", scene().astype("float32"))
    os.replace("a.npy", os.fsdecode(name))
    path = os.fsdecode(name)
    if target == "steps":
        recipe = ["--recipe", "smooth", "--steps", "2", "--quiet"]
        assert main(["run", path, target, *recipe]) == 0
        target = "steps/step_0001.ome.tif"
    else:
        assert heat(path, target) == 0
    assert read_image(target).image.squeeze().shape == (64, 64)
    source = read_record(_path(target))["source"]
    assert source.isprintable()
    assert main(["methods", target, "--all"]) == 0


def _path(name):
    from pathlib import Path

    return Path(name)


def test_weak_float64_is_filtered_as_in_other_units():
    image = scene()
    expected, made = nd.denoise(image), nd.denoise(image * 1e-50) * 1e50
    assert float(np.abs(made - expected).max()) < 1.0


def test_strong_float64_is_refused_in_words_about_its_values():
    with pytest.raises(ValueError, match=r"Values .*e\+16.*divide the image by a constant"):
        nd.denoise(scene() * 1e160)


def test_the_no_data_mark_of_a_height_model_is_a_hole():
    image = scene().astype("float32")
    image[:8] = np.finfo("float32").min
    np.save("a.npy", image)
    assert heat("a.npy", "b.npy", "--missing", "ignore") == 0
    made = np.load("b.npy").squeeze()
    np.testing.assert_array_equal(made[:8], image[:8])
    assert 80 < made[9:].mean() < 160


def test_the_no_data_mark_is_called_so(capsys):
    image = scene().astype("float32")
    image[:8] = np.finfo("float32").min
    np.save("a.npy", image)
    assert heat("a.npy", "b.npy") == 1
    said = capsys.readouterr().err
    assert "512 values" in said
    assert "mark of “no data”" in said
