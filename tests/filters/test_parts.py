"""A step taken in parts, and a core taken from what is around it, give the bits of the whole."""

from __future__ import annotations

import functools
import itertools
import zlib

import numpy as np
import pytest
from cases import FILTER_VARIANTS, MASKED_VARIANTS, Case, label
from hypothesis import given
from hypothesis import strategies as st
from strategies import example_images, filters

from napari_diffusion.core.grid import Grid
from napari_diffusion.core.image import Image
from napari_diffusion.engine import block as block_module
from napari_diffusion.engine.block import Block
from napari_diffusion.engine.tiles import with_halo
from napari_diffusion.filters import (
    CoherenceEnhancing,
    EdgeEnhancing,
    Heat,
    Hybrid,
    MinMaxCurvature,
    PeronaMalik,
    SpeckleReducing,
    TotalVariationFlow,
)
from napari_diffusion.filters.flows.flow import Flow
from napari_diffusion.filters.tensors.tensor_steps import Exchange

# With tensors that reach so little that a core needs less than the whole image.
NEAR = {"contrast": 0.2, "smoothing": 0.4, "condition_limit": 2.0}

FLOWS = (
    PeronaMalik(contrast=0.2, time=1.2, smoothing=0.5),
    PeronaMalik(contrast=0.2, time=1.5, solver="fsi"),
    PeronaMalik(contrast=0.2, time=1.5, solver="fsi", smoothing=0.5),
    PeronaMalik(contrast=0.2, time=1.5, solver="fsi", conductance="tukey", gradient="magnitude"),
    TotalVariationFlow(time=0.2, epsilon=0.1, solver="fsi"),
    SpeckleReducing(q0=0.3, decay=0.5),
    EdgeEnhancing(**NEAR, time=1.5),
    CoherenceEnhancing(**NEAR, integration=0.5, time=2.0),
    Hybrid(**NEAR, switch=0.1, integration=0.5, time=1.5),
)

EVERY = [*FILTER_VARIANTS, *FLOWS]

WIDE_CASES = (
    Case("plane", "yx", (61, 72), {"spacing": (1.0, 1.5)}),
    Case("volume", "zyx", (24, 29, 31), {"spacing": (2.0, 1.0, 0.8)}),
    Case("channels", "cyx", (3, 41, 47)),
    Case("channels-apart", "cyx", (2, 43, 45), {"joint_channels": False}),
)


def block_of(case, masked=False, dtype=np.float32):
    mask = case.mask() if masked else None
    image = Image.of(case.image(dtype), mask=mask, **case.options)
    return Block(image.data, image.grid, image.mask)


def one_by_one(component, block, edges):
    """The values after the parts from edge to edge, the first and the last being the step's."""
    values = block.values
    for start, stop in itertools.pairwise(edges):
        before = values.copy()
        after = block.with_values(values).filtered_parts(component, start, stop)
        np.testing.assert_array_equal(values, before)
        assert not np.shares_memory(after, values)
        values = after
    return values


def with_part_halo(component, block, core, start, stop):
    """What a task reads: a core with the halo of some parts, or all of the image."""
    halo = component.part_halo(block.grid, start, stop)
    part, _ = block.around(core, block.grid.shape if halo is None else halo)
    return part


@functools.cache
def cases_of(component):
    """A plane or a volume, and one of the other cases, with and without a mask in turn."""
    turn = zlib.crc32(label(component).encode())
    masks = (False, True) if component in (*MASKED_VARIANTS, *FLOWS) else (False,)
    chosen = WIDE_CASES[turn % 2], WIDE_CASES[2 + turn % 2]
    return [(case, masked) for case in chosen for masked in masks]


def random_core(random, shape, channels=1):
    ends = [sorted(random.integers(0, n + 1, 2)) for n in shape]
    core = [slice(int(a), int(max(b, a + 1))) if a < n else slice(n - 1, n)
            for (a, b), n in zip(ends, shape, strict=True)]  # fmt: skip
    core[channels] = slice(0, shape[channels])
    return tuple(core)


@pytest.mark.parametrize("component", EVERY, ids=label)
def test_parts_one_after_the_other_are_the_step(component):
    random = np.random.default_rng(zlib.crc32(label(component).encode()))
    for case, masked in cases_of(component):
        block = block_of(case, masked)
        count = component.part_count(block.grid)
        whole = block.filtered(component)
        for edges in (range(count + 1), [0, *sorted(random.integers(0, count + 1, 2)), count]):
            np.testing.assert_array_equal(one_by_one(component, block, list(edges)), whole)


@pytest.mark.parametrize("component", EVERY, ids=label)
def test_a_core_with_its_halo_has_the_bits_of_the_image(component, monkeypatch):
    random = np.random.default_rng(zlib.crc32(label(component).encode()))
    for case, masked in cases_of(component):
        block = block_of(case, masked)
        count = component.part_count(block.grid)
        for _ in range(3):
            start, stop = sorted(random.integers(0, count + 1, 2))
            stop = max(stop, min(start + 1, count))
            # Whatever the block is cut to in between.
            monkeypatch.setattr(block_module, "WASTE", random.choice([1.0, 1.1, 1.5, 100.0]))
            core = random_core(random, block.shape)
            whole = block.filtered_parts(component, start, stop)
            part = with_part_halo(component, block, core, start, stop)
            made = part.core_filtered(component, core, start, stop)
            np.testing.assert_array_equal(made, whole[core])
            assert made.flags.c_contiguous
            assert not np.shares_memory(made, part.values)


@given(filters(), example_images(types=(np.float32, np.float64)), st.data())
def test_any_core_after_any_parts_of_any_filter(component, drawn, data):
    values, options = drawn
    image = Image.of(values, **options)
    try:
        component = component.resolved(image)
        count = component.part_count(image.grid)
    except ValueError:
        return  # It would take too many sub-steps, and says so.
    start = data.draw(st.integers(0, count))
    stop = data.draw(st.integers(start, count))
    seed = data.draw(st.integers(0, 2**32 - 1))
    block = Block(image.data, image.grid)
    split = data.draw(st.integers(start, stop))
    whole = one_by_one(component, block, [start, split, stop])
    np.testing.assert_array_equal(block.filtered_parts(component, start, stop), whole)
    core = random_core(np.random.default_rng(seed), block.shape)
    part = with_part_halo(component, block, core, start, stop)
    made = part.core_filtered(component, core, start, stop)
    np.testing.assert_array_equal(made, whole[core])


@pytest.mark.parametrize("component", EVERY, ids=label)
@pytest.mark.parametrize("case", WIDE_CASES, ids=str)
def test_parts_reach_together_as_far_as_the_step(component, case):
    grid = Grid.of(case.shape, **case.options)
    count, halo = component.part_count(grid), component.halo(grid)
    assert count >= 1
    assert component.part_halo(grid, 0, count) == halo
    assert component.part_halo(grid, count, count) == (0,) * 5
    if halo is None:
        return
    halos = [component.part_halo(grid, part, part + 1) for part in range(count)]
    assert tuple(np.sum(halos, axis=0)) == halo


@pytest.mark.parametrize(
    "component",
    [
        *(each for each in FLOWS if not isinstance(each, TotalVariationFlow)),
        PeronaMalik(contrast=0.2, time=0.5),
        PeronaMalik(contrast=0.2, time=0.5, gradient="magnitude"),
        MinMaxCurvature(radius=1.0, time=0.3),
    ],
    ids=label,
)
def test_a_part_reaches_no_less_than_its_halo(component):
    """A pixel at the halo changes the core, or the halo were too large; beyond it none does.

    Stencils alone may reach less than in the worst case.
    """
    block = block_of(Case("plane", "yx", (101, 101)), dtype=np.float64)
    count = component.part_count(block.grid)
    assert count > 1
    for part in (0, count - 1):
        halo = component.part_halo(block.grid, part, part + 1)[3]
        other = block.values.copy()
        other[..., 50, 50] += 1.0
        before = block.filtered_parts(component, part, part + 1)
        after = block.with_values(other).filtered_parts(component, part, part + 1)
        far = np.abs(np.argwhere(before != after)[:, 3:] - 50).max()
        assert far <= halo
        assert far == halo or not isinstance(component, PeronaMalik)


def test_tensors_are_taken_anew_at_the_start_of_a_part():
    grid = Grid.of((400, 400, 400), axes="zyx")
    chosen = EdgeEnhancing(contrast=0.2)
    assert (chosen.sub_steps(grid), chosen.part_count(grid)) == (8, 2)
    assert chosen.halo(grid)[2:] == (298, 298, 298)
    assert chosen.part_halo(grid, 1, 2)[2:] == (149, 149, 149)


@pytest.mark.parametrize("period", [21, 30, 81])
def test_a_core_near_pixels_that_many_stencils_point_at(period, monkeypatch):
    """What the centre of a star is spared depends on stencils two reaches away."""
    y, x = (np.mgrid[:160, :130] % period) - period // 2
    block = block_of(Case("plane", "yx", (160, 130)))
    block = block.with_values(np.sin(12 * np.arctan2(y, x)).astype(np.float32)[None, None, None])
    chosen = CoherenceEnhancing(
        contrast=0.05, smoothing=0.4, condition_limit=50.0, integration=0.5, time=2.0
    )
    overloaded = []
    found = Exchange._overloaded

    def spied(self):
        rows = found(self)
        overloaded.append(rows.any())
        return rows

    monkeypatch.setattr(Exchange, "_overloaded", spied)
    whole = block.filtered_parts(chosen, 0, 1)
    for first in range(30, 120, 4):
        core = (*[slice(0, 1)] * 3, slice(first, first + 3), slice(0, 130))
        part = with_part_halo(chosen, block, core, 0, 1)
        made = part.core_filtered(chosen, core, 0, 1)
        np.testing.assert_array_equal(made, whole[core])
    assert overloaded[0]


@pytest.mark.parametrize("cls", [PeronaMalik, EdgeEnhancing, Heat])
def test_a_time_of_nothing_is_one_part_that_changes_nothing(cls):
    chosen = cls(time=0.0, contrast=0.1) if cls is not Heat else Heat(time=0.0)
    block = block_of(WIDE_CASES[0])
    assert chosen.part_count(block.grid) == 1
    made = chosen.apply_parts(block, 0, 1)
    np.testing.assert_array_equal(made, block.values)
    assert not np.shares_memory(made, block.values)


def test_linear_diffusion_is_one_convolution_but_for_a_mask():
    free, masked = block_of(WIDE_CASES[0]), block_of(WIDE_CASES[0], masked=True)
    assert Heat(time=2.0).part_count(free.grid) == 1
    assert Heat(time=2.0).part_count(masked.grid) == Heat(time=2.0).sub_steps(masked.grid) > 1


@pytest.mark.parametrize("component", FLOWS, ids=label)
def test_parts_of_a_large_block_are_taken_tile_by_tile(component, monkeypatch):
    block = block_of(Case("plane", "yx", (150, 200)))
    halo = component.part_halo(block.grid, 1, 2)
    whole = component.apply_parts(block, 1, 2)
    monkeypatch.setattr(block_module, "SMALL", 20_000)
    monkeypatch.setattr(block_module, "MOST_COPIES", 0)
    seen = []

    apply_parts = Flow.apply_parts

    def spied(self, part, start, stop, core=None):
        seen.append(part.shape)
        return apply_parts(self, part, start, stop, core)

    monkeypatch.setattr(Flow, "apply_parts", spied)
    made = block.filtered_parts(component, 1, 2)
    np.testing.assert_array_equal(made, whole)
    assert len(seen) > 1
    assert all(max(shape[3:]) > max(halo) for shape in seen)


def test_a_block_that_is_too_small_is_refused():
    block = block_of(WIDE_CASES[0])
    chosen = PeronaMalik(contrast=0.2, time=1.0)
    core = (slice(0, 1), slice(0, 1), slice(0, 1), slice(20, 30), slice(20, 30))
    count = chosen.part_count(block.grid)
    needed, _ = with_halo(core, chosen.part_halo(block.grid, 0, count), block.grid.shape)
    for axis in (3, 4):
        for side in (1, -1):
            cut = list(needed)
            ends = (1, 0) if side == 1 else (0, 1)
            cut[axis] = slice(cut[axis].start + ends[0], cut[axis].stop - ends[1])
            part, _ = block.around(cut, (0,) * 5)
            with pytest.raises(ValueError, match="must hold"):
                part.core_filtered(chosen, core, 0, count)


def test_every_flow_with_more_than_one_part_is_tried():
    grid = Grid.of((24, 29, 31), axes="zyx")
    assert {type(each) for each in FLOWS if each.part_count(grid) > 1} == {
        type(each) for each in FLOWS
    }
    assert all(isinstance(each, Flow) for each in FLOWS)
