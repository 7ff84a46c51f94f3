"""The integrators of nonlinear diffusion: what each solves exactly, and how near they come."""

from __future__ import annotations

import math

import numpy as np
import pytest
from exact_solutions import (
    LAYOUTS,
    laplacian_of_mode,
    lengths_of,
    mode,
    slopes,
    some_orders,
    twice_the_samples,
)

from napari_diffusion import Grid
from napari_diffusion.engine.block import Block
from napari_diffusion.engine.threads import Threads
from napari_diffusion.filters import Heat, PeronaMalik, TotalVariationFlow
from napari_diffusion.filters.flows import fsi
from napari_diffusion.filters.flows.equation import SAFETY

NO_EDGES = 1e12


def noisy_image():
    from skimage import data

    part = data.camera()[100:196, 150:246] / 255
    return part + 0.1 * np.random.default_rng(0).normal(size=part.shape)


class TestAos:
    @pytest.mark.parametrize(("shape", "options"), LAYOUTS)
    def test_each_step_divides_a_mode_along_each_axis(self, shape, options):
        """(1/d) Σ 1 / (1 + d τ λ), λ of the axis alone, over the axes with two pixels or more."""
        chosen = PeronaMalik(time=3.0, contrast=NO_EDGES, solver="aos")
        count = chosen.sub_steps(Grid.of(shape, **options))
        lengths = lengths_of(shape, options)
        long = [axis for axis, n in enumerate(shape) if n > 1]
        for orders in some_orders(shape):
            factor = np.mean(
                [
                    1 / (1 + len(long) * 3.0 / count * _along(axis, shape, orders, lengths))
                    for axis in long
                ]
            )
            out = chosen(mode(shape, orders), **options)
            expected = factor**count * mode(shape, orders)
            np.testing.assert_allclose(out, expected, rtol=0, atol=1e-12)

    def test_it_comes_to_heat_with_shorter_times(self):
        u = mode((24, 31), (2, 3))
        exact = Heat(time=4.0)(u)
        errors = []
        for times in (1, 2, 4):
            out, chosen = u, PeronaMalik(time=4.0 / times, contrast=NO_EDGES, solver="aos")
            for _ in range(times):
                out = chosen(out)
            errors.append(np.abs(out - exact).max())
        assert slopes(errors) == pytest.approx([1.0, 1.0], abs=0.15)

    @pytest.mark.parametrize("mask", [False, True])
    def test_wide_rows_bands_and_threads_change_nothing(self, monkeypatch, mask):
        """Columns are solved in blocks, rows side by side: any cut gives the same bits."""
        random = np.random.default_rng(0)
        u = random.random((1, 2, 5, 19, 300)).astype(np.float32)
        inside = random.random(u.shape) > 0.2 if mask else None
        grid = Grid.of((2, 5, 19, 300), axes="czyx")
        chosen = PeronaMalik(time=2.0, contrast=0.3, solver="aos")
        plain = chosen.apply(Block(u, grid, inside, Threads(1)))
        monkeypatch.setattr("napari_diffusion.engine.threads.TILE_VOXELS", 700)
        np.testing.assert_array_equal(chosen.apply(Block(u, grid, inside, Threads(3))), plain)
        turned = np.ascontiguousarray(u.swapaxes(3, 4))
        mask_turned = None if inside is None else np.ascontiguousarray(inside.swapaxes(3, 4))
        other = Grid.of((2, 5, 300, 19), axes="czyx")
        again = chosen.apply(Block(turned, other, mask_turned, Threads(1)))
        np.testing.assert_allclose(again.swapaxes(3, 4), plain, rtol=0, atol=1e-6)

    def test_a_whole_image_is_needed(self):
        grid = Grid.of((9, 9))
        assert PeronaMalik(contrast=1.0, solver="aos").halo(grid) is None
        assert PeronaMalik(contrast=1.0, solver="fsi").halo(grid) == (0, 0, 0, 10, 10)


def _along(axis, shape, orders, lengths):
    """Return minus the eigenvalue of the Laplacian along one axis alone."""
    part = slice(axis, axis + 1)
    return laplacian_of_mode(shape[part], orders[part], lengths[part])


class TestFsi:
    @pytest.mark.parametrize("length", [1, 3, 8])
    def test_one_cycle_on_a_line_is_a_box(self, monkeypatch, length):
        """With sub-steps at the limit of stability, as wide as 2 n + 1 pixels."""
        monkeypatch.setattr(fsi, "cycles_of", lambda explicit: (1, length))
        time = 0.5 * (length**2 + length) / 3
        u = np.zeros((1, 41))
        u[0, 20] = 1.0
        options = {"axes": "ty", "along": "y"}
        out = PeronaMalik(time=time, contrast=NO_EDGES, solver="fsi")(u, **options)
        box = (abs(np.arange(41) - 20) <= length) / (2 * length + 1)
        np.testing.assert_allclose(out[0], box, rtol=0, atol=1e-12)

    def test_cycles_cover_the_time_in_sub_steps_that_are_stable(self):
        for explicit in (1e-3, 0.7, 1.0, 5.0, 99.5, 1e4, 1e8):
            cycles, length = fsi.cycles_of(explicit)
            assert cycles >= 5
            covered = cycles * (length**2 + length) / 3
            assert covered >= explicit * (1 - 1e-9)
            assert cycles * (length**2 - length) / 3 < explicit or length == 1

    def test_the_coefficients_are_frozen_in_a_cycle(self):
        """One cycle of a nonlinear flow against matrices in plain numpy."""
        n, contrast = 12, 0.2
        u = np.random.default_rng(0).random(n)
        chosen = PeronaMalik(time=8.0, contrast=contrast, solver="fsi")
        grid = Grid.of((1, n), axes="ty", along="y")
        cycles, length = fsi.cycles_of(8.0 / (SAFETY * chosen.bound(grid)))
        tau = 3 * 8.0 / (cycles * (length**2 + length))
        expected = u
        for _ in range(cycles):
            d = np.diff(np.eye(n), axis=0)
            g = 1 / (1 + (np.diff(expected) / contrast) ** 2)
            matrix = -d.T @ np.diag(g) @ d
            before, here = expected, expected
            for k in range(length):
                alpha = (4 * k + 2) / (2 * k + 3)
                after = alpha * (here + tau * matrix @ here) + (1 - alpha) * before
                before, here = here, after
            expected = here
        out = chosen(u[None], axes="ty", along="y")[0]
        np.testing.assert_allclose(out, expected, rtol=0, atol=1e-13)

    def test_only_it_gives_the_maximum_principle_up(self):
        for cls in (PeronaMalik, TotalVariationFlow):
            assert "maximum_principle" not in cls(solver="fsi").claims
            assert "maximum_principle" in cls(solver="aos").claims
            assert "maximum_principle" in cls().claims


class TestAgainstExplicit:
    """How far from explicit sub-steps, as a part of what the filter changes, in the mean square."""

    @pytest.mark.parametrize(
        ("solver", "time", "tolerance"),
        [("fsi", 5.0, 0.06), ("fsi", 40.0, 0.02), ("aos", 5.0, 0.1), ("aos", 40.0, 0.04)],
    )
    def test_of_perona_malik_on_a_photograph(self, solver, time, tolerance):
        u = noisy_image()
        chosen = PeronaMalik(contrast=0.13, time=time)
        assert _apart(u, chosen, chosen.replaced(solver=solver)) < tolerance

    @pytest.mark.parametrize(("solver", "tolerance"), [("fsi", 0.06), ("aos", 0.08)])
    def test_of_total_variation_on_a_photograph(self, solver, tolerance):
        u = noisy_image()
        chosen = TotalVariationFlow(time=0.1, epsilon=0.005)
        assert _apart(u, chosen, chosen.replaced(solver=solver)) < tolerance

    def test_a_long_time_takes_fewer_steps(self):
        grid = Grid.of((20, 20))
        counts = [
            PeronaMalik(contrast=1.0, time=80.0, solver=solver).sub_steps(grid)
            for solver in ("explicit", "fsi", "aos")
        ]
        assert counts == [400, 110, 40]

    def test_what_is_too_much_for_sub_steps_is_not_for_aos(self):
        u = np.random.default_rng(0).random((4, 5))
        with pytest.raises(
            ValueError, match=r'needs 10005 .* than 10000: use solver="aos", reduce'
        ):
            PeronaMalik(contrast=1.0, time=2001.0)(u)
        out = PeronaMalik(contrast=1.0, time=2001.0, solver="aos")(u)
        np.testing.assert_allclose(out, u.mean(), atol=1e-6)
        with pytest.raises(ValueError, match="than 10000: reduce the time"):
            PeronaMalik(contrast=1.0, time=1e6, solver="aos")(u)


def _apart(u, chosen, other):
    plain = chosen(u)
    return math.sqrt(np.mean((other(u) - plain) ** 2) / np.mean((plain - u) ** 2))


@pytest.mark.parametrize("solver", ["explicit", "fsi", "aos"])
def test_what_can_only_fall_falls(solver):
    """Variance and the fourth moment, and the greatest distance where the range is kept."""
    u = noisy_image()[:40, :40]
    chosen = PeronaMalik(contrast=0.2, time=2.0, solver=solver)
    for _ in range(3):
        out = chosen(u)
        for power in (2, 4):
            assert np.mean((out - u.mean()) ** power) < np.mean((u - u.mean()) ** power)
        u = out


@pytest.mark.parametrize(
    "chosen",
    [
        PeronaMalik(time=0.02, contrast=5.0, solver="aos"),
        PeronaMalik(time=0.02, contrast=5.0, solver="fsi"),
        TotalVariationFlow(time=0.05, epsilon=2.0, solver="aos"),
    ],
    ids=["aos", "fsi", "flow-aos"],
)
@pytest.mark.parametrize("counts", [(16, 16), (8, 8, 8)], ids=["plane", "space"])
def test_twice_the_samples_give_the_same_image(chosen, counts):
    """Within a twelfth of what changes; more pixels also make for more steps in the time."""
    first, second, change = twice_the_samples(chosen, *counts)
    assert change > 0.2
    assert first < 0.02
    assert second < 0.0125
