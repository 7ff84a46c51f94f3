"""An image some pixels of which are missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from napari_diffusion.core.array_parameter import ArrayParameter  # noqa: TC001 - types of fields are read
from napari_diffusion.core.image import canonical_mask
from napari_diffusion.core.method_words import in_terms
from napari_diffusion.measurements.base import NOISE_WORDS, Measurement

if TYPE_CHECKING:
    from napari_diffusion.core.grid import Grid
    from napari_diffusion.core.image import Image
    from napari_diffusion.measurements.base import Known, Values


@dataclass(frozen=True)
class Masked(Measurement):
    """Measure every pixel but those that are missing.

    ``y = x + noise`` where a pixel is not missing

    Parameters
    ----------
    noise_sigma : float, tuple of float or "auto"
        Standard deviation of the noise of the source in intensity units, 0 or more; one per channel
        if many. Measured pixels change by about as much; 0 keeps them. "auto" measures it.
    missing : ArrayParameter or None
        Other than 0 where a pixel is missing: of the image's shape, or without c or t, such as the
        labels painted over holes and scratches. Beside them, NaN, marks of “no data” and pixels
        outside of the mask of the image are missing; None: they alone.

    Notes
    -----
    Use it for holes, scratches, dead pixels and pixels that were not scanned. What fills a hole is
    one plausible image, not a measurement.
    """

    display_name: ClassVar[str] = "Missing pixels"
    method_name = "measured but for missing pixels"
    terms = in_terms(noise_sigma=NOISE_WORDS, missing="")

    missing: Annotated[
        ArrayParameter | None,
        {"tooltip": "Mask of missing pixels beside NaN and those outside of the mask."},
    ] = None

    def check(self, grid: Grid) -> None:
        """Raise if the mask does not fit; see `Measurement.check`."""
        super().check(grid)
        self._present(grid)

    def known(self, source: Image) -> Known | None:
        """Return which pixels are not missing; see `Measurement.known`."""
        own = self._present(source.grid)
        if own is None or source.mask is None:
            return source.mask if own is None else own
        return own & source.mask

    def forward(self, image: Values, grid: Grid) -> Values:
        """Return the image itself; see `Measurement.forward`."""
        del grid
        return image

    def adjoint(self, measured: Values, grid: Grid) -> Values:
        """Return the values themselves; see `Measurement.adjoint`."""
        del grid
        return measured

    def _present(self, grid: Grid) -> Known | None:
        return None if self.missing is None else canonical_mask(self.missing.values == 0, grid)
