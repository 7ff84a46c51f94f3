"""Pixels that a file marks as no data are no part of the image, and what is lost is recorded."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile

from napari_diffusion.cli import main
from napari_diffusion.io import read_image, read_record

NO_DATA = -9999.0


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("mask", [None, (40, 48), (2, 40, 48)])
def test_no_data_stays_as_it_is_and_bleeds_nowhere(mask):
    image = np.random.default_rng(0).normal(100, 5, (2, 40, 48)).astype(np.float32)
    image[:, :8] = NO_DATA
    extra = [(42113, "s", 0, str(NO_DATA), True)]
    tifffile.imwrite(
        "a.tif", image, photometric="minisblack", extratags=extra, metadata={"axes": "CYX"}
    )
    words = ["filter", "a.tif", "b.npy", "--filter", "Heat", "--set", "time=4", "--axes", "cyx"]
    if mask is not None:
        inside = np.ones(mask, np.uint8)
        inside[..., :10] = 0
        np.save("mask.npy", inside)
        words += ["--mask", "mask.npy"]
    assert main([*words, "--quiet"]) == 0
    made = np.load("b.npy").reshape(image.shape)
    np.testing.assert_array_equal(made[:, :8], image[:, :8])
    assert 60 < made[:, 8:].min() < made[:, 8:].max() < 140
    changed = made[:, 9:] != image[:, 9:]
    assert changed[..., 10:].mean() > 0.99
    assert (not changed[..., :10].any()) == (mask is not None)


@pytest.mark.filterwarnings("default")
def test_missing_chunks_are_warned_of_and_recorded(capsys):
    import zarr

    array = zarr.create_array("a.zarr", shape=(64, 64), chunks=(32, 32), dtype="f4")
    array[...] = np.random.default_rng(0).normal(100, 5, (64, 64))
    (next(path for path in array.store.root.rglob("c/0/*"))).unlink()
    assert main(["filter", "a.zarr", "b.ome.tif", "--filter", "Heat", "--set", "time=1"]) == 0
    assert "1 of 4 chunks" in capsys.readouterr().err
    (remark,) = read_record(array.store.root.parent / "b.ome.tif")["source_remarks"]
    assert "1 of 4 chunks" in remark
    with pytest.warns(UserWarning, match="1 of 4 chunks"):
        read_image("a.zarr")
