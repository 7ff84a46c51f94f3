"""A filter made of any function."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np

from napari_diffusion.core.function_parameter import accepted, called, imported, spoken
from napari_diffusion.filters.base import Filter

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.core.grid import Grid, Shape
    from napari_diffusion.engine.threads import Threads

# What a function is given beside the image, where it has parameters of these names.
OFFERED = ("spacing", "channel_axis", "mask")


@dataclass(frozen=True)
class Custom(Filter):
    """Filter with a function of your own, or of any package.

    ``out = function(u)``

    The function is called on each image: an array along the axes that diffuse, in the order in
    which the image has them. Frames and other axes come one by one. Joint channels come along, at
    the place where the image has them, alpha apart; with ``joint_channels=False`` each channel
    comes alone. The array is a copy of its own, float32 or float64, and what is returned must be
    real numbers of the same shape, all finite. It comes back in the image's type.

    Parameters of these names are filled in, where the function has them: *spacing*, a tuple with
    the world length of a pixel for each axis that diffuses, in the array's order; *channel_axis*,
    the axis of the channels or None; *mask*, booleans of the array's shape, or None. A function
    without a parameter called *mask* takes no mask.

    Parameters
    ----------
    function : callable or str
        A function, or its name as ``"package.module:function"``. Only a function with a name can
        be kept in a recipe's JSON: a lambda cannot.
    reach : int or None
        How many pixels a result reaches along each axis that diffuses, 0 or more; then chunks
        of a dask array, regions and previews are computed with so much around them. None for a
        function that looks at all of the image. Too small a number leaves seams.

    Notes
    -----
    Use it to bring a filter of another package, or of your own, into the loop. Not where a filter
    of the list does the same: nothing is known of a function, so nothing is claimed for it.

    Raises
    ------
    ValueError
        If there is no function of that name, it cannot be called with one array, or it returns
        something else than an image. What the function itself raises comes through, with a note
        that names it.
    """

    display_name: ClassVar[str] = "Custom function"
    keeps_constant: ClassVar[bool] = False
    shifts_with_grey: ClassVar[bool] = False
    scales_with_intensity: ClassVar[bool] = False
    scales_with_length: ClassVar[bool] = False
    flips: ClassVar[bool] = False
    turns: ClassVar[bool] = False
    takes_mask: ClassVar[bool] = False

    function: Annotated[
        Callable[..., Any] | str, {"tooltip": "What is done to the image, and all that is."}
    ] = "skimage.filters:gaussian"
    reach: Annotated[
        int | None,
        {"min": 0, "tooltip": "Pixels a result depends on; none for all, too few leave seams."},
    ] = None

    @property
    def name(self) -> str:
        """The function's name, for people."""
        return spoken(self.function)

    def check(self, grid: Grid) -> None:
        """Refuse a function that is not there or takes something else; see `Filter.check`."""
        if "mask" not in accepted(self.function, OFFERED, "Custom"):
            super().check(grid)

    def halo(self, grid: Grid) -> Shape | None:
        """Return the reach along the axes that diffuse."""
        if self.reach is None:
            return None
        along = grid.along_axes
        return tuple(self.reach if i in along else 0 for i in range(5))  # type: ignore[return-value]

    def apply(
        self, block: NDArray[Any], grid: Grid, mask: NDArray[np.bool_] | None, executor: Threads
    ) -> NDArray[Any]:
        """Return what the function makes of each image of the block; see `Filter.apply`."""
        function = imported(self.function)
        names_taken = accepted(self.function, OFFERED, "Custom")
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
            executor.poll()
            given = {**offered, "mask": None if mask is None else imaged(mask, index).copy()}
            image = imaged(block, index)
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
                "of the image's type."
            )
        if made.shape != image.shape:
            raise ValueError(
                f"Custom: {self.name} must return the shape it was given, {image.shape} (got "
                f"{made.shape})."
            )
        with np.errstate(over="ignore"):
            made = made.astype(image.dtype)
        wrong = made.size - np.count_nonzero(np.isfinite(made))
        if wrong:
            raise ValueError(
                f"Custom: {self.name} returned {wrong} values that are NaN or infinite in "
                f"{image.dtype}: let it return finite ones."
            )
        return made
