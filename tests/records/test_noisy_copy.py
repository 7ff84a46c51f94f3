"""A noisy copy without the loop: the same values as the noise itself, and its record."""

from __future__ import annotations

import json
import threading

import numpy as np
import pytest

import napari_diffusion as nd
from napari_diffusion.loop.registry import from_dict
from napari_diffusion.records.noisy_copy import noise_record, noisy_copy

IMAGE = np.random.default_rng(0).random((30, 40)).astype(np.float32) + 1
NOISES = [nd.noise.Gaussian(), nd.noise.Poisson(), nd.noise.PowerLaw()]


@pytest.mark.parametrize("noise", NOISES, ids=lambda noise: type(noise).__name__)
def test_it_has_the_values_of_the_noise(noise):
    made = noisy_copy(IMAGE, noise, 0.1, 5)
    np.testing.assert_array_equal(made.image, noise(IMAGE, 0.1, seed=5))
    region = (slice(3, 20), slice(11, 40))
    part = noisy_copy(IMAGE, noise, 0.1, 5, region=region)
    np.testing.assert_array_equal(part.image, made.image[region])


def test_the_scale_can_be_that_of_the_image_or_of_the_noise():
    own = noisy_copy(IMAGE, nd.noise.Gaussian())
    assert own.noise_scale == nd.estimate.noise_sigma(IMAGE)
    typed = noisy_copy(IMAGE, nd.noise.Poisson(), None)
    np.testing.assert_array_equal(typed.image, nd.noise.Poisson()(IMAGE))
    share = noisy_copy(IMAGE, nd.noise.Gaussian(), "5% of range")
    assert share.noise_scale == 5 * (float(IMAGE.max()) - float(IMAGE.min())) / 100
    kept = noise_record(share, {}, "cell")
    assert kept["asked"] == {"noise_scale": "5 % of range"}
    assert f"standard deviation {share.noise_scale:.4g} (5 % of range)" in kept["processed"]
    with pytest.raises(TypeError, match='a number, one per channel, "auto" or a share'):
        noisy_copy(IMAGE, nd.noise.Gaussian(), "some")
    with pytest.raises(ValueError, match="2 values, but the image has 1"):
        noisy_copy(IMAGE, nd.noise.Gaussian(), (0.1, 0.2))
    with pytest.raises(TypeError, match="noise_scale must be a number"):
        noisy_copy(IMAGE, nd.noise.Gaussian(), None)


def test_it_stays_lazy_for_dask_and_can_be_stopped():
    da = pytest.importorskip("dask.array")
    lazy = noisy_copy(da.from_array(IMAGE, chunks=16), nd.noise.Gaussian(), 0.1)
    assert isinstance(lazy.image, da.Array)
    np.testing.assert_array_equal(lazy.image, nd.noise.Gaussian()(IMAGE, 0.1))
    stop = threading.Event()
    stop.set()
    with pytest.raises(nd.Stopped):
        noisy_copy(IMAGE, nd.noise.Gaussian(), 0.1, stop=stop)


def test_the_record_says_what_was_done_and_how_to_do_it_again():
    mask = IMAGE > 1.5
    grid = {"axes": "yx", "spacing": (0.5, 0.5), "mask": mask}
    made = noisy_copy(IMAGE, nd.noise.Poisson(), 0.1, 2**64 - 1, **grid)
    record = json.loads(json.dumps(noise_record(made, grid, "cells", layers=None, more=1)))
    assert record["processed"].startswith("Processed, not raw data: 'cells' with Poisson (")
    assert (
        "noise added on purpose (standard deviation 0.1, random seed 18446744073709551615)."
        in (record["processed"])
    )
    assert record["more"] == 1
    assert "layers" not in record
    assert record["grid"]["spacing"] == [0.5, 0.5]
    again = from_dict("noise", record["noise"])(
        IMAGE, record["noise_scale"], seed=record["seed"], **grid
    )
    np.testing.assert_array_equal(made.image, again)
    np.testing.assert_array_equal(made.image[~mask], IMAGE[~mask])


def test_noises_within_a_noise_are_named():
    both = nd.noise.Sum((nd.noise.Gaussian(), nd.noise.Uniform()))
    said = noise_record(noisy_copy(IMAGE, both, 0.1), {"axes": "yx"}, "cells")["processed"]
    assert "Gaussian / Uniform" in said
    assert "(," not in said
