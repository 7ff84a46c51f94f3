"""A metric made of any function."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import numpy as np

from napari_diffusion.core.function_parameter import accepted, called, imported, spoken
from napari_diffusion.metrics.base import Metric, View

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

# What a function is given beside the image, where it has parameters of these names.
_ARRAYS = ("source", "reference", "mask")
_OFFERED = ("spacing", "channel_axis", *_ARRAYS)


@dataclass(frozen=True)
class CustomMetric(Metric):
    """Measure a step with a function of your own, or of any package.

    ``mean over images of function(u)``

    The function is called on each image: an array along the axes the filter acts along, in the
    order of the image. Frames and other axes come one at a time. Joint channels are included, at
    their place in the image and without alpha; with ``joint_channels=False`` each channel comes
    alone. The function gets a copy, float32 or float64, and must return one real number; NaN means
    that the value is unknown.

    Parameters of these names are filled in where the function has them: *spacing*, a tuple with the
    pixel size along each axis of the array, in world units; *channel_axis*, the axis of the
    channels or None; *source*, the same image before the first step; *reference*, the ground truth,
    or None; *mask*, a boolean array of the same shape, or None.

    Parameters
    ----------
    function : callable or str
        A function, or its name as ``"package.module:function"``.

    Notes
    -----
    Use it to follow your own measurement over the steps, and its stability over random seeds. Not
    to choose the best step: whether lower or higher is better is unknown.

    Raises
    ------
    ValueError
        If there is no function of that name, it cannot be called with one array, or it does not
        return a number. Exceptions of the function itself are passed on, with a note that names it.
    """

    display_name: ClassVar[str] = "Custom function"
    better: ClassVar[Literal["lower", "higher", ""]] = ""

    function: Annotated[
        Callable[..., Any] | str, {"tooltip": "Function that takes an image and returns a number."}
    ] = "numpy:median"

    @property
    def name(self) -> str:
        """The function's name, for people."""
        return spoken(self.function)

    def value(self, view: View) -> float:
        """Return the mean of the function over all images."""
        function, names = imported(self.function), self._accepted()
        found = []
        for image, offered in _images(view):
            found.append(self._called(function, image, {n: offered[n] for n in names}))
        return math.fsum(found) / len(found)

    def doubt(self, view: View) -> str:
        """Return that a function without a parameter *mask* ignores the mask."""
        if view.mask is not None and "mask" not in self._accepted():
            return (
                f"{self.name} has no parameter mask, so it also measures pixels outside the mask."
            )
        return ""

    def _accepted(self) -> tuple[str, ...]:
        """Return which of what is offered the function has parameters for."""
        return accepted(self.function, _OFFERED, "CustomMetric")

    def _called(
        self, function: Callable[..., Any], image: NDArray[Any], given: dict[str, Any]
    ) -> float:
        """Call the function on a copy of an image, and check what it returns."""
        made = called(function, image, given, "CustomMetric")
        if made.size != 1 or made.dtype.kind not in "biuf":
            raise ValueError(
                f"CustomMetric: {self.name} must return one real number (got {made.dtype} of shape "
                f"{made.shape}): return a float."
            )
        return float(made.item())


def _images(view: View) -> Iterator[tuple[NDArray[Any], dict[str, Any]]]:
    """Yield every image, and what is offered beside it."""
    grid = view.grid
    names = [a for a in grid.axes if a in grid.along or (a == "c" and grid.joint_channels)]
    lengths = dict(zip(grid.along, grid.spacing, strict=True))
    inner = ["tczyx".index(a) for a in names]
    batch = [i for i in range(5) if i not in inner]
    plain = {
        "spacing": tuple(lengths[a] for a in names if a in lengths),
        "channel_axis": names.index("c") if "c" in names else None,
    }
    arrays: dict[str, NDArray[Any]] = {
        name: getattr(view, name).transpose(batch + inner)
        for name in ("image", *_ARRAYS)
        if getattr(view, name) is not None
    }
    for index in np.ndindex(*(view.image.shape[i] for i in batch)):
        beside = {n: arrays[n][index].copy() if n in arrays else None for n in _ARRAYS}
        yield arrays["image"][index], {**plain, **beside}
