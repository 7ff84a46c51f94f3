"""Noise measured in three ways: on the image alone, on a background, on repeated frames."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.estimate.background import autocovariance, kernel_of, residuals
from napari_diffusion.estimate.measured_noise import NoiseModel
from napari_diffusion.estimate.noise_findings import (
    clipping_findings,
    jpeg_findings,
    line_findings,
    quantization_findings,
    repeat_findings,
    stripe_findings,
    structure_findings,
)
from napari_diffusion.estimate.repeated_frames import noise_frames, transfer_of
from napari_diffusion.estimate.row_noise import MOST_PLANES, row_and_column_noise
from napari_diffusion.estimate.variance_fit import Points, gathered
from napari_diffusion.estimate.whiteness import FEWEST, grouped, is_white, spectrum_findings
from napari_diffusion.estimate.window_spectrum import (
    FINE,
    LIVELY,
    SIZE,
    Windows,
    crowds_of,
    power,
    summary,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.core.grid import Grid
    from napari_diffusion.core.image import Image
    from napari_diffusion.estimate.finding import Finding
    from napari_diffusion.estimate.variance_fit import Line

# Of the windows with like intensities, those with the least activity hold little but noise.
CALM = 0.25

# The median of a mean of squares of normal numbers, as many as a window has fine coefficients.
_MEDIAN_OF_FINE = 0.97628

# How far the kernel of correlated noise reaches.
KERNEL_REACH = 4

# Windows with more activity than this, by that of noise alone, count as structure.
LIVELIER = 1.5


def windows_of(image: Image, but: int | None = None) -> Windows:
    """Return the windows in the last two long axes of an image that diffuse, but for one axis."""
    shape = image.grid.shape
    axes = [a for a in image.grid.along_axes if shape[a] >= SIZE and a != but][-2:]
    if len(axes) < 2:
        raise ValueError(
            f"Noise is measured in windows of {SIZE} × {SIZE} pixels, along axes that diffuse "
            f"(got {_sizes(image.grid)}): use a larger image, or enter the noise."
        )
    return Windows(image, tuple(axes))


def _sizes(grid: Grid) -> str:
    sizes = dict(zip("tczyx", grid.shape, strict=True))
    return ", ".join(f"{axis}: {sizes[axis]}" for axis in grid.along)


def of_image(image: Image, offset: float | None) -> NoiseModel:
    """Measure the noise in the calmest windows of an image."""
    every = windows_of(image)
    crowds = crowds_of(every)
    windows = dataclasses.replace(every, crowded=tuple(crowd.value for crowd in crowds))
    table = summary(windows)
    excluded = len(table) >= FEWEST
    if crowds and not excluded:
        # Few photons, not a limit, put so many pixels there.
        windows = every
        table = summary(windows)
    if len(table) < FEWEST:
        raise ValueError(
            f"Only {len(table)} windows of {SIZE} × {SIZE} pixels vary, fewer than {FEWEST} needed "
            "to measure noise: use a larger image or mask, or enter the noise."
        )
    points = _calm_points(table)
    line = points.line()
    variance_at = line.above(points.least)
    ratios = table[:, 1] / (LIVELY.sum() * variance_at(table[:, 0]))
    livelier = max(LIVELIER, float(np.quantile(ratios, 0.05)))
    spectrum, count = power(windows, variance_at, livelier)
    # What rows have in common by chance is known for white noise alone.
    white = is_white(spectrum, count, whole=False)
    rows, columns = row_and_column_noise(windows.planes(MOST_PLANES)) if white else (0.0, 0.0)
    level = float(table[:, 0].mean())
    findings = [
        *clipping_findings(crowds, excluded),
        *line_findings(line, points),
        *spectrum_findings(spectrum, count, whole=False),
        *structure_findings(livelier, LIVELIER),
        *jpeg_findings(windows.colours()),
        *stripe_findings(rows, columns),
        *quantization_findings(windows.planes(), float(line.at(level))),
    ]
    return _model(points, line, level, offset, spectrum, (rows, columns), findings)


def _calm_points(table: NDArray[np.float64]) -> Points:
    """Return the variance at each intensity, from the windows with the least activity there."""
    order = np.argsort(table[:, 0], kind="stable")
    count = max(min(40, len(order) // 100), 1)
    chosen = []
    for part in np.array_split(order, count):
        calm = np.quantile(table[part, 1], CALM)
        chosen.append(part[table[part, 1] <= calm])
    freedom = float(FINE.sum())

    def middle(variances: NDArray[Any]) -> float:
        return float(np.median(variances)) / _MEDIAN_OF_FINE

    found = [gathered(table[part, 0], table[part, 2], freedom, middle, most=1) for part in chosen]
    # A median tells less than a mean; overlapping windows tell a part of it again.
    parts = {
        name: np.concatenate([getattr(each, name) for each in found])
        for name in ("levels", "variances", "freedoms")
    }
    return Points(parts["levels"], parts["variances"], 0.4 * parts["freedoms"])


def of_region(image: Image) -> NoiseModel:
    """Measure the noise of a background region."""
    windows = windows_of(image)
    found = residuals(windows.planes())
    count = sum(each.count for each in found)
    if count < FEWEST:
        raise ValueError(
            f"The region has {count} pixels, fewer than {FEWEST} needed to measure noise: use a "
            "larger one."
        )
    variance = sum(each.energy for each in found) / (count - 3 * len(found))
    level = sum(each.level * each.count for each in found) / count
    spectrum, seen = power(windows, lambda x: np.full(np.shape(x), variance), np.inf)
    some = found[:: max(1, len(found) // MOST_PLANES)]
    stripes = row_and_column_noise([(each.values, each.where) for each in some], flat=True)
    kernel: tuple[tuple[float, ...], ...] = ()
    findings = [
        *clipping_findings(crowds_of(windows), excluded=True),
        *spectrum_findings(spectrum, seen, whole=True),
        *stripe_findings(*stripes),
    ]
    if not is_white(spectrum, seen, whole=True):
        made = kernel_of(autocovariance(found, 2 * KERNEL_REACH))
        kernel = tuple(tuple(float(k) for k in row) for row in made)
    points = Points(np.array([level]), np.array([variance]), np.array([float(count)]))
    model = _model(points, _less(points, stripes).line(), level, None, spectrum, stripes, findings)
    return dataclasses.replace(model, kernel=kernel)


def of_repeats(image: Image, axis: int, offset: float | None) -> NoiseModel:
    """Measure the noise by the differences of frames of the same scene."""
    windows = windows_of(image, axis)
    crowds = crowds_of(windows)
    transfer = transfer_of(image, axis, tuple(crowd.value for crowd in crowds))
    if len(transfer.levels) < FEWEST:
        raise ValueError(
            f"Only {len(transfer.levels)} pixels inside the mask are not clipped, fewer than "
            f"{FEWEST} needed to measure noise: use larger frames."
        )
    points = gathered(transfer.levels, transfer.variances, transfer.freedom, np.mean)
    line = points.line()
    noise = windows_of(noise_frames(image, axis, line.above(points.least)), axis)
    spectrum, count = power(noise, np.ones_like, np.inf)
    level = float(transfer.levels.mean())
    changes = windows_of(noise_frames(image, axis, np.ones_like), axis)
    stripes = row_and_column_noise(changes.planes(MOST_PLANES), flat=True)
    findings = [
        *clipping_findings(crowds, excluded=True),
        *repeat_findings(transfer.ratio),
        *line_findings(line, points),
        *spectrum_findings(spectrum, count, whole=True),
        *stripe_findings(*stripes),
    ]
    line = _less(points, stripes).line()
    return _model(points, line, level, offset, spectrum, stripes, findings)


def _less(points: Points, stripes: tuple[float, float]) -> Points:
    """Return the variances without that of rows and columns."""
    left = points.variances - stripes[0] ** 2 - stripes[1] ** 2
    return dataclasses.replace(points, variances=np.maximum(left, 0.0))


def _model(
    points: Points,
    line: Line,
    level: float,
    offset: float | None,
    spectrum: NDArray[np.float64],
    stripes: tuple[float, float],
    findings: list[Finding],
) -> NoiseModel:
    """Return what was measured, in the terms of a camera."""
    gain, dark = max(line.slope, 0.0), 0.0 if offset is None else offset
    if gain == 0:
        dark_variance = line.at(level)
    elif offset is None and line.intercept < 0:
        dark, dark_variance = -line.intercept / gain, 0.0
    else:
        dark_variance = line.at(dark)
    frequencies, powers = grouped(spectrum)
    return NoiseModel(
        sigma=float(np.sqrt(max(line.at(level), 0.0))),
        level=level,
        gain=gain,
        offset=dark,
        read_noise=float(np.sqrt(max(dark_variance, 0.0))),
        row_noise=stripes[0],
        column_noise=stripes[1],
        levels=tuple(float(x) for x in points.levels),
        variances=tuple(float(x) for x in points.variances),
        frequencies=frequencies,
        power=powers,
        findings=tuple(findings),
        gain_error=line.slope_error,
        dark_variance_error=line.error_at(dark),
        offset_is_known=offset is not None,
    )
