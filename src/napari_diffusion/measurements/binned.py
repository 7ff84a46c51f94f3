"""An image whose pixels are means of smaller ones."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from napari_diffusion.core.grid import CANONICAL, per_axis
from napari_diffusion.core.method_words import in_terms
from napari_diffusion.measurements.base import NOISE_WORDS, Measurement

if TYPE_CHECKING:
    from napari_diffusion.core.grid import Grid
    from napari_diffusion.measurements.base import Values

Factor = Annotated[
    int,
    {
        "min": 2,
        "max": 16,
        "tooltip": "How many times as many pixels the result has along both axes of a plane.",
    },
]


@dataclass(frozen=True)
class Binned(Measurement):
    """Measure means of squares of pixels.

    ``y = mean of factor × factor pixels of x + noise``

    Parameters
    ----------
    noise_sigma : float, tuple of float or "auto"
        Standard deviation of the noise of the source in intensity units, 0 or more; one per channel
        if many. "auto" measures it.
    factor : int
        How many times as many pixels the result has along both axes of a plane, the last two that
        the filter acts along: 2 to 16. Its pixel size is that of the source over factor.

    Notes
    -----
    Use it to enlarge an image whose pixels are larger than what it should show. Fine detail of the
    result is one plausible image, not a measurement.
    """

    display_name: ClassVar[str] = "Binned pixels"
    method_name = "means of {factor}×{factor} pixels"
    terms = in_terms(noise_sigma=NOISE_WORDS)

    factor: Factor = 2

    def grid_of(self, grid: Grid) -> Grid:
        """Return a grid with more and smaller pixels; see `Measurement.grid_of`."""
        return enlarged(super().grid_of(grid), self.factor)

    def forward(self, image: Values, grid: Grid) -> Values:
        """Return the means; see `Measurement.forward`."""
        for axis in plane_axes(grid):
            size = image.shape[axis] // self.factor
            split = (*image.shape[:axis], size, self.factor, *image.shape[axis + 1 :])
            image = image.reshape(split).mean(axis=axis + 1)
        return image

    def adjoint(self, measured: Values, grid: Grid) -> Values:
        """Return every value in all its pixels, shared; see `Measurement.adjoint`."""
        for axis in plane_axes(grid):
            measured = measured.repeat(self.factor, axis) / self.factor
        return measured


def plane_axes(grid: Grid) -> tuple[int, ...]:
    """Return the canonical axes of a plane: the last two in `along`, or the only one."""
    return grid.along_axes[-2:]


def enlarged(grid: Grid, factor: int) -> Grid:
    """Return a grid with `factor` times as many pixels along the axes of a plane."""
    axes = plane_axes(grid)
    shape = per_axis(n * (factor if axis in axes else 1) for axis, n in enumerate(grid.shape))
    sizes = zip(grid.along, grid.spacing, strict=True)
    spacing = tuple(s / (factor if CANONICAL.index(a) in axes else 1) for a, s in sizes)
    return dataclasses.replace(grid, shape=shape, spacing=spacing)
