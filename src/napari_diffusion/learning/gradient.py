"""How the result of a network changes with its weights: forwards with all steps kept, and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.engine.threads import Threads
from napari_diffusion.filters.learned.filter_size import MORE, SIDE
from napari_diffusion.filters.learned.network import doubled, halved

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.filters.learned.network import Network
    from napari_diffusion.filters.learned.scale import Scale

_ALONE = Threads(count=1)


@dataclass(frozen=True, eq=False)
class ScaleGradient:
    """By how much an error grows with the weights of one scale: arrays of their shapes."""

    kernels: NDArray[np.float64]
    influences: NDArray[np.float64]
    reactions: NDArray[np.float64]

    @classmethod
    def zeros(cls, scale: Scale) -> ScaleGradient:
        """Return that of an error that nothing changes."""
        shapes = (scale.kernels.shape, scale.influences.shape, scale.reactions.shape)
        return cls(*(np.zeros(shape) for shape in shapes))

    def parts(self) -> tuple[NDArray[np.float64], ...]:
        """Return the three arrays."""
        return self.kernels, self.influences, self.reactions


@dataclass(frozen=True, eq=False)
class Forward:
    """A plane that went through all steps, with what the way back needs.

    Attributes
    ----------
    noisy : list of ndarray
        The noisy plane at each scale, the finest first.
    before : list of list of ndarray
        The plane before each step, by scale.
    result : ndarray
        The plane after all steps.
    """

    noisy: list[NDArray[Any]]
    before: list[list[NDArray[Any]]]
    result: NDArray[Any]


def forward(network: Network, noisy: NDArray[Any], pilot: NDArray[Any]) -> Forward:
    """Return a plane after all steps; its sides are multiples of the network's period.

    Unlike in `Network.diffused` nothing is put around the plane.
    """
    planes, pilots = [noisy], [pilot]
    for _ in network.scales[1:]:
        planes.append(halved(planes[-1]))
        pilots.append(halved(pilots[-1]))
    before: list[list[NDArray[Any]]] = [[] for _ in network.scales]
    change: NDArray[Any] | None = None
    for level in range(len(network.scales) - 1, -1, -1):
        u = pilots[level] if change is None else pilots[level] + doubled(change)
        for step in range(len(network.scales[level])):
            before[level].append(u)
            u = network.scales[level].stepped(u, planes[level], step, _ALONE)
        change = u - pilots[level]
    return Forward(planes, before, u)


def backward(
    network: Network, made: Forward, grows: NDArray[Any], gradient: list[ScaleGradient]
) -> None:
    """Add to a gradient what the error grows by; `grows` is by how much it does with the result."""
    for level, scale in enumerate(network.scales):
        for step in range(len(scale) - 1, -1, -1):
            u, y = made.before[level][step], made.noisy[level]
            grows = _back_through(scale, step, u, y, grows, gradient[level])
        if level + 1 < len(network.scales):
            grows = _gathered(grows)


def _back_through(
    scale: Scale,
    step: int,
    u: NDArray[Any],
    y: NDArray[Any],
    grows: NDArray[Any],
    gradient: ScaleGradient,
) -> NDArray[Any]:
    from napari_diffusion.learning.gradient_kernels import back_through

    kernels, turned, nodes = (each[step] for each in scale.tables(u.dtype))
    count, (height, width) = len(kernels), u.shape
    v, w = np.zeros((2, count, height + MORE, width + MORE), u.dtype)
    by_node, to = np.zeros((count, nodes.shape[2]), u.dtype), np.empty_like(u)
    numbers = scale.numbers(step, u.dtype)
    line = np.empty((2, width - MORE), u.dtype)
    back_through(u, grows, kernels, turned, nodes, *numbers, line, v, w, by_node, to)
    inside = (slice(None), slice(MORE, -MORE), slice(MORE, -MORE))
    products = _by_tap(v[inside], grows) + _by_tap(w[inside], u)
    gradient.kernels[step] -= products
    gradient.influences[step] += by_node
    gradient.reactions[step] -= float(np.vdot(grows, u - y))
    return to


def _by_tap(responses: NDArray[Any], plane: NDArray[Any]) -> NDArray[Any]:
    """Return Σ response · plane for each filter and each of its 25 pixels."""
    windows = np.lib.stride_tricks.sliding_window_view(plane, (SIDE, SIDE))
    taps = np.moveaxis(windows, (2, 3), (0, 1)).reshape(SIDE**2, -1)
    return responses.reshape(len(responses), -1) @ taps.T


def _gathered(plane: NDArray[Any]) -> NDArray[Any]:
    """Return the adjoint of `doubled`."""
    return np.ascontiguousarray(plane.dtype.type(0.5) * _gathered_rows(_gathered_rows(plane).T).T)


def _gathered_rows(plane: NDArray[Any]) -> NDArray[Any]:
    near, far = plane.dtype.type(0.75), plane.dtype.type(0.25)
    even, odd = plane[0::2], plane[1::2]
    out = near * (even + odd)
    out[:-1] += far * even[1:]
    out[0] += far * even[0]
    out[1:] += far * odd[:-1]
    out[-1] += far * odd[-1]
    return out
