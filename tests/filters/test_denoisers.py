"""Filters that know the noise: beside plain numpy, in parts, and how close to ground truth."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import fft
from skimage import data

import napari_diffusion as nd
from napari_diffusion.core.image import Image
from napari_diffusion.filters import (
    Blend,
    HaarDiffusion,
    Heat,
    NonLocalDiffusion,
    Opponent,
    ReactionDiffusion,
)
from napari_diffusion.filters.denoisers.haar_kernels import levels_of

SIGMA = 0.1
HAAR = HaarDiffusion(noise_sigma=SIGMA, levels=2, weights=(0.2, 0.7))
WINDOWS = ReactionDiffusion(noise_sigma=SIGMA, pilot=HAAR, window=8, stride=3)
COMPONENTS = (
    HAAR,
    WINDOWS,
    ReactionDiffusion(noise_sigma=SIGMA, window=16, stride=5),
    NonLocalDiffusion(noise_sigma=SIGMA, pilot=HAAR, radius=3, patch=1),
    Blend((WINDOWS, HAAR), weights=(0.8, 0.2), noise_sigma=SIGMA, local=True),
)


def names(component):
    return type(component).__name__ + str(getattr(component, "window", ""))


def noisy(clean, sigma=SIGMA, seed=0):
    return clean + sigma * np.random.default_rng(seed).normal(size=clean.shape)


def photograph(name, size=256):
    clean = np.asarray(getattr(data, name)(), float) / 255.0
    return (clean.mean(axis=2) if clean.ndim == 3 else clean)[:size, :size]


def decibels(image, clean):
    return -10 * np.log10(np.mean((image - clean) ** 2))


# --- Beside plain numpy ---


def haar_by_rolling(y, sigma, weights):
    """Cells of four pixels 2^j apart, one pair of weights per level and kind of difference."""
    levels = len(weights)
    reach = 2**levels
    a = np.pad(y, reach, "reflect")
    stack, s = [], sigma
    for j in range(levels):
        d, s = 2**j, s / 2
        p, q = a, np.roll(a, -d, 1)
        r, t = np.roll(a, -d, 0), np.roll(a, (-d, -d), (0, 1))
        details = []
        for band, signs in enumerate(((1, -1, 1, -1), (1, 1, -1, -1), (1, -1, -1, 1))):
            c = (signs[0] * p + signs[1] * q + signs[2] * r + signs[3] * t) / 4
            linear, gated = weights[j][band == 2]
            details.append((signs, c * (linear + gated * np.exp(-((np.abs(c) / (3 * s)) ** 8)))))
        stack.append(details)
        a = (p + q + r + t) / 4
    for j in reversed(range(levels)):
        d = 2**j
        parts = [((1, 1, 1, 1), a), *stack[j]]
        a = sum(
            sign * np.roll(c, shift, (0, 1)) / 4
            for signs, c in parts
            for sign, shift in zip(signs, ((0, 0), (0, d), (d, 0), (d, d)), strict=True)
        )
        # The mean of four ways back, each of which has the value of a whole cell.
    return a[reach:-reach, reach:-reach]


def test_haar_diffusion_by_rolling_arrays():
    y = noisy(photograph("camera")[100:141, 100:157])
    weights = [[(0.1, 0.8), (0.05, 0.4)], [(0.5, 0.5), (0.3, -0.2)], [(0.9, 0.0), (0.7, 0.1)]]
    flat = tuple(np.ravel(weights))
    out = HaarDiffusion(SIGMA, levels=3, weights=flat)(y)
    np.testing.assert_allclose(out, haar_by_rolling(y, SIGMA, weights), rtol=0, atol=1e-12)


def test_weights_of_one_and_none_keep_the_image():
    y = noisy(photograph("camera", 60))
    np.testing.assert_allclose(HaarDiffusion(SIGMA, weights=(1.0, 0.0))(y), y, rtol=0, atol=1e-13)


def test_axes_of_larger_spacing_join_in_later():
    assert levels_of({2: 4.0, 3: 1.0, 4: 0.9}, (1, 1, 9, 9, 9), 4) == [
        {3: 1, 4: 1},
        {3: 2, 4: 2},
        {2: 1, 3: 4, 4: 4},
        {2: 2, 3: 8, 4: 8},
    ]


def windows_by_scipy(y, guide, sigma, size, stride):
    margin = size - stride
    pads = [(margin, margin + -(n + 2 * margin - size) % stride) for n in y.shape]
    y, guide = (np.pad(each, pads, "reflect") for each in (y, guide))
    total, weight = np.zeros_like(y), np.zeros_like(y)
    for row in range(0, y.shape[0] - size + 1, stride):
        for column in range(0, y.shape[1] - size + 1, stride):
            at = slice(row, row + size), slice(column, column + size)
            g = fft.dctn(guide[at], norm="ortho") ** 2
            g = g / (g + sigma**2)
            g[0, 0] = 1
            total[at] += fft.idctn(g * fft.dctn(y[at], norm="ortho"), norm="ortho") / np.sum(g**2)
            weight[at] += 1 / np.sum(g**2)
    return (total / weight)[tuple(slice(margin, margin + n - sum(p) + margin * 0) for n, p in
                                  zip(y.shape, pads, strict=True))]  # fmt: skip


@pytest.mark.parametrize(("size", "stride"), [(8, 2), (8, 3), (16, 3), (24, 7)])
def test_reaction_diffusion_window_by_window(size, stride):
    y = noisy(photograph("camera")[100:137, 100:153])
    chosen = ReactionDiffusion(SIGMA, HAAR, size, stride)
    expected = windows_by_scipy(y, HAAR(y), SIGMA, size, stride)
    np.testing.assert_allclose(chosen(y), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("radius", "patch"), [(1, 0), (2, 1), (3, 2)])
def test_non_local_diffusion_sample_by_sample(radius, patch):
    y = noisy(photograph("camera")[100:117, 100:119])
    guide, margin = HAAR(y), radius + patch
    u, p = (np.pad(each, margin, "reflect") for each in (y, guide))
    expected = np.empty_like(y)
    near, own = range(-radius, radius + 1), 2 * patch + 1
    for i, j in np.ndindex(*y.shape):
        weights, values = [], []
        here = p[i + radius : i + radius + own, j + radius : j + radius + own]
        for di, dj in ((di, dj) for di in near for dj in near if di or dj):
            a, b = i + radius + di, j + radius + dj
            d2 = np.mean((here - p[a : a + own, b : b + own]) ** 2)
            weights.append(np.exp(-d2 / (0.3 * SIGMA**2)))
            values.append(u[i + margin + di, j + margin + dj])
        weights.append(max(1e-3, *weights))
        values.append(y[i, j])
        expected[i, j] = np.average(values, weights=weights)
    out = NonLocalDiffusion(SIGMA, HAAR, radius, patch, 0.3)(y)
    np.testing.assert_allclose(out, expected, rtol=0, atol=1e-12)


def test_typed_weights_mix_linearly():
    y = noisy(photograph("camera", 50))
    chosen = Blend((HAAR, WINDOWS, Heat(1.0)), weights=(0.5, 0.3, 0.2))
    expected = 0.5 * HAAR(y) + 0.3 * WINDOWS(y) + 0.2 * Heat(1.0)(y)
    np.testing.assert_allclose(chosen(y), expected, rtol=0, atol=1e-12)


# --- The same bits in parts ---


@pytest.mark.parametrize("component", COMPONENTS, ids=names)
def test_regions_chunks_and_threads_give_the_same_bits(component, monkeypatch):
    import dask.array as da

    y = noisy(photograph("camera")[:200, :230]).astype(np.float32)
    recipe = nd.Recipe(1, 0.0, noise=None, diffusion_filter=component)
    whole = component(y)
    for part in ((slice(0, 40), slice(0, 31)), (slice(77, 131), slice(90, 203))):
        again = nd.run(y, recipe, region=part).image
        np.testing.assert_array_equal(again, whole[part])
    for chunks in ((67, 101), (200, 33)):
        again = component(da.from_array(y, chunks=chunks)).compute()
        np.testing.assert_array_equal(again, whole)
    monkeypatch.setenv("NAPARI_DIFFUSION_THREADS", "3")
    np.testing.assert_array_equal(component(y), whole)


# --- How near the ground truth ---


@pytest.mark.parametrize("name", ["camera", "cell", "coins"])
def test_weights_of_least_estimated_error_are_nearly_of_least_error(name):
    """Fitting the same weights to the clean image itself gains little."""
    clean = photograph(name)
    y = noisy(clean)
    found = decibels(HaarDiffusion(SIGMA)(y), clean)
    linear = [HaarDiffusion(SIGMA, weights=each) for each in ((0.0, 0.0), (0.3, 0.0), (1.0, -1.0))]
    assert found > max(decibels(each(y), clean) for each in linear) + 0.3
    pilot = HaarDiffusion(SIGMA)
    components = (ReactionDiffusion(SIGMA, pilot), pilot, NonLocalDiffusion(SIGMA, pilot, radius=5))
    stages = [each(y).ravel() for each in components]
    G = np.array(stages[1:]) - stages[0]
    best = np.linalg.lstsq(G.T, clean.ravel() - stages[0], rcond=None)[0]
    oracle = decibels((stages[0] + best @ G).reshape(clean.shape), clean)
    blended = decibels(Blend(components, noise_sigma=SIGMA)(y), clean)
    assert oracle - 0.1 < blended < oracle
    assert blended > max(decibels(each.reshape(clean.shape), clean) for each in stages) - 0.02


def test_local_weights_follow_the_image():
    """Stripes on the left, which one filter keeps; nothing on the right, where the other helps."""
    x = np.arange(256)
    clean = np.tile(np.where(x < 128, 0.5 + 0.3 * np.sin(x * 1.3), 0.5), (128, 1))
    y = noisy(clean)
    keeping, flattening = Heat(0.1), Heat(12.0)
    both = {
        local: Blend((keeping, flattening), noise_sigma=SIGMA, local=local)
        for local in (False, True)
    }
    assert decibels(both[True](y), clean) > decibels(both[False](y), clean) + 1.0
    weights = both[True].inspect(y)["1 Linear diffusion weight"]
    assert weights[:, :100].mean() < 0.2 < 0.6 < weights[:, 160:].mean()


def test_stages_come_out():
    y = noisy(photograph("camera", 64))
    chosen = Blend((WINDOWS, HAAR), weights=(0.8, 0.2))
    stages = chosen.inspect(y)
    assert list(stages) == [
        "0 Reaction–diffusion", "0 Reaction–diffusion weight", "1 Haar wavelet diffusion",
        "1 Haar wavelet diffusion weight",
    ]  # fmt: skip
    np.testing.assert_array_equal(stages["0 Reaction–diffusion"], WINDOWS(y))
    assert np.ptp(stages["1 Haar wavelet diffusion weight"]) == 0
    assert stages["1 Haar wavelet diffusion weight"][0, 0] == pytest.approx(0.2)


def test_without_noise_nothing_changes():
    clean = photograph("camera", 64)
    for component in (HaarDiffusion(0.0), ReactionDiffusion(0.0), NonLocalDiffusion(0.0)):
        np.testing.assert_array_equal(component(clean), clean)


def test_each_channel_has_its_own_noise():
    clean = photograph("camera", 128)
    y = np.stack([noisy(clean, sigma, seed) for seed, sigma in enumerate((0.02, 0.2))])
    chosen = HaarDiffusion().resolved(Image.of(y, axes="cyx"))
    assert chosen.noise_sigma == pytest.approx((0.02, 0.2), rel=0.15)
    out = chosen(y, axes="cyx")
    for c, sigma in enumerate(chosen.noise_sigma):
        alone = HaarDiffusion(sigma)(y[c])
        np.testing.assert_allclose(out[c], alone, rtol=0, atol=1e-9)


def test_pilots_that_are_shared_run_once(monkeypatch):
    calls = []
    apply = HaarDiffusion.apply
    monkeypatch.setattr(
        HaarDiffusion, "apply", lambda self, *args: calls.append(1) or apply(self, *args)
    )
    two = (ReactionDiffusion(SIGMA, HAAR), NonLocalDiffusion(SIGMA, HAAR), HAAR)
    Blend(two, weights=(0.3, 0.3, 0.4))(noisy(photograph("camera", 40)))
    assert len(calls) == 1


@pytest.mark.parametrize(
    ("component", "said"),
    [
        (lambda: ReactionDiffusion(window=12), "window must be a multiple of 8"),
        (lambda: ReactionDiffusion(window=8, stride=5), "stride must be at most half of window=8"),
        (lambda: HaarDiffusion(1.0, weights=(1.0,) * 5)(np.zeros((9, 9))), "weights must be 2, "),
        (
            lambda: Blend((HAAR, HAAR), weights=(1.0,))(np.zeros((9, 9))),
            "weights must be 2 numbers",
        ),
        (
            lambda: HaarDiffusion((1.0, 2.0))(np.zeros((9, 9))),
            "lists 2 values, but the image has 1",
        ),
        (
            lambda: HAAR(np.zeros((9, 9)), mask=np.eye(9) > 0),
            "does not support masks or missing values",
        ),
    ],
)
def test_refusals(component, said):
    with pytest.raises(ValueError, match=said):
        component()


def test_opponent_colours_beside_the_sums_themselves():
    clean = np.asarray(data.astronaut(), float)[:50, 100:160] / 255.0
    y = noisy(clean)
    matrix = np.array([[1, 1, 1], [1, 0, -1], [1, -2, 1]]) / np.sqrt([[3], [2], [6]])
    turned = np.moveaxis(y @ matrix.T, 2, 0)
    expected = np.moveaxis([HAAR(each) for each in turned], 0, 2) @ matrix
    np.testing.assert_allclose(Opponent(HAAR)(y, axes="yxc", rgb=True), expected, atol=1e-12)
    # What is no colour goes through as it is.
    np.testing.assert_array_equal(Opponent(HAAR)(turned, axes="cyx"), HAAR(turned, axes="cyx"))
    resolved = Opponent(HaarDiffusion()).resolved(Image.of(y, axes="yxc", rgb=True))
    assert resolved.component.noise_sigma == pytest.approx((SIGMA,) * 3, rel=0.2)


def test_colours_gain_by_being_turned():
    clean = np.asarray(data.astronaut(), float)[:128, 100:228] / 255.0
    y = noisy(clean)
    plain = decibels(HaarDiffusion(SIGMA)(y, axes="yxc", rgb=True), clean)
    turned = decibels(Opponent(HaarDiffusion(SIGMA))(y, axes="yxc", rgb=True), clean)
    assert turned > plain + 0.5


# --- Without a parameter ---


@pytest.mark.parametrize("name", ["camera", "coins"])
def test_denoise_needs_no_number(name):
    """Better than the best of five total variations, chosen with the ground truth at hand."""
    from skimage.restoration import denoise_tv_chambolle

    clean = photograph(name)
    y = noisy(clean, 0.08)
    weights = (0.05, 0.07, 0.1, 0.14, 0.2)
    best = max(decibels(denoise_tv_chambolle(y, weight), clean) for weight in weights)
    slow, fast = nd.denoise(y), nd.denoise(y, fast=True)
    assert decibels(slow, clean) > best + 0.8
    assert decibels(fast, clean) > best + 0.7
    assert slow.dtype == np.float64


def test_denoise_is_its_preset():
    y = noisy(photograph("camera", 80)).astype(np.float32)
    recipe = nd.PRESETS["denoise"].resolved(y)
    assert recipe.is_resolved
    np.testing.assert_array_equal(nd.denoise(y), nd.run(y, recipe).image)


@pytest.mark.parametrize(
    ("axes", "shape", "more"),
    [
        ("zyx", (5, 40, 41), {"spacing": (3.0, 1.0, 1.0)}),
        ("tyx", (3, 40, 41), {}),
        ("yxc", (40, 41, 3), {"rgb": True}),
        ("yx", (3, 4), {}),
        ("zyx", (2, 1, 9), {}),
    ],
)
def test_denoise_takes_any_axes(axes, shape, more):
    y = noisy(np.full(shape, 0.5))
    out = nd.denoise(y, axes=axes, **more)
    assert out.shape == shape
    assert out.std() < (0.3 if min(shape[:2]) > 4 or shape[1] > 4 else 1.1) * SIGMA
