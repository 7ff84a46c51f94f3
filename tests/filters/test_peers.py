"""The same numbers as other libraries, where these are installed (`pip install .[bench]`)."""

from __future__ import annotations

import math

import numpy as np
import pytest

from napari_diffusion.filters import Heat, MeanCurvature, PeronaMalik

# Their wrappers warn about themselves when they are imported.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

# The largest stable sub-step is 1/4 in the plane and 1/6 in space; ours takes 0.8 of it.
TAU = {2: 0.8 / 4, 3: 0.8 / 6}
COUNT = 8

SHAPES = [(60, 70), (24, 25, 26)]

# Ours, DIPlib's name, and its K for the same gradient of greatest flux.
DIPLIB = [
    ("rational", "quadratic", 1.0),
    ("exponential", "Gauss", math.sqrt(2.0)),
    ("simple exponential", "exponential", 1.0),
    ("tukey", "Tukey", math.sqrt(5.0)),
]

# Ours, MedPy's option, its K and its step: its Tukey ends at √2 K and has a factor of one half.
MEDPY = [
    ("exponential", 1, math.sqrt(2.0), 1.0),
    ("rational", 2, 1.0, 1.0),
    ("tukey", 3, math.sqrt(2.5), 2.0),
]


def example_image(shape):
    return (100 * np.random.default_rng(0).random(shape)).astype(np.float32)


def diffused(image, conductance):
    chosen = PeronaMalik(contrast=20.0, conductance=conductance, time=COUNT * TAU[image.ndim])
    out = chosen(image)
    assert np.abs(out - image).max() > 20
    return out


@pytest.mark.parametrize("shape", SHAPES, ids=len)
@pytest.mark.parametrize(("conductance", "option", "factor", "step"), MEDPY)
def test_medpy(conductance, option, factor, step, shape):
    smoothing = pytest.importorskip("medpy.filter.smoothing")
    image = example_image(shape)
    theirs = smoothing.anisotropic_diffusion(
        image, niter=COUNT, kappa=20.0 * factor, gamma=step * TAU[image.ndim], option=option
    )
    np.testing.assert_allclose(diffused(image, conductance), theirs, rtol=0, atol=3e-6 * 100)


@pytest.mark.parametrize("shape", SHAPES, ids=len)
@pytest.mark.parametrize(("conductance", "name", "factor"), DIPLIB)
def test_diplib_away_from_its_borders(conductance, name, factor, shape):
    diplib = pytest.importorskip("diplib")
    image = example_image(shape)
    theirs = np.asarray(
        diplib.PeronaMalikDiffusion(
            diplib.Image(image), COUNT, 20.0 * factor, TAU[image.ndim], name
        )
    )
    # Nothing reaches farther than a pixel a sub-step.
    inner = (slice(COUNT, -COUNT),) * len(shape)
    np.testing.assert_allclose(
        diffused(image, conductance)[inner], theirs[inner], rtol=0, atol=3e-6 * 100
    )


def test_simpleitk_without_a_contrast():
    itk = pytest.importorskip("SimpleITK")
    image = example_image((60, 70)).astype(np.float64)
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


@pytest.mark.parametrize("shape", [(60, 70), (16, 17, 18)], ids=len)
def test_simpleitk_s_curvature_flow(shape):
    """The same differences; ours are kept in the range of neighbours, which smooth ones are."""
    itk = pytest.importorskip("SimpleITK")
    image = Heat(time=2.0)(10 * np.random.default_rng(0).random(shape))
    theirs = itk.GetArrayFromImage(
        itk.CurvatureFlow(itk.GetImageFromArray(image), timeStep=0.05, numberOfIterations=5)
    )
    ours = image
    for _ in range(5):
        ours = MeanCurvature(time=0.05)(ours)
    assert np.abs(ours - image).max() > 0.01
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-12)
