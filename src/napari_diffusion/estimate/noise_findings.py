"""What puts the measurement of a noise in doubt, or describes it: each a `Finding`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_diffusion.estimate.finding import Finding
from napari_diffusion.estimate.jpeg import position_of_blocks

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from napari_diffusion.engine.plane_reading import Plane
    from napari_diffusion.estimate.variance_fit import Line, Points
    from napari_diffusion.estimate.window_spectrum import Crowd

# How far a line may be from its points.
_CROOKED = 0.2

# The variance at bright and at dark places may differ by this factor.
EVEN = 1.5

# How far successive frames may be from as different as any others.
_DRIFTING = 0.07

# Pixels looked at for the spacing of their values; fewer than the least do not tell it.
_MOST_PIXELS, _LEAST_PIXELS = 1 << 18, 1000


def clipping_findings(crowds: Sequence[Crowd], excluded: bool) -> list[Finding]:
    """Return whether intensities were cut off, and the share of the pixels.

    Parameters
    ----------
    crowds : sequence of Crowd
        The values at which pixels pile up.
    excluded : bool
        Whether the parts with such pixels were excluded from the measurement.
    """
    if not crowds:
        return []
    values = tuple(crowd.value for crowd in crowds)
    share = sum(crowd.share for crowd in crowds)
    return [Finding("clipped" if excluded else "few photons", share, values)]


def structure_findings(energy: float, usual: float) -> list[Finding]:
    """Return whether the calmest windows have more energy than noise has."""
    return [Finding("texture", energy)] if energy > usual else []


def jpeg_findings(colours: NDArray[np.generic]) -> list[Finding]:
    """Return whether an image was a JPEG once."""
    position = position_of_blocks(colours)
    return [] if position is None else [Finding("compressed", values=position)]


def line_findings(line: Line, points: Points) -> list[Finding]:
    """Return whether the variances do not follow a line that rises, and whether they differ."""
    found = []
    variance = max(float(np.median(points.variances)), 1e-300)
    width = float(np.ptp(points.levels))
    if line.slope < 0:
        found.append(Finding("falling"))
    if line.misfit > _CROOKED:
        found.append(Finding("crooked", line.misfit))
    # A line this steep would be photons alone.
    reach = max(abs(float(np.median(points.levels))), width)
    if line.slope == 0 and (line.unsure * reach > 0.5 * variance or len(points.levels) < 3):
        found.append(Finding("alike"))
    ends = [float(line.at(x)) for x in (points.levels.min(), points.levels.max())]
    ratio = max(ends) / max(min(ends), 1e-6 * max(ends), 1e-300)
    if ratio > EVEN:
        found.append(Finding("uneven", ratio))
    return found


def repeat_findings(ratio: float) -> list[Finding]:
    """Return whether the scene did not stand still."""
    return [] if abs(ratio - 1) < _DRIFTING else [Finding("moving", ratio)]


def stripe_findings(rows: float, columns: float) -> list[Finding]:
    """Return row and column noise, by their standard deviations."""
    found = Finding("rows", rows), Finding("columns", columns)
    return [each for each in found if each.amount > 0]


def quantization_findings(planes: Iterable[Plane], variance: float) -> list[Finding]:
    """Return whether values are rounded more coarsely than the noise, or unevenly spaced."""
    for plane, inside in planes:
        values = np.asarray(plane).ravel()
        if inside is not None:
            values = values[np.asarray(inside).ravel()]
        values = values[:: max(1, len(values) // _MOST_PIXELS)]
        if len(values) >= _LEAST_PIXELS:
            return _spacing_findings(values, variance)
    return []


def _spacing_findings(values: NDArray[np.floating], variance: float) -> list[Finding]:
    low, high = np.quantile(values, (0.05, 0.95))
    levels = np.unique(values[(low <= values) & (values <= high)]).astype(np.float64)
    if len(levels) < 2 or len(values) < 50 * len(levels):
        return []
    gaps = np.diff(levels)
    if gaps.max() > 1.5 * gaps.min():
        return [Finding("stretched")]
    if variance < (gaps.min() / 2) ** 2:
        return [Finding("rounded", float(gaps.min()))]
    return []
