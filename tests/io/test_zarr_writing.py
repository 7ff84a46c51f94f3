"""One image as OME-Zarr is an image at the root, which other programs open as it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import zarr
from yaozarrs import validate_zarr_store
from zarr_stores import image_of, made_up, write

from napari_diffusion.io import NotReadable, Output, read_image, read_record, step_paths
from napari_diffusion.io.file_image import Channel

LENGTHS = {"z": 0.3, "y": 0.1, "x": 0.1}
PLACE = {"z": 10.0, "y": 20.0, "x": 30.0}
CHANNELS = (Channel("DAPI", "0000FF", (0.0, 0.5)), Channel("GFP"))


def volume(**more):
    fields = {"lengths": LENGTHS, "place": PLACE, "unit": "micrometer", "channels": CHANNELS}
    return made_up("czyx", (2, 5, 600, 300), **{**fields, **more})


def test_one_image_stands_at_the_root_with_its_pyramid(tmp_path):
    source = volume()
    path = write(tmp_path / "a.ome.zarr", source)
    validate_zarr_store(str(path))
    shapes = [zarr.open_array(path / str(level), mode="r").shape for level in range(3)]
    assert shapes == [(2, 5, 600, 300), (2, 5, 300, 150), (2, 5, 150, 75)]
    np.testing.assert_array_equal(zarr.open_array(path / "0", mode="r")[...], source.image)
    halves = source.image.reshape(2, 5, 300, 2, 150, 2).mean((3, 5))
    np.testing.assert_allclose(zarr.open_array(path / "1", mode="r")[...], halves, rtol=1e-6)
    assert sorted(each.name for each in path.iterdir()) == ["0", "1", "2", "zarr.json"]


def test_levels_lie_where_their_pixels_are(tmp_path):
    path = write(tmp_path / "a.zarr", volume())
    (image,) = zarr.open_group(path, mode="r").attrs["ome"]["multiscales"]
    assert image["axes"][0] == {"name": "c", "type": "channel"}
    assert image["axes"][1] == {"name": "z", "type": "space", "unit": "micrometer"}
    for level, dataset in enumerate(image["datasets"]):
        scale, moved = dataset["coordinateTransformations"]
        by = 2**level
        assert scale["scale"] == pytest.approx([1.0, 0.3, 0.1 * by, 0.1 * by])
        half = 0.1 * (by - 1) / 2
        assert moved["translation"] == pytest.approx([0.0, 10.0, 20.0 + half, 30.0 + half])
        array = zarr.open_array(path / str(level), mode="r")
        assert array.metadata.dimension_names == ("c", "z", "y", "x")


def test_channels_are_shown_as_the_source_says(tmp_path):
    path = write(tmp_path / "a.zarr", volume())
    first, second = zarr.open_group(path, mode="r").attrs["ome"]["omero"]["channels"]
    assert (first["label"], first["color"]) == ("DAPI", "0000FF")
    assert first["window"] == {"start": 0.0, "end": 0.5, "min": 0.0, "max": 0.5}
    coarsest = zarr.open_array(path / "2", mode="r")[1]
    window = second["window"]
    assert (window["start"], window["end"]) == (coarsest.min(), coarsest.max())


@pytest.mark.parametrize("axes", ["yx", "zyx", "czyx", "tczyx", "yxc"])
@pytest.mark.parametrize("ending", [".zarr", ".ome.zarr"])
def test_napari_ome_zarr_opens_one_image(tmp_path, axes, ending):
    from napari_ome_zarr._reader import napari_get_reader

    sizes = {"t": 2, "c": 3, "z": 4, "y": 300, "x": 20}
    colours = axes == "yxc"
    source = made_up(axes, tuple(sizes[axis] for axis in axes), rgb=colours)
    source = source.replaced(lengths={a: LENGTHS[a] for a in axes if a in LENGTHS}, unit="meter")
    path = write(tmp_path / f"a{ending}", source)
    ((data, options, *_),) = napari_get_reader(str(path))(str(path))
    order = [axes.index(axis) for axis in "tczyx" if axis in axes]
    np.testing.assert_array_equal(np.asarray(data[0]), source.image.transpose(order))
    assert len(data) == 2
    assert options["scale"][-2:] == [0.1, 0.1]


@pytest.mark.parametrize("size", [30, 600])
def test_the_reader_of_napari_itself_opens_one_image(tmp_path, size):
    from napari_builtins.io import napari_get_reader

    source = made_up("yx", (size, 40))
    path = write(tmp_path / "a.ome.zarr", source)
    ((data, *_),) = napari_get_reader(str(path))(str(path))
    finest = data[0] if isinstance(data, list) else data
    np.testing.assert_array_equal(np.asarray(finest), source.image)


def test_the_record_is_that_of_the_step(tmp_path):
    path = write(tmp_path / "a.zarr", made_up("yx"))
    assert step_paths(path) == [path]
    assert read_record(path)["complete"] is True
    assert read_image(path).record["step"] == 0


@pytest.mark.parametrize("lazy", [False, True])
def test_missing_chunks_that_the_record_promises_are_refused(tmp_path, lazy):
    path = write(tmp_path / "a.zarr", made_up("yx", (3000, 3000)))
    (path / "0/c/1/1").unlink()
    with pytest.raises(NotReadable, match=r"1 of its \d+ chunks are missing; copy it again"):
        read_image(path, lazy=lazy)


def test_an_image_of_zeros_has_all_its_chunks(tmp_path):
    source = made_up("yx", (400, 300))
    path = write(tmp_path / "a.zarr", source.replaced(image=np.zeros_like(source.image)))
    assert read_image(path).remarks == ()


def test_a_dask_array_is_written_block_by_block(tmp_path):
    import dask.array as da

    values = np.random.default_rng(0).random((50, 300, 700), dtype=np.float32)
    computed = []

    def block(part):
        computed.append(part.shape)
        return part

    chunked = da.from_array(values, chunks=((20, 25, 5), 128, 512))
    chunked = chunked.map_blocks(block, dtype=chunked.dtype, meta=chunked._meta)
    source = made_up("zyx", values.shape).replaced(image=chunked)
    path = write(tmp_path / "a.zarr", source, images=[chunked])
    array = zarr.open_array(path / "0", mode="r")
    assert array.chunks == (25, 128, 512)
    np.testing.assert_array_equal(array[...], values)
    assert len(computed) == 3 * 3 * 2
    whole = write(tmp_path / "b.zarr", source.replaced(image=values), images=[values])
    for level in ("1", "2"):
        np.testing.assert_array_equal(image_of(path / level), image_of(whole / level))


def test_a_chunk_of_dask_that_is_very_large_becomes_several(tmp_path, monkeypatch):
    import dask.array as da

    from napari_diffusion.io.ome_zarr import image as zarr_image

    monkeypatch.setattr(zarr_image, "_MOST_BYTES", 1 << 22)
    values = np.zeros((2000, 2000), np.float32)
    chunked = da.from_array(values, chunks=-1)
    path = write(tmp_path / "a.zarr", made_up("yx").replaced(image=chunked), images=[chunked])
    assert zarr.open_array(path / "0", mode="r").chunks == (1000, 1000)


@pytest.mark.parametrize("name", ["a.mrc", "a.nii", "a.nii.gz"])
def test_formats_of_one_image_refuse_steps(tmp_path, name):
    source = made_up("zyx")
    with pytest.raises(ValueError, match=r"can hold one image, and 3 steps .* keep one step"):
        Output(tmp_path / name, source, 3, np.dtype("float32"))
    assert Output(tmp_path / name, source, 1, np.dtype("float32")).path == Path(tmp_path / name)
