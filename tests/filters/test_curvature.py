"""Curvature flows: level lines whose motion is known."""

from __future__ import annotations

import functools
import math

import numpy as np
import pytest
from exact_solutions import slopes, twice_the_samples

from napari_diffusion import Grid
from napari_diffusion.filters import Heat, MeanCurvature, MinMaxCurvature, ModifiedCurvature

# Shape and spacing: planes and volumes, square and stretched pixels.
LAYOUTS = [
    pytest.param((40, 40), (1.0, 1.0), id="plane"),
    pytest.param((60, 40), (0.5, 1.0), id="stretched"),
    pytest.param((26, 26, 26), (1.0, 1.0, 1.0), id="volume"),
    pytest.param((40, 26, 26), (0.5, 1.0, 1.0), id="stretched-volume"),
]


def places(shape, spacing):
    """Return the world coordinates of the pixels, 0 in the middle."""
    at = [(np.arange(n) + 0.5 - n / 2) * h for n, h in zip(shape, spacing, strict=True)]
    return np.meshgrid(*at, indexing="ij")


def distance(shape, spacing):
    return np.sqrt(sum(x**2 for x in places(shape, spacing)))


def radius(u, spacing):
    """Return the radius of a ball of the volume of {u > ½}, counted below the size of a pixel."""
    share = np.clip(0.5 + (u - 0.5) / _steepness(u, spacing), 0, 1)
    volume = share.sum() * math.prod(spacing)
    return math.sqrt(volume / math.pi) if u.ndim == 2 else (volume * 3 / (4 * math.pi)) ** (1 / 3)


def _steepness(u, spacing):
    """Return by how much the image changes over one pixel, not less than a little."""
    gradient = np.sqrt(sum((g * h) ** 2 for g, h in zip(_gradient(u), spacing, strict=True)))
    return np.maximum(gradient / max(spacing), 1e-2)


def _gradient(u):
    return [np.gradient(u, axis=axis) for axis in range(u.ndim)]


class TestMeanCurvature:
    @pytest.mark.parametrize(("shape", "spacing"), LAYOUTS)
    def test_a_paraboloid_sinks_by_2t_in_the_plane_and_4t_in_space(self, shape, spacing):
        """Differences are exact for it, so the solution is, as far as the border has no say."""
        far = distance(shape, spacing)
        out = MeanCurvature(time=0.5)(-(far**2), spacing=spacing)
        near = far < 4
        expected = -(far**2) - (1.0 if len(shape) == 2 else 2.0)
        np.testing.assert_allclose(out[near], expected[near], rtol=0, atol=1e-6)

    @pytest.mark.parametrize(("shape", "spacing"), LAYOUTS)
    def test_a_disk_shrinks_to_the_root_of_R2_less_2t_and_a_ball_of_R2_less_4t(
        self, shape, spacing
    ):
        R = 10.0 if len(shape) == 2 else 8.0
        u = 1 / (1 + np.exp((distance(shape, spacing) - R) / 1.5))
        before = radius(u, spacing)
        assert before == pytest.approx(R, rel=0.02)
        time = R**2 / 8
        after = radius(MeanCurvature(time=time)(u, spacing=spacing), spacing)
        rate = 2 * (len(shape) - 1)
        expected = math.sqrt(before**2 - rate * time)
        assert expected < 0.9 * before
        assert after == pytest.approx(expected, rel=0.015)

    def test_it_commutes_with_any_change_of_contrast(self):
        y, x = places((32, 40), (1.0, 1.0))
        u = np.sin(x / 5 + y / 9) + 0.5 * np.cos(y / 4)
        for change in (np.exp, lambda v: v**3 + v, np.arctan):
            scale = np.ptp(change(u))
            apart = _apart(MeanCurvature(time=1.0), change, u) / scale
            assert apart < 0.006
            assert _apart(Heat(time=1.0), change, u) / scale > 2 * apart

    def test_straight_edges_of_any_direction_stay(self):
        y, x = places((30, 30), (1.0, 1.0))
        inner = (slice(6, -6),) * 2
        for slope in (0.0, 0.3, 1.0):
            u = 1 / (1 + np.exp(-(x + slope * y)))
            out = MeanCurvature(time=2.0)(u)
            np.testing.assert_allclose(out[inner], u[inner], rtol=0, atol=0.03)
            assert np.abs(Heat(time=2.0)(u) - u)[inner].max() > 0.06

    def test_a_volume_of_equal_planes_moves_as_its_planes(self):
        u = np.random.default_rng(0).random((12, 13))
        chosen = MeanCurvature(time=0.1)
        assert chosen.sub_steps(Grid.of((12, 13))) == chosen.sub_steps(Grid.of((4, 12, 13)))
        out = chosen(np.stack([u] * 4))
        np.testing.assert_allclose(out, np.stack([chosen(u)] * 4), rtol=0, atol=1e-12)

    def test_a_single_sample_and_a_checkerboard_vanish(self):
        u = np.zeros((15, 15))
        u[7, 7] = 1.0
        assert MeanCurvature(time=3.0)(u).max() < 1e-3
        board = np.indices((14, 14)).sum(axis=0) % 2.0
        assert np.ptp(MeanCurvature(time=3.0)(board)) < 0.3

    def test_on_a_line_nothing_moves(self):
        u = np.random.default_rng(0).random((3, 20))
        out = MeanCurvature(time=1.0)(u, axes="ty", along="y")
        np.testing.assert_array_equal(out, u)

    def test_half_the_sub_step_is_half_the_error(self):
        y, x = places((20, 24), (1.0, 1.0))
        u = np.sin(x / 4 + y / 7) + 0.4 * np.cos(y / 3)
        near = (slice(5, -5),) * 2

        def after(count):
            return functools.reduce(
                lambda v, _: MeanCurvature(time=2.0 / count)(v), range(count), u
            )[near]

        exact = 2 * after(512) - after(256)
        errors = [np.abs(after(count) - exact).mean() for count in (16, 32, 64)]
        assert slopes(errors) == pytest.approx([1.0, 1.0], abs=0.2)


def _apart(chosen, change, u):
    inner = (slice(5, -5),) * 2
    return np.abs(chosen(change(u)) - change(chosen(u)))[inner].max()


class TestModifiedCurvature:
    @pytest.mark.parametrize("dimensions", [2, 3])
    def test_it_comes_to_the_formula_with_finer_samples(self, dimensions):
        """Of a radial image φ(r) the change is φ' · (∂g/∂r + g · (d − 1) / r)."""
        contrast, errors = 0.4, []
        for n in (24, 48) if dimensions == 3 else (24, 48, 96):
            h = 6.0 / n
            r = distance((n,) * dimensions, (h,) * dimensions)
            u = np.exp(-(r**2) / 2)
            slope, bend = -r * u, (r**2 - 1) * u
            g = np.exp(-((slope / contrast) ** 2) / 2)
            exact = slope * (-g * slope * bend / contrast**2 + g * (dimensions - 1) / r)
            time = 1e-4 * h**2
            change = (ModifiedCurvature(time=time, contrast=contrast)(u, spacing=h) - u) / time
            ring = (r > 0.5) & (r < 2.2)
            errors.append(np.abs(change - exact)[ring].mean() / np.abs(exact[ring]).mean())
        assert all(0.8 < order < 2.3 for order in slopes(errors))
        assert errors[-1] < 0.2

    def test_with_a_huge_contrast_it_is_mean_curvature(self):
        u = np.random.default_rng(0).random((14, 15))
        out = ModifiedCurvature(time=0.1, contrast=1e12)(u)
        np.testing.assert_allclose(out, MeanCurvature(time=0.1)(u), rtol=0, atol=1e-12)

    def test_with_a_tiny_contrast_nothing_moves(self):
        u = np.random.default_rng(0).random((14, 15))
        np.testing.assert_allclose(ModifiedCurvature(time=2.0, contrast=1e-12)(u), u, atol=1e-12)

    def test_a_blurred_edge_grows_sharp(self):
        _, x = places((20, 40), (1.0, 1.0))
        u = 1 / (1 + np.exp(-x / 2))
        out = ModifiedCurvature(time=8.0, contrast=0.1)(u)
        assert np.abs(np.diff(out, axis=1)).max() > 1.5 * np.abs(np.diff(u, axis=1)).max()
        np.testing.assert_allclose((out > 0.5), (u > 0.5))

    def test_equal_channels_share_their_edges(self):
        u = np.random.default_rng(0).random((12, 13))
        one = ModifiedCurvature(time=0.2, contrast=0.3)(u)
        joint = ModifiedCurvature(time=0.2, contrast=0.3 * math.sqrt(3))
        three = joint(np.stack([u] * 3, axis=-1), axes="yxc", rgb=True)
        np.testing.assert_allclose(three, np.stack([one] * 3, axis=-1), rtol=0, atol=1e-10)


class TestMinMaxCurvature:
    @pytest.mark.parametrize("sign", [1, -1])
    def test_a_disk_stays_and_a_speck_goes(self, sign):
        r = distance((60, 60), (1.0, 1.0))
        u = 1 / (1 + np.exp((r - 16.0) / 0.7))
        specks = u.copy()
        specks[28:30, 28:30] = 0.0
        specks[5, 30] = 1.0
        out = MinMaxCurvature(time=40.0, radius=2.0)(sign * specks) * sign
        assert out[27:31, 27:31].min() > 0.9
        assert out[3:8, 28:33].max() < 0.05
        spacing = (1.0, 1.0)
        lost = radius(u, spacing) - radius(out, spacing)
        plain = radius(u, spacing) - radius(MeanCurvature(time=40.0)(u), spacing)
        assert plain > 2.5
        assert lost < 0.3 * plain
        later = MinMaxCurvature(time=40.0, radius=2.0)(out)
        assert radius(out, spacing) - radius(later, spacing) < 0.12

    def test_a_ragged_outline_grows_smooth(self):
        y, x = places((48, 48), (1.0, 1.0))
        r, angle = np.hypot(x, y), np.arctan2(y, x)
        u = 1 / (1 + np.exp((r - 14.0 - 1.2 * np.cos(24 * angle)) / 0.5))
        out = MinMaxCurvature(time=10.0, radius=3.0)(u)
        ring = (r > 13) & (r < 15)

        def waviness(v):
            return abs(np.mean((v * np.exp(24j * angle))[ring]))

        assert waviness(out) < 0.25 * waviness(u)

    def test_a_smoothing_too_wide_is_refused(self):
        with pytest.raises(ValueError, match=r"radius=1e\+06 .* more than 1000: use a smaller"):
            MinMaxCurvature(radius=1e6)(np.zeros((4, 4)))


@pytest.mark.parametrize(
    ("chosen", "counts"),
    [
        (MeanCurvature(time=0.02), (16, 16)),
        (MeanCurvature(time=0.02), (6, 6, 6)),
        (ModifiedCurvature(time=0.02, contrast=12.0), (16, 16)),
        (MinMaxCurvature(time=0.02, radius=0.1), (16, 16)),
    ],
)
def test_twice_the_samples_give_the_same_image(chosen, counts):
    """Within an eighth of what changes, and twice as near with more of them.

    Where slopes near the contrast `ModifiedCurvature` sharpens, and then pixels do matter.
    """
    first, second, change = twice_the_samples(chosen, *counts)
    assert change > 0.16
    assert first < change / 8
    assert second < min(change / 16, 0.6 * first)
