"""Sub-steps in waves give the bits of sub-steps one after the other."""

from __future__ import annotations

import numpy as np
import pytest

from napari_diffusion.core.image import Image
from napari_diffusion.engine import threads as threads_module
from napari_diffusion.engine.block import Block
from napari_diffusion.engine.threads import Threads
from napari_diffusion.filters import PeronaMalik, TotalVariationFlow
from napari_diffusion.filters.flows import wavefront
from napari_diffusion.filters.flows.explicit import one_by_one

LAYOUTS = (
    ("yx", None, (37, 5)),
    ("yx", "x", (9, 21)),
    ("zyx", None, (9, 7, 6)),
    ("tyx", "yx", (5, 8, 6)),
    ("tyx", "tyx", (11, 4, 5)),
    ("tzyx", "tzyx", (7, 3, 4, 5)),
    ("cyx", None, (3, 23, 4)),
)


@pytest.mark.parametrize(("axes", "along", "shape"), LAYOUTS)
def test_bits_are_those_of_one_sub_step_after_the_other(monkeypatch, axes, along, shape):
    random = np.random.default_rng(len(shape))
    image = Image.of(random.random(shape, dtype=np.float32), axes=axes, along=along)
    for time in (0.05, 0.6, 1.4):
        chosen = PeronaMalik(contrast=0.3, time=time)
        one = Block(image.data, image.grid, None, Threads(1))
        plain = one_by_one(chosen, one, 0, chosen.part_count(image.grid))
        for threads in (1, 2, 3, 7):
            monkeypatch.setattr(threads_module, "TILE_VOXELS", int(random.integers(1, 60)))
            monkeypatch.setattr(wavefront, "WAVE_BYTES", int(random.integers(1, 1 << 14)))
            many = Block(image.data, image.grid, None, Threads(threads))
            made = chosen.apply(many)
            np.testing.assert_array_equal(made, plain)


@pytest.mark.parametrize(("axes", "along", "shape"), LAYOUTS)
@pytest.mark.parametrize(
    "chosen",
    [
        TotalVariationFlow(time=0.2, epsilon=0.1),
        TotalVariationFlow(time=0.2, epsilon=0.1, solver="fsi"),
        PeronaMalik(contrast=0.3, time=3.0, solver="fsi"),
    ],
    ids=["flow", "flow-fsi", "fsi"],
)
def test_neither_threads_nor_tiles_change_a_bit(monkeypatch, chosen, axes, along, shape):
    random = np.random.default_rng(len(shape))
    image = Image.of(random.random(shape, dtype=np.float32), axes=axes, along=along)
    plain = chosen.apply(Block(image.data, image.grid, None, Threads(1)))
    for threads in (1, 2, 5):
        monkeypatch.setattr(threads_module, "TILE_VOXELS", int(random.integers(1, 60)))
        monkeypatch.setattr(wavefront, "WAVE_BYTES", int(random.integers(1, 1 << 14)))
        made = chosen.apply(Block(image.data, image.grid, None, Threads(threads)))
        np.testing.assert_array_equal(made, plain)


def test_every_row_of_every_sub_step_is_taken_once(monkeypatch):
    monkeypatch.setattr(threads_module, "TILE_VOXELS", 16)
    block, done = np.zeros((1, 1, 1, 60, 4), np.float32), []
    wavefront.advanced(
        lambda u, out, a, b: done.extend((id(u), id(out), row) for row in range(a, b)),
        block,
        5,
        1,
        Threads(3),
    )
    assert len(done) == 5 * 60
