"""The base class of curvature flows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from napari_diffusion.filters.flows.flow import Flow

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.engine.block import Block
    from napari_diffusion.filters.flows.inspection import SpeedInspection

    # extra, inside, masked, slopes
    Coefficients = tuple[NDArray[Any], NDArray[np.bool_], bool, NDArray[Any]]


@dataclass(frozen=True)
class CurvatureFlow(Flow["Coefficients"]):
    """An equation ``∂u/∂t = F`` that moves level lines with a speed F derived from their curvature.

    Explicit sub-steps with central differences. Moving level lines creates no new extremes, so each
    sub-step is limited to the range of the pixel and its neighbours; this removes only
    discretization error.
    """

    keeps_mean: ClassVar[bool] = False
    # Where an image is nearly flat its direction is round-off, and another grey rounds otherwise.
    shifts_with_grey: ClassVar[bool] = False

    mode: ClassVar[int] = 0

    def extra(self, block: Block) -> NDArray[Any]:
        """Return what the kernel reads beside u; see `curvature_kernels.advance_rows`."""
        return block.values

    def prepare(self, block: Block) -> Coefficients:
        """Return (extra, inside, masked, slopes) for the kernel."""
        shortest = min(block.grid.spacing)
        slopes = np.array([shortest / length for length in block.grid.lengths], block.dtype)
        inside = np.zeros((1,) * 5, bool) if block.mask is None else block.mask
        return self.extra(block), inside, block.mask is not None, slopes

    def pixel_conductance(self, coefficients: Coefficients) -> NDArray[Any] | None:
        """Return what the speed is multiplied by, where there is such a coefficient."""
        from napari_diffusion.filters.flows import curvature_kernels

        return coefficients[0] if self.mode == curvature_kernels.MODIFIED else None

    def inspected(self, block: Block) -> SpeedInspection:
        """Return the speed of the first sub-step; see `Filter.inspect`."""
        from napari_diffusion.filters.flows import face_inspection

        return face_inspection.speed_inspected(self, block, self.explicit_step(block.grid))

    def advance(
        self,
        u: NDArray[Any],
        out: NDArray[Any],
        coefficients: Coefficients,
        weights: NDArray[Any],
        rows: tuple[int, int],
    ) -> None:
        """Write one explicit sub-step; see `Flow.advance`."""
        from napari_diffusion.filters.flows import curvature_kernels

        extra, inside, masked, slopes = coefficients
        g = extra if self.mode == curvature_kernels.MODIFIED else None
        wide = extra if self.mode == curvature_kernels.MIN_MAX else None
        curvature_kernels.advance_rows(u, g, wide, out, inside, masked, slopes, weights[5], *rows)
