"""The recommended step, beside the truth."""

from __future__ import annotations

import io

import numpy as np
import pytest
from skimage import data

import napari_diffusion as nd
from napari_diffusion.choose import best_step, curves
from napari_diffusion.metrics import METRICS, Mean, Psnr, Sure

SMOOTHING = nd.filters.PeronaMalik(contrast="auto", smoothing=0.7, time=0.3)
RECIPE = nd.Recipe(num_steps=25, starting_noise_scale=0.0, noise=None, diffusion_filter=SMOOTHING)


def photograph(name):
    clean = np.asarray(getattr(data, name)(), float) / 255.0
    return (clean.mean(axis=2) if clean.ndim == 3 else clean)[60:220, 60:220]


def noisy(clean, sigma, seed=0):
    return (clean + sigma * np.random.default_rng(seed).normal(size=clean.shape)).astype(np.float32)


def decibels_of_steps(image, recipe, clean):
    images = [image, *[step.image for step in nd.steps(image, recipe)][:-1]]
    return [-10 * np.log10(np.mean((each - clean) ** 2)) for each in images]


def test_of_24_cases_hardly_anything_is_lost():
    """At most 0.05 dB on average and 0.3 dB at worst, beside the step chosen with the truth."""
    losses = []
    for name in ("camera", "astronaut", "coins", "moon", "cell", "chelsea"):
        clean = photograph(name)
        for sigma in (0.03, 0.06, 0.1, 0.2):
            image = noisy(clean, sigma, seed=len(losses))
            recipe = RECIPE.resolved(image)
            found = best_step(image, recipe)
            table = decibels_of_steps(image, recipe, clean)
            losses.append(max(table) - table[found.index + 1])
    assert np.mean(losses) < 0.02
    assert max(losses) < 0.15


def test_the_reason_names_the_step_and_the_measure():
    found = best_step(noisy(photograph("camera"), 0.1), RECIPE)
    assert found.reason.startswith(f"Step {found.index} has the least expected error")
    assert [curve.name for curve in found.curves] == [
        "Sure", "Pure", "JInvariance", "Decorrelation",
    ]  # fmt: skip
    assert all(len(curve.values) == 26 for curve in found.curves)


def test_a_reference_decides():
    clean = photograph("camera")
    image = noisy(clean, 0.1)
    found = best_step(image, RECIPE, reference=clean)
    table = decibels_of_steps(image, RECIPE, clean)
    assert found.index + 1 == int(np.argmax(table))
    assert "reference" in found.reason
    np.testing.assert_allclose(np.diff(found.curves[0].values), np.diff(table), rtol=0, atol=1e-4)


def test_noise_that_is_not_white_withdraws_the_vote():
    from PIL import Image

    clean = np.asarray(data.camera()[:256, :256], float)
    grey = np.clip(clean + 10 * np.random.default_rng(0).normal(size=clean.shape), 0, 255)
    file = io.BytesIO()
    Image.fromarray(grey.astype(np.uint8)).save(file, "JPEG", quality=60)
    found = best_step(np.array(Image.open(file)), RECIPE)
    sure, _, hidden, _ = found.curves
    assert not sure.valid
    assert "not white" in sure.why
    assert found.index == hidden.best
    assert "No vote for Sure" in found.reason


def test_a_step_worse_than_the_source_is_not_recommended():
    image = noisy(photograph("camera"), 0.01)
    crude = RECIPE.replaced(num_steps=3, diffusion_filter=nd.filters.Heat(time=20.0))
    found = best_step(image, crude)
    assert found.index == -1
    assert found.reason.startswith("The source itself has")


def test_noise_in_the_loop_is_the_same_in_every_run():
    """Else the answer to a small change would be the difference of two noises."""
    clean = photograph("camera")
    image = noisy(clean, 0.05)
    loop = RECIPE.replaced(
        num_steps=6, starting_noise_scale=0.05, noise=nd.noise.Gaussian(),
        final_filter=nd.filters.Heat(time=0.3),
    )  # fmt: skip
    (curve,) = curves(image, loop, (Sure(),))
    images = [image] + [step.image for step in nd.steps(image, loop)]
    true = [np.mean((each - clean) ** 2) - np.mean((image - clean) ** 2) for each in images]
    assert len(curve.values) == len(true) == 8
    np.testing.assert_allclose(curve.values, true, rtol=0, atol=4e-4)


@pytest.mark.parametrize(
    ("axes", "shape", "more"),
    [
        ("zyx", (6, 30, 31), {"spacing": (2.0, 1.0, 1.0)}),
        ("tyx", (3, 30, 31), {}),
        ("yxc", (30, 31, 3), {"rgb": True}),
        ("yxc", (30, 31, 4), {"rgb": True}),
        ("yx", (1, 40), {}),
    ],
)
def test_any_axes(axes, shape, more):
    image = noisy(np.full(shape, 0.5), 0.1)
    found = best_step(image, RECIPE, axes=axes, **more)
    assert found.index > 5


def test_inside_a_mask_alone():
    clean = photograph("camera")
    image, mask = noisy(clean, 0.1), np.zeros(clean.shape, bool)
    mask[20:140, 20:140] = True
    plain = best_step(image, RECIPE.resolved(image), mask=mask)
    other = np.where(mask, image, np.float32(77.0))
    again = best_step(other, RECIPE.resolved(image), mask=mask)
    assert plain.index == again.index
    assert plain.curves[0].values == again.curves[0].values


def test_large_pictures_are_judged_by_their_middle(monkeypatch):
    monkeypatch.setattr("napari_diffusion.subject.SAMPLES", 2000)
    image = noisy(photograph("camera"), 0.1)
    (curve,) = curves(image, RECIPE, (Mean(),))
    assert curve.values[0] == pytest.approx(float(image[57:102, 58:102].mean()), abs=1e-6)
    assert curve.values[0] != pytest.approx(float(image.mean()), abs=1e-3)


def test_all_metrics_at_once():
    clean = photograph("camera")
    image, second = noisy(clean, 0.1), noisy(clean, 0.1, seed=1)
    metrics = [cls() for cls in METRICS]
    made = curves(image, RECIPE, metrics, reference=clean, second=second)
    assert [curve.name for curve in made] == [cls.__name__ for cls in METRICS]
    for curve in made:
        assert np.isfinite(curve.values).all()
        assert curve.valid == (curve.name != "Pure")


def test_refusals():
    image = noisy(photograph("camera"), 0.1)
    with pytest.raises(ValueError, match="reference must have the image's shape"):
        best_step(image, RECIPE, reference=image[1:])


def test_it_stands_among_the_estimates():
    assert nd.estimate.best_step is best_step
    assert Psnr().better == "higher"
