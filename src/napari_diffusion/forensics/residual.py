"""Residual: what a smoothing filter takes away, with its contrast stretched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import numpy as np

from napari_diffusion.forensics.base import Evidence, Trace
from napari_diffusion.forensics.reading import Number, Reading, TraceMap

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Ends of the colour bar, in robust standard deviations.
_CONTRAST, _MAD = 3.0, 1.4826


@dataclass(frozen=True)
class Residual(Trace):
    """A view of the noise and of the finest detail: the image minus a smoothed copy.

    ``r = u − median(u)``, or ``u − denoised(u)``; the colour bar ends at 3 robust standard
    deviations of r.

    Parameters
    ----------
    smoothed_by : {"median", "denoise"}
        A median filter is quick. `denoise` leaves less structure in the residual and is slower.
    radius : int
        Of the median's square, in pixels: it covers (2 radius + 1)² of them.

    Notes
    -----
    Use it to look at noise with your own eyes: seams, parts with another grain, stripes, blocks of
    compression, and repeated patterns. It measures nothing and says nothing by itself; edges and
    textures are seen in it as well.

    References
    ----------
    Krawetz (2007), Digital image analysis and forensics.
    """

    assumes: ClassVar[str] = "Somebody looks at it who knows how such images usually look."
    misleads: ClassVar[tuple[str, ...]] = (
        "Edges, textures and bright parts have more residual than smooth and dark ones.",
        "Compression, sharpening and denoising in the camera change it from place to place.",
    )

    smoothed_by: Annotated[
        Literal["median", "denoise"],
        {"tooltip": "The median is quick; denoise leaves less structure in the residual."},
    ] = "median"
    radius: Annotated[
        int,
        {"min": 1, "max": 10, "unit": "pixels", "tooltip": "A larger median leaves more detail."},
    ] = 1

    def read(self, evidence: Evidence) -> Reading:
        """Return the residual as a map; see `Trace.read`."""
        from napari_diffusion.forensics.jpeg.grey_levels import stacked

        planes = []
        for _, plane in evidence.planes():
            evidence.threads.poll()
            planes.append(plane - self._smoothed(plane))
        values = stacked(evidence.image, planes)
        spread = _MAD * float(np.median(np.abs(values)))
        rms = float(np.sqrt(np.mean(values.astype(np.float64) ** 2)))
        end = _CONTRAST * (spread or rms) or 1.0
        name = f"residual of {'the median' if self.smoothed_by == 'median' else 'denoise'}"
        return Reading(
            self,
            maps=(TraceMap(name, values, "intensity", (-end, end), diverging=True),),
            numbers=(
                Number("robust standard deviation of the residual (intensity)", spread),
                Number("root mean square of the residual (intensity)", rms),
            ),
            remarks=(
                "This is a view: compare the grain of one part with that of the rest.",
                "Edges and textures are seen in it as well as noise.",
            ),
        )

    def _smoothed(self, plane: NDArray[Any]) -> NDArray[Any]:
        if self.smoothed_by == "denoise":
            from napari_diffusion.denoising import denoise

            return np.asarray(denoise(plane, fast=True))
        from scipy import ndimage

        # The median in single precision is twice as fast, and exact for 16-bit values.
        median = ndimage.median_filter(plane.astype(np.float32), 2 * self.radius + 1)
        return np.asarray(median, np.float64)
