"""A cell in too little light."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.samples.base import Sample, exploring, shipped

if TYPE_CHECKING:
    from numpy.typing import NDArray

PHOTONS = 40
GAIN = 2.2
READ_NOISE = 1.6
OFFSET = 100
PIXEL_SIZE = 0.107


def noisy_microscopy() -> Sample:
    """Return a cell recorded with few photons: 256 x 256, uint16, camera offset 100.

    The cell that ships with scikit-image (quantitative phase, CC0, 0.107 micrometres per pixel)
    stands for the mean number of photons. The camera's value is
    ``OFFSET + GAIN * (Poisson(photons) + READ_NOISE * normal)``, rounded.
    """
    photons = shipped("cell")[247:503, 294:550] * (PHOTONS / 255)
    return Sample(
        name="noisy microscopy",
        image=_camera(photons),
        axes="yx",
        spacing=(PIXEL_SIZE, PIXEL_SIZE),
        unit="micrometer",
        about=(
            "Crop of scikit-image's cell (CC0, quantitative phase), with noise added on purpose: "
            f"at most {PHOTONS} photons a pixel, gain {GAIN} a photon, read noise of {READ_NOISE} "
            f"electrons, camera offset {OFFSET}."
        ),
        recipe=exploring(unit="micrometer", pixel_size=PIXEL_SIZE),
    )


def _camera(photons: NDArray[Any]) -> NDArray[np.uint16]:
    """Return the camera's values for the mean number of photons in each pixel."""
    random = np.random.default_rng(1665)
    electrons = random.poisson(photons) + random.normal(0.0, READ_NOISE, photons.shape)
    return np.round(OFFSET + GAIN * electrons).clip(0, 65535).astype(np.uint16)
