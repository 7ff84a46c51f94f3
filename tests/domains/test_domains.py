"""Domains: exact means both ways, what a run in them gives back, and images of two photons."""

from __future__ import annotations

import dataclasses
import math

import dask.array as da
import numpy as np
import pytest
from cases import CASES
from hypothesis import given
from hypothesis import strategies as st

import napari_diffusion as nd
from napari_diffusion.core.image import Image
from napari_diffusion.domains import DOMAINS, Anscombe, Log
from napari_diffusion.domains.gain_fit import variance_line
from napari_diffusion.engine.threads import Threads
from napari_diffusion.filters import Heat, PeronaMalik, TotalVariation, TotalVariationFlow
from napari_diffusion.loop.registry import with_setting
from napari_diffusion.records import provenance
from napari_diffusion.schedules import Geometric, Measured

DRIVE = Threads(count=1)
PHOTONS = Anscombe(gain=1.0, offset=0.0, read_noise=0.0)
CAMERA = Anscombe(gain=2.2, offset=100.0, read_noise=3.5)
SPECKLE = Log(looks=4.0, floor=0.01)

RECIPE = nd.Recipe(
    num_steps=3,
    starting_noise_scale=0.5,
    schedule=Geometric(end=0.25),
    diffusion_filter=PeronaMalik(contrast=0.5, time=0.6),
    final_filter=Heat(time=0.5),
    domain=PHOTONS,
    seed=7,
)


def counts(shape=(29, 31), peak=9.0, seed=1):
    random = np.random.default_rng(seed)
    y, x = np.meshgrid(*(np.linspace(0, 1, n) for n in shape), indexing="ij")
    return random.poisson(peak * (0.1 + 0.4 * y + 0.5 * (x > 0.4))).astype(np.float32)


def made(*args, **options):
    return list(nd.steps(*args, **options))


def assert_same(left, right):
    assert [step.noise_scale for step in left] == [step.noise_scale for step in right]
    for a, b in zip(left, right, strict=True):
        np.testing.assert_array_equal(a.image, b.image)


# --- the transforms ---


def poisson_mean_of_f(mean, read_noise=0.0):
    """E[2 √(max(0, z + 3/8 + s²))], the sum over counts and an integral over read noise."""
    count = np.arange(int(mean + 12 * math.sqrt(mean) + 30))
    logs = np.array([math.lgamma(k + 1) for k in count])
    chance = np.exp(count * np.log(mean) - mean - logs)
    # Trapezoids on a grid of another kind than the table's, fine enough for the root's bend.
    n = np.linspace(-10, 10, 20_001) if read_noise else np.zeros(1)
    weight = np.exp(-(n**2) / 2) / np.exp(-(n**2) / 2).sum()
    inside = count[:, None] + 0.375 + read_noise**2 + read_noise * n
    return chance @ (2 * np.sqrt(np.maximum(inside, 0)) @ weight)


@pytest.mark.parametrize("read_noise", [0.0, 0.7, 3.0])
@pytest.mark.parametrize("mean", [0.01, 0.3, 2.0, 17.3, 200.0, 700.0])
def test_the_inverse_gives_the_mean_whose_noisy_values_have_that_mean(mean, read_noise):
    domain = Anscombe(gain=1.0, offset=0.0, read_noise=read_noise)
    value = np.array([poisson_mean_of_f(mean, read_noise)])
    assert domain.intensity(value, DRIVE)[0] == pytest.approx(mean, rel=2e-5, abs=2e-5)
    assert domain.restabilise(np.array([mean]), DRIVE)[0] == pytest.approx(value[0], abs=1e-5)


@pytest.mark.parametrize("mean", [230.0, 255.5, 256.5, 300.0])
def test_table_and_series_meet(mean):
    """Where the table ends and the series of moments begins, both are right to eight digits."""
    value = PHOTONS.restabilise(np.array([mean]), DRIVE)[0]
    assert value == pytest.approx(poisson_mean_of_f(mean), abs=1e-7)
    assert PHOTONS.intensity(np.array([value]), DRIVE)[0] == pytest.approx(mean, abs=1e-6)


def test_the_inverse_is_near_the_published_closed_form():
    """D²/4 + ¼√(3/2)/D − 11/8/D² + 5/8 √(3/2)/D³ − 1/8, which its authors fitted."""
    value = np.linspace(1.3, 40, 300)
    root = math.sqrt(1.5)
    closed = value**2 / 4 + root / 4 / value - 11 / 8 / value**2 + 5 / 8 * root / value**3 - 1 / 8
    np.testing.assert_allclose(PHOTONS.intensity(value, DRIVE), closed, atol=0.02)
    algebraic = value**2 / 4 - 3 / 8
    assert np.abs(closed - algebraic).max() > 0.2


def test_the_forward_transform_is_the_formula():
    values = np.array([-50.0, 0.0, 99.0, 100.0, 1e6, 1e30])
    photons = (values - 100) / 2.2
    expected = 2 * np.sqrt(np.maximum(photons + 0.375 + (3.5 / 2.2) ** 2, 0))
    np.testing.assert_allclose(CAMERA.stabilise(values, DRIVE), expected, rtol=1e-14)


@pytest.mark.parametrize("mean", [3.0, 10.0, 100.0])
def test_the_noise_becomes_1(mean):
    random = np.random.default_rng(0)
    values = 100 + 2.2 * random.poisson(mean, 200_000) + 3.5 * random.normal(size=200_000)
    spread = CAMERA.stabilise(values, DRIVE).std()
    assert spread == pytest.approx(1.0, abs=0.06 if mean == 3.0 else 0.02)
    speckled = mean * random.gamma(4.0, 1 / 4.0, 200_000)
    logarithms = SPECKLE.stabilise(speckled, DRIVE)
    assert logarithms.std() == pytest.approx(math.sqrt(0.283823), rel=0.01)  # √ψ′(4)
    back = SPECKLE.intensity(np.array([logarithms.mean()]), DRIVE)[0]
    assert back == pytest.approx(mean, rel=4.5 * 0.533 / math.sqrt(200_000))


DOMAIN_VARIANTS = [PHOTONS, CAMERA, Anscombe(gain=0.01, offset=-3.0, read_noise=1.0), SPECKLE]


@pytest.mark.parametrize("domain", DOMAIN_VARIANTS, ids=repr)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_both_ways_and_back_again(domain, dtype):
    random = np.random.default_rng(0)
    values = np.concatenate([np.linspace(-2, 60, 5000), random.uniform(0, 1e4, 500), [1e9]])
    stabilised = values.astype(dtype)
    if isinstance(domain, Log):
        stabilised = np.linspace(-10, 20, 5000).astype(dtype)
    shown = domain.intensity(stabilised, DRIVE)
    again = domain.restabilise(shown, DRIVE)
    assert shown.dtype == again.dtype == dtype
    # What the intensity's own digits can hold.
    slope = np.gradient(shown.astype(np.float64), stabilised.astype(np.float64))
    room = 4 * np.finfo(dtype).eps * (np.abs(shown) / np.maximum(np.abs(slope), 1e-9))
    assert (
        np.abs(again - stabilised) <= room + 1e-8 + 4 * np.finfo(dtype).eps * abs(stabilised)
    ).all()
    assert (np.diff(np.sort(shown)) >= 0).all()


@pytest.mark.parametrize("domain", DOMAIN_VARIANTS, ids=repr)
def test_nothing_overflows(domain):
    for dtype in (np.float32, np.float64):
        limit = np.finfo(dtype).max / 64
        values = np.array([-limit, -1e30, -1e-30, 0.0, 1e-30, 1e30, limit], dtype)
        stabilised = domain.stabilise(values, DRIVE)
        assert np.isfinite(stabilised).all()
        shown = domain.intensity(stabilised, DRIVE)
        assert np.isfinite(shown).all()
        assert np.isfinite(domain.restabilise(shown, DRIVE)).all()


# --- what is measured ---


@pytest.mark.parametrize("peak", [2.0, 20.0])
@pytest.mark.parametrize("gain", [1.0, 2.2])
def test_the_gain_is_measured(peak, gain):
    from skimage import data

    photons = data.camera() * (peak / 255)
    random = np.random.default_rng(0)
    values = gain * random.poisson(photons) + 0.1 * random.normal(size=photons.shape)
    image = Image.of(values.astype(np.float32))
    found = Anscombe().resolved(image)
    assert found.gain == pytest.approx(gain, rel=0.06)
    # What the transform depends on: the variance where there is no light.
    at_zero = found.read_noise**2 - found.gain * found.offset
    assert at_zero == pytest.approx(0.01, abs=0.05 * gain**2 * peak)


def test_counted_photons_need_no_line():
    from skimage import data

    random = np.random.default_rng(3)
    photons = random.poisson(data.moon()[100:356, 100:356] * (5 / 255)).astype(np.float64)
    image = Image.of((photons / 5).astype(np.float32))
    found = Anscombe().resolved(image)
    assert (found.gain, found.offset, found.read_noise) == (pytest.approx(0.2), 0.0, 0.0)
    assert found == nd.Recipe(domain="auto").resolved_on(image).domain


@pytest.mark.parametrize("spoilt", ["read noise", "two a photon", "scaled"])
def test_whole_numbers_alone_are_no_counts(spoilt):
    random = np.random.default_rng(3)
    y, x = np.meshgrid(*(np.linspace(0, 1, 256) for _ in range(2)), indexing="ij")
    photons = random.poisson(0.5 + 3 * y + (x > 0.4)).astype(np.float64)
    values = {
        "read noise": np.round(photons + 0.5 * random.normal(size=photons.shape)),
        "two a photon": np.round(photons * 2 + 0.5 * random.normal(size=photons.shape)),
        "scaled": photons + 1e-3 * random.random(photons.shape),
    }
    image = Image.of(np.maximum(values[spoilt], 0).astype(np.float32))
    found = Anscombe().resolved(image)
    assert found.read_noise > 0.1 or found.gain not in (1.0, 2.0)


def test_what_is_typed_stays():
    image = Image.of(counts((160, 170)) * 3 + 50)
    found = Anscombe(gain=3.0).resolved(image)
    assert found.gain == 3.0
    assert found.offset == pytest.approx(50, abs=3)
    assert found.read_noise == 0.0
    typed = Anscombe(offset=50.0).resolved(image)
    assert typed.offset == 50.0
    assert typed.gain == pytest.approx(3.0, rel=0.1)
    assert Anscombe(read_noise=1.0).resolved(image).read_noise == 1.0
    assert CAMERA.resolved(image) is CAMERA


@pytest.mark.parametrize(
    "image",
    [np.zeros((30, 30)), np.full((3, 3), 5.0), np.full((40, 40), -7.0), np.eye(1)],
    ids=["black", "small", "negative", "one"],
)
def test_images_that_say_nothing_still_give_numbers(image):
    source = Image.of(image)
    for cls in DOMAINS:
        found = cls().resolved(source)
        assert not found.autos()
        assert np.isfinite(found.image(source).data).all()
    assert variance_line(source, None, None, None)[0] > 0


@pytest.mark.parametrize("looks", [1.0, 4.0, 16.0])
def test_the_looks_are_measured(looks):
    random = np.random.default_rng(0)
    scene = np.add.outer(np.linspace(1, 3, 300), np.linspace(0, 2, 300) > 1)
    image = Image.of(scene * random.gamma(looks, 1 / looks, scene.shape))
    assert Log().resolved(image).looks == pytest.approx(looks, rel=0.15)


def test_a_chunked_image_is_measured_alike():
    image = counts((64, 66))
    whole = Image.of(image)
    chunked = Image.of(da.from_array(image, chunks=(20, 30)))
    for cls in DOMAINS:
        assert cls().resolved(chunked) == cls().resolved(whole)


# --- a run in a domain ---


class TestRun:
    def test_is_noise_and_filter_on_stabilised_values(self):
        """Written out: into the domain, noise, filter, and back, again and again."""
        image = counts()
        steps = made(image, RECIPE)
        values = PHOTONS.stabilise(image.astype(np.float64), DRIVE)
        for step in steps[:3]:
            values = RECIPE.noise(values, step.noise_scale, seed=7, step=step.index)
            values = RECIPE.diffusion_filter(values)
            np.testing.assert_allclose(step.image, PHOTONS.intensity(values, DRIVE), atol=2e-4)
        values = RECIPE.final_filter(values)
        np.testing.assert_allclose(steps[3].image, PHOTONS.intensity(values, DRIVE), atol=2e-4)

    @pytest.mark.parametrize("domain", DOMAIN_VARIANTS, ids=repr)
    def test_going_on_from_any_step_gives_the_same_bits(self, domain):
        recipe = RECIPE.replaced(domain=domain)
        whole = made(counts() * 3 + 100, recipe)
        for k in range(3):
            assert_same(made(whole[k].image, recipe, first_step=k + 1), whole[k + 1 :])

    def test_scale_and_contrast_are_measured_on_stabilised_values(self):
        image = 100 + 2.2 * counts((200, 210), peak=60.0)
        recipe = RECIPE.replaced(
            starting_noise_scale="auto", diffusion_filter=PeronaMalik(), domain=CAMERA
        )
        resolved = recipe.resolved(image)
        assert resolved.starting_noise_scale == pytest.approx(1.0, rel=0.1)
        stabilised = CAMERA.stabilise(np.ascontiguousarray(image), DRIVE)
        assert resolved.diffusion_filter.contrast == nd.estimate.contrast(stabilised)
        assert resolved.resolved(image) == resolved
        assert not nd.Recipe(domain="anscombe", starting_noise_scale=1.0).is_resolved

    @pytest.mark.parametrize("case", CASES, ids=str)
    def test_any_layout(self, case):
        image = 9 * np.abs(case.image(np.float32))
        for domain in ("anscombe", "log"):
            recipe = RECIPE.replaced(domain=domain, num_steps=2)
            for step in nd.steps(image, recipe, **case.options):
                assert step.image.shape == case.shape
                assert step.image.dtype == np.float32
                assert np.isfinite(step.image).all()

    def test_outside_a_mask_and_in_holes_nothing_changes(self):
        image, mask = counts(), np.random.default_rng(0).random((29, 31)) > 0.4
        for step in nd.steps(image, RECIPE, mask=mask):
            np.testing.assert_array_equal(step.image[~mask], image[~mask])
            assert np.mean(step.image[mask] == image[mask]) < 0.1
        image[3:6, 4] = np.nan
        for step in nd.steps(image, RECIPE, missing="ignore"):
            np.testing.assert_array_equal(np.isnan(step.image), np.isnan(image))

    def test_regions_and_chunks_have_the_bits_of_the_whole(self):
        image, region = counts((60, 61)), (slice(20, 31), slice(5, 33))
        mask = np.tri(60, 61, 9, bool)
        for recipe in (RECIPE, RECIPE.replaced(schedule=Measured())):
            for options in ({}, {"mask": mask}):
                whole = made(image, recipe, **options)
                part = made(image, recipe, region=region, **options)
                chunked = made(da.from_array(image, chunks=(17, 40)), recipe, **options)
                for a, b, c in zip(whole, part, chunked, strict=True):
                    assert a.noise_scale == b.noise_scale == c.noise_scale
                    np.testing.assert_array_equal(b.image, a.image[region])
                    np.testing.assert_array_equal(c.image.compute(), a.image)

    def test_alpha_stays(self):
        image = np.random.default_rng(0).integers(0, 256, (12, 14, 4), np.uint8)
        for step in nd.steps(image, RECIPE, axes="yxc", rgb=True):
            np.testing.assert_array_equal(step.image[..., 3], image[..., 3])

    def test_too_much_noise_is_refused_in_the_domain_s_words(self):
        with pytest.raises(ValueError, match=r"noise_scale=1e\+25 is in stabilised units"):
            made(counts(), RECIPE.replaced(starting_noise_scale=1e25))

    def test_the_record_says_so(self):
        step = made(counts(), RECIPE)[1]
        kept = provenance.record(RECIPE, step, {"axes": "yx"}, "few photons")
        assert kept["units"] == "stabilised"
        assert "0.5 in stabilised units" in kept["processed"]
        assert (
            "stabilised by the Anscombe transform (gain 1, offset 0, read noise 0)"
            in kept["processed"]
        )
        plain = provenance.record(RECIPE.replaced(domain=None), step, {"axes": "yx"}, "x")
        assert "units" not in plain
        assert "stabilised" not in plain["processed"]


class TestRecipe:
    @pytest.mark.parametrize(("name", "domain"), [("anscombe", Anscombe()), ("log", Log())])
    def test_a_name_stands_for_the_domain_with_everything_measured(self, name, domain):
        recipe = nd.Recipe(domain=name)
        assert recipe == nd.Recipe(domain=domain)
        assert nd.Recipe.from_json(recipe.to_json()) == recipe
        assert nd.Recipe.from_dict({"domain": name}) == recipe
        assert with_setting({}, "domain", name)["domain"]["type"] == type(domain).__name__

    @given(st.sampled_from(DOMAIN_VARIANTS))
    def test_json(self, domain):
        recipe = nd.Recipe(domain=domain)
        assert nd.Recipe.from_json(recipe.to_json()) == recipe

    def test_the_command_line_says_so(self):
        from napari_diffusion.cli.recipe import summary

        assert summary(nd.Recipe(domain="log")).endswith(", on values stabilised by Log")
        assert "stabilised" not in summary(nd.Recipe())

    def test_settings_reach_into_it(self):
        values = with_setting(nd.Recipe(domain="anscombe").to_dict(), "domain.gain", 2)
        assert nd.Recipe.from_dict(values).domain == Anscombe(gain=2.0)
        assert with_setting(values, "domain", "none")["domain"] is None

    @pytest.mark.parametrize(
        ("domain", "error", "sentence"),
        [
            ("sqrt", ValueError, r"no domain 'sqrt': use one of 'anscombe', 'log'"),
            (Anscombe, TypeError, r"domain must be a domain an object, with brackets or None"),
            (3, TypeError, r"domain must be a domain or None \(got 3\)"),
        ],
    )
    def test_refusals(self, domain, error, sentence):
        with pytest.raises(error, match=sentence):
            nd.Recipe(domain=domain)

    def test_unresolved_domains_refuse_to_work(self):
        for cls in DOMAINS:
            with pytest.raises(ValueError, match='is still "auto"'):
                cls().stabilise(np.ones(3), DRIVE)


# --- two photons ---


def scenes():
    from skimage import data

    return {
        "camera": data.camera(),
        "face": data.astronaut()[:256, 100:356].mean(axis=2),
        "cell": data.cell(),
    }


@pytest.mark.parametrize("chosen", [TotalVariation(weight=0.8), TotalVariationFlow(time=1.0)])
@pytest.mark.parametrize("name", ["camera", "face", "cell"])
def test_two_photons_keep_their_mean_and_gain_two_decibels(name, chosen):
    scene = scenes()[name]
    photons = scene / scene.max() * 2.0
    noisy = np.random.default_rng(3).poisson(photons).astype(np.float32)
    recipe = nd.Recipe(num_steps=1, noise=None, diffusion_filter=chosen, domain=PHOTONS)
    shown = nd.run(noisy, recipe).image.astype(np.float64)
    values = chosen(PHOTONS.stabilise(noisy, DRIVE)).astype(np.float64)
    algebraic = values**2 / 4 - 3 / 8
    assert shown.mean() == pytest.approx(noisy.mean(dtype=np.float64), rel=0.005)
    assert algebraic.mean() < 0.95 * shown.mean()
    gained = 10 * np.log10(np.mean((algebraic - photons) ** 2) / np.mean((shown - photons) ** 2))
    assert gained > 2.0
    # Measured numbers do nearly as well as those that are known.
    measured = nd.run(noisy, dataclasses.replace(recipe, domain="anscombe")).image
    assert measured.mean(dtype=np.float64) == pytest.approx(noisy.mean(dtype=np.float64), rel=0.02)
