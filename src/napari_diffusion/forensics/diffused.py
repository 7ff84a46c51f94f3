"""Diffused: whether fine detail is missing as after diffusion, and after how much of it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from napari_diffusion.estimate.jpeg import position_of_blocks
from napari_diffusion.forensics.base import Evidence, Null, Trace
from napari_diffusion.forensics.diffusion_time.plane import is_whole, middle_of, part_read, unit_of
from napari_diffusion.forensics.diffusion_time.reference_series import TIMES, gaps_of, series_of
from napari_diffusion.forensics.diffusion_time.time_alone import time_alone
from napari_diffusion.forensics.diffusion_time.time_fit import time_of
from napari_diffusion.forensics.reading import NOTHING, Curve, Number, Reading
from napari_diffusion.forensics.statistics.plane_choice import (
    chosen_planes,
    plane_name,
    planes_read,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_diffusion.core.image import Image
    from napari_diffusion.forensics.diffusion_time.reference_series import Gaps
    from napari_diffusion.forensics.diffusion_time.time_fit import FoundTime

_SMALLEST = 64

# Less than this in the logarithm of power is what the reference would lose in 0.25 pixels²: the
# finest detail is below what rounding leaves.
_LEAST_TO_LOSE = 0.25

# Times in steep regions, as a multiple of those in flat ones, of filters that act on both alike.
_ALIKE = (0.5, 1.6)

# Of a stack, so many planes are named.
_MOST_REMARKS = 5

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
    were, and have no interval. Noise that was added after diffusion hides it. Of a stack, up to 16
    planes are read, each against that of the reference, or against the middle one of a reference
    with another number of planes.

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
        """Return the diffusion time of each plane; see `Trace.read`."""
        evidence.threads.poll()
        if evidence.reference is None:
            return self._alone(evidence)
        compared = list(_compared(evidence, evidence.reference))
        seen = [each for each in compared if each.found.sensitivity >= _LEAST_TO_LOSE]
        if not seen:
            why = "There is nothing to read: the image or its reference has hardly any fine detail."
            return Reading(self, remarks=(why, *_limits(evidence)))
        most = max(seen, key=lambda each: each.found.low)
        jpeg = _was_jpeg(evidence)
        said = [w for each in seen if (w := _found_words(each)) != NOTHING][:_MOST_REMARKS]
        remarks = (*(said or [NOTHING]), *((_JPEG,) if jpeg else ()), *_limits(evidence))
        numbers = (*(_number(each, jpeg) for each in seen), *_kind_numbers(most))
        return Reading(self, curves=_curves(most), numbers=numbers, remarks=remarks)

    def _alone(self, evidence: Evidence) -> Reading:
        """Return the weak hint of an image without a reference."""
        unit, numbers = _unit(evidence), []
        for index, plane in chosen_planes(evidence.image):
            evidence.threads.poll()
            value = time_alone(middle_of(plane), unit)
            name = f"diffusion time, alone{_of(index)} (pixels²)"
            numbers.append(Number(name, value, words=_ALONE))
        known = [each.value for each in numbers if not math.isnan(each.value)]
        said = _alone_words(float(np.median(known)) if known else math.nan, len(numbers))
        return Reading(self, numbers=tuple(numbers), remarks=(said, *_limits(evidence)))


@dataclass(frozen=True, eq=False)
class _Compared:
    """A plane with its reference."""

    index: tuple[int, ...]
    gaps: Gaps
    found: FoundTime


def _compared(evidence: Evidence, reference: Image) -> Iterator[_Compared]:
    """Yield planes with those of the reference; with its middle one where it has another number."""
    unit, whole = _unit(evidence), is_whole(evidence.dtype)
    planes, others = chosen_planes(evidence.image), chosen_planes(reference)
    alike = len(others) == len(planes)
    if not alike:
        others = [others[len(others) // 2]]
    for k, (index, plane) in enumerate(planes):
        evidence.threads.poll()
        if alike or not k:
            series = series_of(middle_of(others[k][1]), unit, whole=whole)
        gaps = gaps_of(middle_of(plane), series, unit)
        if gaps is not None:
            yield _Compared(index, gaps, time_of(gaps))


def _unit(evidence: Evidence) -> float:
    planes = chosen_planes(evidence.image)
    return unit_of(planes[len(planes) // 2][1], whole=is_whole(evidence.dtype))


def _limits(evidence: Evidence) -> tuple[str, ...]:
    """Return remarks on what was left out."""
    return (*planes_read(evidence.image), *part_read(evidence.image.data.shape[-2:]))


_JPEG = (
    "The image was a JPEG: times are read about half as long as they were, and have no interval."
)


def _was_jpeg(evidence: Evidence) -> bool:
    if evidence.dtype != np.uint8:
        return False
    planes = chosen_planes(evidence.image)
    return position_of_blocks(middle_of(planes[len(planes) // 2][1])[None]) is not None


def _of(index: tuple[int, ...]) -> str:
    return f", {plane_name(index)}" if index else ""


def _alone_words(value: float, planes: int) -> str:
    if math.isnan(value):
        return "There is nothing to read: hardly any part has structure."
    where = f", in the median of {planes} planes," if planes > 1 else ""
    return (
        f"Its spectrum falls{where} as after a diffusion time of {value:.2g} pixels². This is "
        "weak: half of untouched images have more than 0.24, from lenses, demosaicing and "
        "shrinking. A reference of the same source would tell."
    )


def _found_words(compared: _Compared) -> str:
    found = compared.found
    name = plane_name(compared.index) if compared.index else "this image"
    if found.low > 0:
        return (
            f"{name[0].upper()}{name[1:]} has less fine detail than its reference, as after a "
            f"diffusion time of {found.low:.2g} to {found.high:.2g} pixels². {_kind(found)} This "
            "also happens with defocus, motion and in-camera denoising."
        )
    if found.high < 0:
        return f"The reference has less fine detail than {name}."
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


def _number(compared: _Compared, jpeg: bool) -> Number:
    found = compared.found
    low, high = (math.nan, math.nan) if jpeg else (found.low, found.high)
    name = f"diffusion time{_of(compared.index)} (pixels²)"
    return Number(name, found.value, low, high, _UNTOUCHED)


def _kind_numbers(compared: _Compared) -> tuple[Number, ...]:
    found, where = compared.found, _of(compared.index)
    return (
        Number(f"diffusion time in flat regions{where} (pixels²)", found.flat),
        Number(f"diffusion time in steep regions{where} (pixels²)", found.steep),
    )


def _curves(compared: _Compared) -> tuple[Curve, ...]:
    """Return the mean power of the image, and of the reference as it is and after that time."""
    gaps, found = compared.gaps, compared.found
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
