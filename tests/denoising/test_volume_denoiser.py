"""The filters of the denoiser in volumes and through time."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import fft

import napari_diffusion as nd
from napari_diffusion.engine import block
from napari_diffusion.engine.tiles import large_tiles, with_halo
from napari_diffusion.filters import (
    Blend,
    HaarDiffusion,
    NonLocalDiffusion,
    PlanesOrVolumes,
    ReactionDiffusion,
)

SIGMA = 0.2
HAAR = HaarDiffusion(SIGMA, levels=2, weights=(0.4, 0.5))


def volume(shape, seed=0):
    """Return two slanted half spaces, a thin sheet and noise."""
    z, y, x = np.meshgrid(*(np.linspace(0, 1, n) for n in shape), indexing="ij")
    clean = 1.0 * (x + 0.4 * y + 0.7 * z > 1.0) + 0.5 * (abs(y - 0.5 - 0.2 * z) < 0.06)
    return clean, clean + SIGMA * np.random.default_rng(seed).standard_normal(shape)


def windows_by_scipy(y, guide, sizes, strides):
    margins = [size - stride for size, stride in zip(sizes, strides, strict=True)]
    pads = [
        (m, m + -(n + 2 * m - size) % stride)
        for m, n, size, stride in zip(margins, y.shape, sizes, strides, strict=True)
    ]
    core = tuple(slice(m, m + n) for m, n in zip(margins, y.shape, strict=True))
    y, guide = (np.pad(each, pads, "reflect") for each in (y, guide))
    total, weight = np.zeros_like(y), np.zeros_like(y)
    for first in np.ndindex(
        *((n - size) // stride + 1 for n, size, stride in zip(y.shape, sizes, strides, strict=True))
    ):
        at = tuple(
            slice(i * stride, i * stride + size)
            for i, size, stride in zip(first, sizes, strides, strict=True)
        )
        g = fft.dctn(guide[at], norm="ortho") ** 2
        g = g / (g + SIGMA**2)
        g[0, 0, 0] = 1
        total[at] += fft.idctn(g * fft.dctn(y[at], norm="ortho"), norm="ortho") / np.sum(g**2)
        weight[at] += 1 / np.sum(g**2)
    return (total / weight)[core]


@pytest.mark.parametrize(("depth", "strides"), [(4, (1, 2, 2)), (8, (3, 3, 3)), (3, (1, 3, 3))])
def test_solid_windows_one_by_one(depth, strides):
    _, y = volume((11, 18, 21))
    chosen = ReactionDiffusion(SIGMA, HAAR, 8, strides[1], depth)
    expected = windows_by_scipy(y, HAAR(y), (depth, 8, 8), strides)
    np.testing.assert_allclose(chosen(y), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("radius", "patch", "depth"), [(2, 1, 1), (1, 0, 2), (1, 2, 1)])
def test_non_local_diffusion_in_a_volume_sample_by_sample(radius, patch, depth):
    _, y = volume((4, 7, 6))
    radii, patches = np.array([depth, radius, radius]), np.minimum(patch, (depth, patch, patch))
    pads = [(n, n) for n in radii + patches]
    u, p = (np.pad(each, pads, "reflect") for each in (y, HAAR(y)))
    expected = np.empty_like(y)

    def box(middle):
        return p[tuple(slice(m - n, m + n + 1) for m, n in zip(middle, patches, strict=True))]

    for at in np.ndindex(*y.shape):
        here = np.array(at) + radii + patches
        weights, values = [], []
        for offset in np.ndindex(*(2 * radii + 1)):
            there = here + np.array(offset) - radii
            if (there != here).any():
                weights.append(np.exp(-np.mean((box(here) - box(there)) ** 2) / (0.3 * SIGMA**2)))
                values.append(u[tuple(there)])
        expected[at] = np.average([*values, y[at]], weights=[*weights, max(1e-3, *weights)])
    out = NonLocalDiffusion(SIGMA, HAAR, radius, patch, 0.3, depth)(y)
    np.testing.assert_allclose(out, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    "component", [ReactionDiffusion(SIGMA, HAAR), NonLocalDiffusion(SIGMA, HAAR)]
)
@pytest.mark.parametrize(
    ("shape", "options"),
    [
        ((6, 13, 15), {"axes": "tyx"}),
        ((6, 13, 15), {"axes": "zyx", "spacing": (9.0, 1.0, 1.0)}),
        ((3, 13, 15), {"axes": "tyx"}),
    ],
)
def test_planes_that_are_no_volume_are_filtered_one_by_one(component, shape, options):
    _, y = volume(shape)
    if options["axes"] == "zyx":
        # The pilot has an eye on the next plane all the same.
        component = component.replaced(pilot=None)
    out = component(y, **options)
    for plane, alone in zip(out, y, strict=True):
        np.testing.assert_array_equal(plane, component(alone))


@pytest.mark.parametrize(
    ("spacing", "radius", "depth"), [(1.0, 4, 4), ((3.0, 1.0, 1.0), 7, 2), ((9.0, 1.0, 1.0), 7, 0)]
)
def test_the_search_follows_the_spacing(spacing, radius, depth):
    _, y = volume((6, 7, 8))
    recipe = nd.Recipe(
        num_steps=1, starting_noise_scale=0.0, noise=None,
        diffusion_filter=NonLocalDiffusion(SIGMA),
    )  # fmt: skip
    found = recipe.resolved(y, axes="zyx", spacing=spacing).diffusion_filter
    assert (found.radius, found.depth) == (radius, depth)


SOLID = (
    ReactionDiffusion(SIGMA, HAAR, 8, 2, 4),
    NonLocalDiffusion(SIGMA, HAAR, 2, 1, 0.3, 1),
)


@pytest.mark.parametrize("component", SOLID)
def test_regions_chunks_and_threads_of_a_volume_give_the_same_bits(component, monkeypatch):
    import dask.array as da

    _, y = volume((40, 30, 33))
    y = y.astype(np.float32)
    monkeypatch.setenv("NAPARI_DIFFUSION_THREADS", "1")
    whole = component(y, spacing=(2.0, 1.0, 1.0))
    lazy = component(da.from_array(y, chunks=(17, 30, 14)), axes="zyx", spacing=(2.0, 1.0, 1.0))
    np.testing.assert_array_equal(lazy.compute(scheduler="synchronous"), whole)
    monkeypatch.setenv("NAPARI_DIFFUSION_THREADS", "3")
    np.testing.assert_array_equal(component(y, spacing=(2.0, 1.0, 1.0)), whole)


@pytest.mark.parametrize("component", SOLID)
def test_time_is_an_axis_like_others(component):
    clean, y = volume((12, 24, 26))
    # A scene that stands still.
    y, clean = y - clean + clean[:1], clean[:1]
    through = component(y, axes="tyx", along="tyx")
    np.testing.assert_array_equal(through, component(y))
    apart = component(y, axes="tyx")
    assert np.mean((through - clean) ** 2) < 0.9 * np.mean((apart - clean) ** 2)


def test_planes_or_volumes_takes_the_filter_of_the_image():
    both = PlanesOrVolumes(HAAR, NonLocalDiffusion(SIGMA, HAAR, 2))
    _, y = volume((6, 13, 15))
    np.testing.assert_array_equal(both(y), both.volumes(y))
    np.testing.assert_array_equal(both(y, axes="tyx", along="tyx"), both.volumes(y))
    np.testing.assert_array_equal(both(y, axes="tyx"), both.planes(y, axes="tyx"))
    np.testing.assert_array_equal(both(y[:3]), both.planes(y[:3]))


def test_a_volume_is_denoised_better_as_one():
    clean, y = volume((24, 40, 44))
    together, apart = nd.denoise(y), nd.denoise(y, axes="tyx")
    assert np.mean((together - clean) ** 2) < 0.8 * np.mean((apart - clean) ** 2)
    fast = nd.denoise(y, fast=True)
    assert np.mean((fast - clean) ** 2) < 2.5 * np.mean((together - clean) ** 2)


# --- What does not fit at once ---


@pytest.mark.parametrize(
    ("shape", "options"),
    [((330, 301), {"axes": "yx"}), ((3, 150, 20), {"axes": "tyx"}), ((40, 60, 50), {})],
)
def test_parts_give_the_same_bits(shape, options, monkeypatch):
    y = np.random.default_rng(3).normal(size=shape).astype(np.float32)
    y += 2 * np.sin(np.cumsum(np.linspace(0, 1, shape[-1], dtype=np.float32)))
    pilot = HaarDiffusion(1.0, levels=2, weights=(0.4, 0.5))
    components = (ReactionDiffusion(1.0, pilot, 8, 3), pilot)
    component = Blend(components, (0.4, 0.6), 1.0, local="z" not in options.get("axes", "zyx"))
    whole = component(y, **options)
    monkeypatch.setattr(block, "SMALL", 0)
    made = []

    def cut(*args):
        made.extend(large_tiles(*args))
        return made

    monkeypatch.setattr(block, "large_tiles", cut)
    np.testing.assert_array_equal(component(y, **options), whole)
    assert len(made) > 1


def test_parts_fit_and_cover_every_sample_once():
    shape, halo = (3, 2, 30, 200, 310), (0, 0, 4, 20, 20)
    seen = np.zeros(shape, int)
    for core in large_tiles(shape, halo, 200_000):
        seen[core] += 1
        outer, _ = with_halo(core, halo, shape)
        assert seen[outer].size <= 200_000
    assert (seen == 1).all()
    # Cores stay as thick as the halo, whatever is asked for.
    thinnest = min(core[3].stop - core[3].start for core in large_tiles(shape, halo, 1))
    assert thinnest >= 20


def test_a_denoiser_stops_while_it_measures_and_while_it_works():
    class After:
        """Says stop when it was asked a number of times."""

        def __init__(self, count):
            self.left = count

        def is_set(self):
            self.left -= 1
            return self.left < 0

    y = np.random.default_rng(0).normal(size=(70, 90))
    counting = After(10**9)
    nd.run(y, nd.PRESETS["denoise fast"], stop=counting)
    asked = 10**9 - counting.left
    for count in (0, asked // 3, asked - 2):
        with pytest.raises(nd.Stopped):
            nd.run(y, nd.PRESETS["denoise fast"], stop=After(count))
