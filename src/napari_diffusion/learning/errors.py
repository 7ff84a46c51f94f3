"""What training makes small: squared errors, or an estimate of them without ground truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.learning.gradient import backward, forward
from napari_diffusion.learning.window_size import MARGIN

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.filters.learned.network import Network
    from napari_diffusion.learning.gradient import ScaleGradient

# How far the noisy image is moved along random signs, in units of the noise.
PROBE = 0.05


@dataclass(frozen=True, eq=False)
class Window:
    """A part of an image in units of its noise.

    Attributes
    ----------
    noisy, pilot : ndarray of float32, shape (H, W)
        With `MARGIN` pixels around those that count; multiples of the network's period.
    target : ndarray or None
        The ground truth, or another noisy image of it. None: Stein's estimate is used.
    weight : float
        What the error counts.
    signs : ndarray or None
        −1 or 1 for each pixel, for Stein's estimate; and `moved`, the pilot of
        ``noisy + PROBE · signs``.
    moved : ndarray or None
    floor : float
        What noise in the target adds to the error.
    """

    noisy: NDArray[np.float32]
    pilot: NDArray[np.float32]
    target: NDArray[Any] | None
    weight: float = 1.0
    signs: NDArray[np.float32] | None = None
    moved: NDArray[np.float32] | None = None
    floor: float = 0.0


def error_of(network: Network, window: Window, gradient: list[ScaleGradient] | None) -> float:
    """Return the mean error of a window, in units of the noise, and add its gradient to another.

    With a target it is ``mean (u − target)² − floor``. Without one it is Stein's unbiased estimate,
    ``mean (u − y)² + 2 mean s · (u(y + e s) − u(y)) / e − 1``, with random signs s.
    """
    made = forward(network, window.noisy, window.pilot)
    inside = (slice(MARGIN, -MARGIN),) * 2
    target = window.noisy if window.target is None else window.target
    difference = np.zeros_like(made.result)
    difference[inside] = (made.result - target)[inside]
    count = difference[inside].size
    error = float(np.square(difference, dtype=np.float64).sum()) / count - window.floor
    grows = difference * np.float32(2 * window.weight / count)
    if window.target is None:
        assert window.signs is not None
        assert window.moved is not None
        other = forward(network, window.noisy + PROBE * window.signs, window.moved)
        signs = np.zeros_like(window.signs)
        signs[inside] = window.signs[inside]
        grown = float(np.vdot(signs, other.result.astype(np.float64) - made.result))
        error += 2 * grown / (PROBE * count) - 1
        along = signs * np.float32(2 * window.weight / (PROBE * count))
        grows = grows - along
        if gradient is not None:
            backward(network, other, along, gradient)
    if gradient is not None:
        backward(network, made, grows, gradient)
    return window.weight * error
