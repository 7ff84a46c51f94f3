"""Full disks are called full, and the steps that were whole before stay."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_diffusion.io import read_image, read_record
from napari_diffusion.io.full_disk import check_room, full_disk_named, reserve

# Writes five steps of 128 kB into files that may have no more than some bytes.
SCRIPT = """
import json, resource, signal, sys
import numpy as np
import tifffile, napari_diffusion as nd
from napari_diffusion.io import Output, Source
from napari_diffusion.records.provenance import record
name, axes, limit = sys.argv[1], sys.argv[2], int(sys.argv[3])
shape = {"yx": (128, 256), "zyx": (4, 64, 128), "yxc": (128, 64, 4)}[axes]
origin = Source(name="a", image=np.zeros(shape, "f4"), axes=axes, rgb="c" in axes)
noise = {"starting_noise_scale": 1.0, "final_filter": None}
RECIPE = nd.Recipe(num_steps=5, diffusion_filter=nd.filters.Heat(time=1.0), **noise)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
from pathlib import Path
grid = {"axes": axes, "spacing": (1.0,) * (len(axes) - ("c" in axes)), "rgb": origin.rgb}
try:
    with Output(Path(name), origin, 5, np.dtype("f4")) as output:
        for index in range(5):
            step = nd.Step(index, 0.1, origin.image + index, is_final=False)
            output.write(step.image, record(RECIPE, step, grid, "a"))
    said = ["nothing"]
except OSError as error:
    said = [error.errno, str(error), *error.__notes__]
print(json.dumps(said))
"""

STEP = 128 * 1024


def broken_off(folder, name, axes, limit):
    """Write until the files are too large; return the number, the sentence and the notes."""
    command = [sys.executable, "-c", SCRIPT, name, axes, str(limit)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


needs_limits = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit of a file")


@needs_limits
@pytest.mark.parametrize("axes", ["yx", "zyx"])
@pytest.mark.parametrize("name", ["a.npy", "a.ome.tif"])
@pytest.mark.parametrize("room", [1.6, 2.4, 2.9])
def test_whole_steps_stay(tmp_path, name, axes, room):
    number, words, note = broken_off(tmp_path, name, axes, int(room * STEP))
    count = int(room)
    assert number == errno.ENOSPC
    assert words.startswith(f"No space is left in {str(tmp_path)!r}: the disk is full")
    stem, ending = name.split(".", 1)
    partial = tmp_path / f"{stem}.partial.{ending}"
    assert repr(partial.name) in note
    made = np.load(partial) if ending == "npy" else tifffile.imread(partial)
    made = made.reshape(count, *made.shape[-len(axes) :])
    for index in range(count):
        assert (made[index] == index).all()
    assert [step["step"] for step in read_record(partial)["steps"]] == list(range(count))
    assert read_image(partial).image.size == count * STEP // 4
    assert partial.stat().st_size < count * STEP + 16_000


@needs_limits
@pytest.mark.parametrize("name", ["a.npy", "a.tif", "a.ome.tif"])
def test_without_room_for_a_step_nothing_stays(tmp_path, name):
    number, words, note = broken_off(tmp_path, name, "yx", STEP // 2)
    assert number == errno.ENOSPC
    assert words.startswith("No space is left")
    assert note == f"Nothing was written to {name!r}."
    assert list(tmp_path.iterdir()) == []


@needs_limits
def test_with_room_nothing_is_said(tmp_path):
    assert broken_off(tmp_path, "a.tif", "yx", 10 * STEP) == ["nothing"]
    assert len(list(tmp_path.iterdir())) == 1


class TestNames:
    @pytest.mark.parametrize("number", [errno.ENOSPC, errno.EFBIG])
    def test_of_the_system(self, tmp_path, number):
        with pytest.raises(OSError, match="No space is left in") as caught:
            self.failing(tmp_path, OSError(number, os.strerror(number), "a.tif"))
        assert caught.value.errno == errno.ENOSPC
        assert str(tmp_path) in str(caught.value)

    def test_of_numpy(self, tmp_path):
        with pytest.raises(OSError, match="No space is left in"):
            self.failing(tmp_path, OSError("65536 requested and 24940 written"))

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is full")
    def test_numpy_still_says_it_so(self, tmp_path):
        with (
            pytest.raises(OSError, match="No space is left in"),
            Path("/dev/full").open("wb") as file,
            full_disk_named(tmp_path),
        ):
            np.zeros(1 << 20).tofile(file)

    def test_others_stay_what_they_are(self, tmp_path):
        for error in (PermissionError(errno.EACCES, "no"), OSError("broken")):
            with pytest.raises(OSError, match=r"no|broken") as caught:
                self.failing(tmp_path, error)
            assert caught.value is error

    @staticmethod
    def failing(folder, error):
        with full_disk_named(folder):
            raise error


class TestRoom:
    def test_more_than_is_free_is_refused_with_both_numbers(self, tmp_path):
        words = r"disk of .* is full: [0-9.e+]+ TB needed, [0-9.]+ (kB|MB|GB|TB) free\."
        with (tmp_path / "a").open("wb") as file, pytest.raises(OSError, match=words) as caught:
            reserve(file, 0, 1 << 60)
        assert caught.value.errno == errno.ENOSPC
        assert (tmp_path / "a").stat().st_size == 0

    @pytest.mark.skipif(sys.platform == "win32", reason="Windows does not count blocks")
    @pytest.mark.parametrize("by", ["system", "zeros", "neither"])
    def test_is_there_afterwards(self, tmp_path, monkeypatch, by):
        if by != "system":
            monkeypatch.delattr(os, "posix_fallocate", raising=False)
        with (tmp_path / "a").open("w+b") as file:
            file.write(b"abc")
            reserve(file, 3, 10_000_000, zeros=by == "zeros")
            assert file.tell() == 3
            file.flush()
            taken = os.fstat(file.fileno()).st_blocks * 512
        assert (taken >= 10_000_000) == (by != "neither")
        assert (tmp_path / "a").read_bytes()[:4] in (b"abc", b"abc\0")

    def test_a_file_system_that_cannot_reserve_is_written_to(self, tmp_path, monkeypatch):
        def cannot(*_):
            raise OSError(errno.EOPNOTSUPP, "no")

        monkeypatch.setattr(os, "posix_fallocate", cannot, raising=False)
        with (tmp_path / "a").open("w+b") as file:
            reserve(file, 0, 5_000_000, zeros=True)
        assert (tmp_path / "a").stat().st_size == 5_000_000

    def test_is_asked_before_anything_is_written(self, tmp_path):
        there, later = tmp_path, tmp_path / "not" / "yet"
        for folder in (there, later):
            check_room(folder, 1000, "the kept steps")
            words = r"full: [0-9.e+]+ TB needed for the kept steps, [0-9.]+ (kB|MB|GB|TB) free\."
            with pytest.raises(OSError, match=words) as caught:
                check_room(folder, 1 << 60, "the kept steps")
            assert caught.value.errno == errno.ENOSPC
        assert list(tmp_path.iterdir()) == []
