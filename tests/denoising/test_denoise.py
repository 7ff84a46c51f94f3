"""Denoising without a number: photon noise by itself, and what is said of other noise."""

from __future__ import annotations

import io

import numpy as np
import pytest
from skimage import data

import napari_diffusion as nd
from napari_diffusion.cli import main
from napari_diffusion.core.image import Image
from napari_diffusion.denoising.denoise import denoiser, strength_of, strengthened
from napari_diffusion.denoising.noise_report import noise_of, noise_report
from napari_diffusion.denoising.report_text import found_text, warning_texts
from napari_diffusion.domains import Anscombe
from napari_diffusion.estimate.finding import PROCESSED
from napari_diffusion.filters import HaarDiffusion
from napari_diffusion.io import read_record

CLEAN = data.camera()[60:252, 100:292] / 255.0


def random():
    return np.random.default_rng(5)


WHITE = 50 + 10 * random().normal(size=(96, 96))


def mean_square(image, truth):
    return float(np.mean((image - truth) ** 2))


def compressed(image, quality=30):
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(np.clip(image, 0, 255).astype(np.uint8)).save(file, "JPEG", quality=quality)
    return np.array(Image.open(file))


def test_photon_noise_is_evened_out_by_itself():
    """Beside the same filters on the counts as they are, and with the camera's numbers at hand."""
    truth = 100 + 4.0 * (20 * CLEAN + 1)
    y = 100 + 4.0 * random().poisson((truth - 100) / 4.0)
    recipe = nd.PRESETS["denoise fast"].resolved(y)
    assert isinstance(recipe.domain, Anscombe)
    assert recipe.domain.gain == pytest.approx(4.0, rel=0.1)
    out = nd.denoise(y, fast=True)
    np.testing.assert_array_equal(out, nd.run(y, recipe).image)
    again = nd.Recipe.from_json(recipe.to_json())
    assert again == recipe
    assert out.mean() == pytest.approx(truth.mean(), rel=5e-3)
    known = denoiser(fast=True).replaced(domain=Anscombe(4.0, 100.0, 0.0))
    plain = denoiser(fast=True).replaced(domain=None)
    assert mean_square(out, truth) < 1.1 * mean_square(nd.run(y, known).image, truth)
    assert mean_square(out, truth) < 0.9 * mean_square(nd.run(y, plain).image, truth)


@pytest.mark.parametrize(("shape", "axes"), [((64, 72), "yx"), ((8, 32, 36), "zyx")])
def test_what_was_learned_runs_once_for_all_filters(shape, axes, monkeypatch):
    """As a pilot of others and by itself, on an image and on the same image with a tiny change."""
    from napari_diffusion.filters import LearnedDiffusion

    seen, apply = [], LearnedDiffusion.apply
    monkeypatch.setattr(
        LearnedDiffusion, "apply", lambda self, block: seen.append(1) or apply(self, block)
    )
    y = random().normal(size=shape)
    recipe = denoiser(noise_sigma=1.0).resolved(y, axes=axes)
    assert len(seen) == 2
    nd.run(y, recipe, axes=axes)
    assert len(seen) == 3


def test_the_denoiser_is_better_than_what_was_learned_alone():
    truth = CLEAN[:128, :128]
    y = truth + 0.08 * random().normal(size=truth.shape)
    fast, both = (
        mean_square(nd.denoise(y, fast=fast, noise_sigma=0.08), truth) for fast in (True, False)
    )
    assert both < 0.99 * fast < 0.1 * 0.08**2
    alone = nd.filters.LearnedDiffusion(noise_sigma=0.08)(y)
    np.testing.assert_array_equal(nd.denoise(y, fast=True, noise_sigma=0.08), alone)


def test_even_noise_stays_in_intensities():
    preset = nd.PRESETS["denoise"]
    assert preset.domain == "auto"
    assert not preset.is_resolved
    assert nd.Recipe.from_json(preset.to_json()) == preset
    assert preset.resolved(WHITE).domain is None


def sigmas_of(component):
    own = getattr(component, "noise_sigma", None)
    inner = [sigma for each in component.components_in() for sigma in sigmas_of(each)]
    return inner if own is None else [own, *inner]


@pytest.mark.parametrize("sigma", ["auto", 12.0])
def test_strength_is_a_factor_on_the_noise_sigma(sigma):
    scene = 255 * CLEAN[:96, :96] + 15 * random().normal(size=(96, 96))
    plain = denoiser(fast=True, noise_sigma=sigma).resolved(scene)
    same = denoiser(fast=True, noise_sigma=sigma, strength=1)
    assert same == denoiser(fast=True, noise_sigma=sigma)
    recipe = denoiser(fast=True, noise_sigma=sigma, strength=1.5)
    again = nd.Recipe.from_json(recipe.to_json())
    assert again == recipe
    stronger = again.resolved(scene)
    before, after = sigmas_of(plain.filters[0]), sigmas_of(stronger.filters[0])
    assert after == [1.5 * each for each in before]
    made = nd.denoise(scene, fast=True, noise_sigma=sigma, strength=1.5)
    np.testing.assert_array_equal(made, nd.run(scene, stronger).image)
    smooth = [float(np.std(np.diff(image))) for image in (made, nd.run(scene, plain).image)]
    assert smooth[0] < smooth[1]
    if sigma == "auto":
        assert set(sigmas_of(recipe.filters[0])) == {"1.5 × auto"}
        asked = {text for name, text in stronger.asked.items() if name.endswith("noise_sigma")}
        assert asked == {"1.5 × auto"}
        assert strength_of(recipe) == strength_of(stronger) == 1.5
        assert strength_of(plain) == 1


def test_strength_acts_in_a_domain_and_for_each_colour():
    photons = random().poisson(2 + 40 * CLEAN[:96, :96]).astype(float)
    one, two = (
        denoiser(fast=True, strength=s).replaced(domain=Anscombe(1.0, 0.0, 0.0)).resolved(photons)
        for s in (1, 2)
    )
    assert sigmas_of(two.filters[0]) == [2 * each for each in sigmas_of(one.filters[0])]
    colours = np.stack([WHITE[:64, :64]] * 3, -1) + random().normal(0, 5, (64, 64, 3))
    one, two = (
        denoiser(fast=True, strength=s).resolved(colours, axes="yxc", rgb=True) for s in (1, 2)
    )
    first, second = sigmas_of(one.filters[0])[0], sigmas_of(two.filters[0])[0]
    assert second == tuple(2 * each for each in first)


@pytest.mark.parametrize("strength", [0, -1, float("nan"), float("inf"), True])
def test_a_strength_must_be_greater_than_0(strength):
    with pytest.raises(ValueError, match="strength must be a number greater than 0"):
        nd.denoise(WHITE, strength=strength)


def test_a_recipe_without_a_noise_sigma_has_no_strength():
    assert strengthened(nd.PRESETS["smooth"], 1) == nd.PRESETS["smooth"]
    with pytest.raises(ValueError, match="no filter of this recipe has one: use a recipe that"):
        strengthened(nd.PRESETS["smooth"], 2)


def test_the_command_line_takes_a_strength(tmp_path, capsys):
    path, out = tmp_path / "a.npy", tmp_path / "b.npy"
    np.save(path, WHITE)
    words = ["run", str(path), str(out), "--recipe", "denoise fast", "--quiet", "--keep", "last"]
    assert main([*words, "--strength", "1.5"]) == 0
    np.testing.assert_array_equal(np.load(out), nd.denoise(WHITE, fast=True, strength=1.5))
    asked = read_record(out)["asked"]
    assert "1.5 × auto" in asked.values()
    again = tmp_path / "c.npy"
    words = ["run", str(path), str(again), "--recipe", str(out), "--quiet", "--keep", "last"]
    assert main(words) == 0
    np.testing.assert_array_equal(np.load(again), np.load(out))
    assert main(["recipe", "smooth", "--strength", "2"]) == 2
    assert "strength is a factor on the noise sigma" in capsys.readouterr().err


@pytest.mark.parametrize("photons", [0.3, 1.0, 3.0, 40.0])
def test_the_noise_of_stabilised_values_is_known(photons):
    """Beside that of simulated counts."""
    y = 2.0 * random().poisson(photons, (200, 200)) + 7.0
    image, domain = Image.of(y), Anscombe(2.0, 7.0, 0.0)
    expected = float(domain.image(image).data.std())
    assert domain.noise_of(image) == pytest.approx(expected, rel=0.04)


def test_dark_places_count_for_less_but_not_for_nothing():
    """Weighted with the photons themselves, the noise of dark places was taken to be too strong."""
    dark, bright, domain = 0.25, 4.0, Anscombe(1.0, 0.0, 0.0)
    both = [random().poisson(each, (198, 198)).astype(float) for each in (dark, bright)]
    variances = [domain.noise_of(Image.of(each)) ** 2 for each in both]
    found = domain.noise_of(Image.of(np.concatenate(both))) ** 2
    expected = np.average(variances, weights=np.sqrt([dark, bright]))
    by_photons = np.average(variances, weights=[dark, bright])
    assert abs(found - expected) < 0.3 * abs(by_photons - expected)


def test_few_photons_do_not_run_away():
    """Noise weaker than it is taken to be: weights that extrapolate made 7 dB of 23."""
    truth = 2 * CLEAN[:96, :96] + 0.02
    y = random().poisson(truth).astype(float)
    chosen = HaarDiffusion(noise_sigma=2 * float(y.std()), levels=4)
    assert mean_square(chosen(y), truth) < 0.5 * mean_square(y, truth)
    assert mean_square(nd.denoise(y, fast=True), truth) < 0.1 * mean_square(y, truth)


ROWS = WHITE + 6 * np.random.default_rng(1).normal(size=(96, 1))


@pytest.mark.parametrize(
    ("image", "said"),
    [
        (
            lambda: compressed(40 + 150 * CLEAN + 12 * random().normal(size=CLEAN.shape)),
            "enter a larger noise σ, such as",
        ),
        (lambda: ROWS, "Row noise, σ = "),
        (
            lambda: np.minimum(255 * CLEAN + 8 * random().normal(size=CLEAN.shape), 200),
            "is clipped there",
        ),
    ],
    ids=["compressed", "rows", "clipped"],
)
def test_what_stands_against_a_result_is_said(image, said):
    with pytest.warns(nd.NoiseWarning, match=said):
        nd.denoise(image(), fast=True)


def test_a_compressed_image_is_denoised_with_a_number_typed():
    truth = 40 + 150 * CLEAN
    noisy = compressed(truth + 12 * random().normal(size=CLEAN.shape))
    out = nd.denoise(noisy, fast=True, noise_sigma=9.0)
    assert mean_square(out, truth) < 0.75 * mean_square(noisy, truth)


def report_on(image):
    source, preset = Image.of(image), nd.PRESETS["denoise"]
    return noise_report(source, preset, preset.resolved_on(source))


def test_what_was_found_is_said():
    def found(image):
        return found_text(report_on(image))

    assert found(WHITE).startswith("White noise, σ = 10")
    assert found(4 * random().poisson(20 * CLEAN + 1)).startswith("Photon noise, σ = ")
    assert found(np.zeros((64, 64))).startswith(("No noise", "White noise, σ = 0"))
    assert found(np.eye(5)).startswith("White noise")
    jpeg = compressed(40 + 150 * CLEAN + 12 * random().normal(size=CLEAN.shape), 60)
    for image in (WHITE, ROWS, jpeg, 4 * random().poisson(20 * CLEAN + 1)):
        report = noise_of(Image.of(image))
        texts = found_text(report), *warning_texts(report)
        assert all(len(text) <= 140 and text.count(". ") == 0 for text in texts)
        assert len(texts[0]) <= 120
    assert warning_texts(noise_of(Image.of(jpeg)))[0].startswith("The image was JPEG-compressed:")


def test_all_ways_to_the_noise_give_one_sigma_and_one_list_of_warnings():
    for image in (WHITE, ROWS, compressed(255 * CLEAN + 12 * random().normal(size=CLEAN.shape))):
        source, loop = Image.of(image), nd.Recipe(num_steps=1)
        denoising, looping = report_on(image), noise_report(source, loop, loop.resolved_on(source))
        assert denoising == looping == noise_of(Image.of(image))
        sigma = denoising.sigma
        assert loop.resolved(image).starting_noise_scale == sigma
        assert next(iter(nd.estimate.evidence(image).sigmas.values())) == sigma
        assert nd.estimate.noise_sigma(image) == sigma
        used = sigmas_of(denoiser(fast=True).resolved(image).filters[0])
        assert set(used) == {sigma}
    explore = nd.PRESETS["explore"]
    assert noise_report(source, explore, explore.resolved_on(source)) is None


def test_two_sigmas_of_photon_noise_have_two_names():
    image = 4 * random().poisson(20 * CLEAN + 1)
    source, loop = Image.of(image), nd.Recipe(num_steps=1)
    even = found_text(report_on(image))
    plain = noise_report(source, loop, loop.resolved_on(source))
    assert even.startswith("Photon noise, σ = ")
    assert "at the mean intensity" in even
    sigma = f"{nd.estimate.noise_sigma(image):.3g}"
    assert found_text(plain) == f"Photon noise, σ = {sigma} in calm regions, in intensity units."


def test_the_sigma_of_a_large_image_is_that_of_all_of_it():
    image = random().normal(0, 1, (1200, 1100)).astype(np.float32)
    image[:200] *= 3
    assert nd.estimate.evidence(image).sigmas["windows"] == nd.estimate.noise_sigma(image)


def test_a_report_is_data():
    white, rows = report_on(WHITE), report_on(ROWS)
    assert white.warnings == ()
    assert not white.stabilised
    assert [each.name for each in rows.warnings] == ["rows"]
    assert rows.warnings[0].amount == rows.model.row_noise
    assert rows.sigma == nd.estimate.noise_sigma(ROWS)
    smooth = report_on(compressed(40 + 150 * CLEAN + 12 * random().normal(size=CLEAN.shape)))
    assert smooth.warnings[0].name in PROCESSED
    assert {each.name for each in smooth.warnings[1:]}.isdisjoint(PROCESSED)
    assert smooth.coarse_sigma > smooth.sigma


def test_a_chain_of_stages_is_a_series_whose_steps_are_images():
    pilot = HaarDiffusion(noise_sigma=10.0)
    near = nd.filters.NonLocalDiffusion(noise_sigma=3.0, radius=3)
    recipe = nd.Recipe(2, 0.0, noise=None, diffusion_filter=(pilot, near))
    first, second, _ = (step.image for step in nd.steps(WHITE, recipe))
    np.testing.assert_array_equal(first, pilot(WHITE))
    np.testing.assert_array_equal(second, near(first))


def test_the_command_line_says_the_same_and_keeps_it(tmp_path, capsys):
    import tifffile

    from napari_diffusion.cli import main
    from napari_diffusion.io import read_record

    source, made = tmp_path / "rows.tif", tmp_path / "clean.ome.tif"
    tifffile.imwrite(source, ROWS.astype(np.float32))
    assert main(["run", str(source), str(made), "--recipe", "denoise fast", "--axes", "yx"]) == 0
    assert "Row noise, σ = " in capsys.readouterr().err
    kept = read_record(made)
    assert "σ = " in kept["noise_found"]
    assert "Row noise" in kept["noise_warnings"][0]
    with pytest.warns(nd.NoiseWarning, match="Row noise"):
        expected = nd.denoise(ROWS.astype(np.float32), fast=True)
    np.testing.assert_array_equal(tifffile.imread(made), expected)


def test_a_grey_image_in_colour_is_denoised_like_the_grey_one():
    # Its opponent colours have neither signal nor noise, and nothing is divided by it.
    grey = WHITE[:64, :64].astype(np.float32)
    made = nd.denoise(np.repeat(grey[..., None], 3, axis=-1), axes="yxc", rgb=True)
    assert np.ptp(made, axis=-1).max() < 1e-3
    assert made[..., 0].std() < grey.std() / 5
