"""Where a user's own measurement is stable, beside measurements whose answers are known."""

from __future__ import annotations

import json
import math
import threading

import numpy as np
import pytest
from scipy import ndimage

import napari_diffusion as nd
from napari_diffusion.analysis.answers.parameter_change import parameter_changes
from napari_diffusion.analysis.answers.plateau import plateau
from napari_diffusion.core.image import Image

IMAGE = (50 + 5 * np.random.default_rng(0).normal(size=(64, 64))).astype(np.float32)
HEAT = nd.filters.Heat(time=1.0)
QUIET = nd.Recipe(num_steps=6, noise=None, diffusion_filter=HEAT)
NOISY = nd.Recipe(num_steps=4, starting_noise_scale=3.0, diffusion_filter=HEAT, seed=7)


def deviation(image):
    return float(image.std())


# The plateau.


def flat(*values, spread=0.0):
    means = np.array([values], float)
    return means, np.full(means.shape, spread)


@pytest.mark.parametrize(
    ("values", "spread", "expected"),
    [
        ((100, 60, 40, 39, 41, 40, 20), 0.0, (2, 5)),
        ((100, 80, 60, 40, 20), 0.0, None),
        # A difference of 20 is that of 2 standard deviations of 5 on both sides.
        ((100, 80, 60, 40, 20), 10.1, (0, 2)),
        # The longest; of two as long the first.
        ((10, 10, 10, 50, 50, 50, 50, 9), 0.0, (3, 6)),
        ((10, 10, 10, 50, 50, 50), 0.0, (0, 2)),
        # Two are no plateau, a missing answer ends one, and nothing counted is none.
        ((10, 10, 50, 50), 0.0, None),
        ((10, 10, math.nan, 10, 10, 10), 0.0, (3, 5)),
        ((30, 10, 0, 0, 0, 0), 0.0, None),
        ((10, 10.9, 11.0), 0.0, (0, 2)),
        ((10, 10.9, 11.2), 0.0, None),
        ((-10, -10.9, -11.0), 0.0, (0, 2)),
    ],
)
def test_a_plateau_is_the_longest_range_within_the_tolerance(values, spread, expected):
    assert plateau(*flat(*values, spread=spread), 0.05) == expected


def test_all_numbers_must_be_stable():
    means = np.array([[1, 1, 1, 1, 1, 5.0], [9, 2, 2, 2, 2, 2.0]])
    assert plateau(means, 0 * means, 0.05) == (1, 4)


# What is measured.


def test_the_answers_are_those_of_the_steps_of_each_seed():
    found = nd.analysis.stability(IMAGE, NOISY, deviation, seeds=3, parameters=())
    assert found.seeds == (7, 8, 9)
    assert found.names == ("deviation",)
    assert found.values.shape == (5, 3)
    resolved = NOISY.resolved(IMAGE)
    for k, seed in enumerate(found.seeds):
        run = list(nd.steps(IMAGE, resolved.replaced(seed=seed)))[:-1]
        expected = [deviation(IMAGE), *(deviation(step.image) for step in run)]
        assert found.values[:, k] == pytest.approx(expected)
    assert found.means[0] == pytest.approx(found.values.mean(axis=1))
    assert found.deviations[0] == pytest.approx(found.values.std(axis=1, ddof=1))
    assert found.deviations[0, 0] == 0


def test_without_noise_there_is_one_run():
    calls = []
    found = nd.analysis.stability(
        IMAGE, QUIET, deviation, parameters=(), progress=lambda *each: calls.append(each)
    )
    assert found.seeds == (0,)
    assert calls == [(1, 1)]
    assert "Tried with one run" in found.limits()[0]
    assert "over the seeds" not in " ".join(found.sentences())


@pytest.mark.parametrize(
    ("answer", "names", "values"),
    [
        (np.float32(3), ("measured",), (3,)),
        ({"a": 1, "b": np.float64(2.5)}, ("a", "b"), (1, 2.5)),
        ((4, 5.0), ("value 0", "value 1"), (4, 5)),
        (np.array([4, 5]), ("value 0", "value 1"), (4, 5)),
        (None, None, None),
        ("many", None, None),
        ({"a": "b"}, None, None),
        (np.zeros((3, 3)), None, None),
    ],
)
def test_a_function_may_return_numbers(answer, names, values):
    def measured(image):
        return answer

    if names is None:
        with pytest.raises(ValueError, match="The measurement must return"):
            nd.analysis.stability(IMAGE, HEAT, measured)
        return
    found = nd.analysis.stability(IMAGE, HEAT, measured, parameters=())
    assert found.names == names
    assert found.answers[:, -1, 0] == pytest.approx(values)


def test_labels_are_counted_and_sized():
    def labels(image):
        made = np.zeros(image.shape, np.int32)
        made[2:4, 3:6] = 9
        made[10, 10:12] = 4
        return made

    found = nd.analysis.stability(IMAGE, HEAT, labels, parameters=())
    assert found.names == ("count", "mean size (pixels)")
    assert found.answers[:, 0, 0] == pytest.approx((2, 4))
    mask = nd.analysis.stability(IMAGE, HEAT, lambda v: labels(v) > 0, parameters=())
    np.testing.assert_array_equal(mask.answers, found.answers)
    colours = np.stack([IMAGE] * 3, axis=-1)
    of_colours = nd.analysis.stability(
        colours, HEAT, lambda v: labels(v[..., 0]), parameters=(), rgb=True
    )
    np.testing.assert_array_equal(of_colours.answers, found.answers)


def test_no_labels_have_no_size():
    found = nd.analysis.stability(IMAGE, QUIET, lambda v: (v > 60).astype(int), parameters=())
    assert found.answers[0, -1, 0] == 0
    assert math.isnan(found.answers[1, -1, 0])
    assert found.stable is None
    assert "It has no answer at step" in found.sentences()[2]
    made = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert made["answers"][1][-1] == [None]


def test_a_metric_gives_what_its_curve_gives():
    metric = nd.metrics.Objects(threshold=52.0, measure="mean size")
    found = nd.analysis.stability(IMAGE, QUIET, metric, parameters=())
    (curve,) = nd.analysis.curves(IMAGE, QUIET, [metric])
    assert found.values[:, 0] == pytest.approx(curve.values)
    noise = nd.metrics.Residual()
    assert noise.needs_noise
    found = nd.analysis.stability(IMAGE, QUIET, noise, parameters=())
    (curve,) = nd.analysis.curves(IMAGE, QUIET, [noise])
    assert found.values[:, 0] == pytest.approx(curve.values)


def test_the_function_gets_a_part_in_the_axes_of_the_image():
    shapes = []

    def measured(image):
        shapes.append(image.shape)
        return image.mean()

    volume = np.random.default_rng(0).normal(size=(16, 2, 12, 10))
    part = (slice(0, 8), slice(0, 2), slice(1, 3), slice(0, 5))
    nd.analysis.stability(volume, HEAT, measured, axes="yczx", region=part, parameters=())
    assert shapes == [(8, 2, 2, 5)] * 2


def test_an_error_of_the_function_tells_its_name_and_the_step():
    def picky(image):
        if image.std() < 1.2:
            raise RuntimeError("too smooth")
        return image.std()

    with pytest.raises(RuntimeError, match="too smooth") as caught:
        nd.analysis.stability(IMAGE, QUIET, picky)
    assert caught.value.__notes__ == ["This was raised when picky measured step 0."]


# What it depends on.


def test_the_number_of_a_linear_filter_depends_on_its_time_as_calculated():
    """The amplitude of a wave is exp(−k t), whose elasticity is −k t."""
    frequency = 2 * np.pi / 16
    wave = np.broadcast_to(np.cos(frequency * (np.arange(64) + 0.5)), (64, 64))
    k = 2 - 2 * np.cos(frequency)

    def amplitude(image):
        return float(2 * (image * wave).mean())

    recipe = nd.Recipe(num_steps=1, noise=None, diffusion_filter=nd.filters.Heat(time=2.0))
    found = nd.analysis.stability(
        np.array(wave), recipe, amplitude, change=0.05, parameters=["time"], along="x"
    )
    (effect,) = found.by_parameter
    assert (effect.name, effect.value) == ("time", 2.0)
    assert (effect.low, effect.high) == pytest.approx((1.9, 2.1))
    assert effect.elasticity == pytest.approx(-2 * k, rel=0.01)
    assert effect.relative_change == pytest.approx(np.expm1(0.1 * k), rel=0.01)


def test_parameters_are_ranked_and_told():
    found = nd.analysis.stability(IMAGE, NOISY, deviation, seeds=2)
    names = [effect.name for effect in found.by_parameter]
    assert set(names) == {"time", "starting_noise_scale", "num_steps"}
    changes = [effect.relative_change for effect in found.by_parameter]
    assert changes == sorted(changes, reverse=True)
    assert names[0] in found.sentences()[-1]
    assert len(found.tables()[1].rows) == 3


def test_a_change_is_a_run_of_a_changed_recipe_at_the_recommended_step():
    found = nd.analysis.stability(IMAGE, NOISY, lambda v: 1 + 1e-4 * v.std(), seeds=2, change=0.2)
    assert (found.stable, found.recommended) == ((0, 3), 1)
    effects = {effect.name: effect for effect in found.by_parameter}
    resolved = NOISY.resolved(IMAGE)
    changed = resolved.replaced(diffusion_filter=nd.filters.Heat(time=1.2))
    expected = 1 + 1e-4 * list(nd.steps(IMAGE, changed))[1].image.std()
    assert effects["time"].answer_high == pytest.approx(expected, rel=1e-7)
    assert effects["time"].step == 1
    fewer = list(nd.steps(IMAGE, resolved.replaced(num_steps=3)))[1].image.std()
    assert effects["num_steps"].low == 3
    assert effects["num_steps"].answer_low == pytest.approx(1 + 1e-4 * fewer, rel=1e-7)


def test_without_a_plateau_the_last_step_is_compared_with_the_last():
    found = nd.analysis.stability(IMAGE, QUIET, deviation, parameters=["num_steps"])
    assert found.stable is None
    assert found.recommended is None
    assert "no step is recommended" in found.sentences()[0]
    (effect,) = found.by_parameter
    more = nd.run(IMAGE, QUIET.replaced(num_steps=7)).image
    assert effect.answer_high == pytest.approx(deviation(more))


def test_what_a_recipe_refuses_is_left_out():
    windows = nd.filters.ReactionDiffusion(pilot=nd.filters.HaarDiffusion(), stride=3)
    recipe = nd.PRESETS["denoise fast"].replaced(diffusion_filter=windows).resolved(IMAGE)
    image = Image.of(IMAGE)
    changes = {each.name: each for each in parameter_changes(recipe, image, 0.1, None)}
    # The weights are of so many levels.
    assert not changes["levels"].recipes
    assert set(changes["stride"].recipes) == {2, 4}
    assert len(changes["noise_sigma"].recipes) == 2
    assert "weights" not in changes
    found = nd.analysis.stability(IMAGE, recipe, deviation, parameters=["levels", "stride"])
    assert found.unchanged == ("levels",)
    assert [effect.name for effect in found.by_parameter] == ["stride"]


def test_a_parameter_is_changed_wherever_it_occurs():
    inner = nd.filters.Heat(time=2.0)
    recipe = nd.Recipe(
        num_steps=2, noise=None, diffusion_filter=(HEAT, inner), final_filter=HEAT
    ).resolved(IMAGE)
    (change,) = parameter_changes(recipe, Image.of(IMAGE), 0.1, ["time"])
    larger = change.recipes[max(change.recipes)]
    assert [each.time for each in larger.filters] == pytest.approx([1.1, 2.2])
    assert larger.final_filter.time == pytest.approx(1.1)


# How it runs, and what it refuses.


def test_progress_is_known_from_the_start():
    calls = []
    nd.analysis.stability(
        IMAGE, NOISY, deviation, seeds=3, progress=lambda *each: calls.append(each)
    )
    assert calls == [(k + 1, 9) for k in range(9)]


def test_it_stops():
    stop = threading.Event()
    with pytest.raises(nd.Stopped):
        nd.analysis.stability(IMAGE, NOISY, deviation, progress=lambda *_: stop.set(), stop=stop)


def test_it_is_shown_as_text_and_tables():
    found = nd.analysis.stability(IMAGE, NOISY, lambda v: ndimage.label(v > 53)[0], seeds=2)
    steps, effects = found.tables()
    assert [row[0] for row in steps.rows] == [-1, 0, 1, 2, 3]
    for table in (steps, effects):
        assert all(len(row) == len(table.columns) for row in table.rows)
        assert len(set(table.columns)) == len(table.columns)
    assert found.sentences()[1].startswith("Count: ")
    assert found.maps() == ()
    json.dumps(found.to_dict(), allow_nan=False)


@pytest.mark.parametrize(
    ("measure", "options", "words"),
    [
        (3, {}, "measure must be a metric or a function"),
        (nd.metrics.Sure(), {}, "needs a second run"),
        (nd.metrics.Psnr(), {}, "needs a reference"),
        (deviation, {"change": 0.0}, "change must be greater than 0 and less than 1"),
        (deviation, {"tolerance": -1.0}, "tolerance must be a share of 0 or more"),
        (
            deviation,
            {"parameters": ["sigma"]},
            "no numeric parameter 'sigma' to change; it has time",
        ),
        (deviation, {"seeds": [1, 1]}, "seeds must be 2 or more, all different"),
    ],
)
def test_wrong_options_are_refused(measure, options, words):
    with pytest.raises((ValueError, TypeError), match=words):
        nd.analysis.stability(IMAGE, NOISY, measure, **options)


def test_numbers_that_come_and_go_are_refused():
    def moody(image):
        return {"a": 1.0} if image.std() > 4 else {"a": 1.0, "b": 2.0}

    with pytest.raises(ValueError, match="moody returned b at step 0, but not before"):
        nd.analysis.stability(IMAGE, QUIET, moody)
