"""Linear diffusion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from napari_diffusion.core.citation import Cite
from napari_diffusion.core.grid import per_axis
from napari_diffusion.core.method_words import in_terms
from napari_diffusion.filters.flows.flow import Flow

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.core.grid import Grid, Shape
    from napari_diffusion.engine.block import Block

# Above this many pixels the cosine transform is faster than the kernel and as exact.
LONGEST_REACH = 256


@dataclass(frozen=True)
class Heat(Flow["NDArray[np.bool_] | None"]):
    """Blur as heat spreads: the same everywhere, across edges too.

    ``∂u/∂t = Δu``, solved exactly on the grid, without sub-steps: convolution along each axis with
    the discrete Gaussian ``exp(−v) I_n(v)``, v = 2 time / spacing². Nothing flows across the
    borders. Long diffusion times (a kernel of more than 256 pixels) use the cosine transform
    instead. With a mask it takes explicit sub-steps, with conductance 0 across the border of the
    mask.

    Parameters
    ----------
    time : float
        Diffusion time per step in world units². The blur is that of a Gaussian of σ = √(2 · time)
        world units; details smaller than this vanish.

    Notes
    -----
    Use it as the baseline for other filters, as a gentle final filter, and where there are no edges
    to keep, such as a background. Not where edges matter: they blur at the same rate as the noise.

    References
    ----------
    Lindeberg (1990), Scale-space for discrete signals.
    Iijima (1962), Basic theory on normalization of pattern.
    """

    display_name: ClassVar[str] = "Linear diffusion"
    method_name = "linear diffusion"
    terms = in_terms(time="diffusion time {} per step")
    cites = (Cite("lindeberg1990"), Cite("iijima1962"))
    linear: ClassVar[bool] = True

    def variances(self, grid: Grid) -> dict[int, float]:
        """Return the kernel's variance in pixels² for each canonical axis in along."""
        # Beyond any image's width a larger variance changes nothing.
        return {
            axis: min(2.0 * self.time / grid.length(axis) ** 2, 1e30) for axis in grid.along_axes
        }

    def is_spectral(self, grid: Grid) -> bool:
        """Return whether the time is so long that the cosine transform is used."""
        widest = max(self.variances(grid).values())
        return not grid.masked and bool(5.8 * np.sqrt(widest) > LONGEST_REACH)

    def part_count(self, grid: Grid) -> int:
        """Return the number of sub-steps with a mask; a convolution is one part."""
        return super().part_count(grid) if grid.masked else 1

    def part_halo(self, grid: Grid, start: int, stop: int) -> Shape | None:
        """Return the kernel's reach; None for the cosine transform."""
        if grid.masked or start >= stop:
            return super().part_halo(grid, start, stop)
        if self.is_spectral(grid):
            return None
        from napari_diffusion.engine.smoothing import reach

        variances = self.variances(grid)
        return per_axis(reach(variances.get(axis, 0.0)) for axis in range(5))

    def apply_parts(
        self, block: Block, start: int, stop: int, core: tuple[slice, ...] | None = None
    ) -> NDArray[Any]:
        """Return the block diffused for `time`; see `Filter.apply_parts`."""
        if block.mask is not None or start >= stop:
            return super().apply_parts(block, start, stop, core)
        if self.is_spectral(block.grid):
            return _cosine_transformed(block.values, self.variances(block.grid))
        from napari_diffusion.engine.smoothing import smoothed

        return smoothed(block.values, self.variances(block.grid), block.threads)

    def prepare(self, block: Block) -> NDArray[np.bool_] | None:
        """Return the mask: the conductance is 1 inside of it."""
        return block.mask

    def advance(
        self,
        u: NDArray[Any],
        out: NDArray[Any],
        coefficients: NDArray[np.bool_] | None,
        weights: NDArray[Any],
        rows: tuple[int, int],
    ) -> None:
        """Write one explicit sub-step inside the mask; see `Flow.advance`."""
        from napari_diffusion.filters.flows import conductance_kernels

        law = (conductance_kernels.UNIT, 0, 0.0)
        unit = np.ones((u.shape[1], 5), u.dtype)
        conductance_kernels.advance_faces(u, u, out, coefficients, law, unit, weights, False, *rows)

    def write_faces(
        self,
        coefficients: NDArray[np.bool_] | None,
        faces: dict[int, NDArray[Any]],
        rows: tuple[int, int],
    ) -> None:
        """Write the conductance, 1 but at the border; see `Equation.write_faces`."""
        from napari_diffusion.filters.flows import conductance_kernels
        from napari_diffusion.filters.flows.face_kernels import face_rows

        del coefficients
        law = (conductance_kernels.UNIT, 0, 0.0)
        for axis, out in faces.items():
            # Of a guide this law reads the shape alone.
            face_rows(out, law, np.ones((1, 5), out.dtype), axis, 1, out, *rows)


def _cosine_transformed(block: NDArray[Any], variances: dict[int, float]) -> NDArray[Any]:
    """Multiply each cosine mode by its decay, exp(−2 v sin²(ω/2)) per axis."""
    from scipy import fft

    axes = sorted(variances)
    # Sums over the image must not overflow: a power of two takes the values near 1.
    unit = block.dtype.type(2.0 ** np.floor(np.log2(max(-block.min(), block.max()) or 1.0)))
    modes = fft.dctn(block / unit, axes=axes)
    for axis in axes:
        size = block.shape[axis]
        decay = np.exp(-2 * variances[axis] * np.sin(0.5 * np.pi * np.arange(size) / size) ** 2)
        modes *= decay.astype(block.dtype).reshape([-1 if i == axis else 1 for i in range(5)])
    out = fft.idctn(modes, axes=axes, overwrite_x=True) * unit
    # The exact solution stays within the range of each image; what leaves it is round-off.
    low, high = (f(axis=tuple(axes), keepdims=True) for f in (block.min, block.max))
    return np.ascontiguousarray(np.clip(out, low, high))
