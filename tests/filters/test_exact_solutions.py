"""Filters against solutions that are known: modes, moments, slopes, and plain numpy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from exact_solutions import (
    LAYOUTS,
    flux,
    laplacian_of_mode,
    lengths_of,
    mode,
    slopes,
    some_orders,
)
from reference import perona_malik

from napari_diffusion import Grid
from napari_diffusion.filters import Gaussian, Heat, Median, PeronaMalik

(CONDUCTANCES,) = (p.choices for p in PeronaMalik.parameters() if p.name == "conductance")

# Those whose flux falls again beyond the contrast.
EDGE_KEEPING = [name for name in CONDUCTANCES if name not in ("charbonnier", "huber")]


class TestHeat:
    @pytest.mark.parametrize("time", [0.01, 0.5, 1.0, 7.3, 60.0])
    @pytest.mark.parametrize(("shape", "options"), LAYOUTS)
    def test_modes_decay_as_the_grid_has_it(self, shape, options, time):
        for orders in some_orders(shape):
            u = mode(shape, orders)
            decay = math.exp(-time * laplacian_of_mode(shape, orders, lengths_of(shape, options)))
            out = Heat(time=time)(u, **options)
            np.testing.assert_allclose(out, decay * u, rtol=0, atol=1e-7)

    @pytest.mark.parametrize("time", [2e3, 1e5, 1e30])
    def test_long_times_too(self, time):
        shape, options = (24, 31), {"spacing": (0.5, 2.0)}
        for orders in ((1, 0), (0, 1), (3, 2), (0, 0)):
            u = mode(shape, orders)
            decay = math.exp(-time * laplacian_of_mode(shape, orders, (0.5, 2.0)))
            np.testing.assert_allclose(Heat(time=time)(u, **options), decay * u, rtol=0, atol=1e-13)

    @pytest.mark.parametrize("time", [0.3, 2.0, 8.0])
    @pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (2.0, 1.0, 0.5)])
    def test_an_impulse_spreads_by_2t_along_each_axis(self, time, spacing):
        shape = [2 * math.ceil(8 * math.sqrt(2 * time) / h) + 15 for h in spacing]
        shape = tuple(min(n, 121) for n in shape)
        u = np.zeros(shape)
        u[tuple(n // 2 for n in shape)] = 1.0
        out = Heat(time=time)(u, spacing=spacing)
        for axis, (n, h) in enumerate(zip(shape, spacing, strict=True)):
            others = tuple(i for i in range(3) if i != axis)
            moment = np.sum(out.sum(axis=others) * (h * (np.arange(n) - n // 2)) ** 2)
            assert moment == pytest.approx(2 * time, rel=2e-6)

    def test_two_times_are_their_sum(self):
        u = np.random.default_rng(0).random((40, 37))
        for a, b in ((0.1, 0.7), (2.0, 30.0), (600.0, 601.0)):
            once = Heat(time=a + b)(u)
            np.testing.assert_allclose(Heat(time=a)(Heat(time=b)(u)), once, rtol=0, atol=2e-7)

    def test_the_transform_takes_over_where_the_kernel_leaves_off(self):
        grid = Grid.of((40, 37))
        short, long = Heat(time=600.0), Heat(time=1200.0)
        assert short.halo(grid) is not None
        assert long.halo(grid) is None
        u = np.random.default_rng(0).random((40, 37))
        np.testing.assert_allclose(long(u), short(short(u)), rtol=0, atol=1e-7)

    def test_it_is_as_wide_as_a_gaussian_of_sigma_sqrt_2t(self):
        u = np.zeros((81, 81))
        u[40, 40] = 1.0
        far = np.arange(-40, 41) ** 2
        for time in (8.0, 18.0):
            gaussian = np.exp(-np.add.outer(far, far) / (4 * time)) / (4 * np.pi * time)
            assert np.abs(Heat(time=time)(u) - gaussian).max() < 0.02 * gaussian.max()

    def test_finer_samples_come_nearer_to_the_continuous_solution(self):
        errors = []
        for n in (16, 32, 64):
            x = (np.arange(n) + 0.5) / n
            u = np.cos(3 * np.pi * x)[:, None] * np.cos(np.pi * x)
            exact = np.exp(-10 * np.pi**2 * 0.01) * u
            errors.append(np.abs(Heat(time=0.01)(u, spacing=1 / n) - exact).max())
        assert slopes(errors) == pytest.approx([2.0, 2.0], abs=0.05)

    @pytest.mark.parametrize(("shape", "options"), LAYOUTS)
    def test_inside_a_mask_each_sub_step_multiplies_a_mode(self, shape, options):
        filter_ = Heat(time=2.0)
        margin = tuple(min(2, n - 1) for n in shape)
        room = tuple(slice(m, None) for m in margin)
        inner = tuple(n - m for n, m in zip(shape, margin, strict=True))
        mask = np.zeros(shape, bool)
        mask[room] = True
        # Sub-steps of at most 0.8 of the largest stable one, as few as that allows.
        lengths = lengths_of(shape, options)
        largest = 0.8 / sum(2 / h**2 for h in lengths)
        count = math.ceil(2.0 / largest - 1e-9)
        for orders in some_orders(inner):
            u = np.random.default_rng(0).random(shape)
            u[room] = mode(inner, orders)
            factor = 1 - 2.0 / count * laplacian_of_mode(inner, orders, lengths)
            out = filter_(u, mask=mask, **options)
            expected = np.where(mask, factor**count * u, u)
            np.testing.assert_allclose(out, expected, rtol=0, atol=1e-12)


class TestPeronaMalik:
    @pytest.mark.parametrize("gradient", ["face", "magnitude"])
    @pytest.mark.parametrize("conductance", CONDUCTANCES)
    @pytest.mark.parametrize(("shape", "options"), LAYOUTS)
    def test_with_a_huge_contrast_it_is_heat(self, shape, options, conductance, gradient):
        chosen = PeronaMalik(time=2.0, contrast=1e12, conductance=conductance, gradient=gradient)
        lengths = lengths_of(shape, options)
        count = math.ceil(2.0 * sum(2 / h**2 for h in lengths) / 0.8 - 1e-9)
        for orders in some_orders(shape):
            factor = 1 - 2.0 / count * laplacian_of_mode(shape, orders, lengths)
            expected = factor**count * mode(shape, orders)
            out = chosen(mode(shape, orders), **options)
            np.testing.assert_allclose(out, expected, rtol=0, atol=1e-12)

    def test_with_a_tiny_contrast_nothing_moves(self):
        u = np.random.default_rng(0).random((20, 21))
        for conductance in CONDUCTANCES:
            out = PeronaMalik(time=5.0, contrast=1e-12, conductance=conductance)(u)
            np.testing.assert_allclose(out, u, rtol=0, atol=1e-10)

    @pytest.mark.parametrize("contrast", [0.05, 3.0])
    @pytest.mark.parametrize("length", [0.5, 1.0, 4.0])
    @pytest.mark.parametrize("conductance", EDGE_KEEPING)
    def test_the_flux_is_greatest_where_the_gradient_is_the_contrast(
        self, conductance, length, contrast
    ):
        gradients = contrast * np.linspace(0.5, 2.0, 301)
        for sharpness in range(1, 9) if conductance == "weickert" else (4,):
            moved = flux(conductance, contrast, sharpness, gradients, length)
            assert gradients[np.argmax(moved)] == pytest.approx(contrast, rel=0.006)
            assert min(moved[0], moved[-1]) < 0.95 * max(moved)

    @pytest.mark.parametrize("length", [0.5, 1.0, 4.0])
    def test_without_a_greatest_flux_the_contrast_is_the_literature_s(self, length):
        gradients = 0.3 * np.linspace(0.25, 4.0, 16)
        moved = flux("charbonnier", 0.3, 4, gradients, length)
        np.testing.assert_allclose(moved, gradients / np.hypot(1, gradients / 0.3), rtol=1e-12)
        moved = flux("huber", 0.3, 4, gradients, length)
        np.testing.assert_allclose(moved, np.minimum(gradients, 0.3), rtol=1e-12)

    @pytest.mark.parametrize("gradient", ["face", "magnitude"])
    @pytest.mark.parametrize("conductance", EDGE_KEEPING)
    def test_more_flows_the_steeper_it_is_up_to_the_contrast(self, conductance, gradient):
        """Where a ramp grows steeper, as much is gained as flux grows with the gradient."""
        chosen = PeronaMalik(time=1e-3, contrast=0.7, conductance=conductance, gradient=gradient)
        for part, sign in ((0.9, 1), (0.99, 1), (1.01, -1), (1.1, -1)):
            slope = part * 0.7
            ramp = np.cumsum(np.r_[np.full(20, slope), np.full(20, slope * 1.001)])
            gained = np.sum((chosen(ramp[None]) - ramp)[0, 10:30])
            assert np.sign(gained) == sign

    def test_weickert_s_constants_are_the_published_ones(self):
        published = {1: 1.25643, 2: 2.33666, 3: 2.91830, 4: 3.31488, 8: 4.22929}
        for sharpness, constant in published.items():
            (moved,) = flux("weickert", 1.0, sharpness, np.array([1.0]), 1.0)
            assert -math.log(1 - moved) == pytest.approx(constant, abs=1e-5)

    @pytest.mark.parametrize("contrast", [1e12, 0.3])
    @pytest.mark.parametrize("gradient", ["face", "magnitude"])
    def test_half_the_sub_step_is_half_the_error(self, gradient, contrast):
        x = (np.arange(16) + 0.5) / 16
        u = np.cos(np.pi * x)[:, None] * np.cos(2 * np.pi * x)

        def after(count):
            image, chosen = u, PeronaMalik(time=3.0 / count, contrast=contrast, gradient=gradient)
            for _ in range(count):
                image = chosen(image)
            return image

        exact = 2 * after(2048) - after(1024)
        errors = [np.abs(after(count) - exact).max() for count in (16, 32, 64)]
        assert slopes(errors) == pytest.approx([1.0, 1.0], abs=0.1)

    @pytest.mark.parametrize("along", ["zyx", "tyx"])
    @pytest.mark.parametrize("gradient", ["face", "magnitude"])
    @pytest.mark.parametrize("conductance", CONDUCTANCES)
    def test_twice_the_samples_give_the_same_image(self, conductance, gradient, along):
        """Along each axis alone and along all: the difference falls with the square of spacing."""

        def filtered(*counts):
            at = np.meshgrid(*((np.arange(n) + 0.5) / n for n in counts), indexing="ij")
            u = np.cos(np.pi * at[0]) + 0.8 * np.cos(np.pi * at[1]) + 0.6 * np.cos(np.pi * at[2])
            chosen = PeronaMalik(
                time=0.02, contrast=5.0, conductance=conductance, gradient=gradient
            )
            spacing = tuple(1 / n for n in counts)
            out = chosen(u, axes=along, along=along, spacing=spacing)
            return out.reshape(*(k for n in counts for k in (8, n // 8))).mean(axis=(1, 3, 5))

        assert np.ptp(filtered(8, 8, 8)) > 2
        for counts in ((16, 8, 8), (8, 16, 8), (8, 8, 16)):
            twice = tuple(2 * n if n == 16 else n for n in counts)
            coarse, fine, finer = filtered(8, 8, 8), filtered(*counts), filtered(*twice)
            first, second = np.abs(fine - coarse).max(), np.abs(finer - fine).max()
            assert first < 0.02
            assert second < 0.4 * first

    def test_equal_channels_diffuse_as_one(self):
        """Three equal channels have √3 times the gradient of one."""
        u = np.random.default_rng(0).random((20, 21))
        for gradient in ("face", "magnitude"):
            one = PeronaMalik(contrast=0.3, gradient=gradient)(u)
            joint = PeronaMalik(contrast=0.3 * math.sqrt(3), gradient=gradient)
            three = joint(np.stack([u, u, u], axis=-1), axes="yxc", rgb=True)
            np.testing.assert_allclose(three, np.stack([one] * 3, axis=-1), rtol=0, atol=1e-14)

    def test_an_edge_in_one_channel_stops_the_others(self):
        u = np.zeros((2, 12, 12))
        u[0, :, 6:] = 1.0
        u[1, :, 6:] = 0.01
        chosen = PeronaMalik(time=2.0, contrast=0.05)
        assert np.abs(chosen(u, axes="cyx")[1] - u[1]).max() < 2e-4
        apart = chosen(u, axes="cyx", joint_channels=False)[1]
        assert np.abs(apart - u[1]).max() > 3e-3


class TestAgainstPlainNumpy:
    """`reference.perona_malik` is the same equation written for reading, in float64."""

    LAYOUTS = (
        ("yx", (14, 17), {}),
        ("yx", (14, 17), {"spacing": (0.5, 2.0)}),
        ("zyx", (6, 7, 9), {"spacing": (2.0, 1.0, 0.5)}),
        ("tyx", (5, 7, 9), {"along": "tyx", "spacing": (3.0, 1.0, 1.0)}),
        ("tzyx", (4, 5, 6, 7), {"along": "tzyx"}),
        ("cyx", (3, 9, 11), {}),
        ("cyx", (3, 9, 11), {"joint_channels": False}),
        ("yxc", (9, 11, 3), {"rgb": True}),
    )

    @pytest.mark.parametrize("dtype", [np.float64, np.float32])
    @pytest.mark.parametrize("masked", [False, True])
    @pytest.mark.parametrize("smoothing", [0.0, 0.9])
    @pytest.mark.parametrize("gradient", ["face", "magnitude"])
    @pytest.mark.parametrize("conductance", CONDUCTANCES)
    def test_agrees(self, conductance, gradient, smoothing, masked, dtype):
        for axes, shape, more in self.LAYOUTS:
            random = np.random.default_rng(len(shape))
            u = random.random(shape).astype(dtype)
            sizes = [n for n, a in zip(shape, axes, strict=True) if a != "c"]
            mask = random.random(sizes) > 0.25 if masked else None
            many = "c" in axes
            chosen = PeronaMalik(
                time=1.0,
                contrast=(0.2, 0.3, 0.5) if many else 0.3,
                conductance=conductance,
                gradient=gradient,
                smoothing=smoothing,
            )
            out = chosen(u, axes=axes, mask=mask, **more)
            known = {name: value for name, value in more.items() if name != "rgb"}
            expected, count = perona_malik(u, chosen, axes, mask=mask, **known)
            # A smoothed guide is cut off where 1e-8 of its weight is left.
            ulps = 4 * np.finfo(dtype).eps * np.abs(u).max() + (3e-8 if smoothing else 0)
            np.testing.assert_allclose(out, expected, rtol=0, atol=count * ulps)


class TestAgainstScipy:
    @pytest.mark.parametrize("spacing", [(1.0, 1.0), (0.5, 2.0)])
    def test_the_gaussian_is_that_of_scipy(self, spacing):
        from scipy import ndimage

        u = np.random.default_rng(0).random((30, 41)).astype(np.float32)
        sigmas = [1.3 / h for h in spacing]
        expected = ndimage.gaussian_filter(u, sigmas, mode="reflect", truncate=4.0)
        np.testing.assert_array_equal(Gaussian(sigma=1.3)(u, spacing=spacing), expected)

    def test_the_gaussian_inside_a_mask_is_normalised(self):
        from scipy import ndimage

        random = np.random.default_rng(0)
        u, mask = random.random((30, 41)), random.random((30, 41)) > 0.4
        weight = ndimage.gaussian_filter(mask.astype(float), 1.3)
        expected = ndimage.gaussian_filter(u * mask, 1.3) / weight
        out = Gaussian(sigma=1.3)(u, mask=mask)
        np.testing.assert_allclose(out[mask], expected[mask], rtol=0, atol=1e-14)

    @pytest.mark.parametrize("masked", [False, True])
    @pytest.mark.parametrize(
        ("radius", "spacing"), [(1.0, (1, 1)), (1.5, (1, 1)), (2.0, (0.5, 2.0)), (0.4, (1, 1))]
    )
    def test_the_median_is_that_of_its_surroundings(self, radius, spacing, masked):
        random = np.random.default_rng(0)
        u = random.random((9, 11))
        mask = random.random((9, 11)) > 0.3 if masked else np.ones((9, 11), bool)
        out = Median(radius=radius)(u, spacing=spacing, mask=mask if masked else None)
        reach = [int(radius / h) for h in spacing]
        big = np.pad(u, [(r, r) for r in reach], mode="symmetric")
        inside = np.pad(mask, [(r, r) for r in reach], mode="symmetric")
        for y, x in np.argwhere(mask):
            near = sorted(
                big[y + reach[0] + dy, x + reach[1] + dx]
                for dy in range(-reach[0], reach[0] + 1)
                for dx in range(-reach[1], reach[1] + 1)
                if math.hypot(dy * spacing[0], dx * spacing[1]) <= radius
                and inside[y + reach[0] + dy, x + reach[1] + dx]
            )
            assert out[y, x] == near[(len(near) - 1) // 2]
