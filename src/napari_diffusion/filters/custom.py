"""A filter made of any function."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np

from napari_diffusion.core.function_parameter import accepted, called, imported, spoken
from napari_diffusion.core.grid import per_axis
from napari_diffusion.core.method_words import in_terms
from napari_diffusion.filters.base import Filter

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.core.grid import Grid, Shape
    from napari_diffusion.engine.block import Block

# What a function is given beside the image, where it has parameters of these names.
OFFERED = ("spacing", "channel_axis", "mask")


@dataclass(frozen=True)
class Custom(Filter):
    """Apply a function of your own, or of any package, as the filter.

    ``out = function(u)``

    The function is called on each image: an array along the axes the filter acts along, in the
    order of the image. Frames and other axes come one at a time. Joint channels are included, at
    their place in the image and without alpha; with ``joint_channels=False`` each channel comes
    alone. The function gets a copy, float32 or float64, and must return finite real numbers of the
    same shape. The result is converted to the type of the image.

    Parameters of these names are filled in where the function has them: *spacing*, a tuple with the
    pixel size along each axis of the array, in world units; *channel_axis*, the axis of the
    channels or None; *mask*, a boolean array of the same shape, or None. A function without a
    parameter *mask* does not support masks.

    Parameters
    ----------
    function : callable or str
        A function, or its name as ``"package.module:function"``. Only a function with an importable
        name can be stored in the JSON of a recipe: a lambda cannot.
    reach : int or None
        How many pixels around it a result depends on, along each axis the filter acts along, 0 or
        more. Chunks of a dask array, regions and previews are computed with that margin; too small
        a value leaves seams. None for a function that needs the whole image.

    Notes
    -----
    Use it to bring your own filter, or one of another package, into the loop. Not where a filter in
    the list does the same: no properties are claimed for a custom function.

    Raises
    ------
    ValueError
        If there is no function of that name, it cannot be called with one array, or it does not
        return an image. Exceptions of the function itself are passed on, with a note that names it.
    """

    display_name: ClassVar[str] = "Custom function"
    method_name = "the user-defined filter {function}"
    terms = in_terms(reach="")
    keeps_constant: ClassVar[bool] = False
    shifts_with_grey: ClassVar[bool] = False
    scales_with_intensity: ClassVar[bool] = False
    scales_with_length: ClassVar[bool] = False
    flips: ClassVar[bool] = False
    turns: ClassVar[bool] = False
    takes_mask: ClassVar[bool] = False

    function: Annotated[
        Callable[..., Any] | str,
        {"tooltip": "Function that takes an image and returns the filtered image."},
    ] = "skimage.filters:gaussian"
    reach: Annotated[
        int | None,
        {
            "min": 0,
            "tooltip": "Distance that affects a result, in pixels; none: whole image. Too "
            "small leaves seams.",
        },
    ] = None

    @property
    def name(self) -> str:
        """The function's name, for people."""
        return spoken(self.function)

    def check(self, grid: Grid) -> None:
        """Raise if there is no such function or it takes other arguments; see `Filter.check`."""
        if "mask" not in accepted(self.function, OFFERED, "Custom"):
            super().check(grid)

    def halo(self, grid: Grid) -> Shape | None:
        """Return the reach along the axes in `along`."""
        if self.reach is None:
            return None
        along = grid.along_axes
        return per_axis(self.reach if i in along else 0 for i in range(5))

    def apply(self, block: Block) -> NDArray[Any]:
        """Return what the function makes of each image of the block; see `Filter.apply`."""
        function = imported(self.function)
        names_taken = accepted(self.function, OFFERED, "Custom")
        grid = block.grid
        names = [a for a in grid.axes if a in grid.along or (a == "c" and grid.joint_channels)]
        lengths = dict(zip(grid.along, grid.spacing, strict=True))
        offered = {
            "spacing": tuple(lengths[a] for a in names if a in lengths),
            "channel_axis": names.index("c") if "c" in names else None,
        }
        out = np.empty(block.shape, block.dtype)
        inner = ["tczyx".index(a) for a in names]
        batch = [i for i in range(5) if i not in inner]

        def imaged(array: NDArray[Any], index: tuple[int, ...]) -> NDArray[Any]:
            return array.transpose(batch + inner)[index]

        for index in np.ndindex(*(block.shape[i] for i in batch)):
            block.threads.poll()
            inside = None if block.mask is None else imaged(block.mask, index).copy()
            given = {**offered, "mask": inside}
            image = imaged(block.values, index)
            made = self._called(function, image, {n: given[n] for n in names_taken})
            imaged(out, index)[...] = made
        return out

    def _called(
        self, function: Callable[..., Any], image: NDArray[Any], given: dict[str, Any]
    ) -> NDArray[Any]:
        """Call the function on a copy of an image, and check what it returns."""
        made = called(function, image, given, "Custom filter")
        if made.dtype.kind not in "biuf":
            raise TypeError(
                f"Custom: {self.name} must return real numbers (got {made.dtype}): return an array "
                "of the same type as the image."
            )
        if made.shape != image.shape:
            raise ValueError(
                f"Custom: {self.name} must return an array of the input shape {image.shape} (got "
                f"{made.shape})."
            )
        with np.errstate(over="ignore"):
            made = made.astype(image.dtype)
        wrong = made.size - np.count_nonzero(np.isfinite(made))
        if wrong:
            raise ValueError(
                f"Custom: {self.name} returned {wrong} values that are NaN or infinite in "
                f"{image.dtype}: return finite values."
            )
        return made
