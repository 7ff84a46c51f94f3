"""The base class of noise models: components that add addressed random numbers to a block."""

from __future__ import annotations

import abc
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self, Unpack, final

from napari_diffusion.core.address import Address
from napari_diffusion.core.component import Component
from napari_diffusion.core.image import Image
from napari_diffusion.core.noise_scale import (
    NoiseScale,
    check_channels,
    check_scale_fits,
    checked_scale,
)
from napari_diffusion.engine.executor import executor_for
from napari_diffusion.engine.tiles import window_of

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from napari_diffusion.core.grid import Grid, GridOptions, Shape
    from napari_diffusion.core.noise_scale import Scales
    from napari_diffusion.engine.block import Block
    from napari_diffusion.engine.threads import StopToken

CLAIMS = ("keeps_mean", "has_scale", "white", "random", "signal_dependent", "natural")


@dataclass(frozen=True)
class Noise(Component, abc.ABC):
    """A noise model, which adds noise to an image.

    Calling it returns a noisy copy: ``Gaussian()(image, noise_scale=0.1, seed=0, step=0)``. The
    random number of a pixel depends only on its coordinates, the step and the random seed, so
    crops, chunks, threads and restarts never change it.

    The class variables are claims; the tests check every noise model against them.

    Attributes
    ----------
    keeps_mean : bool
        Averaged over random seeds, the noisy image equals the image.
    has_scale : bool
        The noise scale is the standard deviation, at the reference intensity where there is one.
    white : bool
        The noise is independent from pixel to pixel.
    random : bool
        The noise depends on the random seed and the step.
    signal_dependent : bool
        The noise depends on the intensity, which must be 0 or more; the noise scale is the standard
        deviation at the intensity ``reference``.
    natural : bool
        The parameters determine the strength of the noise; a noise scale of None uses them.
    """

    slot: ClassVar[str] = "noise"
    keeps_mean: ClassVar[bool] = True
    has_scale: ClassVar[bool] = True
    white: ClassVar[bool] = True
    random: ClassVar[bool] = True
    signal_dependent: ClassVar[bool] = False
    natural: ClassVar[bool] = False

    @property
    def claims(self) -> frozenset[str]:
        """The claims that hold for this noise; its parameters may withdraw one of its class."""
        return frozenset(name for name in CLAIMS if getattr(self, name))

    def resolved(self, image: Image) -> Self:
        """Return this noise with every ``"auto"`` replaced by its number for `image`."""
        return self.with_components(lambda component: component.resolved(image))

    def halo(self, grid: Grid) -> Shape | None:
        """Return how far around a pixel its noise depends on intensities, per canonical axis."""
        del grid
        return (0, 0, 0, 0, 0)

    def natural_scale(self) -> NoiseScale:
        """Return the noise scale that the parameters of a resolved noise determine."""
        raise TypeError(
            f"{type(self).__name__}: noise_scale must be a number, since no parameter sets "
            "the strength of this noise (got None)."
        )

    def in_words(self, scale: float) -> str:
        """Return a noise scale in the terms of this noise, or nothing."""
        del scale
        return ""

    def check(self, block: Block, scales: Scales) -> None:
        """Raise if this noise cannot be added to a block; `block` as for `add`."""

    @abc.abstractmethod
    def add(self, block: Block, scales: Scales, address: Address) -> NDArray[Any]:
        """Return the block's values + noise as a new array.

        Parameters
        ----------
        block : Block
            Its values are never written. The origin of its grid places it in the whole image, and
            with it the random numbers.
        scales : tuple of float
            Standard deviation in intensity units, one for each channel of the block.
        address : Address
            Seed, step and stream.
        """

    @final
    def __call__(
        self,
        image: ArrayLike,
        noise_scale: float | tuple[float, ...] | None = None,
        seed: int = 0,
        step: int = 0,
        **options: Unpack[GridOptions],
    ) -> Any:
        """Return a noisy copy of an image.

        Parameters
        ----------
        image : array_like
            2D arrays are read as ``yx``, 3D ones as ``zyx``; name other axes. Never written.
        noise_scale : float or tuple of float or None
            Standard deviation of the noise in intensity units, 0 or more; one per channel if many.
            None takes the parameters of the noise as they are typed, where they say how strong it
            is.
        seed, step : int
            Address of the random numbers; the same address gives the same noise.
        **options
            ``axes, spacing, along, joint_channels, rgb, mask, missing``.

        Returns
        -------
        ndarray
            A new array of the image's shape; float64 for float64 images, else float32. A dask
            array for a dask array.
        """
        source, address = Image.of(image, **options), Address(seed, step)
        chosen = self.resolved(source)
        return chosen.added_to(source, chosen.scale_on(source, noise_scale), address)

    @final
    def scale_on(self, image: Image, noise_scale: NoiseScale | None) -> NoiseScale:
        """Return the noise scale that a resolved noise has on an image; None is its own."""
        scale = checked_scale(self.natural_scale() if noise_scale is None else noise_scale)
        check_channels(scale, image.grid)
        check_scale_fits(scale, image)
        return scale

    @final
    def added_to(
        self,
        image: Image,
        noise_scale: NoiseScale,
        address: Address,
        region: tuple[slice, ...] | None = None,
        stop: StopToken | None = None,
    ) -> Any:
        """Return a noisy copy of an image that has been read in, or of a region of it.

        Parameters
        ----------
        image : Image
            That this noise is resolved on.
        noise_scale : float or tuple of float
            As `scale_on` returns it.
        address : Address
            Seed and step.
        region : tuple of slice, optional
            One slice per axis of the image.
        stop : StopToken, optional
            Once set, `Stopped` is raised within a tile.
        """
        shape, halo = image.grid.shape, self.halo(image.grid)
        # Scales may be one per channel, and noise without a halo is made of the whole.
        reach = shape if halo is None else (halo[0], shape[1], *halo[2:])
        window, shown, inner = window_of(image, region, reach)
        executor = executor_for(image.data, stop)
        values = executor.add_noise(window, self, noise_scale, address)
        if region is None:
            return shown.restored(values, fresh=True)
        return shown.restored(values[inner])
