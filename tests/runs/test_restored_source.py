"""Files of restored images have the size and the pixel size of the result."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tifffile

import napari_diffusion as nd
from napari_diffusion.io import memory, read_image
from napari_diffusion.measurements import Binned, Masked
from napari_diffusion.runs.run_file import run_file


def _recipe(measurement: Any) -> nd.Recipe:
    enlarge = nd.PRESETS["enlarge"]
    return enlarge.replaced(measurement=measurement, num_steps=2, rounds=1, starting_noise_scale=1)


@pytest.fixture
def source(tmp_path: Any) -> Any:
    path = tmp_path / "source.ome.tif"
    image = np.random.default_rng(0).random((3, 10, 12), np.float32)
    size = {f"PhysicalSize{a}": s for a, s in zip("ZYX", (2.0, 0.4, 0.2), strict=True)}
    units = {f"PhysicalSize{a}Unit": "µm" for a in "ZYX"}
    tifffile.imwrite(path, image, ome=True, metadata={"axes": "ZYX", **size, **units})
    return path


@pytest.mark.parametrize("name", ["out.ome.zarr", "out.ome.tif"])
def test_an_enlarged_file_has_smaller_pixels_at_the_same_place(
    source: Any, tmp_path: Any, name: str
) -> None:
    recipe = _recipe(Binned(noise_sigma=0.1, factor=2))
    path = run_file(source, tmp_path / name, recipe, keep_every=2)
    found = read_image(path / "steps" / "0001" if path.suffix == ".zarr" else path)
    assert found.image.shape[-3:] == (3, 20, 24)
    assert [found.lengths[axis] for axis in "zyx"] == pytest.approx([2.0, 0.2, 0.1])
    if path.suffix == ".zarr":
        assert found.place["y"] == pytest.approx(-0.1)
        assert found.place["x"] == pytest.approx(-0.05)


def test_what_does_not_fit_the_memory_is_refused_with_figures(source: Any, tmp_path: Any) -> None:
    recipe = _recipe(Masked(noise_sigma=0.1))
    with (
        memory.limited_memory(20_000),
        pytest.raises(ValueError, match=r"“missing pixels” restores an image as a whole: .* kB"),
    ):
        run_file(source, tmp_path / "out.ome.tif", recipe)
    assert not (tmp_path / "out.ome.tif").exists()
