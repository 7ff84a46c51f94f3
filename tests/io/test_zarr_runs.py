"""What stands in the OME-Zarr of a run is whole at any time, however the run ends."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import zarr
from yaozarrs import validate_zarr_store
from zarr_stores import image_of, made_up, record_of, write

from napari_diffusion.io import NotReadable, Output, read_image, read_record, step_paths


def steps_of(source, count):
    return [source.image + step for step in range(count)]


def broken_off(path, source, count, after):
    """Write some of `count` steps, then break off; return the partial output."""
    output = Output(path, source, count, np.dtype("f4"))
    with contextlib.suppress(KeyboardInterrupt), output:
        for step, image in enumerate(steps_of(source, after)):
            output.write(image, record_of(source, step))
        raise KeyboardInterrupt
    return output.partial


def test_a_run_is_a_collection_from_the_first_moment(tmp_path):
    source = made_up("zyx")
    with Output(tmp_path / "a.zarr", source, 3, np.dtype("f4")) as output:
        path = output.partial
        assert read_record(path) == {"complete": False, "steps": []}
        with pytest.raises(NotReadable, match="was not completed, and holds no image yet"):
            read_image(path)
        for step, image in enumerate(steps_of(source, 3)):
            output.write(image, record_of(source, step))
            group = zarr.open_group(path, mode="r")
            assert group.attrs["ome"] == {"version": "0.5", "bioformats2raw.layout": 3}
            listed = [f"steps/{index:04}" for index in range(step + 1)]
            assert group["OME"].attrs["ome"]["series"] == listed
            assert [each["step"] for each in read_record(path)["steps"]] == list(range(step + 1))
            assert read_record(path)["complete"] is (step == 2)
            assert step_paths(path) == [path / each for each in listed]
            validate_zarr_store(str(path))
    assert read_record(output.path)["complete"] is True


def test_an_early_end_leaves_whole_steps(tmp_path):
    path = broken_off(tmp_path / "a.zarr", made_up("zyx"), 5, 2)
    assert read_record(path)["complete"] is False
    assert len(step_paths(path)) == 2
    validate_zarr_store(str(path))
    with pytest.raises(NotReadable, match="the first 2 steps of a run that was not completed: "):
        read_image(path)


def test_napari_ome_zarr_opens_all_steps(tmp_path):
    from napari_ome_zarr._reader import napari_get_reader

    source = made_up("zyx", lengths={"z": 0.3, "y": 0.1, "x": 0.1}, unit="micrometer")
    path = write(tmp_path / "a.zarr", source, steps_of(source, 3))
    layers = napari_get_reader(str(path))(str(path))
    assert len(layers) == 3
    for step, (data, options, *_) in enumerate(layers):
        np.testing.assert_array_equal(np.asarray(data[0]), source.image + step)
        assert options["scale"] == [0.3, 0.1, 0.1]


# Stacks


@pytest.mark.parametrize("axes", ["yx", "zyx", "x"])
def test_a_stack_is_one_image_with_the_step_first(tmp_path, axes):
    source = made_up(axes, lengths={"x": 0.1}, place={"x": 7.0}, unit="micrometer")
    path = write(tmp_path / "a.zarr", source, steps_of(source, 3), stack=True)
    validate_zarr_store(str(path))
    (image,) = zarr.open_group(path, mode="r").attrs["ome"]["multiscales"]
    assert image["axes"][0]["name"] == "step"
    found = read_image(path)
    expected = np.stack(steps_of(source, 3)).reshape(found.image.shape)
    np.testing.assert_array_equal(found.image, expected)
    assert (found.axes, found.letters) == (None, "Qyx" if axes == "x" else f"Q{axes}")
    assert (found.lengths["x"], found.place["x"]) == (0.1, 7.0)
    assert [each["step"] for each in found.record["steps"]] == [0, 1, 2]
    assert found.record["complete"] is True


def test_a_stack_has_a_pyramid(tmp_path):
    source = made_up("yx", (300, 500))
    path = write(tmp_path / "a.zarr", source, steps_of(source, 2), stack=True)
    alone = write(tmp_path / "b.zarr", source)
    np.testing.assert_allclose(image_of(path / "1")[1], image_of(alone / "1") + 1, rtol=1e-6)


@pytest.mark.parametrize("axes", ["tyx", "cyx", "tczyx", "yxc"])
def test_axes_that_cannot_be_stacked_are_refused_before_work(tmp_path, axes):
    with pytest.raises(ValueError, match=rf"axes yx or zyx only \(got {axes}\): write \.npy, or"):
        Output(tmp_path / "a.zarr", made_up(axes), 3, np.dtype("f4"), stack=True)


@pytest.mark.parametrize(("name", "axes"), [("a", "yx"), ("a.ome.tif", "tczyx")])
def test_a_folder_is_no_stack(tmp_path, name, axes):
    with pytest.raises(ValueError, match="a folder with one file per step, and no stack"):
        Output(tmp_path / name, made_up(axes), 3, np.dtype("f4"), stack=True)


def test_one_step_of_a_stack_is_an_image(tmp_path):
    path = write(tmp_path / "a.zarr", made_up("zyx"), stack=True)
    assert read_image(path).axes == "zyx"


def test_a_stack_that_ends_early_has_whole_steps_only(tmp_path, monkeypatch):
    from napari_diffusion.io.ome_zarr import image as zarr_image

    source = made_up("zyx", (4, 300, 5))
    fill = zarr_image.fill

    def full(fine, coarse, step, leading, *run):
        if leading == (2,):
            raise OSError(28, "No space left on device")
        fill(fine, coarse, step, leading, *run)

    monkeypatch.setattr(zarr_image, "fill", full)
    with pytest.raises(OSError, match=r"[Nn]o space|full") as caught:
        write(tmp_path / "a.zarr", source, steps_of(source, 4), stack=True)
    path = tmp_path / "a.partial.zarr"
    assert f"2 steps made are saved in {str(path)!r}" in caught.value.__notes__[0]
    found = read_image(path)
    np.testing.assert_array_equal(found.image, steps_of(source, 2))
    assert found.record["complete"] is False
    assert image_of(path / "1").shape == (2, 2, 150, 3)
    assert not list(path.glob("*/c/2"))


# Killed

WRITES = """
import sys
from pathlib import Path
import numpy as np
from zarr_stores import made_up, record_of
from napari_diffusion.io import Output
path, stack = Path(sys.argv[1]), sys.argv[2] == "stack"
source = made_up("zyx", (20, 600, 600))
with Output(path, source, 1000, np.dtype("f4"), stack=stack) as output:
    for step in range(1000):
        output.write(source.image + step, record_of(source, step))
"""


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL")
@pytest.mark.parametrize("kind", ["run", "stack"])
def test_a_run_that_is_killed_leaves_its_whole_steps(tmp_path, kind):
    words = [sys.executable, "-c", WRITES, str(tmp_path / "a.zarr"), kind]
    path = tmp_path / "a.partial.zarr"
    second = path / ("steps/0001" if kind == "run" else "0/c/1")
    begun = path / (".unfinished" if kind == "run" else "0/c/2")
    tests = str(Path(__file__).parents[1])
    with subprocess.Popen(words, env={**os.environ, "PYTHONPATH": tests}) as process:
        until = time.monotonic() + 60
        while not (second.exists() and begun.exists()) and time.monotonic() < until:
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
    expected = made_up("zyx", (20, 600, 600)).image
    assert read_record(path)["complete"] is False
    if kind == "run":
        validate_zarr_store(str(path))
        steps = [read_image(each) for each in step_paths(path)]
        images = [step.image for step in steps]
        assert all(step.remarks == () for step in steps)
    else:
        images = list(read_image(path).image)
    assert len(images) >= 2
    for step, image in enumerate(images):
        np.testing.assert_array_equal(image, expected + step)


def test_what_is_left_can_be_overwritten(tmp_path):
    source = made_up("zyx")
    path = broken_off(tmp_path / "a.zarr", source, 3, 1)
    (path / ".unfinished").mkdir()
    write(tmp_path / "a.zarr", source, steps_of(source, 2), overwrite=True)
    assert [each.name for each in tmp_path.iterdir()] == ["a.zarr"]


def test_an_image_that_is_not_whole_is_not_shown(tmp_path):
    source = made_up("yx")
    with Output(tmp_path / "a.zarr", source, 1, np.dtype("f4")) as output:
        output._writer.write(source.image, {})
        with pytest.raises(NotReadable, match="was not completed, and holds no image yet"):
            read_image(output.partial)
        output.steps.append(record_of(source, 0))
