"""Non-local means of scikit-image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

import numpy as np

from napari_diffusion.filters.base import Filter
from napari_diffusion.filters.denoisers.library_images import each_image, exponent_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.core.grid import Grid, Shape
    from napari_diffusion.engine.threads import Threads

# Pixels in the box of a patch, or of a search, around one pixel.
MOST = 5000


@dataclass(frozen=True)
class NonLocalMeans(Filter):
    """Average pixels whose surroundings look alike, wherever they are nearby, from scikit-image.

    ``out(p) = Σ_q w(p, q) u(q) / Σ_q w(p, q)``, ``w = exp(−max(d − 2 sigma², 0) / h²)``, with
    h = strength · sigma, d the mean squared difference of the patches around p and q, and q as far
    as `search` from p along each axis; mirrored borders.

    Patch and search are boxes of pixels, whatever the spacing: this is how the library does it.
    Colours and other joint channels share the weights.

    Parameters
    ----------
    sigma : float or "auto"
        Standard deviation of the noise in intensity units, 0 or more. Patches that differ by no
        more than this noise count as equal. "auto" is the noise of the source.
    strength : float
        How unlike patches may be, as a multiple of sigma, greater than 0 and at most 100; larger
        smooths more and blurs what is faint.
    patch : int
        Pixels from a patch's middle to its border, 0 or more. Large patches need a good match:
        they keep regular texture and leave noise around what is unique.
    search : int
        Pixels from p to the farthest q, 1 or more. Wider finds more that is alike, and the time
        grows with (2 search + 1) to the power of the dimension.

    Notes
    -----
    Use it for white noise on images that repeat themselves: texture, lines, many like objects.
    Not for noise with a structure of its own, which it takes for the image, nor for volumes with
    thick slices, where a patch along z is not what it is along x.

    Raises
    ------
    ValueError
        For a patch or a search of more than 5000 pixels.

    References
    ----------
    Buades, Coll and Morel (2005), A non-local algorithm for image denoising.
    Darbon, Cunha, Chan, Osher and Jensen (2008), Fast nonlocal filtering applied to electron
    cryomicroscopy.
    """

    display_name: ClassVar[str] = "Non-local means"

    # The library compares each pair of patches once, from one side.
    flips: ClassVar[bool] = False
    takes_mask: ClassVar[bool] = False

    sigma: Annotated[
        float | Literal["auto"],
        {"min": 0.0, "unit": "intensity", "tooltip": "The noise; larger smooths more."},
    ] = "auto"
    strength: Annotated[
        float,
        {"above": 0.0, "max": 100.0, "tooltip": "Larger averages what is less alike."},
    ] = 0.7
    patch: Annotated[
        int, {"min": 0, "max": 50, "tooltip": "Larger keeps texture, leaves noise at odd places."}
    ] = 2
    search: Annotated[
        int, {"min": 1, "max": 50, "tooltip": "Wider finds more that is alike, and takes longer."}
    ] = 6

    def resolved(self, image: Any, grid: Grid) -> Self:
        """Return this filter with the noise measured on `image`; see `Filter.resolved`."""
        del grid
        if self.sigma != "auto":
            return self
        from napari_diffusion.estimate import noise_sigma_of

        return self.replaced(sigma=noise_sigma_of(image))

    def check(self, grid: Grid) -> None:
        """Refuse boxes of too many pixels; see `Filter.check`."""
        super().check(grid)
        for name in ("patch", "search"):
            radius = getattr(self, name)
            samples = (2 * radius + 1) ** len(grid.along)
            if samples > MOST:
                raise ValueError(
                    f"NonLocalMeans: {name}={radius} takes {samples} pixels around each one, "
                    f"more than {MOST}: give a smaller one."
                )

    def halo(self, grid: Grid) -> Shape | None:
        """Return None: the library sums patches up from the image's first pixel on."""
        return None

    def apply(
        self, block: NDArray[Any], grid: Grid, mask: NDArray[np.bool_] | None, executor: Threads
    ) -> NDArray[Any]:
        """Return the averaged block; see `Filter.apply`."""
        del mask
        if not self.sigma:
            return block.copy()
        return each_image(self._averaged, block, grid, executor, joint=grid.joint_channels)

    def _averaged(self, image: NDArray[Any]) -> NDArray[Any]:
        from skimage.restoration import denoise_nl_means

        # Running sums of squares take all the digits there are. A constant image becomes 0.
        middle = image.min() / 2 + image.max() / 2
        centred = (image - middle).astype(np.float64)
        exponent, sigma = exponent_of(float(self.sigma), centred)
        # The library does not know images with fewer than two axes.
        plane = centred if centred.ndim > 2 else centred[np.newaxis]
        averaged = denoise_nl_means(
            np.ldexp(plane, -exponent),
            patch_size=2 * self.patch + 1,
            patch_distance=self.search,
            h=self.strength * sigma,
            sigma=sigma,
            preserve_range=True,
            channel_axis=-1,
        )
        near = np.ldexp(averaged, exponent).reshape(image.shape)
        return np.asarray((near + middle).astype(image.dtype))
