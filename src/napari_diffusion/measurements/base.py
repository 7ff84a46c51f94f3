"""The base class of measurements, and what one of them measured of an image."""

from __future__ import annotations

import abc
import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self

import numpy as np

from napari_diffusion.core.citation import EXTREME, NOISE, Cite, Estimate
from napari_diffusion.core.component import Component
from napari_diffusion.core.image import Image
from napari_diffusion.core.method_words import in_terms, measured
from napari_diffusion.noise.sampling.extremes import extremes_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.core.grid import Grid

    Values = NDArray[np.float64]
    Known = NDArray[np.bool_]

NOISE_WORDS = "noise standard deviation {}"


@dataclass(frozen=True)
class Measurement(Component, abc.ABC):
    """How the source came from the image that is to be restored: ``y = A x + noise``.

    A measurement is linear. Filters are corrected by it in every step of a run with reverse
    updates, so that what was measured stays, within its noise.

    Missing pixels of the source, NaN and what lies outside of its mask, were not measured,
    whatever the measurement: they are restored.
    """

    slot: ClassVar[str] = "measurement"
    #: Whether ``A`` keeps a part of the image as it is, and removes the rest: ``A A = A = Aᵀ``.
    keeps_part: ClassVar[bool] = False
    #: What `starting_scale` is taken from, for the methods paragraph.
    starts: ClassVar[Estimate] = EXTREME
    estimates = measured(noise_sigma=NOISE)
    terms = in_terms(noise_sigma=NOISE_WORDS)
    cites: ClassVar[tuple[Cite, ...]] = (Cite("boys2024"), Cite("hestenes1952"))

    noise_sigma: Annotated[
        float | Literal["auto"] | tuple[float, ...],
        {
            "min": 0.0,
            "unit": "intensity",
            "factor": True,
            "tooltip": "Standard deviation of the noise of the source; larger values keep less "
            "of it.",
        },
    ] = "auto"

    def resolved(self, image: Image) -> Self:
        """Return this measurement with what it measures on the source, but for its noise."""
        del image
        return self

    def check(self, grid: Grid) -> None:
        """Raise if a source of this grid cannot have been measured so, before any work."""
        if not isinstance(self.noise_sigma, str):
            self.number_per_channel("noise_sigma", grid)

    def grid_of(self, grid: Grid) -> Grid:
        """Return the grid of the restored image, given that of the source."""
        return dataclasses.replace(grid, masked=False)

    def known(self, source: Image) -> Known | None:
        """Return which pixels of the source were measured; None: all."""
        return source.mask

    def starting_scale(self, source: Image) -> float:
        """Return the noise that reverse updates start from: enough to hide all that is missing.

        The maximum of the source minus its minimum, since what is missing may be as different.

        Parameters
        ----------
        source : Image
            Whole, what was not measured filled with something.
        """
        low, high = extremes_of(source)
        return float(high - low)

    def joined(self, grid: Grid) -> tuple[int, ...]:
        """Return the canonical axes along which values of the source belong to one image."""
        channels = (1,) if grid.joint_channels else ()
        return tuple(sorted((*channels, *grid.along_axes)))

    def possible(self, values: Values, grid: Grid) -> Values:
        """Return the part of the source's values that some image could have given."""
        del grid
        return values

    @abc.abstractmethod
    def forward(self, image: Values, grid: Grid) -> Values:
        """Return what is measured of an image, without noise.

        Parameters
        ----------
        image : ndarray of float64
            In canonical order; never written.
        grid : Grid
            Of the image, as `grid_of` returns it.
        """

    @abc.abstractmethod
    def adjoint(self, measured: Values, grid: Grid) -> Values:
        """Return the adjoint for values of the source's shape: ``⟨A x, y⟩ = ⟨x, Aᵀ y⟩``.

        Parameters
        ----------
        measured : ndarray of float64
            In canonical order; never written.
        grid : Grid
            Of the image, as `grid_of` returns it.
        """


@dataclass(frozen=True, eq=False)
class Measured:
    """What was measured of an image, and how.

    Attributes
    ----------
    measurement : Measurement
        Resolved on the source.
    grid : Grid
        Of the image to be restored.
    values : ndarray of float64
        The source's values, 0 where nothing was measured.
    variance : ndarray of float64
        Variance of the noise of each channel.
    known : ndarray of bool or None
        Which values were measured; None: all.
    """

    measurement: Measurement
    grid: Grid
    values: Values
    variance: Values
    known: Known | None

    @classmethod
    def of(cls, measurement: Measurement, source: Image) -> Measured:
        """Return what a resolved measurement measured; raise if it does not fit the source."""
        measurement.check(source.grid)
        known = measurement.known(source)
        if known is not None and not known.any():
            raise ValueError(
                f"{type(measurement).__name__}: all pixels are missing, so nothing is known of "
                "the image: check the mask and the missing values."
            )
        grid = measurement.grid_of(source.grid)
        values = measurement.possible(source.data.astype(np.float64), grid)
        sigmas = np.reshape(measurement.number_per_channel("noise_sigma", grid), (1, -1, 1, 1, 1))
        return cls(measurement, grid, _only(known, values), np.square(sigmas), known)

    @property
    def summed(self) -> tuple[int, ...]:
        """The axes over which what was measured belongs to one image."""
        return self.measurement.joined(self.grid)

    @property
    def keeps_part(self) -> bool:
        """Whether ``A`` keeps a part of the image as it is: ``A A = A = Aᵀ``."""
        return self.measurement.keeps_part and self.known is None

    def forward(self, image: Values) -> Values:
        """Return what would be measured of an image."""
        return _only(self.known, self.measurement.forward(image, self.grid))

    def adjoint(self, measured: Values) -> Values:
        """Return the adjoint of `forward` for values in the place of the measured ones."""
        return self.measurement.adjoint(_only(self.known, measured), self.grid)

    def mean(self) -> Values:
        """Return the mean of what was measured, of each channel of each image."""
        axes = tuple(axis for axis in self.summed if axis != 1)
        known = np.ones(self.values.shape, bool) if self.known is None else self.known
        counts = known.sum(axis=axes, keepdims=True)
        sums = np.add.reduce(self.values, axis=axes, keepdims=True)
        # Of an image of which nothing was measured, the mean is that of all.
        overall = self.values.sum() / known.sum()
        return np.where(counts == 0, overall, sums / np.maximum(counts, 1))

    def image(self, source: Image) -> Image:
        """Return the image to be restored, as constant as the mean of what was measured."""
        shape = self.grid.shape
        if source.alpha is not None and source.grid.shape != shape:
            raise ValueError(
                f"{type(self.measurement).__name__} cannot enlarge the alpha channel: use the red, "
                "green and blue channels alone."
            )
        data = np.ascontiguousarray(np.broadcast_to(self.mean(), shape), source.data.dtype)
        return Image(data, self.grid, alpha=source.alpha)


def _only(known: Known | None, values: Values) -> Values:
    return values if known is None else np.where(known, values, 0.0)
