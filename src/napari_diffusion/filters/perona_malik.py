"""Nonlinear diffusion that stops at edges."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

import numpy as np

from napari_diffusion.filters._flow import Flow

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.drive import Drive
    from napari_diffusion.grid import Grid, Shape


@dataclass(frozen=True)
class PeronaMalik(Flow):
    """Smooth inside regions and keep their edges.

    ``∂u/∂t = div(g(s) ∇u)`` with the conductance ``g(s) = 1 / (1 + (s/contrast)²)`` (rational) or
    ``g(s) = exp(−(s/contrast)²/2)`` (exponential); s is the gradient in intensity per world unit.
    Where s = contrast the flux s·g(s) is greatest: smaller gradients are smoothed away, larger ones
    are edges and stay. Explicit sub-steps; mean and range are kept.

    Parameters
    ----------
    time : float
        Diffusion time per step in world units²: the longer, the smoother inside regions.
    conductance : {"rational", "exponential"}
        Rational favours wide regions over small ones; exponential favours edges of high contrast
        over those of low contrast, and keeps single noisy samples longer.
    contrast : float, tuple of float or "auto"
        Gradient of greatest flux, in intensity per world unit, greater than 0; one per channel if
        many. Larger values smooth across stronger edges. "auto" takes it from the spread of the
        gradients of the source, see `napari_diffusion.estimate.contrast`.
    gradient : {"face", "magnitude"}
        "face" is the original: s is the difference across the face between two samples, of all
        joint channels together. "magnitude" takes |∇u| at the samples and the mean of two
        conductances in between, which treats all directions more alike.
    smoothing : float
        Standard deviation in world units of a Gaussian that is applied before s is measured, 0 or
        more. It keeps noise from being taken for edges (Catté and others).

    References
    ----------
    Perona and Malik (1990), Scale-space and edge detection using anisotropic diffusion.
    Catté, Lions, Morel and Coll (1992), Image selective smoothing and edge detection by nonlinear
    diffusion.
    """

    conductance: Annotated[
        Literal["rational", "exponential"],
        {"tooltip": "Rational favours wide regions; exponential favours edges of high contrast."},
    ] = "rational"
    contrast: Annotated[
        float | Literal["auto"] | tuple[float, ...],
        {
            "above": 0.0,
            "unit": "intensity/world",
            "tooltip": "Gradient of greatest flux: what is steeper is an edge and stays.",
        },
    ] = "auto"
    gradient: Annotated[
        Literal["face", "magnitude"],
        {"tooltip": "Where steepness is measured: across each face, or as |∇u| at each sample."},
    ] = "face"
    smoothing: Annotated[
        float,
        {
            "min": 0.0,
            "unit": "world",
            "tooltip": "Blur before steepness is measured, so that noise is not taken for edges.",
        },
    ] = 0.0

    def resolved(self, image: Any, grid: Grid) -> Self:
        """Return this filter with the contrast that the image's own gradients suggest."""
        if self.contrast != "auto":
            self._contrasts(grid)
            return self
        from napari_diffusion.estimate import contrast_of

        del grid
        return self.replaced(contrast=contrast_of(image, self.smoothing))

    def _contrasts(self, grid: Grid) -> tuple[float, ...]:
        channels = grid.shape[1]
        if isinstance(self.contrast, str):
            raise ValueError('contrast is still "auto": resolve the filter on the source first.')
        if not isinstance(self.contrast, tuple):
            return (self.contrast,) * channels
        if len(self.contrast) != channels:
            raise ValueError(
                f"contrast lists {len(self.contrast)} values, but the image has {channels} "
                "channels."
            )
        return self.contrast

    def reach(self, grid: Grid) -> Shape:
        """Return how far one sub-step reaches: a neighbour, its gradient, and the smoothing."""
        from napari_diffusion.filters._smooth import reach

        extra = int(self.gradient == "magnitude")
        variances = grid.variances(self.smoothing)
        return tuple(  # type: ignore[return-value]
            1 + extra + (reach(variances[axis]) if self.smoothing else 0)
            if axis in variances
            else 0
            for axis in range(5)
        )

    def prepare(
        self, u: NDArray[Any], grid: Grid, mask: NDArray[np.bool_] | None, drive: Drive
    ) -> Any:
        """Return (guide, code, slopes, mask, joint) for the kernels."""
        from napari_diffusion.filters import _gradient, _kernels, _smooth

        code = _kernels.RATIONAL if self.conductance == "rational" else _kernels.EXPONENTIAL
        slopes = _slopes(self._contrasts(grid), self.conductance, grid, u.dtype)
        guide = u
        if self.smoothing:
            guide = _smooth.smoothed_inside(u, mask, grid.variances(self.smoothing), drive)
        if self.gradient == "magnitude":
            guide = _gradient.at_samples(guide, mask, code, slopes, grid.joint_channels, drive)
            code = _kernels.CELLS
        return guide, code, slopes, mask, grid.joint_channels

    def advance(
        self,
        u: NDArray[Any],
        out: NDArray[Any],
        coefficients: Any,
        weights: NDArray[Any],
        rows: tuple[int, int],
    ) -> None:
        """Write one explicit sub-step; see `Flow.advance`."""
        from napari_diffusion.filters import _kernels

        guide, code, slopes, mask, joint = coefficients
        alone = u.shape[1] == 1 or not joint
        deep = np.count_nonzero(weights[[0, 2]])
        if code == _kernels.RATIONAL and guide is u and mask is None and alone and deep < 2:
            from napari_diffusion.filters._rational import advance_rational

            advance_rational(u, out, slopes, weights, *rows)
        else:
            _kernels.advance_faces(
                u, guide, guide is u, out, mask, code, slopes, weights, joint, *rows
            )


def _slopes(contrasts: tuple[float, ...], conductance: str, grid: Grid, dtype: Any) -> NDArray[Any]:
    """Return 1 / (spacing · K) per channel and canonical axis, finite in the picture's type.

    K is the conductance's own parameter: √2 · contrast for the exponential one, whose flux is
    greatest at K/√2.
    """
    factor = math.sqrt(2.0) if conductance == "exponential" else 1.0
    with np.errstate(over="ignore"):
        slopes = 1.0 / np.multiply.outer(factor * np.array(contrasts), np.array(grid.lengths))
    largest = float(np.finfo(dtype).max)
    return np.minimum(slopes, largest).astype(dtype)
