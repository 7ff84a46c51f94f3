"""Total variation flow: regions lose height at the rate of their perimeter over their area."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from napari_diffusion import Grid, estimate
from napari_diffusion.filters import TotalVariationFlow


def ball(shape, radius, spacing):
    """Return 1 inside and 0 outside, and the share of the pixel at the border."""
    at = [(np.arange(n) + 0.5 - n / 2) * h for n, h in zip(shape, spacing, strict=True)]
    far = np.sqrt(sum(x**2 for x in np.meshgrid(*at, indexing="ij")))
    return np.clip((radius - far) / min(spacing) + 0.5, 0, 1), far


def energy(u, epsilon, lengths):
    """Return Σ √(epsilon² + |∇u|²), the mean over all choices of sides for the differences."""
    total = []
    for sides in itertools.product((0, 1), repeat=u.ndim):
        squares = np.zeros(u.shape)
        for axis, (side, h) in enumerate(zip(sides, lengths, strict=True)):
            s = np.diff(u, axis=axis) ** 2 / h**2
            none = np.zeros_like(np.take(u, [0], axis=axis))
            squares += np.concatenate([none, s] if side else [s, none], axis)
        total.append(np.sqrt(epsilon**2 + squares).sum())
    return np.mean(total)


class TestSolutions:
    @pytest.mark.parametrize("solver", ["explicit", "fsi", "aos"])
    def test_a_disk_of_radius_R_falls_by_2t_over_R(self, solver):
        u, far = ball((48, 48), 10.0, (1, 1))
        out = TotalVariationFlow(time=1.5, epsilon=2e-3, solver=solver)(u)
        fallen = (u - out)[far < 6]
        assert fallen.mean() == pytest.approx(2 * 1.5 / 10, rel=0.04)
        assert np.ptp(fallen) < 0.02

    @pytest.mark.parametrize(
        ("shape", "spacing"), [((80, 40), (0.5, 1.0)), ((48, 24, 24), (0.5, 1.0, 1.0))]
    )
    def test_stretched_and_in_space(self, shape, spacing):
        radius, dimensions = 8.0, len(shape)
        u, far = ball(shape, radius, spacing)
        time = 0.3 * radius / dimensions
        chosen = TotalVariationFlow(time=time, epsilon=3e-3, solver="aos")
        fallen = (u - chosen(u, spacing=spacing))[far < 4]
        assert fallen.mean() == pytest.approx(0.3, rel=0.05)

    @pytest.mark.parametrize("length", [0.5, 2.0])
    def test_a_box_on_a_line_falls_and_what_lies_beside_it_rises(self, length):
        u = np.zeros((1, 40))
        u[0, 15:25] = 1.0
        chosen = TotalVariationFlow(time=length, epsilon=1e-4 / length, solver="aos")
        out = chosen(u, spacing=length)
        np.testing.assert_allclose(out[0, 15:25], 1 - 2 / 10, atol=2e-3)
        np.testing.assert_allclose(out[0, :15], 1 / 15, atol=2e-3)

    def test_of_two_disks_the_small_one_goes_first_and_the_edge_stays(self):
        big, far = ball((60, 60), 14.0, (1, 1))
        small = np.roll(ball((60, 60), 2.0, (1, 1))[0], (23, 23), (0, 1))
        out = TotalVariationFlow(time=1.2, epsilon=2e-3, solver="aos")(big + small)
        assert out[50:58, 50:58].max() < 0.1
        assert out[far < 10].min() > 0.75
        assert np.abs(np.diff(out[30])).max() > 0.6

    def test_where_all_is_flat_it_is_heat(self):
        n = 16
        u = np.cos(3 * np.pi * (np.arange(n) + 0.5) / n)[None]
        chosen = TotalVariationFlow(time=2e6, epsilon=1e6)
        count = chosen.sub_steps(Grid.of((1, n)))
        factor = 1 - 2 / count * 4 * math.sin(3 * math.pi / (2 * n)) ** 2
        np.testing.assert_allclose(chosen(u), factor**count * u, rtol=0, atol=1e-10)


@pytest.mark.parametrize("lengths", [(1.0,), (0.5, 2.0), (1.0, 2.0, 0.5), (1.0, 2.0, 0.5, 1.0)])
def test_a_sub_step_goes_down_the_energy(lengths):
    """The change is minus the gradient of the energy, taken numerically."""
    shape, axes = (4, 5, 3, 3)[: len(lengths)], "yxzt"[: len(lengths)]
    options = {"axes": axes, "along": axes, "spacing": lengths}
    u, epsilon = np.random.default_rng(0).random(shape), 0.3
    chosen = TotalVariationFlow(time=1e-3, epsilon=epsilon)
    assert chosen.sub_steps(Grid.of(shape, **options)) == 1
    change = (chosen(u, **options) - u) / 1e-3
    for index in np.ndindex(*shape):
        step = np.zeros(shape)
        step[index] = 1e-5
        slope = energy(u + step, epsilon, lengths) - energy(u - step, epsilon, lengths)
        assert change[index] == pytest.approx(-slope / 2e-5, abs=1e-7)


@pytest.mark.parametrize("solver", ["explicit", "aos"])
def test_what_can_only_fall_falls(solver):
    """The energy, the variance and the fourth moment, in every step."""
    u = np.random.default_rng(0).random((20, 30))
    chosen = TotalVariationFlow(time=0.05, epsilon=0.05, solver=solver)
    for _ in range(8):
        out = chosen(u)
        assert energy(out, 0.05, (1, 1)) < energy(u, 0.05, (1, 1))
        for power in (2, 4):
            assert np.mean((out - 0.5) ** power) < np.mean((u - 0.5) ** power)
        u = out


def test_twice_the_samples_give_the_same_image():
    def filtered(*counts):
        at = np.meshgrid(*((np.arange(n) + 0.5) / n for n in counts), indexing="ij")
        u = np.cos(np.pi * at[0]) + 0.8 * np.cos(np.pi * at[1]) + 0.6 * np.cos(np.pi * at[2])
        chosen = TotalVariationFlow(time=0.05, epsilon=2.0)
        out = chosen(u, axes="tzy", along="tzy", spacing=tuple(1 / n for n in counts))
        return out.reshape(*(k for n in counts for k in (8, n // 8))).mean(axis=(1, 3, 5))

    coarse = filtered(8, 8, 8)
    for counts in ((16, 8, 8), (8, 16, 8), (8, 8, 16)):
        fine, finer = filtered(*counts), filtered(*(2 * n if n == 16 else n for n in counts))
        first, second = np.abs(fine - coarse).max(), np.abs(finer - fine).max()
        assert first < 0.02
        assert second < 0.4 * first


@pytest.mark.parametrize(("dtype", "apart"), [(np.float64, 1e-12), (np.float32, 1e-6)])
@pytest.mark.parametrize("solver", ["explicit", "fsi", "aos"])
def test_the_fast_way_in_a_plane_is_the_way_face_by_face(solver, dtype, apart):
    """A mask that lets everything through takes the other kernels."""
    for shape in ((23, 37), (1, 30), (30, 1)):
        u = np.random.default_rng(0).random(shape).astype(dtype)
        chosen = TotalVariationFlow(time=0.2, epsilon=0.05, solver=solver)
        options = {"spacing": (0.5, 1.0)}
        other = chosen(u, mask=np.ones(shape, bool), **options)
        np.testing.assert_allclose(chosen(u, **options), other, rtol=0, atol=apart)


def test_equal_channels_diffuse_as_one_with_their_gradients_together():
    u = np.random.default_rng(0).random((12, 13))
    one = TotalVariationFlow(time=0.3, epsilon=0.1)(u)
    joint = TotalVariationFlow(time=0.3 * math.sqrt(3), epsilon=0.1 * math.sqrt(3))
    three = joint(np.stack([u] * 3, axis=-1), axes="yxc", rgb=True)
    np.testing.assert_allclose(three, np.stack([one] * 3, axis=-1), rtol=0, atol=1e-12)


def test_auto_is_a_part_of_the_contrast_in_the_image_s_own_units():
    u = np.random.default_rng(0).random((30, 40))
    for scale, spacing in itertools.product((1.0, 64.0), ((1.0, 1.0), (0.5, 2.0))):
        found = TotalVariationFlow().resolved(_read(scale * u, spacing))
        contrast = estimate.contrast(scale * u, spacing=spacing)
        assert found.epsilon == pytest.approx(contrast / 10)
        assert found.time == pytest.approx(contrast / 10 * min(spacing) ** 2)
    assert TotalVariationFlow(time=3.0).resolved(_read(u, 1.0)).time == 3.0


def _read(image, spacing):
    from napari_diffusion.core.image import Image

    return Image.of(image, spacing=spacing)


def test_too_many_sub_steps_are_refused_and_aos_offered():
    u = np.zeros((8, 8))
    with pytest.raises(ValueError, match=r'needs 20000 .*more than 10000: use solver="aos"'):
        TotalVariationFlow(time=4.0, epsilon=1e-3)(u)
    assert TotalVariationFlow(time=4.0, epsilon=1e-3, solver="aos")(u).shape == (8, 8)
    with pytest.raises(ValueError, match="more than 10000: reduce the time"):
        TotalVariationFlow(time=4e3, epsilon=1e-3, solver="aos")(u)
