"""The same numbers as other libraries, where these are installed (`pip install .[bench]`)."""

from __future__ import annotations

import math

import numpy as np
import pytest

from napari_diffusion.filters import PeronaMalik

# Their wrappers warn about themselves when they are imported.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

# The largest stable sub-step is 1/4 in the plane and 1/6 in space; ours takes 0.8 of it.
TAU = {2: 0.8 / 4, 3: 0.8 / 6}
COUNT = 8

SHAPES = [(60, 70), (24, 25, 26)]

# Ours, MedPy's option, DIPlib's name, and their K for the same gradient of greatest flux.
CONDUCTANCES = [("rational", 2, "quadratic", 1.0), ("exponential", 1, "Gauss", math.sqrt(2.0))]


def picture(shape):
    return (100 * np.random.default_rng(0).random(shape)).astype(np.float32)


def diffused(image, conductance):
    chosen = PeronaMalik(contrast=20.0, conductance=conductance, time=COUNT * TAU[image.ndim])
    out = chosen(image)
    assert np.abs(out - image).max() > 20
    return out


@pytest.mark.parametrize("shape", SHAPES, ids=len)
@pytest.mark.parametrize(("conductance", "option", "_name", "factor"), CONDUCTANCES)
def test_medpy(conductance, option, _name, factor, shape):
    smoothing = pytest.importorskip("medpy.filter.smoothing")
    image = picture(shape)
    theirs = smoothing.anisotropic_diffusion(
        image, niter=COUNT, kappa=20.0 * factor, gamma=TAU[image.ndim], option=option
    )
    np.testing.assert_allclose(diffused(image, conductance), theirs, rtol=0, atol=3e-6 * 100)


@pytest.mark.parametrize("shape", SHAPES, ids=len)
@pytest.mark.parametrize(("conductance", "_option", "name", "factor"), CONDUCTANCES)
def test_diplib_away_from_its_borders(conductance, _option, name, factor, shape):
    diplib = pytest.importorskip("diplib")
    image = picture(shape)
    theirs = np.asarray(
        diplib.PeronaMalikDiffusion(
            diplib.Image(image), COUNT, 20.0 * factor, TAU[image.ndim], name
        )
    )
    # Nothing reaches farther than a sample a sub-step.
    inner = (slice(COUNT, -COUNT),) * len(shape)
    np.testing.assert_allclose(
        diffused(image, conductance)[inner], theirs[inner], rtol=0, atol=3e-6 * 100
    )


def test_simpleitk_without_a_contrast():
    itk = pytest.importorskip("SimpleITK")
    image = picture((60, 70)).astype(np.float64)
    theirs = itk.GetArrayFromImage(
        itk.GradientAnisotropicDiffusion(
            itk.GetImageFromArray(image),
            timeStep=0.1,
            conductanceParameter=1e9,
            conductanceScalingUpdateInterval=1,
            numberOfIterations=COUNT,
        )
    )
    ours = image
    for _ in range(COUNT):
        ours = PeronaMalik(contrast=1e30, time=0.1)(ours)
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-11)
