"""A number of a region of your own."""

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
    """Mean, median, standard deviation, least, greatest value or sum of a region of your own.

    ``statistic of u(x), labels(x) = label``

    Parameters
    ----------
    labels : Map or None
        Whole numbers, 0 being outside: of the image's shape, with or without t and c. None takes
        all of the image.
    label : int
        Which of them, 0 or more; 0 takes all that are not 0 together.
    statistic : {"mean", "median", "std", "minimum", "maximum", "sum"}
        "mean", "median"; "std": the standard deviation, without Bessel's correction; "minimum",
        "maximum": the least and the greatest value; "sum" of all pixels.

    Notes
    -----
    Use it to see what the measurement that you are after does over the steps, and over seeds how
    stable it is. Not to find the best step: a filter that changes a measurement least is not
    therefore right.

    Raises
    ------
    ValueError
        If the labels do not have the image's shape.
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
        """Say that the region is empty."""
        if self.labels is not None and not self._region(view).any():
            named = f"label {self.label}" if self.label else "a label"
            return f"Nothing of what is measured has {named}."
        return ""

    def _region(self, view: View) -> NDArray[np.bool_]:
        found: NDArray[np.bool_] = view.once((self.labels, self.label), lambda: self._found(view))
        return found

    def _found(self, view: View) -> NDArray[np.bool_]:
        assert self.labels is not None
        values = self.labels.values
        inside = canonical_mask(values == self.label if self.label else values != 0, view.grid)
        ends = zip(view.grid.origin, view.image.shape, strict=True)
        found: NDArray[np.bool_] = inside[tuple(slice(at, at + size) for at, size in ends)]
        return found
