"""Non-local means of scikit-image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import numpy as np

from napari_diffusion.core.citation import NOISE, Cite
from napari_diffusion.core.method_words import in_terms, measured
from napari_diffusion.filters.denoisers.library_images import LibraryFilter, exponent_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.core.grid import Grid
    from napari_diffusion.engine.threads import Threads

# Pixels in the box of a patch, or of a search, around one pixel.
MOST = 5000


@dataclass(frozen=True)
class NonLocalMeans(LibraryFilter):
    """Average pixels whose surrounding patches are similar, from scikit-image.

    ``out(p) = Σ_q w(p, q) u(q) / Σ_q w(p, q)``, ``w = exp(−max(d − 2 sigma², 0) / h²)``, with
    h = strength · sigma, d the mean squared difference between the patches around p and q, and q up
    to `search` pixels from p along each axis; mirrored borders.

    Patches and search windows are boxes of pixels, whatever the pixel size, as in the library.
    Colours and other joint channels share their weights.

    Parameters
    ----------
    sigma : float or "auto"
        Standard deviation of the noise in intensity units, 0 or more. Patches that differ by no
        more than the noise count as equal. "auto" is the noise of the source.
    strength : float
        Filtering strength h as a multiple of sigma, greater than 0 and at most 100. Larger values
        smooth more and blur faint structures.
    patch : int
        Patch radius in pixels, 0 or more. Larger patches keep regular texture but leave noise
        around unique details.
    search : int
        Search radius in pixels, 1 or more. Larger values find more similar patches; the time grows
        with (2 search + 1) to the power of the dimension.

    Notes
    -----
    Use it for white noise in images with repeated structures: texture, lines, many similar objects.
    Not for correlated noise, which it takes for structure, nor for volumes with thick slices, where
    a patch covers different distances along z and x.

    Raises
    ------
    ValueError
        If a patch or a search window has more than 5000 pixels.

    References
    ----------
    Buades, Coll and Morel (2005), A non-local algorithm for image denoising.
    Darbon, Cunha, Chan, Osher and Jensen (2008), Fast nonlocal filtering applied to electron
    cryomicroscopy.
    """

    display_name: ClassVar[str] = "Non-local means"
    method_name = "non-local means (scikit-image)"
    terms = in_terms(
        sigma="noise standard deviation {}",
        strength="filtering strength {} times this",
        patch="patch radius {} pixels",
        search="search radius {} pixels",
    )
    estimates = measured(sigma=NOISE)
    cites = (Cite("buades2005"), Cite("darbon2008"))

    # The library compares each pair of patches once, from one side.
    flips: ClassVar[bool] = False

    joins_channels: ClassVar[bool] = True

    sigma: Annotated[
        float | Literal["auto"],
        {
            "min": 0.0,
            "unit": "intensity",
            "tooltip": "Standard deviation of the noise; larger values smooth more.",
        },
    ] = "auto"
    strength: Annotated[
        float,
        {
            "above": 0.0,
            "max": 100.0,
            "tooltip": "Filtering strength h as a multiple of sigma; larger values smooth more.",
        },
    ] = 0.7
    patch: Annotated[
        int,
        {
            "min": 0,
            "max": 50,
            "tooltip": "Patch radius; larger patches keep texture but leave noise around "
            "unique details.",
        },
    ] = 2
    search: Annotated[
        int,
        {
            "min": 1,
            "max": 50,
            "tooltip": "Search radius; larger values find more similar patches and take longer.",
        },
    ] = 6

    def check(self, grid: Grid) -> None:
        """Raise for boxes of too many pixels; see `Filter.check`."""
        super().check(grid)
        for name in ("patch", "search"):
            radius = getattr(self, name)
            samples = (2 * radius + 1) ** len(grid.along)
            if samples > MOST:
                raise ValueError(
                    f"NonLocalMeans: {name}={radius} covers {samples} pixels, more than {MOST}: "
                    "use a smaller value."
                )

    def denoised(self, image: NDArray[Any], strength: float, threads: Threads) -> NDArray[Any]:
        """Return the filtered image; see `LibraryFilter.denoised`."""
        del threads
        from skimage.restoration import denoise_nl_means

        # Running sums of squares take all the digits there are. A constant image becomes 0.
        middle = image.min() / 2 + image.max() / 2
        centred = (image - middle).astype(np.float64)
        exponent, sigma = exponent_of(strength, centred)
        # The library does not support images with fewer than two axes.
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
