"""What every noise is: a component that adds addressed random numbers to a block."""

from __future__ import annotations

import abc
import numbers
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self, Unpack, final

import numpy as np

from napari_diffusion.core.component import Component
from napari_diffusion.core.image import Image, is_dask
from napari_diffusion.engine.threads import Threads

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from napari_diffusion.core.grid import Grid, GridOptions, Shape

NoiseScale = float | tuple[float, ...]

CLAIMS = ("keeps_mean", "has_scale", "white", "random", "signal_dependent", "natural")


@dataclass(frozen=True)
class Address:
    """Which random numbers: together with a pixel's coordinates it fixes each one of them.

    Attributes
    ----------
    seed : int
        0 … 2⁶⁴ − 1; another seed, other numbers.
    step : int
        The step of the loop, from 0.
    stream : int
        Tells the parts of a sum of noises apart.
    """

    seed: int = 0
    step: int = 0
    stream: int = 0

    def __post_init__(self) -> None:
        for name, bits in (("seed", 64), ("step", 32), ("stream", 32)):
            value = getattr(self, name)
            if isinstance(value, bool) or not hasattr(value, "__index__"):
                raise TypeError(f"{name} must be a whole number (got {value!r}).")
            object.__setattr__(self, name, value.__index__())
            if not 0 <= getattr(self, name) < 2**bits:
                raise ValueError(f"{name} must be from 0 to 2**{bits} - 1 (got {value!r}).")


@dataclass(frozen=True)
class Noise(Component, abc.ABC):
    """One kind of noise.

    Calling it makes a noisy copy: ``Gaussian()(image, noise_scale=0.1, seed=0, step=0)``. The
    number that a pixel gets belongs to its coordinates, the step and the seed, so crops, chunks,
    threads and restarts never change it.

    The class variables are claims that the tests hold every noise to.

    Attributes
    ----------
    keeps_mean : bool
        On average over the seeds the noisy image is the image.
    has_scale : bool
        The standard deviation is the noise scale, at the reference intensity where there is one.
    white : bool
        The noise of one pixel says nothing of the noise of another.
    random : bool
        Seed and step choose the noise.
    signal_dependent : bool
        The noise depends on the intensity, which must be 0 or more; the noise scale is the standard
        deviation at the intensity called ``reference``.
    natural : bool
        Its parameters say how strong it is, and a noise scale of None takes them as they are typed.
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

    def resolved(self, image: Any, grid: Grid) -> Self:
        """Return this noise with every ``"auto"`` replaced by its number for `image`."""
        return self.with_components(lambda component: component.resolved(image, grid))

    def halo(self, grid: Grid) -> Shape | None:
        """Return how far one pixel's noise reaches for others' values, per canonical axis."""
        del grid
        return (0, 0, 0, 0, 0)

    def natural_scale(self) -> NoiseScale:
        """Return the noise scale that the parameters as typed make, of a resolved noise."""
        raise TypeError(
            f"{type(self).__name__}: noise_scale must be a number, for no parameter says how "
            "strong the noise is (got None)."
        )

    def in_words(self, scale: float) -> str:
        """Say what a noise scale is in the noise's own terms, nothing where it has none."""
        del scale
        return ""

    def check(self, block: NDArray[Any], scale: NoiseScale, mask: NDArray[np.bool_] | None) -> None:
        """Refuse, in one sentence, what this noise cannot be added to; `block` as for `add`."""

    @abc.abstractmethod
    def add(
        self,
        block: NDArray[Any],
        scale: NoiseScale,
        address: Address,
        grid: Grid,
        executor: Threads,
    ) -> NDArray[Any]:
        """Return block + noise as a new array.

        Parameters
        ----------
        block : ndarray
            Canonical (t, c, z, y, x), C-contiguous, float32 or float64; never written.
        scale : float or tuple of float
            Standard deviation in intensity units, for all channels or one for each.
        address : Address
            Seed, step and stream.
        grid : Grid
            `origin` places the block in the whole image, and with it the random numbers.
        drive : Drive
            Runs tiles over threads and polls the stop token.
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
        source = Image.of(image, **options)
        address = Address(seed, step)
        if noise_scale is not None:
            noise_scale = checked_scale(noise_scale)
            check_channels(noise_scale, source.grid)
        chosen = self.resolved(source, source.grid)
        scale = chosen.natural_scale() if noise_scale is None else noise_scale
        check_scale_fits(max(scale) if isinstance(scale, tuple) else scale, source)
        executor: Any = Threads()
        if is_dask(image):
            from napari_diffusion.engine.chunks import Chunks

            executor = Chunks()
        return source.restored(
            executor.add_noise(source.data, chosen, scale, address, source.grid, source.mask),
            fresh=True,
        )


def checked_scale(scale: Any, name: str = "noise_scale") -> NoiseScale:
    """Return a noise scale as float or tuple of float; refuse what is not a standard deviation."""
    ndim = getattr(scale, "ndim", 0)
    many = isinstance(scale, tuple | list) or ndim == 1
    each = list(scale) if many else [scale]
    if ndim > 1 or not all(isinstance(v, numbers.Real) and not isinstance(v, bool) for v in each):
        raise TypeError(f"{name} must be a number, or one for each channel (got {scale!r}).")
    values = tuple(float(value) for value in each)
    if not values or not all(0 <= value < float("inf") for value in values):
        raise ValueError(f"{name} is a standard deviation: finite and 0 or more (got {scale!r}).")
    return values if many else values[0]


def check_channels(scale: NoiseScale, grid: Grid) -> None:
    """Refuse a noise scale per channel that is not one for each channel of the image."""
    if isinstance(scale, tuple) and len(scale) != grid.shape[1]:
        raise ValueError(
            f"noise_scale lists {len(scale)} values, but the image has {grid.shape[1]} channels."
        )


def check_scale_fits(scale: float, image: Image) -> None:
    """Refuse a noise scale that leaves no room to compute in the image's type."""
    limit = float(np.finfo(image.data.dtype).max) / 2.0**20
    if scale > limit:
        raise ValueError(
            f"A noise_scale of {scale:g} leaves no room to compute in {image.data.dtype}: give "
            f"at most {limit:.0e}, or a float64 image."
        )
