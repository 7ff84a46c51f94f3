"""How often an image is read in: once, however many runs are made of it."""

from __future__ import annotations

import numpy as np
import pytest

import napari_diffusion as nd
from napari_diffusion.core.image import Image
from napari_diffusion.metrics import Psnr, Sure

IMAGE = np.random.default_rng(0).normal(100, 5, (64, 72)).astype(np.float32)
SMOOTH = nd.Recipe(
    num_steps=2,
    starting_noise_scale=0.0,
    noise=None,
    diffusion_filter=nd.filters.PeronaMalik(contrast=20.0, time=0.3),
)
NOISY = nd.Recipe(num_steps=2, starting_noise_scale=1.0)


@pytest.fixture
def readings(monkeypatch):
    """Return the list of arrays that were read in; images that were before do not count."""
    read = []
    of = Image.of.__func__

    def counting(cls, image, **options):
        if not isinstance(image, Image):
            read.append(image)
        return of(cls, image, **options)

    monkeypatch.setattr(Image, "of", classmethod(counting))
    return read


@pytest.mark.parametrize(
    "call",
    [
        lambda image: nd.analysis.best_step(image, SMOOTH),
        lambda image: nd.analysis.best_step(image, NOISY, region=(slice(8, 40), slice(8, 40))),
        lambda image: nd.analysis.curves(image, NOISY, [Sure()], seeds=2),
        lambda image: nd.analysis.parameter_sweep(image, SMOOTH, {"time": [0.1, 0.2]}),
        lambda image: nd.analysis.local_error(image, SMOOTH, noise_sigma=5.0, white=True),
        lambda image: nd.analysis.ensemble(image, NOISY, seeds=3),
        lambda image: list(nd.analysis.noise_free_run(image, NOISY)),
        lambda image: nd.denoise(image, fast=True),
        lambda image: nd.run(image, NOISY),
        lambda image: nd.estimate.evidence(image),
        lambda image: nd.estimate.noise_model(image),
    ],
    ids=[
        "best step", "best step of a region", "curves", "parameter sweep", "local error",
        "ensemble", "noise-free run", "denoise", "run", "evidence", "noise model",
    ],
)  # fmt: skip
def test_an_image_is_read_in_once(readings, call):
    call(IMAGE)
    assert len(readings) == 1
    assert readings[0] is IMAGE


def test_a_reference_and_a_second_image_are_read_in_once_each(readings):
    nd.analysis.best_step(IMAGE, SMOOTH, reference=IMAGE + 1, second=IMAGE + 2)
    assert len(readings) == 3


def test_an_image_that_was_read_in_is_not_read_again(readings):
    image = Image.of(IMAGE)
    found = nd.analysis.curves(image, SMOOTH, [Sure()])
    assert len(readings) == 1
    assert found[0].values == nd.analysis.curves(IMAGE, SMOOTH, [Sure()])[0].values
    with pytest.raises(ValueError, match=r"image's shape \(1, 1, 1, 64, 72\) .* 8\)"):
        nd.analysis.curves(image, SMOOTH, [Psnr()], reference=IMAGE[:, :8])
