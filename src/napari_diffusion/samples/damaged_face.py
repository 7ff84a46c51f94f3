"""A face of which parts are missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.samples.base import Sample, shipped

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Of the light, and the standard deviation of the noise, of a range from 0 to 1.
EXPOSURE = 0.25
NOISE = 0.02

# Rows and columns of the portrait, and what is missing there: scratches from (x, y) to (x, y), and
# holes in boxes of x, y, width and height.
_PART = (slice(16, 176), slice(136, 296))
_SCRATCHES = ((10, 30, 150, 62), (118, 0, 70, 159), (20, 120, 90, 150))
_SCRATCH_WIDTH = 4
_HOLES = ((30, 84, 16, 12), (100, 92, 14, 16), (60, 20, 12, 18))

# Steps of the restoration, and the noise scale of the last one as a fraction of the first.
_STEPS, _END = 30, 0.005


def damaged_face() -> Sample:
    """Return a dark, noisy portrait with scratches and holes: 160 x 160, float32, missing is NaN.

    The portrait of Eileen Collins that ships with scikit-image (NASA, public domain) in grey, at
    one quarter of its light, with white Gaussian noise of standard deviation 0.02.
    """
    grey = shipped("astronaut")[_PART] @ np.array([0.2126, 0.7152, 0.0722]) / 255.0
    truth = (EXPOSURE * grey).astype(np.float32)
    noise = NOISE * np.random.default_rng(1981).standard_normal(truth.shape)
    image = (truth + noise).astype(np.float32)
    image[_missing(*truth.shape)] = np.nan
    return Sample(
        name="damaged face",
        image=image,
        axes="yx",
        spacing=(1.0, 1.0),
        unit="pixel",
        truth=truth,
        about=(
            "Crop of scikit-image's astronaut (NASA, public domain) in grey, damaged on purpose: "
            f"light x {EXPOSURE}, white Gaussian noise of {NOISE}, scratches and holes missing."
        ),
        recipe=_restoring(),
    )


def _missing(height: int, width: int) -> NDArray[np.bool_]:
    from PIL import Image, ImageDraw

    drawn = Image.new("1", (width, height))
    draw = ImageDraw.Draw(drawn)
    for scratch in _SCRATCHES:
        draw.line(scratch, fill=1, width=_SCRATCH_WIDTH)
    for x, y, width, height in _HOLES:
        draw.ellipse((x, y, x + width, y + height), fill=1)
    return np.array(drawn)


def _restoring() -> dict[str, Any]:
    """Return the preset *restore holes* with the noise of the image, as a recipe file has it."""
    return {
        "schema": 1,
        "unit": "pixel",
        "pixel_size": 1.0,
        "num_steps": _STEPS,
        "starting_noise_scale": "100 % of range",
        "noise": {"type": "Gaussian"},
        "schedule": {"type": "Karras", "end": _END},
        "diffusion_filter": {"type": "LearnedDiffusion", "noise_sigma": "2 × step"},
        "final_filter": None,
        "update": "reverse",
        "measurement": {"type": "Masked", "noise_sigma": NOISE},
        "rounds": 3,
        "seed": 0,
    }
