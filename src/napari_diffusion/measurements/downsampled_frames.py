"""Frames of one scene, shifted by parts of a pixel."""

from __future__ import annotations

import dataclasses
import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

import numpy as np

from napari_diffusion.core.array_parameter import ArrayParameter  # noqa: TC001 - types of fields are read
from napari_diffusion.core.citation import Cite
from napari_diffusion.core.grid import per_axis
from napari_diffusion.core.method_words import in_terms
from napari_diffusion.measurements.base import NOISE_WORDS, Measurement
from napari_diffusion.measurements.binned import Factor, enlarged, plane_axes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.core.grid import Grid
    from napari_diffusion.core.image import Image
    from napari_diffusion.measurements.base import Values

# Parts of a pixel in which shifts are measured.
_PARTS = 50


@dataclass(frozen=True)
class DownsampledFrames(Measurement):
    """Measure frames of one scene, each shifted and of larger pixels.

    ``yₜ = mean of factor × factor pixels of x(p + shiftₜ) + noise``, x being interpolated linearly

    Parameters
    ----------
    noise_sigma : float, tuple of float or "auto"
        Standard deviation of the noise of a frame in intensity units, 0 or more; one per channel
        if many. "auto" measures it.
    factor : int
        How many times as many pixels the result has along both axes of a plane, the last two that
        the filter acts along: 2 to 16. Its pixel size is that of the source over factor.
    shifts : ArrayParameter or None
        Of each frame, how far its pixels lie from those of the result, in pixels of the source
        along both axes of a plane: an array of shape (frames, 2). None measures them by the
        correlation with the first frame.

    Notes
    -----
    Use it for some frames along t of a scene that does not change, which the camera moved across by
    parts of a pixel: together they hold finer detail than each. The result has one frame. Not for
    scenes in which something moves. What the frames did not measure is one plausible image.

    References
    ----------
    Guizar-Sicairos, Thurman and Fienup (2008), Efficient subpixel image registration algorithms.
    """

    display_name: ClassVar[str] = "Downsampled frames"
    method_name = "shifted frames of means of {factor}×{factor} pixels"
    terms = in_terms(noise_sigma=NOISE_WORDS, shifts="")
    cites = (*Measurement.cites, Cite("guizar2008"))

    factor: Factor = 2
    shifts: Annotated[
        ArrayParameter | None,
        {"tooltip": "Shift of each frame in pixels, along both axes; none measures them."},
    ] = None

    def resolved(self, image: Image) -> Self:
        """Return this measurement with the shifts of the frames; see `Measurement.resolved`."""
        self.check(image.grid)
        return self if self.shifts is not None else self.replaced(shifts=_shifts(image))

    def check(self, grid: Grid) -> None:
        """Raise if there are no frames, or not as many as shifts; see `Measurement.check`."""
        super().check(grid)
        frames = grid.shape[0]
        if frames < 2 or "t" in grid.along or len(grid.along) < 2:
            raise ValueError(
                "DownsampledFrames needs two or more frames along t, and a filter that acts along "
                f"two axes other than t (got {frames} along t, and along={grid.along!r})."
            )
        if self.shifts is not None and self.shifts.values.shape != (frames, 2):
            raise ValueError(
                f"DownsampledFrames: shifts must have the shape {(frames, 2)}, one row for each "
                f"frame (got {self.shifts.values.shape})."
            )

    def grid_of(self, grid: Grid) -> Grid:
        """Return a grid of one frame with smaller pixels; see `Measurement.grid_of`."""
        larger = enlarged(super().grid_of(grid), self.factor)
        return dataclasses.replace(larger, shape=per_axis((1, *larger.shape[1:])))

    def joined(self, grid: Grid) -> tuple[int, ...]:
        """Return the axes of an image, and t: all frames show one scene."""
        return (0, *super().joined(grid))

    def forward(self, image: Values, grid: Grid) -> Values:
        """Return the frames; see `Measurement.forward`."""
        return np.concatenate(
            [_along_planes(rows, columns, image, grid) for rows, columns in self._lines(grid)]
        )

    def adjoint(self, measured: Values, grid: Grid) -> Values:
        """Return the sum of what the frames put into each pixel; see `Measurement.adjoint`."""
        out = np.zeros(grid.shape)
        for frame, (rows, columns) in zip(measured, self._lines(grid), strict=True):
            out += _along_planes(rows.T, columns.T, frame[None], grid)
        return out

    def _lines(self, grid: Grid) -> list[tuple[Any, Any]]:
        """Return the matrices of each frame, along the rows and the columns of a plane."""
        assert self.shifts is not None
        first, second = (grid.shape[axis] for axis in plane_axes(grid))
        return [
            (_means(first, self.factor, float(down)), _means(second, self.factor, float(right)))
            for down, right in self.shifts.values
        ]


@functools.lru_cache(maxsize=1024)
def _means(size: int, factor: int, shift: float) -> Any:
    """Return the sparse matrix of means of `factor` pixels of a shifted line, repeated at its ends.

    Parameters
    ----------
    size : int
        Pixels of the line.
    factor : int
        Pixels of a mean.
    shift : float
        In units of `factor` pixels.
    """
    from scipy import sparse

    places = np.arange(size) + shift * factor
    below = np.floor(places).astype(np.int64)
    weight = places - below
    rows, columns = np.tile(np.arange(size) // factor, 2), np.concatenate([below, below + 1])
    weights = np.concatenate([1 - weight, weight]) / factor
    entries = (weights, (rows, np.clip(columns, 0, size - 1)))
    return sparse.csr_array(sparse.coo_array(entries, (size // factor, size)))


def _along_planes(rows: Any, columns: Any, image: Values, grid: Grid) -> Values:
    """Return an image with a matrix applied along both axes of its planes."""
    axes = plane_axes(grid)
    planes = np.moveaxis(image, axes, (-2, -1))
    out = np.empty((*planes.shape[:-2], rows.shape[0], columns.shape[0]))
    for index in np.ndindex(planes.shape[:-2]):
        out[index] = (columns @ (rows @ planes[index]).T).T
    return np.moveaxis(out, (-2, -1), axes)


def _shifts(image: Image) -> NDArray[np.float64]:
    """Measure how far frames lie from the first one, by their correlation."""
    from skimage.registration import phase_cross_correlation

    axes = plane_axes(image.grid)
    others = tuple(axis for axis in range(1, 5) if axis not in axes)
    frames = np.asarray(image.data, np.float64).mean(axis=others)
    found = [
        phase_cross_correlation(frames[0], each, upsample_factor=_PARTS, normalization=None)[0]
        for each in frames
    ]
    return np.array(found)
