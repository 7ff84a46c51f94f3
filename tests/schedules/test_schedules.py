"""The schedules' formulas, as their docstrings have them and as others have published them."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

import napari_diffusion as nd
from napari_diffusion.schedules import (
    Constant,
    Cosine,
    Custom,
    Exponential,
    Geometric,
    InverseTime,
    Karras,
    Levels,
    Linear,
    Measured,
    PolyExponential,
    Sigmoid,
    VariancePreserving,
)

RATIOS = np.arange(11) / 10
FALLING = np.linspace(1, 0, 11)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def variance_preserving(t, beta_d=19.9, beta_min=0.1):
    return np.sqrt(np.exp(beta_d * t**2 / 2 + beta_min * t) - 1)


FORMULAS = [
    (Constant(), np.ones(11)),
    (Linear(end=0.2), 1 + (0.2 - 1) * RATIOS),
    (Linear(end=3.0), 1 + (3.0 - 1) * RATIOS),
    (Linear(), 1 - RATIOS),
    (Geometric(end=0.01), 0.01**RATIOS),
    (Geometric(end=5.0), 5.0**RATIOS),
    (Geometric(end=1e-300), 1e-300**RATIOS),
    (Cosine(end=0.2), 0.2 + 0.8 * (1 + np.cos(math.pi * RATIOS)) / 2),
    (Cosine(), (1 + np.cos(math.pi * RATIOS)) / 2),
    (InverseTime(), 1 / np.arange(1, 12)),
    (InverseTime(rate=0.25), 1 / (1 + 0.25 * np.arange(11))),
    (Sigmoid(end=0.2), 0.2 + 0.8 * (sigmoid(12 * FALLING - 6) - sigmoid(-6.0)) / np.tanh(3.0)),
    (Karras(end=0.01, rho=3.0), (1 + RATIOS * (0.01 ** (1 / 3) - 1)) ** 3),
    (Karras(end=0.0), (1 - RATIOS) ** 7),
    (PolyExponential(end=0.01, rho=0.5), 0.01 ** (1 - np.sqrt(1 - RATIOS))),
    (
        VariancePreserving(beta_d=3.0, beta_min=0.5, eps_s=0.1),
        variance_preserving(np.linspace(1, 0.1, 11), 3.0, 0.5) / variance_preserving(1.0, 3.0, 0.5),
    ),
]


@pytest.mark.parametrize(("schedule", "expected"), FORMULAS, ids=lambda v: repr(v)[:20])
def test_formula(schedule, expected):
    for start in (1.0, 0.37, 1e-20, 1e20):
        np.testing.assert_allclose(schedule(start, 11), start * expected, rtol=1e-13, atol=0)


class TestPublished:
    """The levels of the papers and libraries, from the largest to the smallest, in their terms."""

    largest, smallest, count = 14.6, 0.03, 23

    def made(self, cls, **parameters):
        return cls(end=self.smallest / self.largest, **parameters)(self.largest, self.count)

    @pytest.mark.parametrize("rho", [7.0, 1.0, 3.5])
    def test_karras(self, rho):
        """Equation 5: roots of the ends, evenly between them, and the power of that."""
        ramp = np.linspace(0, 1, self.count)
        low, high = self.smallest ** (1 / rho), self.largest ** (1 / rho)
        expected = (high + ramp * (low - high)) ** rho
        np.testing.assert_allclose(self.made(Karras, rho=rho), expected, rtol=1e-12)

    def test_exponential(self):
        """Evenly spaced logarithms."""
        logs = np.linspace(math.log(self.largest), math.log(self.smallest), self.count)
        np.testing.assert_allclose(self.made(Exponential), np.exp(logs), rtol=1e-12)
        np.testing.assert_allclose(self.made(Geometric), np.exp(logs), rtol=1e-12)

    @pytest.mark.parametrize("rho", [1.0, 2.0, 0.7])
    def test_polyexponential(self, rho):
        """Logarithms along a ramp from 1 to 0 that is raised to a power."""
        ramp = np.linspace(1, 0, self.count) ** rho
        low, high = math.log(self.smallest), math.log(self.largest)
        expected = np.exp(ramp * (high - low) + low)
        np.testing.assert_allclose(self.made(PolyExponential, rho=rho), expected, rtol=1e-12)

    def test_variance_preserving(self):
        """The ratio of noise to signal at times from 1 to 0.001, from its own first level on."""
        expected = variance_preserving(np.linspace(1, 1e-3, self.count))
        made = VariancePreserving()(expected[0], self.count)
        np.testing.assert_allclose(made, expected, rtol=1e-12)

    def test_variance_preserving_is_the_usual_thousand_betas(self):
        """√((1 − ᾱ)/ᾱ), ᾱ the product of 1 − β, β even from 0.0001 to 0.02: its limit is ours."""
        kept = np.cumprod(1 - np.linspace(1e-4, 0.02, 1000))
        expected = np.sqrt((1 - kept) / kept)[::-1]
        made = VariancePreserving()(expected[0], 1000)
        np.testing.assert_allclose(made[:-40], expected[:-40], rtol=0.06)

    def test_sigmoid_betas(self):
        """A sigmoid from −6 to 6 between two values, of which ours is the affine image."""
        ramp = sigmoid(np.linspace(-6, 6, self.count))
        betas = ramp * (self.smallest - self.largest) + self.largest
        made = self.made(Sigmoid)
        slope = (made[-1] - made[0]) / (betas[-1] - betas[0])
        np.testing.assert_allclose(made, made[0] + slope * (betas - betas[0]), rtol=1e-11)

    def test_measured_is_the_gamma_at_a_whole_step(self):
        """γ² = σ² ((1 − βh)² − (1 − h)²) at h = 1, σ the root mean square of what is removed."""
        beta, removed = 0.3, 0.42
        gamma = math.sqrt(removed**2 * ((1 - beta) ** 2 - (1 - 1) ** 2))
        made = Measured(share=1 - beta).next_scale(9.0, 0, 5, removed=removed)
        assert made == pytest.approx(gamma, rel=1e-14)


def test_geometric_has_the_same_factor_between_any_two_steps():
    table = Geometric(end=0.1)(2.0, 7)
    np.testing.assert_allclose(table[1:] / table[:-1], 0.1 ** (1 / 6), rtol=1e-14)


def test_those_that_may_end_at_0_do():
    for schedule in (Linear(end=0.0), Cosine(end=0.0), Sigmoid(end=0.0), Karras(end=0.0)):
        table = schedule(1.0, 9)
        assert table[-1] == 0.0
        assert (table[:-1] > 0).all()


def test_a_single_step_uses_the_start():
    for schedule, _ in FORMULAS:
        np.testing.assert_array_equal(schedule(0.3, 1), [0.3])


def test_past_the_last_step_the_scale_stays():
    for schedule, _ in FORMULAS:
        last = schedule(0.3, 5)[-1]
        assert schedule.next_scale(last, 4, 5) == last
        assert schedule.next_scale(last, 40, 5) == last


def test_what_a_filter_removed_does_not_matter_to_a_table():
    assert Linear().next_scale(0.5, 2, 9, removed=3.0) == Linear().next_scale(0.5, 2, 9)


@pytest.mark.parametrize("end", [-0.1, math.nan, math.inf, 2e6])
@pytest.mark.parametrize("cls", [Linear, Geometric, Cosine, Sigmoid, Karras, PolyExponential])
def test_ends_that_are_refused(cls, end):
    with pytest.raises(ValueError, match=rf"{cls.__name__}: end must be .*\(got "):
        cls(end=end)


def test_some_never_reach_0():
    for cls in (Geometric, Exponential, PolyExponential):
        with pytest.raises(ValueError, match=r"greater than 0.*\(got 0\.0\)"):
            cls(end=0.0)


def test_at_least_one_step():
    with pytest.raises(ValueError, match=r"num_steps must be at least 1 \(got 0\)"):
        Constant()(1.0, 0)


class TestLevels:
    def test_are_the_scales_whatever_the_start(self):
        levels = (0.3, 0.1, 0.1, 1 / 3e7, 0.0)
        for start in (1.0, 1e-30):
            np.testing.assert_array_equal(Levels(levels)(start, 5), levels)
            np.testing.assert_array_equal(Levels(levels)(start, 3), levels[:3])
            np.testing.assert_array_equal(Levels(levels)(start, 7), (*levels, 0.0, 0.0))

    def test_a_start_of_0_is_no_noise(self):
        np.testing.assert_array_equal(Levels((0.3, 0.1))(0.0, 3), 0.0)
        assert not Levels((0.0,))(1.0, 3).any()

    @pytest.mark.parametrize(
        ("levels", "sentence"),
        [
            ((0.3, 0.1, 0.2), r"Levels: levels must be in descending order \(got 0\.1 before 0\.2"),
            ((0.1, 0.2), r"in descending order \(got 0\.1 before 0\.2\): sort them\.$"),
            ((0.1, -0.2), r"Levels: levels must be .*at least 0 \(got -0\.2\)"),
            ((0.1, math.nan), r"Levels: levels must be .*\(got nan\)"),
            ((math.inf, 0.1), r"Levels: levels must be .*\(got inf\)"),
            ((), r"Levels: levels must be at least one number"),
        ],
    )
    def test_refusals(self, levels, sentence):
        with pytest.raises(ValueError, match=sentence):
            Levels(levels)


def rising(noise_scale, step, num_steps):
    return noise_scale * (1 + step) * num_steps


class TestCustom:
    def test_is_the_function_again_and_again(self):
        np.testing.assert_array_equal(Custom()(0.4, 4), [0.4, 0.2, 0.1, 0.05])
        np.testing.assert_array_equal(Custom(rising)(1.0, 3), [1.0, 3.0, 18.0])
        assert Custom(rising).fraction(2, 3) == 18.0
        assert Custom(rising).largest_scale(2.0, 3) == 36.0

    def test_its_function_may_be_a_name(self):
        named = Custom(f"{__name__}:rising")
        np.testing.assert_array_equal(named(1.0, 3), Custom(rising)(1.0, 3))
        recipe = nd.Recipe(schedule=Custom(rising))
        assert nd.Recipe.from_json(recipe.to_json(), allow_code=True) == recipe.replaced(
            schedule=named
        )

    @pytest.mark.parametrize("found", [-1.0, math.nan, math.inf, "much", None, (1.0, 2.0)])
    def test_what_is_no_noise_scale_is_refused(self, found):
        with pytest.raises(
            ValueError, match=re.escape(f"(got {found!r} after step 0 with scale 1)")
        ):
            Custom(lambda *_: found)(1.0, 2)

    def test_a_lambda_cannot_be_written(self):
        with pytest.raises(ValueError, match=r"package\.module:function"):
            nd.Recipe(schedule=Custom(lambda *_: 1.0)).to_json()


class TestMeasured:
    def test_is_a_share_of_what_was_removed_and_never_grows(self):
        assert Measured(share=0.5).next_scale(1.0, 0, 9, removed=0.4) == 0.2
        assert Measured(share=1.0).next_scale(1.0, 0, 9, removed=7.0) == 1.0

    def test_has_no_table_and_says_so(self):
        for asked in (
            lambda: Measured()(1.0, 2),
            lambda: Measured().fraction(0, 2),
            lambda: Measured().next_scale(1.0, 0, 2),
        ):
            with pytest.raises(
                ValueError, match=r"Measured: .* unknown until the step before it is done"
            ):
                asked()
