"""Local noise: where there is less or more noise than in the rest of the image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np

from napari_diffusion.forensics.base import Evidence, Null, Trace
from napari_diffusion.forensics.reading import Number, Reading, TraceMap

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_diffusion.forensics.statistics.noise_level import Scale

# Ends of the colour bar, in spreads; values to compare with, at most.
_LIMITS, _NULL_VALUES = (0.0, 6.0), 20_000

# An image needs so many windows along y and x; a part of so many is tried before reading.
_WINDOWS, _TRIED = 4, 12

# A light smoothing must lower the noise by so many spreads for a trace to be readable: then 7 of 10
# smoothed places have less noise than a place that is not, if deviations are normal.
_LEAST_EFFECT = 0.7


@dataclass(frozen=True)
class LocalNoise(Trace):
    """Parts with less or more noise than their brightness and texture lead one to expect.

    The noise around a pixel is ``n = ⅔ ⟨log |∂yy u| + log |∂xx u| + log |∂yy ∂xx u|⟩``, second
    differences of neighbouring pixels averaged over a window; the texture is the same two octaves
    coarser. A quadratic polynomial of mean brightness and texture is fitted to n by weights that
    outliers do not move. The maps show ``∓⟨n − fit⟩ / spread``, averaged over a window once more:
    parts with less noise, and with more.

    Parameters
    ----------
    window : int
        Side of the windows in pixels. Small windows show small parts, large ones weak differences.

    Notes
    -----
    Use it to find parts that were smoothed, resampled, painted in or taken from a noisier image.
    The two maps are read separately: smoothing and resampling leave less noise, added noise more.
    In steep texture added noise is seen less well than smoothing, after JPEG even less.
    Not for images without noise, such as drawings, strong compression and heavily denoised images,
    which are refused. Values are ranks within the image, and no probabilities: every image has a
    place with the least noise.

    References
    ----------
    Immerkær (1996), Fast noise variance estimation. Mahdian and Saic (2009), Using noise
    inconsistencies for blind image forensics.
    """

    null: ClassVar[Null] = "same image"
    assumes: ClassVar[str] = (
        "One camera and one processing made the whole image, so that noise depends on brightness "
        "and texture alone."
    )
    misleads: ClassVar[tuple[str, ...]] = (
        "Parts out of focus, sky, shadows and saturated parts have less noise than the rest.",
        "Denoising in the camera, deconvolution, background subtraction, flat-field correction and "
        "sharpening change noise from place to place.",
        "Stitched tiles, montages and drawn labels have a noise of their own.",
        "Compression takes away weak noise and leaves strong noise.",
    )

    window: Annotated[
        int,
        {
            "min": 16,
            "max": 256,
            "unit": "pixels",
            "tooltip": "Small windows show small parts; large ones also weak differences.",
        },
    ] = 32

    def worthless(self, evidence: Evidence) -> str:
        """Return why there is no noise to read; see `Trace.worthless`."""
        from napari_diffusion.forensics.statistics.noise_level import effect_of_smoothing

        least = min(evidence.image.grid.shape[-2:])
        if least < _WINDOWS * self.window:
            return f"It needs {_WINDOWS * self.window} pixels along y and x (got {least})."
        _, plane = next(evidence.planes())
        part = tuple(slice(max(n - _TRIED * self.window, 0) // 2,
                           (n + _TRIED * self.window) // 2) for n in plane.shape)  # fmt: skip
        effect = effect_of_smoothing(plane[part], self._scale(evidence))
        if effect < _LEAST_EFFECT:
            return (
                "There is too little noise to read: a light smoothing would lower it by "
                f"{effect:.1f} spreads only, and {_LEAST_EFFECT:g} is needed."
            )
        return ""

    def _scale(self, evidence: Evidence) -> Scale:
        from napari_diffusion.forensics.statistics.noise_level import Scale
        from napari_diffusion.forensics.statistics.value_step import value_step

        return Scale(self.window, value_step(evidence.image.data))

    def read(self, evidence: Evidence) -> Reading:
        """Return two maps, less noise and more noise; see `Trace.read`."""
        from napari_diffusion.forensics.jpeg.grey_levels import stacked
        from napari_diffusion.forensics.statistics.noise_level import deviation_of

        scale, planes = self._scale(evidence), []
        for _, plane in evidence.planes():
            evidence.threads.poll()
            planes.append(deviation_of(plane, scale))
        maps = tuple(
            TraceMap(
                f"{words} noise than expected (spreads)", values, "", _LIMITS, False,
                values.ravel()[:: max(1, values.size // _NULL_VALUES)], "the same image",
            )
            for words, values in (
                ("less", stacked(evidence.image, [-each for each in planes])),
                ("more", stacked(evidence.image, planes)),
            )
        )  # fmt: skip
        numbers = (
            Number("least noise (spreads from the fit)", min(float(p.min()) for p in planes)),
            Number("most noise (spreads from the fit)", max(float(p.max()) for p in planes)),
        )
        return Reading(self, maps=maps, numbers=numbers, remarks=_remarks(planes))


def _remarks(planes: Sequence[NDArray[Any]]) -> tuple[str, ...]:
    found = []
    for words, sign in (("less", -1), ("more", 1)):
        k = int(np.argmax([float((sign * each).max()) for each in planes]))
        y, x = np.unravel_index(int(np.argmax(sign * planes[k])), planes[k].shape)
        plane = f" of plane {k}" if len(planes) > 1 else ""
        found.append(
            f"The region around ({y}, {x}){plane} differs most from the rest in having {words} "
            f"noise than expected: by {abs(float(planes[k][y, x])):.1f} spreads. Every image has "
            "such a place; this also happens with focus, saturation, denoising in the camera, "
            "stitching and montage."
        )
    return tuple(found)
