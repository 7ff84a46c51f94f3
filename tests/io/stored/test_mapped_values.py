"""Values that lie in a file one after the other are read in parts, and no more than those."""

from __future__ import annotations

import math
import os
import pickle
import subprocess
import sys

import numpy as np
import pytest

from napari_diffusion.io import NotReadable, read_image
from napari_diffusion.io.memory import limited_memory
from napari_diffusion.io.stored import file_parts, mapped_values

RNG = np.random.default_rng(0)
VOLUME = RNG.integers(0, 60_000, (7, 30, 41)).astype(np.uint16)
KINDS = {
    "C": VOLUME,
    "Fortran": np.asfortranarray(VOLUME),
    "big-endian": VOLUME.astype(">f4"),
    "turned": VOLUME.T,
    "bool": VOLUME > 30_000,
    "line": VOLUME[0, 0],
    "one voxel": VOLUME[:1, :1, :1],
}
KEYS = [
    (slice(1, 3), slice(2, 9), slice(0, 41)),
    (slice(None),) * 3,
    (2,),
    (-1, slice(None, None, -3)),
    (slice(5, 2), 8),
    (slice(None), 3, [0, -1, 4]),
    (0, 0, 0),
    (slice(1, 7, 5), slice(29, 2, -4), slice(40, 41)),
]


def saved(folder, image=VOLUME):
    np.save(folder / "a.npy", image)
    return folder / "a.npy"


@pytest.mark.parametrize("bytes_at_once", [1, 5000, 1 << 24])
@pytest.mark.parametrize("kind", KINDS)
def test_parts_are_those_of_the_whole(tmp_path, monkeypatch, kind, bytes_at_once):
    monkeypatch.setattr(mapped_values, "_MAPPED_BYTES", bytes_at_once)
    path = saved(tmp_path, KINDS[kind])
    whole, lazy = read_image(path, lazy=False), read_image(path, lazy=True)
    assert whole.stored is None
    stored = pickle.loads(pickle.dumps(lazy.stored))
    assert (stored.shape, stored.dtype, stored.ndim) == (
        whole.image.shape,
        whole.image.dtype,
        whole.image.ndim,
    )
    np.testing.assert_array_equal(lazy.image.compute(), whole.image, strict=True)
    for key in [key[: stored.ndim] for key in KEYS if kind not in ("line", "one voxel")]:
        np.testing.assert_array_equal(stored[key], whole.image[key], strict=True)
    values = stored[(slice(0, 1),) * stored.ndim]
    values[...] = 1
    np.testing.assert_array_equal(stored[(slice(None),) * stored.ndim], whole.image)


@pytest.mark.parametrize("index", [7, -8, [0, 9]])
def test_an_index_beyond_the_image_is_refused(tmp_path, index):
    stored = read_image(saved(tmp_path), lazy=True).stored
    with pytest.raises(IndexError, match="out of bounds for an axis of 7"):
        stored[index]


def test_no_more_is_mapped_than_a_part_spans(tmp_path, monkeypatch):
    planes = read_image(saved(tmp_path), lazy=True).stored
    (tmp_path / "b").mkdir()
    columns = read_image(saved(tmp_path / "b", KINDS["Fortran"]), lazy=True).stored
    mapped, memmap = [], np.memmap

    def remembered(*more):
        mapped.append(more[-1][0])
        return memmap(*more)

    monkeypatch.setattr(np, "memmap", remembered)
    planes[2:4]
    assert sum(mapped) == 2 * 30 * 41 * 2
    planes[3, 4:6, 5]
    assert mapped[1:] == [(41 + 1) * 2]
    columns[:, :, 2:4]
    assert sum(mapped[2:]) == 2 * 30 * 7 * 2


@pytest.mark.parametrize(("order", "chunk"), [("C", (2, 30, 41)), ("F", (7, 30, 2))])
def test_chunks_lie_together_in_the_file(tmp_path, monkeypatch, order, chunk):
    monkeypatch.setattr(file_parts, "_CHUNK_BYTES", math.prod(chunk) * 2 + 100)
    found = read_image(saved(tmp_path, np.asarray(VOLUME, order=order)), lazy=True)
    assert found.image.chunksize == chunk
    np.testing.assert_array_equal(found.image, VOLUME)


def test_images_larger_than_the_memory_are_lazy(tmp_path):
    path = tmp_path / "a.npy"
    np.save(path, np.zeros((4, 1000, 1000), np.uint16))
    assert read_image(path).stored is None
    with limited_memory(64 << 20):
        found = read_image(path)
        assert found.stored is not None
        assert read_image(path, lazy=False).stored is None
    assert found.replaced(name="b").stored is found.stored
    assert found.replaced(image=found.image + 1).stored is None


@pytest.mark.parametrize("image", [np.float32(3), np.zeros((0, 4), np.uint8)])
def test_what_has_no_parts_is_read_whole(tmp_path, image):
    assert read_image(saved(tmp_path, image), lazy=True).stored is None


class TestFaults:
    def test_objects_are_not_unpickled(self, tmp_path):
        np.save(tmp_path / "a.npy", np.array([print], object))
        with pytest.raises(ValueError, match="holds Python objects instead of pixels"):
            read_image(tmp_path / "a.npy", lazy=True)

    def test_a_file_that_is_cut_off_is_refused(self, tmp_path):
        path = saved(tmp_path)
        path.write_bytes(path.read_bytes()[:-1])
        with pytest.raises(ValueError, match="is cut off"):
            read_image(path, lazy=True)

    @pytest.mark.parametrize("change", ["longer", "shorter", "later", "other", "gone"])
    def test_a_file_that_has_changed_is_not_read(self, tmp_path, change):
        path = saved(tmp_path)
        found = read_image(path, lazy=True)
        again = pickle.loads(pickle.dumps(found.stored))
        time = path.stat().st_mtime_ns
        if change == "longer":
            path.write_bytes(path.read_bytes() + b"1")
        if change == "shorter":
            os.truncate(path, 1000)
        if change == "later":
            time += 1
        if change == "other":
            os.replace(saved(tmp_path / "..", VOLUME + 1), path)
            time += 1
        if change == "gone":
            path.unlink()
        else:
            os.utime(path, ns=(time, time))
        words = "is not there any more" if change == "gone" else "has changed since it was opened"
        for values in (found.stored, again, found.image):
            with pytest.raises(NotReadable, match=words):
                np.asarray(values[0:1])

    def test_a_change_while_it_is_read_is_noticed(self, tmp_path, monkeypatch):
        path = saved(tmp_path)
        stored = read_image(path, lazy=True).stored
        memmap = np.memmap

        def changing(*more):
            os.utime(path, ns=(0, 0))
            return memmap(*more)

        monkeypatch.setattr(np, "memmap", changing)
        with pytest.raises(NotReadable, match="has changed"):
            stored[0:1]

    def test_it_is_unpickled_in_any_folder_without_reading(self, tmp_path, monkeypatch):
        path = saved(tmp_path)
        monkeypatch.chdir(tmp_path)
        raw = pickle.dumps(read_image(path.name, lazy=True).stored)
        assert len(raw) < 2000
        monkeypatch.chdir("/")
        np.testing.assert_array_equal(pickle.loads(raw)[1:2], VOLUME[1:2])
        path.unlink()
        with pytest.raises(NotReadable, match=r"'a\.npy' is not there any more"):
            pickle.loads(raw)[1:2]


SCRIPT = """
import resource, sys
from napari_diffusion.io import read_image
import numpy as np, dask.array
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
stored = read_image(sys.argv[1], lazy=True).stored
before = peak()
axis = stored.order[0]
for first in range(0, stored.shape[axis], 16):
    stored[tuple(slice(first, first + 16) if k == axis else slice(None) for k in range(3))]
print(peak() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="others count what is in memory otherwise")
@pytest.mark.parametrize("order", ["C", "F"])
def test_memory_does_not_grow_with_the_file(tmp_path, order):
    shape = (256, 512, 512)
    with (tmp_path / "a.npy").open("wb") as file:
        described = {"descr": "<f4", "fortran_order": order == "F", "shape": shape}
        np.lib.format.write_array_header_1_0(file, described)
        file.truncate(file.tell() + 256 << 20)
    command = [sys.executable, "-c", SCRIPT, str(tmp_path / "a.npy")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    # A slab, what is mapped, and a margin.
    assert int(done.stdout) < 16 + 16 + 48
