"""Detectors of objects, whose misses and false alarms a study counts."""

from __future__ import annotations

import abc
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

#: Takes the values of a plane or volume; returns labels of its shape (0 for none), or the positions
#: of the objects, one row of pixel coordinates each.
DetectorFunction = Callable[..., Any]


@dataclass(frozen=True)
class Detector(abc.ABC):
    """Finds objects in a plane or a volume."""

    @abc.abstractmethod
    def objects(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """Return the positions of the objects in pixels, one row each."""

    @abc.abstractmethod
    def in_words(self) -> str:
        """Return what it looks for, such as "connected pixels above 12"."""


@dataclass(frozen=True)
class Threshold(Detector):
    """Connected pixels above a threshold, diagonal neighbours included.

    Parameters
    ----------
    threshold : float
        In intensity units.
    dark : bool
        Objects are darker than the threshold.
    smallest : int
        Smallest number of pixels of an object.
    """

    threshold: float
    dark: bool = False
    smallest: int = 1

    def objects(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """Return the centres of mass of the objects."""
        from scipy import ndimage

        above = values < self.threshold if self.dark else values > self.threshold
        labels, count = ndimage.label(above, np.ones((3,) * values.ndim, bool))
        sizes = np.bincount(labels.ravel(), minlength=count + 1)
        kept = [k for k in range(1, count + 1) if sizes[k] >= self.smallest]
        return _centres(labels, kept)

    def in_words(self) -> str:
        """Return what it looks for."""
        side = "below" if self.dark else "above"
        least = f" of at least {self.smallest} pixels" if self.smallest > 1 else ""
        return f"connected pixels {side} {self.threshold:.4g}{least}"


@dataclass(frozen=True)
class Blobs(Detector):
    """Blobs of one size: peaks of minus the Laplacian of a Gaussian, scaled to unit noise gain.

    ``score = −(∇²G ∗ u) / ‖∇²G‖₂``: in white noise of standard deviation σ the score has that
    standard deviation too.

    Parameters
    ----------
    radius : float
        Standard deviation of the Gaussian in pixels, greater than 0: that of the spots.
    threshold : float
        Smallest score of a blob, in intensity units.
    dark : bool
        Blobs are darker than their surroundings.
    """

    radius: float
    threshold: float = 0.0
    dark: bool = False

    def peaks(self, values: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the positions and the scores of all peaks, whatever the threshold."""
        return peaks_of(self.scores(values), self.radius)

    def scores(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """Return the score at every pixel."""
        from scipy import ndimage

        sign = 1.0 if self.dark else -1.0
        smooth = ndimage.gaussian_laplace(values.astype(np.float64), self.radius, mode="nearest")
        return np.asarray(sign * smooth / np.linalg.norm(self._laplacian(values.ndim)))

    def kernel(self, num_axes: int) -> NDArray[np.float64]:
        """Return what the values are correlated with to get the scores."""
        made = self._laplacian(num_axes)
        return np.asarray((1.0 if self.dark else -1.0) * made / np.linalg.norm(made))

    def _laplacian(self, num_axes: int) -> NDArray[np.float64]:
        """Return the Laplacian of the Gaussian, sampled."""
        from scipy import ndimage

        reach = int(4 * self.radius + 1)
        pulse = np.zeros((2 * reach + 1,) * num_axes)
        pulse[(reach,) * num_axes] = 1.0
        return np.asarray(ndimage.gaussian_laplace(pulse, self.radius, mode="constant"))

    def objects(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """Return the positions of the peaks above the threshold."""
        places, scores = self.peaks(values)
        return places[scores > self.threshold]

    def in_words(self) -> str:
        """Return what it looks for."""
        kind = "dark blobs" if self.dark else "blobs"
        return f"{kind} of {self.radius:.3g} pixels with a score above {self.threshold:.4g}"


@dataclass(frozen=True)
class FunctionDetector(Detector):
    """A function of the user's own.

    Parameters
    ----------
    function : callable
        Takes an array and returns labels or a mask of its shape, or positions, one row each.
    """

    function: DetectorFunction

    def objects(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """Return the positions that the function found."""
        found = np.asarray(self.function(values))
        if found.shape == values.shape and found.dtype.kind == "b":
            return Threshold(0.5).objects(found.astype(np.float32))
        if found.shape == values.shape and found.dtype.kind in "iu":
            labels = found.astype(np.int64)
            return _centres(labels, [k for k in np.unique(labels) if k])
        if found.size == 0:
            return np.empty((0, values.ndim))
        if found.ndim != 2 or found.shape[1] < values.ndim or found.dtype.kind not in "iuf":
            raise ValueError(
                f"A detector must return integer labels of the image's shape {values.shape}, or "
                f"positions with {values.ndim} columns (got {found.dtype} of shape {found.shape})."
            )
        return found[:, : values.ndim].astype(np.float64)

    def in_words(self) -> str:
        """Return the name of the function."""
        name = getattr(self.function, "__qualname__", type(self.function).__name__)
        return f"the function {name}"


def detector_of(given: Detector | DetectorFunction) -> Detector:
    """Return a detector as it is, or the function as one."""
    if isinstance(given, Detector):
        return given
    if not callable(given):
        raise TypeError(f"A detector must be a Detector or a function (got {given!r}).")
    return FunctionDetector(given)


def peaks_of(
    scores: NDArray[np.float64], radius: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the positions and heights of peaks that are highest within `radius` pixels."""
    from skimage.feature import peak_local_max

    distance = max(round(radius), 1)
    places = peak_local_max(scores, min_distance=distance, threshold_abs=-np.inf,
                            exclude_border=False)  # fmt: skip
    return places.astype(np.float64), scores[tuple(places.T)]


def _centres(labels: NDArray[Any], kept: Sequence[int]) -> NDArray[np.float64]:
    from scipy import ndimage

    if not len(kept):
        return np.empty((0, labels.ndim))
    return np.array(ndimage.center_of_mass(labels > 0, labels, kept), np.float64)
