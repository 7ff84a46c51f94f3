"""Difference: the image minus a reference of the same size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from napari_diffusion.forensics.base import Evidence, Need, Null, Trace, planes_of
from napari_diffusion.forensics.reading import Number, Reading, TraceMap

if TYPE_CHECKING:
    from numpy.typing import NDArray

# The colour bar ends at this quantile of the absolute differences that are not 0.
_QUANTILE = 0.99


@dataclass(frozen=True)
class Difference(Trace):
    """What changed from one image to another of the same size, pixel by pixel, with its sign.

    ``d = u − reference``, of colours the difference of their brightness; the numbers are of all
    channels. Nothing is shifted, turned or scaled before.

    Notes
    -----
    Use it where another version of the image is at hand: an earlier export, the file of the
    supplement, the original. Not for two images of the same scene, whose noise differs everywhere,
    nor for versions that were cropped, moved or resampled.

    References
    ----------
    Rossner and Yamada (2004), The temptation of image manipulation.
    """

    needs: ClassVar[frozenset[Need]] = frozenset({"pixels", "second image"})
    null: ClassVar[Null] = "reference"
    assumes: ClassVar[str] = "Both show the same pixels at the same place, in the same units."
    misleads: ClassVar[tuple[str, ...]] = (
        "Compression, a colour profile, another bit depth and a stretched contrast change nearly "
        "every pixel.",
        "A shift by less than a pixel shows every edge.",
    )

    def worthless(self, evidence: Evidence) -> str:
        """Return why both cannot be subtracted; see `Trace.worthless`."""
        own, other = evidence.image, evidence.reference
        if other is None or own.data.shape == other.data.shape:
            return ""
        sizes = (_size(own.data.shape), _size(other.data.shape))
        return (
            f"The reference has another size (t, c, z, y, x: {sizes[1]}, and the image "
            f"{sizes[0]}): choose one of the same size."
        )

    def read(self, evidence: Evidence) -> Reading:
        """Return the difference as a map, and its numbers; see `Trace.read`."""
        from napari_diffusion.forensics.jpeg.grey_levels import stacked

        assert evidence.reference is not None
        own, other = evidence.image, evidence.reference
        pairs = zip(planes_of(own), planes_of(other), strict=True)
        values = stacked(own, [first - second for (_, first), (_, second) in pairs])
        changes = own.data.astype(np.float64) - other.data
        changed = changes != 0
        shown = np.abs(values[values != 0])
        end = float(np.quantile(shown, _QUANTILE)) if shown.size else 1.0
        share = float(changed.any(axis=1).mean() if own.grid.rgb else changed.mean())
        numbers = (
            Number("root mean square (intensity)", float(np.sqrt(np.mean(changes**2)))),
            Number("share of pixels that changed", share),
            Number("largest absolute difference (intensity)", float(np.abs(changes).max())),
            Number("mean difference (intensity)", float(changes.mean())),
        )
        shown_map = TraceMap("difference", values, "intensity", (-end, end), diverging=True)
        return Reading(self, maps=(shown_map,), numbers=numbers, remarks=_remarks(changes, share))


def _size(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape))


def _remarks(changes: NDArray[Any], share: float) -> tuple[str, ...]:
    if not share:
        return ("Both images are identical to the bit.",)
    y, x = np.unravel_index(int(np.argmax(np.abs(changes))), changes.shape)[-2:]
    inside = np.argwhere(changes.any(axis=(0, 1, 2)))
    (top, left), (bottom, right) = inside.min(axis=0), inside.max(axis=0)
    return (
        f"{share:.2%} of the pixels differ, all of them from y {top} to {bottom} and from x "
        f"{left} to {right}; most at ({y}, {x}). This also happens with compression, colour "
        "profiles and a stretched contrast.",
    )
