"""Enlarged: whether rows and columns repeat a pattern, as after enlargement by a whole factor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np

from napari_diffusion.estimate.jpeg import position_of_blocks
from napari_diffusion.forensics.base import Evidence, Null, Trace
from napari_diffusion.forensics.reading import NOTHING, Curve, Number, Place, Reading
from napari_diffusion.forensics.resampling_phase.line_phases import (
    ORDERS,
    line_differences,
    log10_p_of_factor,
    log10_p_of_period,
)
from napari_diffusion.forensics.statistics.plane_choice import plane_name

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SMALLEST = 96

# 8 is the period of JPEG blocks, and 2 and 4 divide it.
_BLOCK, _IN_BLOCKS = 8, (2, 4)
_BLOCKS_SEEN = -2.0

_X = "factor"
_Y = "−log₁₀ of the number of false alarms"


@dataclass(frozen=True)
class Enlarged(Trace):
    """Rows and columns that repeat a pattern, as after enlargement by a whole factor.

    Enlargement by a factor f computes every f-th row alike, so that differences between
    neighbouring rows depend on their phase. Phases are compared by an F test on the logarithm of
    the mean difference, of orders 1 to 3; ``NFA = n max(p_y, p_x)``, n the number of factors,
    orders and planes, because enlargement shows along both axes. Factors 4 and 6 count as far as
    phases differ by more than with the periods 2 and 3.

    Parameters
    ----------
    largest_factor : int
        Factors from 2 to this are tried.

    Notes
    -----
    Use it to see whether the pixels of an image were measured or computed. Factor 2 alone says
    little of a photograph: colour cameras measure every second pixel of a colour. Not for other
    than whole factors. In an image with JPEG blocks, factors 2 and 4 are left out.

    References
    ----------
    Gallagher (2005), Detection of linear and cubic interpolation in JPEG compressed images.
    """

    null: ClassVar[Null] = "a-contrario"
    assumes: ClassVar[str] = "The image was not resampled again after it was enlarged."
    misleads: ClassVar[tuple[str, ...]] = (
        "Displays with large pixels, binned cameras, zooming of a viewer before a screen copy, and "
        "exports at a higher resolution enlarge images.",
        "Colour filters of a camera, and interlaced video, have period 2.",
        "JPEG blocks have period 8; woven, printed and striped objects have periods of their own.",
    )

    largest_factor: Annotated[
        int, {"min": 2, "max": 7, "tooltip": "Finds enlargements by whole factors up to this."}
    ] = 6

    def worthless(self, evidence: Evidence) -> str:
        """Return why there is nothing to read; see `Trace.worthless`."""
        if min(evidence.image.data.shape[-2:]) < _SMALLEST:
            return f"It needs {_SMALLEST} rows and columns or more."
        return ""

    def read(self, evidence: Evidence) -> Reading:
        """Return the number of false alarms of each factor; see `Trace.read`."""
        planes = list(evidence.planes())
        shape = evidence.image.data.shape[-2:]
        factors = range(2, self.largest_factor + 1)
        tests = np.log10(len(factors) * ORDERS * len(planes))
        curves, places, left_out = [], [], False
        for index, plane in planes:
            blocks = evidence.dtype == np.uint8 and position_of_blocks(plane[None]) is not None
            left_out |= blocks
            tried = [k for k in factors if not (blocks and k in _IN_BLOCKS)]
            found = {k: float(f + tests) for k, f in _by_factor(plane, tried).items()}
            y = tuple(-value for value in found.values())
            curves.append(Curve(plane_name(index), _X, _Y, tuple(map(float, found)), y))
            places += _places(found, index, shape)
        remarks = _remarks(places, left_out)
        return Reading(
            self, curves=tuple(curves), places=tuple(places), numbers=_numbers(curves),
            remarks=remarks,
        )  # fmt: skip


def _by_factor(plane: NDArray[np.float64], factors: list[int]) -> dict[int, float]:
    """Return log₁₀ p of each factor, of the order that shows it best."""
    if np.ptp(plane) == 0:
        return dict.fromkeys(factors, 0.0)
    pairs = list(zip(line_differences(plane, 0), line_differences(plane, 1), strict=True))
    found = {}
    for factor in factors:
        best = 0.0
        for pair in pairs:
            if factor in _IN_BLOCKS and any(_is_of_blocks(line, factor) for line in pair):
                continue
            best = min(best, max(log10_p_of_factor(line, factor) for line in pair))
        found[factor] = best
    return found


def _is_of_blocks(line: NDArray[np.float64], factor: int) -> bool:
    """Say whether a period is rather a part of the period 8 of blocks."""
    blocks = log10_p_of_period(line, _BLOCK, factor)
    return blocks < _BLOCKS_SEEN and blocks < log10_p_of_period(line, factor)


def _most_telling(found: dict[int, float]) -> int:
    """Return the factor of the least number; its largest multiple, if that tells half as much."""
    best = min(found, key=lambda each: found[each], default=0)
    multiples = [k for k in found if best and k % best == 0 and found[k] < 0.5 * found[best] < 0]
    return max(multiples, default=best)


def _places(found: dict[int, float], index: tuple[int, ...], shape: tuple[int, ...]) -> list[Place]:
    """Return the plane with its most telling factor, if chance gives fewer than one."""
    factor = _most_telling(found)
    if not factor or found[factor] >= 0:
        return []
    height, width = shape
    outline = np.array([[0, 0], [0, width], [height, width], [height, 0]], np.float64)
    return [Place(outline, index, found[factor], f"period {factor} along y and x")]


def _numbers(curves: list[Curve]) -> tuple[Number, ...]:
    return tuple(
        Number(f"log₁₀ of the number of false alarms, {curve.name}, factor {curve.x[k]:.0f}",
               -curve.y[k], words="chance gives 0 and more")
        for curve in curves if curve.y for k in [int(np.argmax(curve.y))]
    )  # fmt: skip


def _remarks(places: list[Place], left_out: bool) -> tuple[str, ...]:
    said = tuple(
        f"Rows and columns{where} have {place.words}, as after enlargement by that factor. This "
        "also happens with displays, binned cameras and exports at a higher resolution."
        for place in places[:5]
        for where in [f" of {plane_name(place.plane)}" if place.plane else ""]
    ) or (NOTHING,)
    if left_out:
        said += ("It was a JPEG: factors 2 and 4 cannot be told from its blocks.",)
    return said
