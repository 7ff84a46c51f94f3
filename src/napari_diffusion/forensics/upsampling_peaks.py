"""Upsampling peaks: what stands out in the spectrum at ½ and ¼ of the sampling rate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from napari_diffusion.estimate.jpeg import position_of_blocks
from napari_diffusion.forensics.base import Evidence, Null, Trace
from napari_diffusion.forensics.reading import NOTHING, Curve, Number, Reading
from napari_diffusion.forensics.statistics.plane_choice import (
    chosen_planes,
    plane_name,
    planes_read,
)
from napari_diffusion.forensics.upsampling.peak_heights import (
    SIZE,
    Heights,
    heights_of,
    radial_power,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Of a stack, so many planes are named.
_MOST_REMARKS = 5

_JPEG = "It was a JPEG, whose blocks have peaks at these frequencies too."

_X, _Y = "spatial frequency (cycles per pixel)", "log₁₀ of power (intensity²)"
_NAMES = {
    "corner": "at ½ along y and x",
    "axes": "at ½ along one axis",
    "quarters": "at ¼ along y or x",
}


@dataclass(frozen=True)
class UpsamplingPeaks(Trace):
    """Peaks of the spectrum at ½ and ¼ of the sampling rate, as upsampling and networks leave them.

    ``height(f) = ⟨log₁₀ P(f)⟩ − median of ⟨log₁₀ P⟩ around f``, with the power P of windows.

    Zeros put between pixels copy the spectrum around ½; what the kernel after them does not remove
    is a checkerboard. The median is that of frequencies 4 to 6 steps away. Heights at all other
    frequencies of the same image are what it is compared with.

    Notes
    -----
    Use it on images that a network or a deconvolution may have made. Ranks among the frequencies of
    one image are no probabilities. In an image with JPEG blocks, whose peaks are at multiples of
    1/8, they say little.

    References
    ----------
    Odena, Dumoulin and Olah (2016), Deconvolution and checkerboard artifacts; Durall, Keuper and
    Keuper (2020), Watch your up-convolution.
    """

    null: ClassVar[Null] = "same image"
    assumes: ClassVar[str] = "The image was not resampled or smoothed after upsampling."
    misleads: ClassVar[tuple[str, ...]] = (
        "Colour filters of a camera, interlacing, alternating gains of a sensor and dithering have "
        "period 2.",
        "JPEG blocks have peaks at multiples of 1/8.",
        "Prints, screens, fabrics and crystals have periods of their own.",
    )

    def worthless(self, evidence: Evidence) -> str:
        """Return why there is nothing to read; see `Trace.worthless`."""
        if min(evidence.image.data.shape[-2:]) < SIZE:
            return f"It needs {SIZE} rows and columns or more."
        return ""

    def read(self, evidence: Evidence) -> Reading:
        """Return spectra and heights, of a stack those of the most telling plane; see `Trace`."""
        found: dict[tuple[int, ...], Heights] = {}
        blocks = False
        for index, plane in chosen_planes(evidence.image):
            evidence.threads.poll()
            if np.ptp(plane) > 0:
                found[index] = heights_of(plane)
                blocks |= evidence.dtype == np.uint8 and position_of_blocks(plane[None]) is not None
        left_out = planes_read(evidence.image)
        if not found:
            return Reading(self, remarks=("There is nothing to read: the image is constant.",))
        said = [_words(*each) for each in found.items() if _excess(each[1]) > 0][:_MOST_REMARKS]
        if blocks:
            left_out = (_JPEG, *left_out)
        most = max(found, key=lambda index: _excess(found[index]))
        return Reading(
            self, curves=_curves(found[most]), numbers=_numbers(most, found[most]),
            remarks=(*(said or [NOTHING]), *left_out),
        )  # fmt: skip


def _excess(heights: Heights) -> float:
    """Return by how much the highest peak exceeds those at all other frequencies."""
    return max(heights.peaks.values()) - float(heights.others.max())


def _words(index: tuple[int, ...], heights: Heights) -> str:
    name = max(heights.peaks, key=lambda each: heights.peaks[each])
    where = f" of {plane_name(index)}" if index else ""
    return (
        f"The spectrum{where} has a peak {_NAMES[name]} that is higher than at any other frequency "
        "of this image, as after upsampling. This also happens with colour filters of a camera, "
        "dithering and regular structures."
    )


def _numbers(index: tuple[int, ...], heights: Heights) -> tuple[Number, ...]:
    most, all_of_them = np.quantile(heights.others, (0.99, 1.0))
    usual = f"at other frequencies: 99 % below {most:.2f}, all below {all_of_them:.2f}"
    where = f", {plane_name(index)}" if index else ""
    return tuple(
        Number(f"height of the peak {_NAMES[name]}{where} (log₁₀ of power)", height, words=usual)
        for name, height in heights.peaks.items()
    )


def _curves(heights: Heights) -> tuple[Curve, ...]:
    frequency, mean, highest = radial_power(heights.power)

    def curve(name: str, y: NDArray[np.float64], *, is_null: bool = False) -> Curve:
        return Curve(name, _X, _Y, tuple(map(float, frequency)), tuple(map(float, y)), is_null)

    return curve("highest in each ring", highest), curve("mean of each ring", mean, is_null=True)
