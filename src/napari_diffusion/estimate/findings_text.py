"""What is noticed about a noise and its measurement, each under a name and in a sentence."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.estimate.finding import Finding
from napari_diffusion.estimate.jpeg import position_of_blocks
from napari_diffusion.estimate.window_spectrum import FINE, FREQUENCY, SIZE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from napari_diffusion.estimate.finding import FindingName
    from napari_diffusion.estimate.variance_fit import Line, Points
    from napari_diffusion.estimate.window_spectrum import Crowd

# Windows too few to tell whether noise is white.
FEWEST = 40

# How far a part of the spectrum may be from flat, and a line from its points.
_UNEVEN, _CROOKED = 0.12, 0.2

# The variance at bright and at dark places may differ by this factor.
EVEN = 1.5

# More repeats alike than noise would make them.
_DRIFTING = 0.07

# Rows and columns with a noise of their own are said apart.
_SLANTED = np.multiply.outer(np.arange(SIZE), np.arange(SIZE)) > 0
_ORDER = np.add.outer(np.arange(SIZE), np.arange(SIZE))


def grouped(spectrum: NDArray[np.float64]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return frequency and power of the coefficients with like frequencies, but for the mean."""
    orders = range(1, 2 * SIZE - 1)
    frequencies = tuple(float(FREQUENCY[order == _ORDER].mean()) for order in orders)
    return frequencies, tuple(float(spectrum[order == _ORDER].mean()) for order in orders)


def is_white(spectrum: NDArray[np.float64], count: int, *, whole: bool) -> bool:
    """Say whether nothing speaks against white noise.

    Parameters
    ----------
    spectrum : ndarray
        Mean power of each coefficient.
    count : int
        Over so many windows.
    whole : bool
        Whether the coarse coefficients too hold nothing but noise.
    """
    if count < FEWEST:
        return True
    fine = float(spectrum[FINE].mean())
    for order in range(2 if whole else 3, 2 * SIZE - 2):
        of_order = spectrum[(order == _ORDER) & _SLANTED]
        # Windows overlap by half along both axes.
        chance = 4.5 * math.sqrt(2 / (0.25 * count * of_order.size))
        distance = float(of_order.mean()) / max(fine, 1e-300) - 1
        allowed = _UNEVEN
        if not whole and distance > 0 and order < SIZE:
            # Some structure is left in the calmest windows too.
            allowed = 2 * _UNEVEN if order >= 5 else np.inf
        if abs(distance) > allowed + chance:
            return False
    return True


def about_spectrum(spectrum: NDArray[np.float64], count: int, *, whole: bool) -> list[Finding]:
    """Say that the noise is not white, or that it is not known."""
    if count < FEWEST:
        sentence = (
            f"Whether the noise is white is not known: only {count} windows hold little else."
        )
        return [Finding("few windows", sentence, count)]
    if is_white(spectrum, count, whole=whole):
        return []
    finest = float(spectrum[_ORDER >= 11].mean())
    first = 2 if whole else 5
    coarse = float(spectrum[(first <= _ORDER) & (_ORDER < SIZE) & _SLANTED].mean())
    ratio = finest / max(coarse, 1e-300)
    if ratio > 1:
        sentence = (
            f"The noise is not white: at the finest scale it has {ratio:.2g} times the power that "
            "it has at coarser ones. The image was sharpened or processed before."
        )
        return [Finding("sharpened", sentence, ratio)]
    more = (
        ""
        if whole
        else " Its noise is stronger than measured here: measure it on a background region or on "
        "repeated frames."
    )
    sentence = (
        f"The noise is not white: at the finest scale it has {ratio:.2g} times the power that it "
        "has at coarser ones. The image was smoothed, interpolated, compressed or otherwise "
        "processed before, or has fine texture everywhere." + more
    )
    return [Finding("correlated", sentence, ratio)]


def about_structure(livelier: float, usual: float) -> list[Finding]:
    """Say that the calmest windows are lively."""
    if livelier <= usual:
        return []
    sentence = (
        f"Even the calmest parts of the image have {livelier:.2g} times the activity that this "
        "noise would give them: texture was taken for noise, or the noise is not white."
    )
    return [Finding("texture", sentence, livelier)]


def about_clipping(crowds: Sequence[Crowd], left_out: bool) -> list[Finding]:
    """Say that values were cut off, and the share of the pixels.

    Parameters
    ----------
    crowds : sequence of Crowd
        The values where pixels pile up.
    left_out : bool
        Whether the parts with such pixels were left out of the measurement.
    """
    if not crowds:
        return []
    values = " and ".join(f"{crowd.value:g}" for crowd in crowds)
    share = sum(crowd.share for crowd in crowds)
    if not left_out:
        return [
            Finding(
                "few photons",
                f"{share:.1%} of the pixels lie at exactly {values}, in all parts of the image: "
                "few photons came, or most of it was cut off there.",
                share,
            )
        ]
    return [
        Finding(
            "clipped",
            f"{share:.1%} of the pixels lie at exactly {values}: values were cut off there. Parts "
            "with such pixels were left out.",
            share,
        )
    ]


def about_blocks(colours: Any) -> list[Finding]:
    """Say that an image was a JPEG once."""
    position = position_of_blocks(colours)
    if position is None:
        return []
    sentence = (
        "The image was compressed as a JPEG before: its blocks of 8 × 8 pixels begin at row "
        f"{position[0]} and column {position[1]}. Its noise may be less than it was."
    )
    return [Finding("compressed", sentence)]


def about_line(line: Line, points: Points) -> list[Finding]:
    """Say that the variances do not follow a line that rises."""
    found = []
    variance = max(float(np.median(points.variances)), 1e-300)
    width = float(np.ptp(points.levels))
    if line.slope < 0:
        sentence = (
            "The noise falls with the intensity: a tone curve, clipping or some other processing "
            "was applied before."
        )
        found.append(Finding("falling", sentence))
    if line.misfit > _CROOKED:
        sentence = (
            "The variance does not follow a straight line over the intensity (points are "
            f"{line.misfit:.0%} off it): a tone curve or some other processing was applied, or "
            "texture was taken for noise."
        )
        found.append(Finding("crooked", sentence, line.misfit))
    # A line this steep would be photons alone.
    reach = max(abs(float(np.median(points.levels))), width)
    if line.slope == 0 and (line.unsure * reach > 0.5 * variance or len(points.levels) < 3):
        sentence = (
            "The intensities are too much alike to tell how the noise depends on them: it is "
            "taken to be the same everywhere."
        )
        found.append(Finding("alike", sentence))
    ends = [float(line.at(x)) for x in (points.levels.min(), points.levels.max())]
    ratio = max(ends) / max(min(ends), 1e-6 * max(ends), 1e-300)
    if ratio > EVEN:
        sentence = (
            f"Between dark and bright places the variance differs by a factor of {ratio:.2g}."
        )
        found.append(Finding("uneven", sentence, ratio))
    return found


def about_repeats(ratio: float) -> list[Finding]:
    """Say that the scene did not stand still."""
    if abs(ratio - 1) < _DRIFTING:
        return []
    if ratio < 1:
        sentence = (
            f"Successive frames are more alike than others (by a factor of {ratio:.2g} in the "
            "variance): the scene moves, bleaches or drifts. What successive frames have in "
            "common does not count as noise here."
        )
    else:
        sentence = (
            f"Successive frames differ more than others (by a factor of {ratio:.2g} in the "
            "variance): something alternates from frame to frame, and counts as noise."
        )
    return [Finding("moving", sentence, ratio)]


def about_stripes(rows: float, columns: float) -> list[Finding]:
    """Say that rows, or columns, have a noise of their own."""
    stripes: tuple[tuple[FindingName, float], ...] = (("rows", rows), ("columns", columns))
    return [
        Finding(
            name, f"Whole {name} have a noise of their own, standard deviation {sigma:.4g}.", sigma
        )
        for name, sigma in stripes
        if sigma > 0
    ]


def about_steps(planes: Iterable[tuple[Any, Any]], variance: float) -> list[Finding]:
    """Say that values are rounded more coarsely than the noise, or at uneven distances."""
    for plane, inside in planes:
        values = np.asarray(plane).ravel()
        if inside is not None:
            values = values[np.asarray(inside).ravel()]
        values = values[:: max(1, len(values) // (1 << 18))]
        if len(values) < 1000:
            continue
        low, high = np.quantile(values, (0.05, 0.95))
        levels = np.unique(values[(low <= values) & (values <= high)]).astype(np.float64)
        if len(levels) < 2 or len(values) < 50 * len(levels):
            return []
        gaps = np.diff(levels)
        if gaps.max() > 1.5 * gaps.min():
            sentence = (
                "The values lie at uneven distances: the image was stretched or passed through a "
                "tone curve after it was rounded."
            )
            return [Finding("stretched", sentence)]
        if variance < (gaps.min() / 2) ** 2:
            sentence = (
                f"The values lie {gaps.min():g} apart, and the noise is less than half of that: "
                "what is measured is mostly rounding."
            )
            return [Finding("rounded", sentence, float(gaps.min()))]
        return []
    return []
