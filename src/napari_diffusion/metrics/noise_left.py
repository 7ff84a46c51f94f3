"""Remaining noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from napari_diffusion.metrics.base import Metric, View


@dataclass(frozen=True)
class NoiseLeft(Metric):
    """Standard deviation of the remaining noise, from fine differences.

    ``median |r| / 0.6745``, with r the second difference along x of that along y, divided by 6.

    Notes
    -----
    Use it to follow how fast the noise disappears. It detects only noise between neighbouring
    pixels, not noise smeared into blobs: a low value does not prove a clean image.

    References
    ----------
    Immerkær (1996), Fast noise variance estimation.
    """

    display_name: ClassVar[str] = "Remaining noise"
    unit: ClassVar[str] = "intensity"
    better: ClassVar[Literal["lower", "higher", ""]] = ""

    def value(self, view: View) -> float:
        """Return the noise left."""
        from napari_diffusion.core.image import Image
        from napari_diffusion.estimate.noise_sigma import noise_sigma_of

        image = Image(view.image, view.grid, view.mask)
        return noise_sigma_of(image, "differences")
