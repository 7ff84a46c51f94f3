"""Chambolle's total variation filter of scikit-image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import numpy as np

from napari_diffusion.core.citation import FROM_NOISE, Cite
from napari_diffusion.core.method_words import in_terms, measured
from napari_diffusion.filters.denoisers.library_images import LibraryFilter, exponent_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.engine.threads import Threads


@dataclass(frozen=True)
class TotalVariation(LibraryFilter):
    """Approximate the image by flat patches with sharp borders, from scikit-image.

    ``out = argmin over v of Σ |∇v| + Σ (v − u)² / (2 weight)``, with ∇v the differences to the next
    pixels, by Chambolle's iteration on each channel.

    All axes count as equally spaced, whatever the pixel size, as in the library. A weight tuned at
    one pixel size does not transfer to another.

    Parameters
    ----------
    weight : float or "auto"
        Strength in intensity units, 0 or more. Larger values leave fewer patches and reduce the
        contrast of small ones: a bright disk of radius r pixels loses 2 weight / r of its height.
        "auto" is 0.75 times the noise of the source.
    tolerance : float
        Stopping criterion, greater than 0 and at most 1: the relative change of the energy in one
        iteration. Smaller values come closer to the exact minimum.
    rounds : int
        Maximum number of iterations, 1 or more. Large weights do not converge in few iterations.

    Notes
    -----
    Use it for objects of uniform intensity with distinct borders, such as cells on a dark
    background. Not for smooth shading, which turns into steps, nor for fine texture, which
    vanishes. For voxels that are not cubes take `TotalVariationFlow`, which accounts for the voxel
    size.

    References
    ----------
    Rudin, Osher and Fatemi (1992), Nonlinear total variation based noise removal algorithms.
    Chambolle (2004), An algorithm for total variation minimization and applications.
    """

    display_name: ClassVar[str] = "Total variation (Chambolle)"
    method_name = "total variation denoising (Chambolle's algorithm, scikit-image)"
    terms = in_terms(weight="weight {}", tolerance="", rounds="")
    estimates = measured(weight=FROM_NOISE)
    cites = (Cite("rudin1992"), Cite("chambolle2004"))
    keeps_mean: ClassVar[bool] = True
    # The differences go forward, and the rounds end early.
    flips: ClassVar[bool] = False

    strength_name: ClassVar[str] = "weight"
    # Of the multiples tried on photographs and cells, the best.
    per_sigma: ClassVar[float] = 0.75

    weight: Annotated[
        float | Literal["auto"],
        {
            "min": 0.0,
            "unit": "intensity",
            "tooltip": "Strength; larger values leave fewer, flatter patches.",
        },
    ] = "auto"
    tolerance: Annotated[
        float,
        {
            "above": 0.0,
            "max": 1.0,
            "tooltip": "Stopping criterion; smaller values come closer to the exact minimum.",
        },
    ] = 2e-4
    rounds: Annotated[
        int,
        {
            "min": 1,
            "max": 100_000,
            "tooltip": "Maximum number of iterations; large weights need many.",
        },
    ] = 200

    def denoised(self, image: NDArray[Any], strength: float, threads: Threads) -> NDArray[Any]:
        """Return the filtered image; see `LibraryFilter.denoised`."""
        del threads
        from skimage.restoration import denoise_tv_chambolle

        exponent, weight = exponent_of(strength, image)
        flat = denoise_tv_chambolle(
            np.ldexp(image[..., 0], -exponent),
            weight=weight,
            eps=self.tolerance,
            max_num_iter=self.rounds,
        )
        return np.asarray(np.ldexp(flat, exponent))
