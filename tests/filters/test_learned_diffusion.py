"""LearnedDiffusion: its noise in every form, in parts against the whole, on images of any kind."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest

import napari_diffusion as nd
from napari_diffusion.core.image import Image
from napari_diffusion.engine.threads import use_threads
from napari_diffusion.filters import HaarDiffusion, LearnedDiffusion, Opponent
from napari_diffusion.filters.learned.weights import weights_named
from napari_diffusion.filters.learned.weights_file import bytes_of

from .learned.test_weights_file import network

SIGMA = 0.1
CHOSEN = LearnedDiffusion(noise_sigma=SIGMA)


def scene(shape, dtype=np.float32, seed=0):
    """Return soft shapes and edges, and the same with noise."""
    at = np.meshgrid(*(np.linspace(0, 1, n) for n in shape), indexing="ij")
    clean = 0.5 + 0.3 * np.sin(9 * at[-1]) * np.cos(7 * at[-2]) + 0.2 * (at[-1] + at[-2] > 1)
    noise = np.random.default_rng(seed).normal(size=shape)
    return clean.astype(dtype), (clean + SIGMA * noise).astype(dtype)


def decibels(image, clean):
    return -10 * np.log10(np.mean(np.square(image - clean, dtype=float)))


def test_noise_goes_and_edges_stay():
    clean = np.where(np.arange(128) < 61, 0.2, 0.8) * np.ones((96, 1))
    y = (clean + SIGMA * np.random.default_rng(0).normal(size=clean.shape)).astype(np.float32)
    out = CHOSEN(y)
    assert decibels(out, clean) > decibels(y, clean) + 15
    assert np.diff(out[:, 60:62], axis=1).mean() > 0.9 * 0.6
    clean, y = scene((96, 128))
    assert decibels(CHOSEN(y), clean) > decibels(HaarDiffusion(noise_sigma=SIGMA)(y), clean) + 0.5


def test_a_number_a_map_one_per_channel_and_the_measured_one_say_the_same():
    _, y = scene((70, 83))
    out = CHOSEN(y)
    for sigma in (np.full(y.shape, SIGMA), np.full((1, 1), SIGMA)):
        np.testing.assert_array_equal(LearnedDiffusion(noise_sigma=sigma)(y), out)
    _, other = scene((70, 83), seed=1)
    both = np.stack([y, 3 * other])
    per_channel = LearnedDiffusion(noise_sigma=(SIGMA, 3 * SIGMA))(both, axes="cyx")
    np.testing.assert_array_equal(per_channel[0], out)
    np.testing.assert_allclose(per_channel[1], 3 * CHOSEN(other), atol=1e-5)
    measured = LearnedDiffusion().resolved(Image.of(y)).noise_sigma
    assert measured == pytest.approx(SIGMA, rel=0.08)
    np.testing.assert_array_equal(LearnedDiffusion()(y), LearnedDiffusion(noise_sigma=measured)(y))
    twice = LearnedDiffusion(noise_sigma="2 × auto").resolved(Image.of(y))
    assert twice.noise_sigma == 2 * measured


def test_where_the_noise_varies_each_part_is_filtered_by_its_own():
    clean, y = scene((128, 160))
    sigma = np.where(np.arange(160) < 80, 0.03, 0.15) * np.ones((128, 1))
    y = (clean + (y - clean) / SIGMA * sigma).astype(np.float32)
    out = LearnedDiffusion(noise_sigma=sigma)(y)
    far = weights_named("photographs").network.reach
    assert far > 40
    for part, level in ((slice(0, 40), 0.03), (slice(120, 160), 0.15)):
        alone = LearnedDiffusion(noise_sigma=level)(y)
        assert np.abs(out - alone)[:, part].max() < 0.4 * level
        assert (
            abs(decibels(out[:, part], clean[:, part]) - decibels(alone[:, part], clean[:, part]))
            < 0.4
        )
    mean = LearnedDiffusion(noise_sigma=float(np.sqrt(np.mean(sigma**2))))(y)
    assert decibels(out, clean) > decibels(mean, clean) + 2


def test_a_map_does_not_show_in_a_plane_of_any_grey_level():
    """An offset over noise that varies would be a pattern of its own."""
    sigma = 0.05 + 0.1 * np.random.default_rng(0).random((60, 60))
    np.testing.assert_array_equal(LearnedDiffusion(noise_sigma=sigma)(np.full((60, 60), 7.0)), 7)
    _, y = scene((60, 60), np.float64)
    chosen = LearnedDiffusion(noise_sigma=sigma)
    np.testing.assert_allclose(chosen(y + 100) - 100, chosen(y), atol=1e-11)


def test_pixels_without_noise_stay():
    _, y = scene((50, 60))
    sigma = np.full(y.shape, SIGMA)
    sigma[10:30, 20:40] = 0
    out = LearnedDiffusion(noise_sigma=sigma)(y)
    np.testing.assert_array_equal(out[10:30, 20:40], y[10:30, 20:40])
    assert np.abs(out - y)[31:, :].max() > SIGMA
    for none in (0.0, np.zeros(y.shape)):
        np.testing.assert_array_equal(LearnedDiffusion(noise_sigma=none)(y), y)


def test_stacks_are_filtered_plane_by_plane():
    _, y = scene((3, 40, 50))
    out = CHOSEN(y, axes="zyx")
    for plane, alone in zip(out, y, strict=True):
        np.testing.assert_array_equal(plane, CHOSEN(alone))
    sigma = SIGMA * np.array([1.0, 2.0, 0.5])[:, None, None] * np.ones(y.shape)
    mapped = LearnedDiffusion(noise_sigma=sigma)(y, axes="zyx")
    np.testing.assert_allclose(mapped[1], LearnedDiffusion(noise_sigma=2 * SIGMA)(y[1]), atol=2e-6)
    np.testing.assert_array_equal(
        CHOSEN(y.swapaxes(0, 2), axes="yxc"[::1] if False else "xyz"), out.swapaxes(0, 2)
    )


@pytest.fixture(scope="module")
def near(tmp_path_factory):
    """A filter of three scales that reaches less far than the shipped weights."""
    path = tmp_path_factory.mktemp("weights") / "near.npz"
    path.write_bytes(bytes_of(network(3), {}))
    return LearnedDiffusion(noise_sigma=SIGMA, weights=path)


@pytest.mark.parametrize("mapped", [False, True])
@pytest.mark.parametrize(
    "chunks", [((64, 61), (150, 151)), ((1, 124), (301,)), ((125,), (97, 204))]
)
def test_chunks_have_the_bits_of_the_whole(near, chunks, mapped):
    """A chunk begins at an odd place, once all that it depends on is taken with it."""
    _, y = scene((125, 301))
    sigma = SIGMA * (1 + np.linspace(0, 1, 301) * np.ones((125, 1))) if mapped else SIGMA
    chosen = near.replaced(noise_sigma=sigma)
    out = chosen(da.from_array(y, chunks=chunks))
    assert isinstance(out, da.Array)
    np.testing.assert_array_equal(out.compute(), chosen(y))


@pytest.mark.parametrize("start", [(0, 0), (37, 151), (3, 241), (110, 2)])
def test_regions_have_the_bits_of_the_whole(near, start):
    _, y = scene((150, 290))
    region = tuple(slice(first, first + 40) for first in start)
    for chosen in (near, CHOSEN):
        recipe = nd.Recipe(num_steps=2, starting_noise_scale=0.05, diffusion_filter=chosen)
        whole = nd.run(y, recipe, axes="yx").image
        part = nd.run(y, recipe, axes="yx", region=region).image
        np.testing.assert_array_equal(part, whole[region])


def test_threads_do_not_change_a_bit():
    _, y = scene((150, 700))
    found = []
    for count in (1, 2, 5):
        use_threads(count)
        try:
            found.append(CHOSEN(y))
        finally:
            use_threads(None)
    for other in found[1:]:
        np.testing.assert_array_equal(other, found[0])


@pytest.mark.parametrize("shape", [(1, 1), (1, 2), (3, 200), (200, 3), (5, 4), (2, 1, 7)])
def test_tiny_images(shape):
    y = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    out = CHOSEN(y, axes="zyx"[-len(shape) :])
    assert out.shape == shape
    assert np.isfinite(out).all()
    np.testing.assert_array_equal(CHOSEN(np.full(shape, 0.3), axes="zyx"[-len(shape) :]), 0.3)


def test_double_precision_is_used_throughout():
    _, y = scene((60, 70), np.float64)
    out = CHOSEN(y)
    assert out.dtype == np.float64
    single = CHOSEN(y.astype(np.float32))
    assert 1e-9 < np.abs(out - single).max() < 1e-5
    np.testing.assert_allclose(CHOSEN(y + 1e6) - 1e6, out, atol=1e-8)


def test_the_noise_of_the_image_decides_not_its_unit():
    _, y = scene((60, 70), np.float64)
    scaled = LearnedDiffusion(noise_sigma=4096 * SIGMA)(4096 * y)
    np.testing.assert_allclose(scaled / 4096, CHOSEN(y), atol=1e-14)


def test_missing_pixels_and_masks_are_refused():
    _, y = scene((20, 20))
    y[3, 4] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        CHOSEN(y)
    with pytest.raises(ValueError, match="LearnedDiffusion does not support masks"):
        CHOSEN(y, missing="ignore")
    with pytest.raises(ValueError, match="LearnedDiffusion does not support masks"):
        CHOSEN(np.nan_to_num(y), mask=np.isfinite(y))
    with pytest.raises(ValueError, match="noise_sigma has the shape"):
        LearnedDiffusion(noise_sigma=np.ones((4, 5)))(np.zeros((20, 20)))
    with pytest.raises(ValueError, match="lists 2 values"):
        LearnedDiffusion(noise_sigma=(1.0, 2.0))(np.zeros((20, 20)))


def test_colours_gain_by_opponent_channels():
    clean, _ = scene((64, 72))
    clean = np.stack([clean, 0.8 * clean + 0.1, 1 - clean], axis=-1)
    y = (clean + SIGMA * np.random.default_rng(2).normal(size=clean.shape)).astype(np.float32)
    plain = decibels(CHOSEN(y, axes="yxc", rgb=True), clean)
    assert decibels(Opponent(CHOSEN)(y, axes="yxc", rgb=True), clean) > plain + 0.3


def test_photon_noise_goes_in_the_stabilised_domain():
    clean, _ = scene((96, 96), np.float64)
    photons = 400 * clean**3
    y = np.random.default_rng(3).poisson(photons).astype(float)
    recipe = nd.Recipe(
        num_steps=1, noise=None, domain="anscombe", diffusion_filter=LearnedDiffusion()
    )
    out = nd.run(y, recipe, axes="yx").image
    assert (
        decibels(out / 400, photons / 400)
        > decibels(LearnedDiffusion()(y) / 400, photons / 400) + 0.3
    )
    assert decibels(out / 400, photons / 400) > decibels(y / 400, photons / 400) + 8
