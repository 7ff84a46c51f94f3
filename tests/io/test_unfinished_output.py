"""What an unfinished output gives back, and what of it does not count."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import tifffile
from killed_runs import FORMATS, PLAN, made_from
from zarr_stores import made_up, record_of

import napari_diffusion as nd
from napari_diffusion.io import Output, Source, read_image, step_paths
from napari_diffusion.io.tiff import writer as tiff_writer
from napari_diffusion.records.provenance import record

# What of a step is written to the disk, under the name that it has at first.
BEFORE = {
    "run": ".unfinished/0/c/0/0",
    "stack": "0/c/{}/0/0",
    "folder": ".unfinished.ome.tif",
    "tiff": "",
    "npy": "",
}
KINDS = [kind for kind in FORMATS if kind != "imagej"]


def opened(folder, kind, source, count=3, **more):
    name, options = FORMATS[kind]
    return Output(folder / name, source, count, np.dtype("f4"), plan=PLAN, **options, **more)


def broken_off(output, images):
    """Write steps by their index, then break off."""
    with contextlib.suppress(KeyboardInterrupt), output:
        for step, image in images.items():
            output.write(image, record_of(output.source, step) | {"next_noise_scale": step / 8})
        raise KeyboardInterrupt
    return output.partial


def images_of(path, kind):
    """Return the values of all steps."""
    if kind in ("run", "folder"):
        return [read_image(each).image for each in step_paths(path)]
    if kind == "npy":
        return list(np.load(path))
    return list(read_image(path).image if kind == "stack" else tifffile.imread(path))


def test_of_one_step_nothing_is_whole(tmp_path):
    source = made_up("zyx")
    broken_off(opened(tmp_path, "npy", source, 1), {0: source.image})
    assert (tmp_path / "a.partial.npy").exists()
    with opened(tmp_path, "npy", source, 1, resume=True) as output:
        assert output.whole == []
        assert output.last_whole() is None
        output.write(source.image, record_of(source, 0))
    assert sorted(os.listdir(tmp_path)) == ["a.npy", "a.npy.recipe.json"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("axes", ["x", "yx", "xzy"])
@pytest.mark.parametrize("lazy", [False, True])
def test_the_last_step_comes_back_as_it_was_given(tmp_path, kind, axes, lazy):
    import dask.array as da

    sizes = {"z": 4, "y": 5, "x": 6}
    image = np.random.default_rng(0).random([sizes[axis] for axis in axes], np.float32)
    given = da.from_array(image, chunks=3) if lazy else image
    source = Source(name="a", image=given, axes=axes)
    broken_off(opened(tmp_path, kind, source), {0: given, 2: given + 1})
    with opened(tmp_path, kind, source, resume=True) as output:
        assert output.whole == [0, 2]
        step, found, kept = output.last_whole()
        assert (step, kept["next_noise_scale"]) == (2, 0.25)
        assert isinstance(found, da.Array if lazy else np.ndarray)
        np.testing.assert_array_equal(np.asarray(found), image + 1)
        # One that is there is left out, another is written.
        output.write(given * np.nan, record_of(source, 2))
        output.write(given, record_of(source, 3))
        del found
    assert [step["step"] for step in output.steps] == [0, 2, 3]
    assert not any(np.isnan(each).any() for each in images_of(output.path, kind))


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_of_the_loop_goes_on_with_the_same_bits(tmp_path, kind):
    source = made_up("yx", (40, 50))
    heat = nd.filters.Heat(time=0.5)
    recipe = nd.Recipe(
        num_steps=5, starting_noise_scale=0.1, diffusion_filter=heat, final_filter=heat
    )
    grid = {"axes": "yx", "spacing": (1.0, 1.0), "rgb": False}
    made = list(nd.steps(source.image, recipe))

    def run(stop=None):
        output = opened(tmp_path, kind, source, len(made), resume=True)
        with contextlib.suppress(KeyboardInterrupt), output:
            index, image, kept = output.last_whole() or (-1, source.image, {})
            scale = kept.get("next_noise_scale")
            for step in nd.steps(image, recipe, first_step=index + 1, noise_scale=scale):
                if step.index == stop:
                    raise KeyboardInterrupt
                output.write(step.image, record(recipe, step, grid, "a"))
        return output

    for stop in (2, 4, None):
        output = run(stop)
    assert [step["step"] for step in output.steps] == [step.index for step in made]
    np.testing.assert_array_equal(images_of(output.path, kind), [step.image for step in made])


def lost(partial, kind):
    """Lose the second step and what is behind it, or of a stack an array."""
    if kind == "folder":
        (partial / "step_0001.ome.tif").unlink()
    elif kind == "run":
        shutil.rmtree(partial / "steps" / "0001")
    elif kind == "stack":
        shutil.rmtree(partial / "0")
    else:
        with partial.open("r+b") as file:
            file.truncate(partial.stat().st_size - 2 * 8 * 9 * 4 if kind == "npy" else 240 + 500)


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_lost_since_is_made_again(tmp_path, kind):
    source = made_up("yx", (8, 9))
    images = [source.image]
    for step in (1, 2):
        images.append(made_from(images[-1], step))
    lost(broken_off(opened(tmp_path, kind, source), dict(enumerate(images))), kind)
    with opened(tmp_path, kind, source, resume=True) as output:
        assert output.whole == ([] if kind == "stack" else [0])
        for step, image in enumerate(images):
            output.write(image, record_of(source, step))
    np.testing.assert_array_equal(images_of(output.path, kind), images)
    assert [step["step"] for step in output.steps] == [0, 1, 2]


def test_a_disk_that_is_full_within_a_step_leaves_a_file_of_those_before(tmp_path, monkeypatch):
    source = made_up("zyx")
    output = opened(tmp_path, "tiff", source)
    planes = tiff_writer.planes

    def full(*of):
        yield from itertools.islice(planes(*of), 2)
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"), output:  # noqa: PT012
        output.write(source.image, record_of(source, 0))
        output.write(source.image + 1, record_of(source, 1))
        monkeypatch.setattr(tiff_writer, "planes", full)
        output.write(source.image + 2, record_of(source, 2))
    found = read_image(output.partial)
    np.testing.assert_array_equal(found.image, [source.image, source.image + 1])
    assert [step["step"] for step in found.record["steps"]] == [0, 1]
    with tifffile.TiffFile(output.partial) as file:
        assert len(file.pages) == 2 * len(source.image)


@pytest.mark.parametrize("change", [{"step": "1"}, {"step": -1}, {"steps": 3}, {"grid": {}}])
def test_a_note_that_is_no_record_ends_what_is_whole(tmp_path, change):
    source = made_up("yx", (8, 9))
    broken_off(opened(tmp_path, "npy", source), {0: source.image, 1: source.image})
    journal = tmp_path / "a.partial.npy.plan.jsonl"
    plan, first, _ = journal.read_text().splitlines()
    second = json.dumps({"note": {"record": record_of(source, 1) | change}})
    journal.write_text("\n".join([plan, first, second, ""]))
    with opened(tmp_path, "npy", source, resume=True) as output:
        assert output.whole == [0]


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs the names of open files")
@pytest.mark.parametrize("kind", KINDS)
def test_each_step_is_on_the_disk_before_it_is_noted(tmp_path, monkeypatch, kind):
    synced = set()

    def sync(file):
        synced.add(os.readlink(f"/proc/self/fd/{file}"))

    monkeypatch.setattr(os, "fsync", sync)
    source = made_up("yx", (8, 9))
    with opened(tmp_path, kind, source) as output:
        assert synced >= {str(tmp_path)}
        for step in range(3):
            synced.clear()
            output.write(source.image, record_of(source, step))
            assert str(tmp_path / f"{output.partial.name}.plan.jsonl") in synced
            assert str(output.partial / BEFORE[kind].format(step)) in synced
