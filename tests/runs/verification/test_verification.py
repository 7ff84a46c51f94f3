"""An output is as it was written or not, and its run makes the same again or not."""

from __future__ import annotations

import contextlib
import shutil

import numpy as np
import pytest
from sealed_outputs import (
    KINDS,
    change_pixel,
    change_record,
    chunk,
    step_arrays,
    values_of,
    write_outputs,
)

import napari_diffusion as nd
from napari_diffusion.io import Output, read_image
from napari_diffusion.io.ome_zarr import pyramid
from napari_diffusion.records.provenance import record
from napari_diffusion.runs.verification.verdict import Verdict
from napari_diffusion.runs.verification.verification import verify

pytestmark = pytest.mark.filterwarnings("ignore:one.mrc has no voxel size")

STORES = ["run.zarr", "stack.zarr", "one.zarr"]
MANY = [name for name, options in KINDS.items() if "--keep" not in options]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("written")
    with pytest.MonkeyPatch.context() as patch:
        # Every plane of the image is a chunk of its own.
        patch.setattr(pyramid, "_CHUNK_BYTES", 4 * 20 * 24)
        write_outputs(folder)
    return folder


@pytest.fixture
def copy(written, tmp_path):
    """Return a function that returns a copy of an output, the source not beside it."""

    def copied(name):
        for each in written.glob(f"{name}*"):
            (shutil.copytree if each.is_dir() else shutil.copyfile)(each, tmp_path / each.name)
        return tmp_path / name

    return copied


@pytest.fixture
def source(written):
    return written / "a.npy"


def last(name):
    """Return the step that is changed, and its place in the output."""
    return (1, "step 1") if name in MANY else (0, "step 2")


@pytest.mark.parametrize("name", KINDS)
def test_a_run_makes_the_same_bits_again(written, name):
    found = verify(written / name)
    assert (found.verdict, found.holds) == (Verdict.IDENTICAL, True)
    count = "3 steps" if name in MANY else "1 step"
    again = "3 steps" if name in MANY else "step 2"
    assert found.text() == (
        f"{count} and the record are as they were written.\n"
        f"Replayed from {str(written / 'a.npy')!r}, which lies beside the output.\n"
        f"Replayed: {again} made again with the same bits.\n{name}: identical."
    )


@pytest.mark.parametrize("name", KINDS)
def test_without_the_source_the_hashes_are_checked(copy, name):
    found = verify(copy(name))
    assert (found.verdict, found.holds) == (Verdict.INTACT, True)
    assert found.findings[-1] == "Not replayed: give the source with --input."


@pytest.mark.parametrize("name", KINDS)
def test_a_changed_pixel_is_found(copy, source, name):
    path, (index, step) = copy(name), last(name)
    change_pixel(path, index)
    found = verify(path)
    assert (found.verdict, found.holds) == (Verdict.BROKEN, False)
    assert found.findings[0] == f"{step} is not as it was written: the hash of its values differs."
    again = verify(path, source)
    assert again.verdict is Verdict.BROKEN
    place = "chunk " if name in STORES else "plane z=3"
    assert f"different from {step}, {place}" in again.text()
    assert "the greatest difference is 0.25" in again.text()
    if name in STORES:
        inner = "(1, 3, 0, 0)" if name == "stack.zarr" else "(3, 0, 0)"
        assert f"chunk {inner} on" in again.text()


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('"seed": 7', '"seed": 8'),
        ('"source": "a.npy"', '"source": "b.npy"'),
        ('"num_steps": 3', '"num_steps": 4'),
        ('"is_final": false', '"is_final": true '),
    ],
)
def test_a_changed_record_is_found(copy, source, name, before, after):
    path = copy(name)
    change_record(path, before, after)
    found = verify(path, source)
    assert found.verdict is Verdict.BROKEN
    assert "The record is not as it was written: its hash differs." in found.text() or (
        "The record of step" in found.text()
    )
    assert "not replayed" in found.text()


@pytest.mark.parametrize("name", STORES)
def test_a_missing_chunk_is_found(copy, source, name):
    path, (index, step) = copy(name), last(name)
    chunk(path, index).unlink()
    found = verify(path, source)
    assert found.verdict is Verdict.BROKEN
    place = "(1, 3, 0, 0)" if name == "stack.zarr" else "(3, 0, 0)"
    assert f"chunk {place} is missing." in found.text()
    if name == "run.zarr":
        assert found.findings[0].startswith(step)


@pytest.mark.parametrize("name", STORES)
@pytest.mark.parametrize("kept", [0, 1, 0.5])
def test_a_truncated_chunk_is_found(copy, source, name, kept):
    path, (index, step) = copy(name), last(name)
    file = chunk(path, index)
    data = file.read_bytes()
    file.write_bytes(data[: int(kept * len(data)) if kept < 1 else -1])
    found = verify(path, source)
    assert found.verdict is Verdict.BROKEN
    place = "(1, 3, 0, 0)" if name == "stack.zarr" else "(3, 0, 0)"
    assert f"{step}: chunk {place} cannot be read: " in found.text()


@pytest.mark.parametrize("name", MANY)
def test_exchanged_steps_are_found(copy, name):
    path = copy(name)
    if name == "run.zarr":
        first, second = (folder.parent for folder, _ in step_arrays(path)[:2])
    elif name == "stack.zarr":
        first, second = (path / "0" / "c" / str(k) for k in (0, 1))
    elif path.is_dir():
        first, second = sorted(path.iterdir())[:2]
    else:
        first, second = (each.tobytes() for each in values_of(path)[:2])
        data = path.read_bytes()
        assert data.count(first + second) == 1
        path.write_bytes(data.replace(first + second, second + first))
        first = None
    if first is not None:
        aside = path / "aside"
        first.rename(aside)
        second.rename(first)
        aside.rename(second)
    found = verify(path)
    assert found.verdict is Verdict.BROKEN
    assert (
        "In the place of step 0 is step 1." in found.text()
        or "step 0 holds the values of step 1." in found.text()
    )


@pytest.mark.parametrize("step", [0, 1, 2])
@pytest.mark.parametrize("name", ["run.zarr", "folder"])
def test_a_missing_step_is_found(copy, source, name, step):
    path = copy(name)
    if name == "folder":
        (path / f"step_{step:04}.ome.tif").unlink()
        said = f"step {step} is missing."
    else:
        shutil.rmtree(path / "steps" / f"{step:04}")
        said = f"step {step} is missing: there is no step in '{step:04}'."
    found = verify(path, source)
    assert found.verdict is Verdict.BROKEN
    assert found.findings == (said, "Replayed: 2 steps made again with the same bits.")


def test_a_step_that_is_in_no_list_is_found(copy):
    path = copy("run.zarr")
    shutil.copytree(path / "steps" / "0001", path / "steps" / "0007")
    assert verify(path).findings[0] == "'0007' is in the folder, and in no list of steps."


@pytest.mark.parametrize("name", ["b.zarr", "b", "b.ome.tif", "b.npy"])
def test_a_run_that_was_not_completed_is_said(tmp_path, monkeypatch, name):
    image = np.random.default_rng(0).random((12, 14), dtype=np.float32)
    np.save(tmp_path / "a.npy", image)
    recipe = nd.Recipe(num_steps=3, starting_noise_scale=0.1).resolved(image)
    source = read_image(tmp_path / "a.npy").replaced(axes="yx")
    output = Output(tmp_path / name, source, 3, np.dtype("f4"))
    with contextlib.suppress(KeyboardInterrupt), output:
        for step in nd.steps(image, recipe):
            if step.index == 2:
                raise KeyboardInterrupt
            kept = record(recipe, step, {"axes": "yx"}, "a.npy", kept_every=1)
            output.write(step.image, kept)
    found = verify(output.partial)
    assert found.verdict is Verdict.BROKEN
    assert found.findings[-3:-2] == ("step 2 is missing.",)
    assert found.findings[-1] == "Replayed: 2 steps made again with the same bits."
    assert ("The run was not completed." in found.findings) == (name == "b.zarr")


@pytest.mark.parametrize("name", KINDS)
def test_another_source_is_found(copy, source, name):
    found = verify(copy(name), source.with_name("other.npy"))
    assert found.verdict is Verdict.DIFFERENT
    assert "'other.npy' is not the image that the run started from" in found.text()


def test_another_source_is_found_by_its_result_alone(copy, source, monkeypatch):
    from sealed_outputs import without_hashes

    path = copy("run.npy")
    without_hashes(path)
    assert verify(path).verdict is Verdict.UNKNOWN
    assert not verify(path).holds
    assert verify(path, source).verdict is Verdict.IDENTICAL
    other = verify(path, source.with_name("other.npy"))
    assert other.verdict is Verdict.DIFFERENT
    assert "Replayed: different from step 0, plane z=0 on; the greatest diff" in other.text()
    np.save(source.with_name("small.npy"), np.zeros((4, 20), np.float32))
    assert verify(path, source.with_name("small.npy")).verdict is Verdict.DIFFERENT
