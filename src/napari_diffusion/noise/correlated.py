"""Correlated Gaussian noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np

from napari_diffusion.core.array_parameter import ArrayParameter
from napari_diffusion.core.method_words import in_terms
from napari_diffusion.noise.base import Noise

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from napari_diffusion.core.address import Address
    from napari_diffusion.core.grid import Grid
    from napari_diffusion.core.method_words import Term
    from napari_diffusion.core.noise_scale import Scales
    from napari_diffusion.engine.block import Block

# Weights of the largest kernel; the time grows with them.
MOST_WEIGHTS = 10_000


@dataclass(frozen=True)
class Correlated(Noise):
    """Add Gaussian noise filtered by a kernel, so that neighbouring values are correlated.

    ``image + noise_scale · (k ∗ n)``, with n white Gaussian noise and ‖k‖₂ = 1. The correlation of
    two pixels at a distance d is Σ_i k(i) k(i + d); for a Gaussian kernel, exp(−d² / (4 sigma²)).

    Parameters
    ----------
    sigma : float
        Standard deviation of the Gaussian kernel in world units, 0 or more. Larger values make
        broader blobs; 0 is white noise. Ignored if there is a kernel.
    kernel : ArrayParameter or None
        The kernel itself, in pixels, with an odd size along each of its axes. Only its shape
        matters: it is normalized. Its axes are the last ones the noise acts along: y and x in 2D.
        `napari_diffusion.estimate.noise_kernel` measures one on a background region.

    Notes
    -----
    Use it for images that were interpolated, demosaiced, smoothed or reconstructed, whose noise is
    not white any more. Not for noise at all scales (`PowerLaw`), nor for lines (`Stripes`).

    Raises
    ------
    ValueError
        If the kernel has an even size, only zeros, more axes than the noise acts along, or too many
        pixels.
    """

    method_name = "spatially correlated Gaussian noise"
    terms = in_terms(sigma="Gaussian correlation kernel of σ = {}", kernel="correlation kernel {}")

    white: ClassVar[bool] = False

    sigma: Annotated[
        float,
        {
            "min": 0.0,
            "unit": "world",
            "tooltip": "Correlation width; larger values make broader blobs.",
        },
    ] = 1.0
    kernel: Annotated[
        ArrayParameter | None, {"tooltip": "Kernel in pixels that replaces the Gaussian."}
    ] = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.kernel is None:
            return
        values = self.kernel.values
        if values.ndim == 0 or not all(size % 2 for size in values.shape):
            raise ValueError(
                "Correlated: kernel must have an odd size along each axis, so that it has a centre "
                f"(got shape {values.shape})."
            )
        if not values.any():
            raise ValueError("Correlated: kernel must not be 0 everywhere.")
        if values.size > MOST_WEIGHTS:
            raise ValueError(
                f"Correlated: kernel={values.shape} has {values.size} weights, more than "
                f"{MOST_WEIGHTS}: crop it."
            )

    def method_terms(self) -> Mapping[str, Term]:
        """Return the words of the parameters; a kernel replaces the Gaussian one."""
        return self.terms if self.kernel is None else {"kernel": "own kernel", "sigma": ""}

    @property
    def claims(self) -> frozenset[str]:
        """The claims that hold for this kernel."""
        single = self.kernel is None and self.sigma == 0
        return super().claims | ({"white"} if single else set())

    def add(self, block: Block, scales: Scales, address: Address) -> NDArray[Any]:
        """Return block + scale · (k ∗ n); see `Noise.add`."""
        from napari_diffusion.noise.sampling import random_field

        place = random_field.Place(block.shape, block.grid.origin, address)
        if self.kernel is None:
            kernels = random_field.gaussian_kernels(self.sigma, block.grid, "Correlated", "sigma")
            field = random_field.smooth(place, kernels, block.threads)
        else:
            offsets, weights, reach = _neighbours(self.kernel.values, block.grid)
            wide = random_field.white(place.with_margin(reach), block.threads)
            field = random_field.run_over(wide, offsets, weights, block.threads)
        return random_field.added(block, field, scales)


def _neighbours(
    kernel: NDArray[Any], grid: Grid
) -> tuple[NDArray[np.int64], NDArray[np.float32], list[int]]:
    """Return where the neighbours lie from the first one on, their weights, and the reach."""
    if kernel.ndim > len(grid.along_axes):
        raise ValueError(
            f"Correlated: kernel must have at most {len(grid.along_axes)} axes, as many as in "
            f"along (got shape {kernel.shape})."
        )
    axes = grid.along_axes[-kernel.ndim :]
    reach = [0] * 5
    offsets = np.zeros((kernel.size, 5), np.int64)
    for axis, size, index in zip(axes, kernel.shape, np.indices(kernel.shape), strict=True):
        reach[axis] = size // 2
        # A convolution takes its neighbours in the reverse order.
        offsets[:, axis] = size - 1 - index.ravel()
    # Divided first, so that no square leaves the range.
    weights = kernel.ravel().astype(np.float64) / float(np.abs(kernel).max())
    return offsets, (weights / np.linalg.norm(weights)).astype(np.float32), reach
