"""The levels of an OME-Zarr are the means of its finest one."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import zarr
from zarr_stores import made_up, write

from napari_diffusion.io.ome_zarr import pyramid
from napari_diffusion.runs.verification.image_levels import level_faults


@pytest.fixture(params=[("zyx", "f4", False), ("cyx", "u1", False), ("yx", "i4", True)])
def image(request, tmp_path, monkeypatch):
    axes, dtype, stack = request.param
    monkeypatch.setattr(pyramid, "_SMALLEST", 16)
    monkeypatch.setattr(pyramid, "_CHUNK_BYTES", 1 << 10)
    source = made_up(axes, (5, 67, 50)[-len(axes) :])
    images = [(100 * source.image + k).astype(dtype) for k in range(3 if stack else 1)]
    path = write(tmp_path / "a.zarr", source, images, stack=stack)
    assert (path / "2").is_dir()
    return path


def test_levels_as_they_were_written(image):
    assert list(level_faults(image)) == []


def test_a_changed_pixel_of_a_level_is_found(image):
    array = zarr.open_array(image / "2", mode="r+")
    array[(-1,) * array.ndim] += 1
    last = tuple((n - 1) // size for n, size in zip(array.shape, array.chunks, strict=True))
    (fault,) = level_faults(image)
    assert fault == f"level 2: chunk {last} does not hold the means of the level before."


@pytest.mark.parametrize("damage", ["missing", "cut", "empty"])
def test_a_broken_chunk_of_a_level_is_found(image, damage):
    array = zarr.open_array(image / "1", mode="r")
    file = image.joinpath("1", "c", *("0" * array.ndim))
    data = file.read_bytes()
    file.unlink() if damage == "missing" else file.write_bytes(data[:-1] * (damage == "cut"))
    first = next(level_faults(image))
    said = "is missing." if damage == "missing" else "cannot be read: "
    assert first.startswith(f"level 1: chunk {(0,) * array.ndim} {said}")


def test_another_image_is_no_level(image, tmp_path):
    shutil.rmtree(image / "1")
    array = zarr.open_array(image / "2", mode="r")
    other = zarr.create_array(str(image / "1"), shape=array.shape, chunks=array.chunks, dtype="f8")
    other[...] = np.ones(array.shape)
    assert "is no level of this" in next(level_faults(image))
    (image / "1" / "zarr.json").write_text("{")
    assert next(level_faults(image)).startswith("level 1: cannot be read: ")
