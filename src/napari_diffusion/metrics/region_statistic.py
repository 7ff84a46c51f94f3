"""A statistic of a labelled region."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import numpy as np

from napari_diffusion.core.array_parameter import ArrayParameter
from napari_diffusion.core.image import canonical_mask
from napari_diffusion.metrics.base import Metric, View

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

_STATISTICS: dict[str, Callable[[NDArray[np.float64]], float]] = {
    "mean": np.mean,
    "median": np.median,
    "std": np.std,
    "minimum": np.min,
    "maximum": np.max,
    "sum": np.sum,
}


@dataclass(frozen=True)
class RegionStatistic(Metric):
    """Mean, median, standard deviation, minimum, maximum or sum of a labelled region.

    ``statistic of u(x), labels(x) = label``

    Parameters
    ----------
    labels : ArrayParameter or None
        A label image of integers, 0 outside: of the shape of the image, with or without t and c.
        None uses the whole image.
    label : int
        The label to measure, 0 or more; 0 combines all labels.
    statistic : {"mean", "median", "std", "minimum", "maximum", "sum"}
        "mean", "median"; "std": standard deviation, without Bessel's correction; "minimum",
        "maximum"; "sum" over all pixels.

    Notes
    -----
    Use it to follow your own measurement over the steps, and its stability over random seeds. Not
    to choose the best step: a filter that changes a measurement least is not necessarily right.

    Raises
    ------
    ValueError
        If the labels do not have the shape of the image.
    """

    unit: ClassVar[str] = "intensity"
    better: ClassVar[Literal["lower", "higher", ""]] = ""

    labels: Annotated[
        ArrayParameter | None,
        {"tooltip": "Label image, 0 outside; none for the whole image."},
    ] = None
    label: Annotated[int, {"min": 0, "tooltip": "Label to measure; 0 combines all labels."}] = 0
    statistic: Annotated[
        Literal["mean", "median", "std", "minimum", "maximum", "sum"],
        {"tooltip": "Statistic of the intensities in the region."},
    ] = "mean"

    def value(self, view: View) -> float:
        """Return the number; NaN where the region has no pixels."""
        chosen = view.mask
        if self.labels is not None:
            here = self._region(view)
            chosen = here if chosen is None else here & chosen
        values = view.image.ravel() if chosen is None else view.image[chosen]
        if not values.size:
            return float("nan")
        if self.statistic in ("minimum", "maximum", "median"):
            return float(_STATISTICS[self.statistic](values))
        return float(_STATISTICS[self.statistic](values.astype(np.float64)))

    def doubt(self, view: View) -> str:
        """Return that the region is empty."""
        if self.labels is not None and not self._region(view).any():
            named = f"label {self.label}" if self.label else "a label"
            return f"No measured pixel has {named}."
        return ""

    def _region(self, view: View) -> NDArray[np.bool_]:
        return view.once((self.labels, self.label), lambda: self._found(view))

    def _found(self, view: View) -> NDArray[np.bool_]:
        assert self.labels is not None
        values = self.labels.values
        inside = canonical_mask(values == self.label if self.label else values != 0, view.grid)
        ends = zip(view.grid.origin, view.image.shape, strict=True)
        found: NDArray[np.bool_] = inside[tuple(slice(at, at + size) for at, size in ends)]
        return found
