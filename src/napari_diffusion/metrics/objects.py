"""Number and size of objects."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import numpy as np

from napari_diffusion.metrics.base import Metric, View

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Objects(Metric):
    """Number, mean size or total size of the objects above a threshold.

    ``u > threshold``, or ``u < threshold``, defines the objects as connected pixels, diagonal
    neighbours included, along the axes the filter acts along. Values are means over frames and
    channels.

    Parameters
    ----------
    measure : {"count", "mean size", "total size"}
        Quantity to report. "count": number of objects; "mean size": of an object, 0 where there is
        none; "total size": of all objects. Sizes are areas or volumes in world units.
    threshold : float or "auto"
        In intensity units. "auto" uses Otsu's method, which splits the histogram into the two
        classes that differ most.
    each_step : bool
        Compute the automatic threshold for each step, instead of once on the source.
    dark : bool
        Objects are darker than the threshold.
    smallest : float
        Smallest size to count, in world units, 0 or more.

    Notes
    -----
    Use it to follow a count or a size that you want to measure over the steps, and its stability
    over random seeds. Touching objects count as one. Not to choose the best step: a filter that
    changes the count least is not necessarily right.

    References
    ----------
    Otsu (1979), A threshold selection method from gray-level histograms.
    """

    better: ClassVar[Literal["lower", "higher", ""]] = ""

    measure: Annotated[
        Literal["count", "mean size", "total size"],
        {"tooltip": "Quantity to report; sizes in world units."},
    ] = "count"
    threshold: Annotated[
        float | Literal["auto"],
        {"unit": "intensity", "tooltip": "Threshold of objects; auto uses Otsu's method."},
    ] = "auto"
    each_step: Annotated[
        bool,
        {"tooltip": "Compute the automatic threshold for each step instead of once on the source."},
    ] = False
    dark: Annotated[bool, {"tooltip": "Objects are darker than the threshold."}] = False
    smallest: Annotated[
        float, {"min": 0.0, "tooltip": "Smallest size to count, in world units."}
    ] = 0.0

    def value(self, view: View) -> float:
        """Return the number; NaN where there is no threshold."""
        threshold = self._threshold(view)
        if math.isnan(threshold):
            return math.nan
        objects = view.image < threshold if self.dark else view.image > threshold
        if view.mask is not None:
            objects &= view.mask
        cell = math.prod(view.grid.length(axis) for axis in view.grid.along_axes)
        sizes = cell * _sizes(objects, view)
        sizes = sizes[sizes >= self.smallest * (1 - 1e-9)]
        images = math.prod(
            n for axis, n in enumerate(view.image.shape) if axis not in view.grid.along_axes
        )
        if self.measure == "count":
            return sizes.size / images
        total = float(sizes.sum())
        return total / images if self.measure == "total size" else total / max(sizes.size, 1)

    def doubt(self, view: View) -> str:
        """Return that there is no threshold, or one outside the range of the source."""
        threshold = self._threshold(view)
        if math.isnan(threshold):
            return "The image is constant, so there is no automatic threshold."
        low, high = view.source.min(), view.source.max()
        if not low <= threshold <= high:
            return f"The threshold {threshold:g} is outside the source range, {low:g} to {high:g}."
        return ""

    def _threshold(self, view: View) -> float:
        if not isinstance(self.threshold, str):
            return self.threshold
        if self.each_step:
            return _otsu(view.image, view)
        return float(view.once("Otsu's threshold", lambda: _otsu(view.source, view)))


def _otsu(values: NDArray[Any], view: View) -> float:
    from skimage.filters import threshold_otsu

    chosen = values if view.mask is None else values[view.mask]
    if not chosen.size or chosen.min() == chosen.max():
        return math.nan
    return float(threshold_otsu(chosen))


def _sizes(objects: NDArray[np.bool_], view: View) -> NDArray[Any]:
    """Return how many pixels each object has."""
    from scipy import ndimage

    along = view.grid.along_axes
    inner = tuple(objects.shape[axis] for axis in along)
    images = np.moveaxis(objects, along, range(5 - len(along), 5)).reshape(-1, *inner)
    structure = np.ones((3,) * len(inner), bool)
    found = []
    for image in images:
        labels, _ = ndimage.label(image, structure)
        found.append(np.bincount(labels.ravel())[1:])
    return np.concatenate(found)
