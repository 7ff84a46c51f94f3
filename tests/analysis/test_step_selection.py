"""The recommended step, beside the ground truth."""

from __future__ import annotations

import io

import dask.array as da
import numpy as np
import pytest
from scipy import ndimage
from skimage import data

import napari_diffusion as nd
from napari_diffusion.analysis.part_sampling import have_parts, parts_of
from napari_diffusion.analysis.step_selection import best_step, curves
from napari_diffusion.core.image import Image
from napari_diffusion.estimate import NoiseModel
from napari_diffusion.metrics import METRICS, HalfError, HalfFrc, Mean, Psnr, RegionStatistic, Sure

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
    """At most 0.05 dB on average and 0.3 dB at worst below the step chosen with ground truth."""
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
    assert found.reason.startswith(f"Step {found.index} has the lowest expected error")
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


def test_noise_that_is_not_white_excludes_a_metric():
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
    assert "Excluded from the recommendation: SURE: The noise" in found.reason


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


def test_large_images_are_judged_by_their_middle(monkeypatch):
    monkeypatch.setattr("napari_diffusion.analysis.measured_run.SAMPLES", 2000)
    image = noisy(photograph("camera"), 0.1)
    (curve,) = curves(image, RECIPE, (Mean(),))
    assert curve.values[0] == pytest.approx(float(image[57:102, 58:102].mean()), abs=1e-6)
    assert curve.values[0] != pytest.approx(float(image.mean()), abs=1e-3)


def mosaic():
    """1024 × 1024, of which no part is like another; the middle alone is mostly moon."""
    names = ("camera", "moon", "brick", "camera")
    one, two, three, four = (np.asarray(getattr(data, name)(), np.float32) / 255 for name in names)
    return np.block([[one, two], [three, four[::-1]]])


def test_large_planes_are_judged_by_parts_spread_over_them():
    clean, losses = mosaic(), []
    for sigma in (0.03, 0.1):
        image = noisy(clean, sigma)
        recipe = RECIPE.replaced(num_steps=10).resolved(image)
        table = decibels_of_steps(image, recipe, clean)
        found = best_step(image, recipe)
        assert [len(curve.values) for curve in found.curves] == [11] * 4
        losses.append(max(table) - table[found.index + 1])
        told = best_step(image, recipe, reference=clean, second=noisy(clean, sigma, seed=1))
        losses.append(max(table) - table[told.index + 1])
    assert np.mean(losses) < 0.05
    assert max(losses) < 0.1


def test_parts_are_squares_at_even_distances():
    image = noisy(np.full((3, 800, 1000), 0.5), 0.1)
    mask = np.ones((800, 1000), bool)
    source = Image.of(image, axes="cyx", mask=mask)
    assert have_parts(source, RECIPE)
    found = parts_of(source)
    assert found.data.shape == found.mask.shape == found.grid.shape == (16, 3, 1, 72, 72)
    assert found.grid.axes == "tcyx"
    np.testing.assert_array_equal(found.data[6, :, 0], image[:, 264:336, 584:656])
    mapped = nd.noise.PoissonGaussian(gain=np.full((3, 800, 1000), 0.1))
    for kind, recipe in (
        (source, RECIPE.replaced(noise=mapped)),
        (Image.of(image), RECIPE),
        (Image.of(image[0, :700, :700]), RECIPE),
        (Image.of(image.reshape(300, -1)), RECIPE),
    ):
        assert not have_parts(kind, recipe)
    found = best_step(image, RECIPE.replaced(num_steps=3), axes="cyx", mask=mask)
    assert found.index == 2


def test_all_metrics_at_once():
    clean = photograph("camera")
    image, second = noisy(clean, 0.1), noisy(clean, 0.1, seed=1)
    metrics = [cls() for cls in METRICS]
    made = curves(image, RECIPE, metrics, reference=clean, second=second)
    assert [curve.name for curve in made] == [cls.__name__ for cls in METRICS]
    for curve in made:
        assert np.isfinite(curve.values).all()
        assert curve.valid == (curve.name != "Pure")


def test_with_a_given_contrast_too():
    losses = []
    for place, name in enumerate(("camera", "astronaut", "coins", "moon", "cell", "chelsea")):
        clean, sigma = photograph(name), (0.03, 0.06, 0.1, 0.2)[place % 4]
        image = noisy(clean, sigma, seed=place)
        chosen = SMOOTHING.replaced(contrast=2 * sigma)
        recipe = RECIPE.replaced(num_steps=15, diffusion_filter=chosen)
        table = decibels_of_steps(image, recipe, clean)
        losses.append(max(table) - table[best_step(image, recipe).index + 1])
    assert np.mean(losses) < 0.02
    assert max(losses) < 0.1


def test_photon_noise_has_an_estimate_of_its_own():
    """One σ for all would keep the noise of bright places, or blur dark ones."""
    losses, elsewhere = [], []
    for place, name in enumerate(("camera", "astronaut", "chelsea", "coins")):
        clean = photograph(name)
        for photons in (20, 60):
            # On the coins, all texture, a single image says a gain that is 30 % too large.
            known = NoiseModel(sigma=(0.5 / photons) ** 0.5, level=0.5, gain=1 / photons)
            counts = np.random.default_rng(place).poisson(clean * photons)
            image = (counts / photons).astype(np.float32)
            recipe = RECIPE.replaced(num_steps=20).resolved(image)
            model = known if name == "coins" else None
            found = best_step(image, recipe, noise_model=model)
            assert model or "grows with the intensity" in found.reason
            table = decibels_of_steps(image, recipe, clean)
            losses.append(max(table) - table[found.index + 1])
            elsewhere.append(max(table) - table[found.curves[0].best + 1])
    assert np.mean(losses) < 0.04
    assert max(losses) < 0.1
    assert np.mean(elsewhere) > 0.5


def correlated(shape, sigma, seed):
    noise = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=shape), (0, 1.0, 1.0))
    return (sigma * noise / noise.std()).astype(np.float32)


def test_halves_decide_where_the_noise_is_not_white():
    clean = np.stack([photograph("camera")])
    one, other = (np.float32(clean + correlated(clean.shape, 0.1, seed)) for seed in (0, 1))
    recipe = RECIPE.replaced(diffusion_filter=nd.filters.Heat(time=0.2)).resolved(one[0])
    found = best_step(one[0], recipe, second=other[0])
    assert found.reason.startswith(f"Step {found.index} of one half is closest to the other half")
    table = decibels_of_steps(one[0], recipe, clean[0])
    assert max(table) - table[found.index + 1] < 0.05
    blind = best_step(one[0], recipe)
    assert max(table) - table[blind.index + 1] > 0.5
    frames = np.concatenate([one, other])
    again = best_step(frames, recipe, axes="tyx", halves="frames")
    halves = {curve.name: curve.values for curve in found.curves}
    assert {c.name: c.values for c in again.curves}["HalfError"] == halves["HalfError"]


def test_halves_do_not_share_added_noise():
    frames = noisy(np.stack([photograph("coins")[:60, :60]] * 5), 0.05)
    loop = RECIPE.replaced(num_steps=2, starting_noise_scale=0.5, noise=nd.noise.Gaussian())
    loop = loop.replaced(diffusion_filter=nd.filters.Heat(time=0.0))
    found = curves(frames, loop, [HalfError(), HalfFrc()], axes="tyx", halves="frames")
    curve, resolved = (each.values for each in found)
    assert resolved[0] < 4
    assert min(resolved[1:]) > 8, "both halves have the same noise"
    grown = np.array(curve[1:]) - curve[0]
    scales = [step.noise_scale for step in nd.steps(frames, loop, axes="tyx")][:2]
    np.testing.assert_allclose(grown, np.cumsum(np.square(scales)), rtol=0.05)


def test_frames_that_diffuse_along_time_lie_twice_as_far_apart():
    frames = noisy(np.zeros((4, 30, 30)), 0.1)
    recipe = RECIPE.replaced(num_steps=1, diffusion_filter=nd.filters.Heat(time=0.4))
    options = {"axes": "tyx", "along": "tyx"}
    (curve,) = curves(frames, recipe, [HalfError()], halves="frames", spacing=(1, 1, 1), **options)
    halves = [frames[k::2] for k in (0, 1)]
    made = [nd.run(half, recipe, spacing=(2, 1, 1), **options).image for half in halves]
    expected = np.mean([np.mean((made[k] - halves[1 - k]) ** 2) for k in (0, 1)])
    assert curve.values[1] == pytest.approx(expected, rel=1e-5)


def test_over_seeds_there_is_a_mean_and_a_spread():
    image = noisy(photograph("coins")[:50, :50], 0.05)
    loop = RECIPE.replaced(num_steps=2, starting_noise_scale=0.1, noise=nd.noise.Gaussian(), seed=5)
    (curve,) = curves(image, loop, [Mean()], seeds=3)
    runs = [
        [float(step.image.mean()) for step in nd.steps(image, loop.replaced(seed=seed))][:-1]
        for seed in (5, 6, 7)
    ]
    assert curve.values[1:] == pytest.approx(np.mean(runs, axis=0), rel=1e-6)
    assert curve.spread[1:] == pytest.approx(np.std(runs, axis=0, ddof=1), rel=1e-3)
    assert curve.spread[0] < 1e-12
    assert curves(image, loop, [Mean()])[0].spread == ()
    with pytest.raises(ValueError, match="seeds=3 would give the same steps"):
        curves(image, RECIPE, [Mean()], seeds=3)


def test_every_channel_has_its_own_noise():
    """One σ for both would weigh the quiet channel as noise, or the loud one as image."""
    clean = np.stack([photograph("camera"), photograph("coins")])
    sigmas = (0.02, 0.15)
    image = np.stack([noisy(each, s) for each, s in zip(clean, sigmas, strict=True)])
    options = {"axes": "cyx", "joint_channels": False}
    recipe = RECIPE.replaced(num_steps=12).resolved(image, **options)
    found = best_step(image, recipe, **options)
    images = [image, *[step.image for step in nd.steps(image, recipe, **options)][:-1]]
    true = [np.mean((each - clean) ** 2) - np.mean((image - clean) ** 2) for each in images]
    np.testing.assert_allclose(found.curves[0].values, true, rtol=0, atol=4e-4)
    given = best_step(image, recipe, noise_sigma=sigmas, **options)
    np.testing.assert_allclose(given.curves[0].values, true, rtol=0, atol=4e-4)
    with pytest.raises(ValueError, match="one for each of 2 channels"):
        best_step(image, recipe, noise_sigma=(1, 2, 3), **options)


def test_a_part_is_judged_as_part_of_the_whole():
    image = noisy(photograph("camera"), 0.1)
    labels = np.zeros(image.shape, int)
    labels[50:70, 60:90] = 1
    region, recipe = (slice(40, 100), slice(50, 130)), RECIPE.replaced(num_steps=4).resolved(image)
    chosen = RegionStatistic(labels=labels)
    parts = [curves(image, recipe, [chosen], region=each)[0].values for each in (region, None)]
    assert parts[0] == parts[1]
    steps = [image, *[step.image for step in nd.steps(image, recipe)][:-1]]
    assert parts[0] == pytest.approx([float(each[labels > 0].mean()) for each in steps], rel=1e-6)


def test_nothing_of_the_noise_is_measured_where_no_metric_needs_it(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("measured")

    monkeypatch.setattr("napari_diffusion.analysis.source_noise.noise_sigma_of", refuse)
    monkeypatch.setattr("napari_diffusion.analysis.source_noise.of_image", refuse)
    image = noisy(photograph("camera"), 0.1)
    assert len(curves(image, RECIPE.resolved(image), [Mean(), Psnr()], reference=image)) == 2
    with pytest.raises(AssertionError, match="measured"):
        curves(image, RECIPE.resolved(image), [Sure()])


def test_colours_with_a_mask():
    image = noisy(np.full((40, 41, 3), 0.5), 0.1)
    found = best_step(image, RECIPE, axes="yxc", rgb=True, mask=np.ones((40, 41), bool))
    assert found.index > 5


def test_refusals():
    image = noisy(photograph("camera"), 0.1)
    with pytest.raises(ValueError, match="reference must have the image's shape"):
        best_step(image, RECIPE, reference=image[1:])
    with pytest.raises(ValueError, match="second image must have the image's shape"):
        best_step(image, RECIPE, second=image[1:])
    holes = np.where(image > 0.9, np.nan, image)
    for name in ("reference", "second"):
        with pytest.raises(ValueError, match="has missing values where the image has none"):
            best_step(image, RECIPE, missing="ignore", **{name: holes})
    assert best_step(holes, RECIPE.resolved(image), second=image, missing="ignore").index > 0
    with pytest.raises(ValueError, match=r"give image\.compute\(\)"):
        best_step(da.from_array(image), RECIPE)
    with pytest.raises(ValueError, match="needs 2 frames or more along t"):
        best_step(image, RECIPE, halves="frames")
    with pytest.raises(ValueError, match="cannot be combined with second"):
        best_step(image, RECIPE, second=image, halves="frames")


def test_it_stands_among_the_estimates():
    assert nd.analysis.best_step is best_step
    assert Psnr().better == "higher"
