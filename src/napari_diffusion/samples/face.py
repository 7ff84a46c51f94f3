"""A face as a phone sees it at night."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.samples.base import Sample, exploring, shipped

if TYPE_CHECKING:
    from numpy.typing import NDArray

EXPOSURE = 0.2
LAMP = (1.0, 0.82, 0.6)
FULL_WELL = 90
READ_NOISE = 2.5
JPEG_QUALITY = 28

# In grey levels. JPEG left less noise than that in the face, too little to be seen when added.
NOISE_SCALE = 12.0


def degraded_face() -> Sample:
    """Return a dim, noisy and JPEG-compressed portrait: RGB, 256 x 256, uint8.

    The portrait of Eileen Collins that ships with scikit-image (NASA, public domain) is lit by
    one fifth of the light of a warm lamp, counted in photons by a small sensor with read noise,
    and stored as a strongly compressed JPEG, whose blocks of 8 x 8 pixels stay visible.
    """
    portrait = shipped("astronaut")[:256, 96:352] / 255.0
    light = _linear(portrait) * np.array(LAMP) * EXPOSURE
    return Sample(
        name="degraded face",
        image=_jpeg(_display(_sensor(light))),
        axes="yxc",
        spacing=(1.0, 1.0),
        unit="pixel",
        rgb=True,
        about=(
            "Crop of scikit-image's astronaut (NASA, public domain), degraded on purpose: "
            f"exposure x {EXPOSURE} under a warm lamp, photon noise with {FULL_WELL} electrons at "
            f"white, read noise of {READ_NOISE} electrons, JPEG of quality {JPEG_QUALITY}."
        ),
        recipe=exploring(start=NOISE_SCALE),
    )


def _sensor(light: NDArray[Any]) -> NDArray[Any]:
    """Return what a sensor reads where `light` falls, white = 1: photon and read noise."""
    random = np.random.default_rng(1981)
    electrons = random.poisson(light * FULL_WELL)
    return (electrons + random.normal(0.0, READ_NOISE, light.shape)) / FULL_WELL


def _jpeg(image: NDArray[Any]) -> NDArray[Any]:
    from PIL import Image

    file = BytesIO()
    Image.fromarray(np.round(image * 255).astype(np.uint8)).save(file, "JPEG", quality=JPEG_QUALITY)
    return np.array(Image.open(file))


def _linear(value: NDArray[Any]) -> NDArray[Any]:
    """Return the light behind sRGB values (IEC 61966-2-1)."""
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def _display(light: NDArray[Any]) -> NDArray[Any]:
    """Return the sRGB values of light, cut to what a file can hold."""
    light = np.clip(light, 0.0, 1.0)
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
