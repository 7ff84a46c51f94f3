"""The filter for small images of one kind: the laws of all filters on images of its size."""

from __future__ import annotations

import json

import dask.array as da
import laws
import numpy as np
import pytest
from cases import Case

import napari_diffusion as nd
from napari_diffusion.core.image import Image
from napari_diffusion.filters import GaussianMixture
from napari_diffusion.filters.mixture.weights import MIXTURES
from napari_diffusion.learning.half_prediction import predicted
from napari_diffusion.loop.registry import from_dict, to_dict

CASES = (
    Case("plane", "yx", (8, 8)),
    Case("stretched-plane", "yx", (8, 8), {"spacing": (0.5, 2.0)}),
    Case("volume", "zyx", (5, 8, 8)),
    Case("video", "tyx", (3, 8, 8), {"along": "tyx"}),
    Case("channels", "cyx", (3, 8, 8)),
    Case("colours", "yxc", (8, 8, 3), {"rgb": True}),
    Case("five-axes", "tczyx", (2, 2, 3, 8, 8)),
)
LAWS = (laws.returns_its_own, laws.survives_extremes, laws.survives_denormals, laws.keeps_type)


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_laws_of_every_filter(law, case):
    law(GaussianMixture(0.2), case)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_each_plane_comes_out_as_if_it_were_filtered_alone(case):
    image, chosen = case.image(np.float32), GaussianMixture(0.3)
    out = chosen(image, **case.options)
    model, _ = MIXTURES.named("digits")
    planes, found = (
        np.moveaxis(each, [case.axes.index(a) for a in "yx"], (-2, -1)) for each in (image, out)
    )
    for index in np.ndindex(planes.shape[:-2]):
        expected = model.expected(planes[index], 0.3).astype(np.float32)
        np.testing.assert_array_equal(found[index], expected)


def test_it_is_frozen_and_survives_json():
    for chosen in (GaussianMixture(), GaussianMixture((0.1, 0.2)), GaussianMixture("1.5 × auto")):
        laws.is_frozen_and_equal_by_value(chosen)
        assert from_dict("filter", json.loads(json.dumps(to_dict(chosen)))) == chosen


def test_chunks_and_threads_give_the_same_bits():
    image = np.random.default_rng(0).random((6, 8, 8), np.float32)
    whole = GaussianMixture(0.3)(image, axes="tyx")
    for chunks in ((1, 8, 8), (4, 3, 5)):
        parts = GaussianMixture(0.3)(da.from_array(image, chunks=chunks), axes="tyx")
        np.testing.assert_array_equal(np.asarray(parts), whole)


def test_each_channel_has_its_noise_and_0_keeps_it():
    image = np.random.default_rng(0).random((3, 8, 8), np.float32)
    out = GaussianMixture((0.0, 0.1, 0.7))(image, axes="cyx")
    np.testing.assert_array_equal(out[0], image[0])
    for c, sigma in ((1, 0.1), (2, 0.7)):
        np.testing.assert_array_equal(out[c], GaussianMixture(sigma)(image[c]))
    with pytest.raises(ValueError, match="lists 2 values, but the image has 3 channels"):
        GaussianMixture((0.1, 0.2))(image, axes="cyx")


@pytest.mark.parametrize(
    ("shape", "axes"), [((9, 8), "yx"), ((8, 8, 9), "zyx"), ((512, 512), "yx")]
)
def test_images_of_another_size_are_refused_with_the_cure(shape, axes):
    words = rf"for planes of 8 × 8 pixels \(got {shape[-2]} × {shape[-1]}\): cut or bin the image"
    with pytest.raises(ValueError, match=words):
        GaussianMixture(0.1)(np.zeros(shape), axes=axes)
    with pytest.raises(ValueError, match=words):
        nd.run(np.zeros(shape), nd.Recipe(diffusion_filter=GaussianMixture()), axes=axes)


def test_weights_that_are_not_there_are_refused():
    with pytest.raises(ValueError, match=r"weights must be 'digits', a \.npz file"):
        GaussianMixture(0.1, "faces")
    with pytest.raises(ValueError, match=r"are not here: put their \.npz file into"):
        GaussianMixture(0.1, "sha256:" + 64 * "0")(np.zeros((8, 8)))


def test_a_resolved_filter_names_its_weights_by_hash():
    image = np.random.default_rng(0).random((8, 8))
    chosen = GaussianMixture(0.1).resolved(Image.of(image))
    assert chosen.weights == MIXTURES.hashed("digits")
    np.testing.assert_array_equal(chosen(image), GaussianMixture(0.1)(image))
    assert MIXTURES.spoken(chosen.weights).startswith("digits (SHA-256 ")


def test_the_shipped_weights_say_what_they_were_learned_from():
    _, about = MIXTURES.named("digits")
    ((package, _, file, author, licence),) = about["learned_from"]
    assert (package, licence) == ("scikit-learn", "CC-BY-4.0")
    assert file.endswith("digits.csv.gz")
    assert "Alpaydin" in author
    assert (about["images"], about["shape"]) == (1797, [8, 8])
    assert 0.4 < about["explained"] < 0.7


def made_from_noise(count, steps, seed=0):
    """Return images that reverse updates make of noise alone, with the shipped weights."""
    start = np.full((count, 8, 8), 0.3, np.float32)
    noise = nd.noise.Gaussian()(start, 3.0, seed=seed, axes="tyx")
    recipe = nd.Recipe(
        num_steps=steps,
        starting_noise_scale=3.0,
        schedule=nd.schedules.Karras(end=0.01),
        diffusion_filter=GaussianMixture(),
        seed=seed,
        update="reverse",
    )
    return nd.run(noise, recipe, axes="tyx").image


def test_of_noise_alone_reverse_updates_make_images_of_the_mixture():
    """Mean, variance and the shares of the Gaussians are those of the mixture, up to chance."""
    model, _ = MIXTURES.named("digits")
    images = made_from_noise(400, 60).astype(np.float64)
    centre = model.shares @ model.centres
    between = np.einsum("k,kq->q", model.shares, (model.centres - centre) ** 2).sum()
    variance = model.shares @ model.variances.sum(axis=1) + between
    variance += model.floor * (64 - len(model.directions))
    assert images.var(axis=0).sum() == pytest.approx(variance, rel=0.08)
    mean = model.mean + (centre @ model.directions).reshape(8, 8)
    error = images.std(axis=0) / np.sqrt(len(images)) + 0.01
    assert (np.abs(images.mean(axis=0) - mean) < 4.5 * error).all()
    along = (images - model.mean).reshape(len(images), -1) @ model.directions.T
    turned = np.einsum("kij,nkj->nki", model.rotations, along[:, None] - model.centres)
    logs = -0.5 * (turned**2 / model.variances + np.log(model.variances)).sum(axis=2)
    of = (np.log(model.shares) + logs).argmax(axis=1)
    expected = len(images) * model.shares
    found = np.bincount(of, minlength=len(expected))
    assert (np.abs(found - expected) < 4.5 * np.sqrt(expected) + 3).all()


def test_halves_of_images_are_completed_as_the_mixture_says():
    """Of images of the mixture itself, the best guess of the missing half is known."""
    model, _ = MIXTURES.named("digits")
    random = np.random.default_rng(2)
    of = random.choice(len(model.shares), 24, p=model.shares)
    points = np.sqrt(model.variances[of]) * random.normal(size=(24, len(model.directions)))
    points = model.centres[of] + np.einsum("nkj,nk->nj", model.rotations[of], points)
    images = model.mean + (points @ model.directions).reshape(-1, 8, 8)
    seen = np.indices((8, 8))[0] < 4
    recipe = nd.Recipe(
        num_steps=25,
        starting_noise_scale=3.0,
        schedule=nd.schedules.Karras(end=0.005),
        diffusion_filter=GaussianMixture(),
        update="reverse",
        measurement=nd.measurements.Masked(noise_sigma=0.02, missing=1.0 - seen),
    )
    noisy = images + 0.02 * random.normal(size=images.shape)
    runs = np.stack(
        [nd.run(noisy, recipe.replaced(seed=seed), axes="tyx").image for seed in range(6)]
    )
    hidden, made = images[:, ~seen], runs[:, :, ~seen]
    error = np.square(made.mean(axis=0) - hidden).mean()
    best = np.square(predicted(model, images, seen) - hidden).mean()
    assert error < 1.6 * best * (1 + 1 / 6)
    assert error < 0.5 * np.square(model.mean[~seen] - hidden).mean()
    spread = np.sqrt(made.var(axis=0, ddof=1) * (1 + 1 / 6))
    covered = np.abs(made.mean(axis=0) - hidden) <= 1.645 * spread
    assert 0.8 < covered.mean() < 0.96
    assert np.square(runs.mean(axis=0)[:, seen] - noisy[:, seen]).mean() < 0.02**2
