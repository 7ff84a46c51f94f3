"""The objects that are added to an image: spots, lines, edges and patches."""

from __future__ import annotations

import abc
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from napari_diffusion.analysis.detectors import Blobs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

# How many directions lines and edges have.
DIRECTIONS = 8


@dataclass(frozen=True, eq=False)
class Shape(abc.ABC):
    """The shape of an object: values around its centre, the highest about 1.

    Attributes
    ----------
    size : float
        Radius in pixels.
    """

    #: Its name, and its plural in words.
    kind: ClassVar[str]
    plural: ClassVar[str]
    #: Full circle over which its directions are spread; 0 for shapes without a direction.
    circle: ClassVar[float] = 0.0
    #: Whether its centre may lie between pixels.
    between_pixels: ClassVar[bool] = True

    size: float

    @property
    @abc.abstractmethod
    def reach(self) -> float:
        """How far from its centre it differs from 0, in pixels."""

    @property
    def extent(self) -> float:
        """How far from its centre it is noticeable, in pixels."""
        return self.reach

    @abc.abstractmethod
    def values(
        self, offsets: Sequence[NDArray[Any]], angles: NDArray[Any], scale: float = 1.0
    ) -> NDArray[np.float64]:
        """Return the values at distances from the centre.

        Parameters
        ----------
        offsets : sequence of ndarray
            Pixels from the centre along each axis of the objects, y and x last; they broadcast.
        angles : ndarray
            Direction of each object in radians; it broadcasts.
        scale : float
            How much wider the object is; its length does not change.
        """

    @property
    def tolerance(self) -> int:
        """How far from its place an object may be found, in pixels."""
        return max(round(self.size), 1)

    @property
    def half(self) -> int:
        """Half the side of the window in which it is measured, in pixels."""
        return math.ceil(self.reach) + self.tolerance + 1

    @property
    def angles(self) -> NDArray[np.float64]:
        """The directions it may have, in radians."""
        count = DIRECTIONS if self.circle else 1
        return np.linspace(0.0, self.circle, count, endpoint=False)

    def template(self, num_axes: int, angle: float, scale: float = 1.0) -> NDArray[np.float64]:
        """Return the shape centred on a pixel."""
        ticks = np.arange(-math.ceil(self.reach), math.ceil(self.reach) + 1.0)
        grids = np.meshgrid(*[ticks] * num_axes, indexing="ij", sparse=True)
        return self.values(grids, np.asarray(angle), scale)

    def kernels(self, num_axes: int) -> tuple[NDArray[np.float64], ...]:
        """Return what it is searched with: zero in sum, of unit noise gain, one per direction.

        The template minus its blurred copy: the background around an object is left out.
        """
        from scipy.ndimage import gaussian_filter

        found = []
        for angle in self.angles:
            one = np.pad(self.template(num_axes, angle), math.ceil(4 * self.size))
            one = one - gaussian_filter(one, 2 * self.size, truncate=4)
            found.append(one / np.linalg.norm(one))
        return tuple(found)

    def searched_with(self) -> str:
        """Return the detector in words."""
        return f"a matched filter for {self.plural} of {self.size:.3g} pixels"


@dataclass(frozen=True, eq=False)
class Spot(Shape):
    """A Gaussian, ``exp(−d²/2r²)``: radius r."""

    kind: ClassVar[str] = "spot"
    plural: ClassVar[str] = "spots"

    @property
    def reach(self) -> float:
        """How far from its centre it differs from 0."""
        return 4 * self.size + 1

    @property
    def extent(self) -> float:
        """How far from its centre it is noticeable."""
        return 3 * self.size

    def values(
        self, offsets: Sequence[NDArray[Any]], angles: NDArray[Any], scale: float = 1.0
    ) -> NDArray[np.float64]:
        """Return the values at distances from the centre."""
        del angles
        radius = self.size * scale
        return np.asarray(math.prod(np.exp(-((d / radius) ** 2) / 2) for d in offsets))

    def kernels(self, num_axes: int) -> tuple[NDArray[np.float64], ...]:
        """Return the kernel of `Blobs`."""
        return (Blobs(self.size).kernel(num_axes),)

    def searched_with(self) -> str:
        """Return the detector in words."""
        return f"a Laplacian of a Gaussian for {self.plural} of {self.size:.3g} pixels"


@dataclass(frozen=True, eq=False)
class Line(Shape):
    """A straight line, ``exp(−d²/2r²)``, d the distance to a segment; in the plane y, x."""

    kind: ClassVar[str] = "line"
    plural: ClassVar[str] = "lines"
    circle: ClassVar[float] = math.pi

    @property
    def length(self) -> float:
        """Length of the segment in pixels."""
        return max(10.0, 6 * self.size)

    @property
    def reach(self) -> float:
        """How far from its centre it differs from 0."""
        return self.length / 2 + 3 * self.size

    def values(
        self, offsets: Sequence[NDArray[Any]], angles: NDArray[Any], scale: float = 1.0
    ) -> NDArray[np.float64]:
        """Return the values at distances from the centre."""
        across, lengthwise = turned(offsets, angles)
        beyond = np.maximum(np.abs(lengthwise) - self.length / 2, 0.0)
        squared = across**2 + beyond**2
        for each in offsets[:-2]:
            squared = squared + each**2
        return np.asarray(np.exp(-squared / (2 * (self.size * scale) ** 2)))


@dataclass(frozen=True, eq=False)
class Edge(Shape):
    """A step, ``½ erf(d/√2r)``, d the distance to a straight edge, faded out by a Gaussian."""

    kind: ClassVar[str] = "edge"
    plural: ClassVar[str] = "edges"
    circle: ClassVar[float] = 2 * math.pi

    @property
    def fading(self) -> float:
        """Standard deviation in pixels of the Gaussian that limits it."""
        return 2 * self.size + 3

    @property
    def reach(self) -> float:
        """How far from its centre it differs from 0."""
        return 3 * self.fading

    @property
    def extent(self) -> float:
        """How far from its centre it is noticeable."""
        return 2 * self.fading

    def values(
        self, offsets: Sequence[NDArray[Any]], angles: NDArray[Any], scale: float = 1.0
    ) -> NDArray[np.float64]:
        """Return the values at distances from the centre."""
        from scipy.special import erf

        across, _ = turned(offsets, angles)
        step = erf(across / (math.sqrt(2) * self.size * scale)) / 2
        return np.asarray(step * math.prod(np.exp(-((d / self.fading) ** 2) / 2) for d in offsets))

    def kernels(self, num_axes: int) -> tuple[NDArray[np.float64], ...]:
        """Return what it is searched with; its values are zero in sum already."""
        found = [self.template(num_axes, angle) for angle in self.angles]
        return tuple(each / np.linalg.norm(each) for each in found)


@dataclass(frozen=True, eq=False)
class Patch(Shape):
    """Values cut from an image: minus those at its border, faded out there, the greatest ±1.

    Attributes
    ----------
    cut : ndarray
        One axis for each axis of the objects; odd sizes.
    """

    kind: ClassVar[str] = "patch"
    plural: ClassVar[str] = "patches"
    between_pixels: ClassVar[bool] = False

    cut: NDArray[np.float64]

    @classmethod
    def of(cls, values: NDArray[Any]) -> Patch:
        """Make a patch of the values of a part of an image."""
        odd = values[tuple(slice(0, n - (n % 2 == 0)) for n in values.shape)].astype(np.float64)
        inner = np.zeros(odd.shape, bool)
        inner[(slice(1, -1),) * odd.ndim] = True
        made = odd - np.median(odd[~inner])
        for axis, n in enumerate(odd.shape):
            rim = np.minimum(np.arange(n), np.arange(n)[::-1])
            fade = np.sin(np.pi / 2 * np.minimum((rim + 1) / 3, 1.0)) ** 2
            made = made * np.expand_dims(fade, [a for a in range(odd.ndim) if a != axis])
        highest = float(np.abs(made).max())
        if highest == 0:
            raise ValueError("The patch is constant: cut one with an object in it.")
        return cls(max(odd.shape) / 4, made / highest)

    @property
    def reach(self) -> float:
        """How far from its centre it differs from 0."""
        return max(self.cut.shape) // 2

    @property
    def tolerance(self) -> int:
        """How far from its place it may be found: its details do not fit elsewhere."""
        return 2

    def values(
        self, offsets: Sequence[NDArray[Any]], angles: NDArray[Any], scale: float = 1.0
    ) -> NDArray[np.float64]:
        """Return the values at distances from the centre."""
        del angles, scale
        index, inside = [], np.asarray(True)
        for each, n in zip(offsets, self.cut.shape, strict=True):
            place = np.rint(each).astype(np.int64) + n // 2
            inside = inside & (place >= 0) & (place < n)
            index.append(np.clip(place, 0, n - 1))
        return np.where(inside, self.cut[tuple(np.broadcast_arrays(*index))], 0.0)

    def searched_with(self) -> str:
        """Return the detector in words."""
        return "a matched filter for the patch"


def turned(
    offsets: Sequence[NDArray[Any]], angles: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the distances across and along directions in the plane of the last two axes."""
    y, x = offsets[-2:]
    return y * np.cos(angles) - x * np.sin(angles), y * np.sin(angles) + x * np.cos(angles)
