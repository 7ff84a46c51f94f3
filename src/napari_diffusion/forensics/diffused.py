"""Diffused: whether fine detail is missing as after diffusion, and after how much of it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from napari_diffusion.estimate.jpeg import position_of_blocks
from napari_diffusion.forensics.base import Evidence, Null, Trace
from napari_diffusion.forensics.diffusion_time.plane import is_whole, middle_plane, unit_of
from napari_diffusion.forensics.diffusion_time.reference_series import TIMES, gaps_of, series_of
from napari_diffusion.forensics.diffusion_time.time_alone import time_alone
from napari_diffusion.forensics.diffusion_time.time_fit import time_of
from napari_diffusion.forensics.reading import NOTHING, Curve, Number, Reading

if TYPE_CHECKING:
    from napari_diffusion.forensics.diffusion_time.reference_series import Gaps
    from napari_diffusion.forensics.diffusion_time.time_fit import FoundTime

_SMALLEST = 64

# Less than this in the logarithm of power is what the reference would lose in 0.25 pixels²: the
# finest detail is below what rounding leaves.
_LEAST_TO_LOSE = 0.25

# Times in steep regions, as a multiple of those in flat ones, of filters that act on both alike.
_ALIKE = (0.5, 1.6)

_UNTOUCHED = "two halves of one untouched image differ by −0.1 to 0.1 in most cases"
_ALONE = "weak: untouched images have a time of their own, median 0.24, up to 5.7"


@dataclass(frozen=True)
class Diffused(Trace):
    """Fine detail that is missing as after diffusion or denoising, with the diffusion time.

    The reference is diffused for a series of times and rounded. The time is that at which its power
    spectrum ``P_reference(ω) exp(−2 t λ(ω))``, ``λ = 4 sin²(ω_y/2) + 4 sin²(ω_x/2)``, is nearest to
    that of the image, in logarithms. Small tiles are compared with those that have as much coarse
    detail, so that another part of the scene can be the reference. The times in flat and in steep
    regions tell filters that keep edges from those that do not. Alone, a power law and white noise
    take the place of the reference.

    Notes
    -----
    Use it with a reference: another crop, another frame or another file of the same source, with
    the same exposure and magnification. Alone the time is a weak hint. Negative times say that the
    reference is the smoother one. After JPEG compression times are read about half as long as they
    were, and have no interval. Noise that was added after diffusion hides it.

    References
    ----------
    Lindeberg (1990), Scale-space for discrete signals; Witkin (1983), Scale-space filtering.
    """

    null: ClassVar[Null] = "reference"
    assumes: ClassVar[str] = (
        "The reference is of the same source, with the same exposure, focus and magnification, and "
        "was saved in the same way."
    )
    misleads: ClassVar[tuple[str, ...]] = (
        "Defocus, motion, a thicker part of the specimen, in-camera denoising, shrinking and "
        "enlarging also remove fine detail.",
        "A part without fine detail, such as sky or empty medium, looks smoother than the rest.",
        "Stronger compression, and another gain or exposure, change fine detail too.",
    )

    def worthless(self, evidence: Evidence) -> str:
        """Return why there is nothing to read; see `Trace.worthless`."""
        images = [evidence.image, *([evidence.reference] if evidence.reference else [])]
        if any(min(each.data.shape[-2:]) < _SMALLEST for each in images):
            return f"It needs {_SMALLEST} pixels or more along y and x, of the reference as well."
        if evidence.reference is None and _was_jpeg(evidence):
            return (
                "It was a JPEG, whose rounding hides the diffusion time: choose a reference of the "
                "same source, saved in the same way."
            )
        return ""

    def read(self, evidence: Evidence) -> Reading:
        """Return the diffusion time; see `Trace.read`."""
        plane, whole = middle_plane(evidence.image), is_whole(evidence.dtype)
        unit = unit_of(plane, whole=whole)
        if evidence.reference is None:
            value = time_alone(plane, unit)
            number = Number("diffusion time, alone (pixels²)", value, words=_ALONE)
            return Reading(self, numbers=(number,), remarks=(_alone_words(value),))
        series = series_of(middle_plane(evidence.reference), unit, whole=whole)
        gaps = gaps_of(plane, series, unit)
        found = None if gaps is None else time_of(gaps)
        if gaps is None or found is None or found.sensitivity < _LEAST_TO_LOSE:
            why = "There is nothing to read: the image or its reference has hardly any fine detail."
            return Reading(self, remarks=(why,))
        jpeg = _was_jpeg(evidence)
        remarks = (_found_words(found), *((_JPEG,) if jpeg else ()))
        numbers = _numbers(found, jpeg)
        return Reading(self, curves=_curves(gaps, found), numbers=numbers, remarks=remarks)


_JPEG = (
    "The image was a JPEG: times are read about half as long as they were, and have no interval."
)


def _was_jpeg(evidence: Evidence) -> bool:
    if evidence.dtype != np.uint8:
        return False
    return position_of_blocks(middle_plane(evidence.image)[None]) is not None


def _alone_words(value: float) -> str:
    if math.isnan(value):
        return "There is nothing to read: hardly any part has structure."
    return (
        f"Its spectrum falls as after a diffusion time of {value:.2g} pixels². This is weak: "
        "half of untouched images have more than 0.24, from lenses, demosaicing and shrinking. A "
        "reference of the same source would tell."
    )


def _found_words(found: FoundTime) -> str:
    if found.low > 0:
        return (
            "This image has less fine detail than its reference, as after a diffusion time of "
            f"{found.low:.2g} to {found.high:.2g} pixels². {_kind(found)} This also happens "
            "with defocus, motion and in-camera denoising."
        )
    if found.high < 0:
        return "The reference has less fine detail than this image."
    return NOTHING


def _kind(found: FoundTime) -> str:
    """Return what the times in flat and steep regions resemble."""
    ratio = max(found.steep, 0.01) / max(found.flat, 0.03)
    if ratio < _ALIKE[0]:
        return "Steep regions keep more than flat ones, as with edge-preserving filters."
    if ratio > _ALIKE[1]:
        return (
            "Steep regions lose more than flat ones, as with coherence-enhancing filters, and where"
            " flat regions had no detail to lose."
        )
    return "Flat and steep regions lose alike, as with linear filters such as a Gaussian."


def _numbers(found: FoundTime, jpeg: bool) -> tuple[Number, ...]:
    low, high = (math.nan, math.nan) if jpeg else (found.low, found.high)
    return (
        Number("diffusion time (pixels²)", found.value, low, high, _UNTOUCHED),
        Number("diffusion time in flat regions (pixels²)", found.flat),
        Number("diffusion time in steep regions (pixels²)", found.steep),
    )


def _curves(gaps: Gaps, found: FoundTime) -> tuple[Curve, ...]:
    """Return the mean power of the image, and of the reference as it is and after that time."""
    at = int(np.abs(TIMES - found.value).argmin())
    own = gaps.found.mean(0)
    lines = {"image": own, "reference": own - gaps.values[0].mean(0)}
    if at:
        lines[f"reference after {TIMES[at]:.2g} pixels²"] = own - gaps.values[at].mean(0)
    frequency = np.sqrt(gaps.rates)
    labels = "spatial frequency (radians per pixel)", "log₁₀ of power (intensity²)"
    return tuple(
        Curve(name, *labels, tuple(map(float, frequency)), tuple(map(float, y / np.log(10))), k > 0)
        for k, (name, y) in enumerate(lines.items())
    )
