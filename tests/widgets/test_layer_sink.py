"""Where the steps of a run go: a stack on disk has its room before the run begins."""

from __future__ import annotations

import errno
import os
import sys

import numpy as np
import pytest
from dock_driver import made

pytest.importorskip("napari")

from napari.layers import Image

import napari_diffusion as nd
from napari_diffusion.widgets.results.layer_sink import buffer_for
from napari_diffusion.widgets.run.run_request import RunError

RECIPE = nd.Recipe(num_steps=4, starting_noise_scale=0.1, seed=7)


def no_room(monkeypatch):
    """Let the system refuse to reserve room, as a full disk does."""

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", full, raising=False)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not count blocks")
@pytest.mark.parametrize("by", ["system", "zeros"])
def test_the_room_is_there_before_anything_is_written(monkeypatch, by):
    taken = []
    if by == "zeros":
        monkeypatch.delattr(os, "posix_fallocate", raising=False)
    memmap = np.memmap

    def counted(file, **more):
        taken.append(os.fstat(file.fileno()).st_blocks * 512)
        return memmap(file, **more)

    monkeypatch.setattr(np, "memmap", counted)
    room = buffer_for(5, (100, 200), np.float32, on_disk=True)
    assert room.shape == (5, 100, 200)
    assert not room.any()
    room[...] = 1
    assert taken[0] >= room.nbytes


def test_without_room_the_run_is_refused(monkeypatch):
    no_room(monkeypatch)
    with pytest.raises(
        RunError, match=r"stack on disk cannot be made. No space is left in"
    ) as said:
        buffer_for(5, (10, 20), np.float32, on_disk=True)
    assert said.value.part == "memory"
    assert said.value.__cause__.errno == errno.ENOSPC
    with pytest.raises(RunError, match=r"disk of .* is full: [0-9.e+]+ TB needed, .* free\."):
        buffer_for(1 << 40, (1000, 1000), np.float32, on_disk=True)
    assert buffer_for(5, (10, 20), np.float32, on_disk=False).shape == (5, 10, 20)


def test_the_dock_says_so_and_hides_nothing(open_loop, monkeypatch):
    viewer, loop = open_loop(Image(np.random.default_rng(0).random((24, 32)), name="face"))
    no_room(monkeypatch)
    loop.value = RECIPE
    loop.result.value = "stack on disk", 1
    loop.controls.run.native.click()
    assert not loop.runner.is_running
    assert "No space is left" in loop.controls.message.sentence
    assert made(viewer) == []
    assert viewer.layers["face"].visible
