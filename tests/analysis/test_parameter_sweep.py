"""A parameter sweep: every combination of some numbers, and what is said of each."""

from __future__ import annotations

import numpy as np
import pytest

import napari_diffusion as nd
from napari_diffusion.analysis.parameter_sweep import FACTORS
from napari_diffusion.metrics import Residual

SQUARES = 100.0 * (np.add.outer(np.arange(64) // 16, np.arange(72) // 16) % 2)
IMAGE = (SQUARES + 10 * np.random.default_rng(0).normal(size=SQUARES.shape)).astype(np.float32)
SMOOTH = nd.PRESETS["smooth"]


def test_each_sweep_run_is_the_run_with_its_numbers():
    region = (slice(8, 56), slice(4, 68))
    made = nd.analysis.parameter_sweep(
        IMAGE, SMOOTH, {"contrast": [10.0, 40.0], "time": [0.1, 0.3, 0.5]}, region=region
    )
    assert [tuple(sweep_run.parameters.values()) for sweep_run in made.sweep_runs] == [
        (k, t) for k in (10.0, 40.0) for t in (0.1, 0.3, 0.5)
    ]
    for sweep_run in made.sweep_runs:
        chosen = SMOOTH.diffusion_filter.replaced(**sweep_run.parameters)
        recipe = SMOOTH.replaced(diffusion_filter=chosen)
        assert sweep_run.recipe == recipe.resolved(IMAGE)
        np.testing.assert_array_equal(sweep_run.image, nd.run(IMAGE, recipe, region=region).image)
    found = nd.analysis.best_step(IMAGE, made.sweep_runs[1].recipe, region=region).curves
    sure = next(curve for curve in found if curve.name == "Sure")
    assert made.sweep_runs[1].value == pytest.approx(sure.values[-1], rel=1e-6)


def test_the_best_is_near_the_truth():
    made = nd.analysis.parameter_sweep(IMAGE, SMOOTH, noise_sigma=10.0)
    assert made.values["time"] == tuple(pytest.approx(0.2 * f) for f in FACTORS)
    errors = [np.mean((sweep_run.image - SQUARES) ** 2) for sweep_run in made.sweep_runs]
    assert np.mean((made.best.image - SQUARES) ** 2) <= 1.1 * min(errors)
    assert made.best.in_words().startswith("contrast ")


def test_another_metric_and_a_colour_image():
    colours = np.stack([IMAGE, 0.5 * IMAGE, 200 - IMAGE], axis=-1)
    made = nd.analysis.parameter_sweep(
        colours, SMOOTH, {"time": [0.1, 0.2]}, metric=Residual(), axes="yxc", rgb=True
    )
    assert [sweep_run.image.shape for sweep_run in made.sweep_runs] == [colours.shape] * 2
    assert made.sweep_runs[0].value < made.sweep_runs[1].value
    assert made.best is None


def test_of_photons_another_estimate_recommends():
    light = np.random.default_rng(1).poisson(SQUARES / 4 + 5).astype(np.float32)
    large = np.tile(light, (3, 3))
    made = nd.analysis.parameter_sweep(large, SMOOTH, {"time": [0.1, 0.2]})
    assert {type(sweep_run.metric).__name__ for sweep_run in made.sweep_runs} == {"Pure"}
    assert made.best is not None


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"strength": [1.0]}, "PeronaMalik has no numeric parameter 'strength'; it has time, c"),
        ({"time": []}, "There is no value to try for time"),
        ({"time": [-1.0]}, "PeronaMalik: time must be"),
        ({}, "name the parameters"),
    ],
)
def test_refusals_come_before_any_work(values, words):
    with pytest.raises(ValueError, match=words):
        nd.analysis.parameter_sweep(IMAGE, SMOOTH, values)
