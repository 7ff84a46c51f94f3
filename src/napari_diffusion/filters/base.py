"""The base class of filters: a component that maps a block with its halo to a block."""

from __future__ import annotations

import abc
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self, Unpack, final

from napari_diffusion.core.component import Component, only_in_the_loop
from napari_diffusion.core.image import Image, is_dask
from napari_diffusion.engine.block import Block
from napari_diffusion.engine.executor import executor_for

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from napari_diffusion.core.grid import Grid, GridOptions, Shape
    from napari_diffusion.filters.flows.inspection import Inspection


CLAIMS = (
    "keeps_mean",
    "maximum_principle",
    "keeps_constant",
    "linear",
    "shifts_with_grey",
    "scales_with_intensity",
    "scales_with_length",
    "flips",
    "turns",
    "takes_mask",
)


@dataclass(frozen=True)
class Filter(Component, abc.ABC):
    """A filter, which smooths an image.

    A filter is an object with parameters; calling it filters an array:
    ``PeronaMalik(contrast=0.1, time=5.0)(image, axes="yx", spacing=(0.5, 0.5))``.

    The class variables are claims; the tests check every filter against them.

    Attributes
    ----------
    keeps_mean : bool
        The mean of the image does not change.
    maximum_principle : bool
        The result stays within the range of the input.
    keeps_constant : bool
        A constant image does not change, to the bit.
    linear : bool
        The filter of a sum is the sum of the filtered images.
    shifts_with_grey : bool
        Adding a constant to the image adds the same constant to the result.
    scales_with_intensity : bool
        Rescaling the intensities and the parameters in intensity units rescales the result.
    scales_with_length : bool
        Rescaling the pixel size and the parameters in world units does not change the result.
    flips : bool
        Filtering a mirrored image gives the mirrored result.
    turns : bool
        Swapping axes the filter acts along, with their pixel sizes, swaps them in the result.
    takes_mask : bool
        With a mask, pixels outside it do not change and do not affect the result.
    """

    slot: ClassVar[str] = "filter"
    keeps_mean: ClassVar[bool] = False
    maximum_principle: ClassVar[bool] = False
    keeps_constant: ClassVar[bool] = True
    linear: ClassVar[bool] = False
    shifts_with_grey: ClassVar[bool] = True
    scales_with_intensity: ClassVar[bool] = True
    scales_with_length: ClassVar[bool] = True
    flips: ClassVar[bool] = True
    turns: ClassVar[bool] = True
    takes_mask: ClassVar[bool] = True

    @property
    def claims(self) -> frozenset[str]:
        """The claims that hold for this filter; its parameters may withdraw one of its class."""
        return frozenset(name for name in CLAIMS if getattr(self, name))

    def resolved(self, image: Image) -> Self:
        """Return this filter with every ``"auto"`` replaced by its number for `image`.

        Parameters
        ----------
        image : Image
            The whole source.
        """
        return self.with_resolved_components(image)

    def with_resolved_components(self, image: Image) -> Self:
        """Return a copy whose filters within are resolved, equal ones once."""

        def resolved(component: Filter) -> Filter:
            if component not in image.known:
                image.known[component] = component.resolved(image)
            return image.known[component]

        return self.with_components(resolved)

    def check(self, grid: Grid) -> None:
        """Raise if this filter cannot process an image of this grid, before any work."""
        if grid.masked and not self.takes_mask:
            raise ValueError(
                f"{type(self).__name__} does not support masks or missing values: fill the missing "
                "values and use no mask, or choose a filter that supports them, such as "
                "PeronaMalik or Median."
            )

    @property
    def copies(self) -> int:
        """How many arrays of a block's size are held at once; of many, blocks are made smaller."""
        return 1

    @abc.abstractmethod
    def halo(self, grid: Grid) -> Shape | None:
        """Return how far a result reaches for its pixels, per canonical axis; None: all of it."""

    @abc.abstractmethod
    def apply(self, block: Block) -> NDArray[Any]:
        """Return the filtered block as a new array of the same shape and type.

        The block's faces count as the image's border. Where the image goes on beyond them,
        results within the halo of a face are wrong and the caller drops them.

        Parameters
        ----------
        block : Block
            Its values are never written.
        """

    def part_count(self, grid: Grid) -> int:
        """Return how many parts a step has, 1 or more, between which the image is all there is.

        One part after the other gives the bits of the whole step, and each reaches less far. It
        follows from the grid and the parameters, never from the intensities.
        """
        del grid
        return 1

    def part_halo(self, grid: Grid, start: int, stop: int) -> Shape | None:
        """Return how far the parts start…stop−1 reach together; see `halo`."""
        return self.halo(grid) if start < stop else (0, 0, 0, 0, 0)

    def apply_parts(
        self, block: Block, start: int, stop: int, core: tuple[slice, ...] | None = None
    ) -> NDArray[Any]:
        """Return the block after the parts start…stop−1 of a step alone; see `apply`.

        Parameters
        ----------
        block : Block
            What the parts before have made of the image.
        start, stop : int
            From 0 to `part_count`; of no part at all the result is a copy.
        core : tuple of 5 slice, optional
            Where in the block results are wanted; elsewhere they may be anything. None: everywhere.
        """
        del core
        return self.apply(block) if start < stop else block.values.copy()

    def inspected(self, block: Block) -> Inspection:
        """Return what this filter, resolved, sees in an image as a whole; see `inspect`."""
        del block
        inner = next(iter(self.components_in()), None)
        cure = "choose a diffusion filter, such as PeronaMalik or EdgeEnhancing."
        if inner is not None:
            cure = f"inspect a filter within it, here {type(inner).__name__}, by itself."
        raise TypeError(
            f"{type(self).__name__} solves no diffusion equation of its own, so that there is no "
            f"flux to inspect: {cure}"
        )

    def inspect(self, image: ArrayLike | Image, **options: Unpack[GridOptions]) -> Inspection:
        """Return what this filter sees in an image: edges, conductance or tensors, and the flux.

        They are the numbers that the filter computes with, of its first explicit sub-step, for
        learning what a filter does and for choosing a contrast.

        Parameters
        ----------
        image : array_like
            As for filtering, in memory. ``"auto"`` is measured on it; to see another image with the
            parameters that were measured on the source, inspect with a filter resolved on the
            source.
        **options
            ``axes, spacing, along, joint_channels, rgb, mask, missing``.

        Returns
        -------
        Inspection
            ``image + tau · change()`` is the image after one explicit sub-step. A `FaceInspection`
            for a scalar conductance, a `TensorInspection` for a diffusion tensor, a
            `SpeedInspection` for curvature flows, which have no flux.

        Raises
        ------
        TypeError
            If the filter solves no diffusion equation, or the image is a dask array.
        ValueError
            If the filter cannot process the image.
        """
        source = Image.of(image, **options)
        if is_dask(source.data) or is_dask(source.mask):
            raise TypeError(
                "inspect works on images in memory (got a dask array): pass a part of it, such as "
                "image[0].compute()."
            )
        self.check(source.grid)
        return self.resolved(source).inspected(Block(source.data, source.grid, source.mask))

    @final
    def __call__(self, image: ArrayLike, **options: Unpack[GridOptions]) -> Any:
        """Filter an image.

        Parameters
        ----------
        image : array_like
            2D arrays are read as ``yx``, 3D ones as ``zyx``; name other axes. Never written.
        **options
            ``axes, spacing, along, joint_channels, rgb, mask, missing``.

        Returns
        -------
        ndarray
            A new array of the image's shape; float64 for float64 images, else float32. A dask
            array for a dask array.
        """
        source = Image.of(image, **options)
        self.check(source.grid)
        for name in self.set_by_step():
            raise ValueError(only_in_the_loop(type(self).__name__, name))
        filtered = executor_for(source.data).apply_filter(source, self.resolved(source))
        return source.restored(filtered, fresh=True)
