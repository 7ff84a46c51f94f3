"""Files of learned weights: .npz archives from anyone, of which nothing is run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.filters.learned.archive import about_in, archived, arrays_in
from napari_diffusion.filters.learned.filter_size import SIDE
from napari_diffusion.filters.learned.network import Network
from napari_diffusion.filters.learned.scale import Scale

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

# What arrays may have along an axis.
MOST_SCALES, MOST_STEPS, MOST_FILTERS, MOST_NODES, MOST_LEVELS = 4, 20, 128, 257, 8

# The parts of a scale: how many axes they have, and the range of their numbers, in which no image
# grows beyond what can be computed.
_PARTS: dict[str, tuple[int, float, float]] = {
    "kernels": (3, -1.0, 1.0),
    "influences": (3, -1e3, 1e3),
    "reactions": (1, -0.5, 1.0),
    "reach": (0, 1e-2, 1e3),
}

# What a pilot multiplies differences by is at most so large.
_MOST_PILOT = 10.0

# Filters add up to 0, so that a constant image stays as it is; the mean of one is at most this.
_LEAST_ZERO = 1e-6


def bytes_of(network: Network, about: Mapping[str, Any]) -> bytes:
    """Return a file of weights, always the same bytes for the same weights.

    Parameters
    ----------
    network : Network
    about : dict
        Plain values that say what they were learned from, how, and how well they hold.
    """
    arrays: dict[str, NDArray[Any]] = {"pilot": np.array(network.pilot, np.float64)}
    for n, scale in enumerate(network.scales):
        for part in _PARTS:
            arrays[f"{part}_{n}"] = np.asarray(getattr(scale, part), np.float32)
    return archived(arrays, about)


def weights_in(data: bytes, name: str) -> tuple[Network, dict[str, Any]]:
    """Return the network in the bytes of a file, and what the file says about it.

    Raises
    ------
    ValueError
        If these are no weights, or weights that would not compute.
    """
    arrays = arrays_in(data, name)
    count = sum(each.startswith("kernels_") for each in arrays)
    try:
        if not 1 <= count <= MOST_SCALES:
            raise ValueError(f"they have {count} scales instead of 1 to {MOST_SCALES}")
        wanted = {"about", "pilot", *(f"{part}_{n}" for part in _PARTS for n in range(count))}
        if wrong := wanted ^ set(arrays):
            raise ValueError(f"{', '.join(sorted(wrong))} must not be missing, or be there")
        scales = tuple(_scale(arrays, n) for n in range(count))
        pilot = _pilot(arrays["pilot"])
        about = about_in(arrays)
    except (KeyError, TypeError, ValueError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"{name} holds no weights of a LearnedDiffusion: {error}.") from error
    return Network(scales, pilot), about


def _scale(arrays: Mapping[str, NDArray[Any]], n: int) -> Scale:
    """Return one scale; raise if a part is missing, of another shape, or out of range."""
    parts = {part: arrays[f"{part}_{n}"] for part in _PARTS}
    for part, (ndim, least, most) in _PARTS.items():
        values = parts[part]
        # Not a number is within no range.
        within = values.dtype.kind == "f" and ((values >= least) & (values <= most)).all()
        if values.ndim != ndim or not within:
            raise ValueError(
                f"{part}_{n} must hold numbers of {least:g} to {most:g} along {ndim} axes"
            )
    kernels, influences, reactions, reach = parts.values()
    if not _fit(kernels.shape, influences.shape, reactions.shape):
        shapes = ", ".join(f"{part} {values.shape}" for part, values in parts.items())
        raise ValueError(f"the parts of scale {n} do not fit each other ({shapes})")
    if influences[:, :, influences.shape[2] // 2].any():
        raise ValueError(f"the influences of scale {n} must be 0 at 0, their middle node")
    # Rounded to single precision, as files hold them, filters do not quite add up to 0.
    exact = kernels.astype(np.float64)
    exact -= exact.mean(axis=2, keepdims=True)
    if np.abs(exact - kernels).max() > _LEAST_ZERO:
        raise ValueError(f"the filters of scale {n} must add up to 0")
    return Scale(exact, _single(influences), _single(reactions), float(reach))


def _fit(kernels: tuple[int, ...], influences: tuple[int, ...], reactions: tuple[int, ...]) -> bool:
    """Return whether the shapes of a scale's parts are those of a few steps alike."""
    steps, filters, nodes = influences
    return (
        kernels == (steps, filters, SIDE**2)
        and reactions == (steps,)
        and 1 <= steps <= MOST_STEPS
        and 1 <= filters <= MOST_FILTERS
        and 3 <= nodes <= MOST_NODES
        and nodes % 2 == 1
    )


def _single(values: NDArray[Any]) -> NDArray[np.float32]:
    return np.ascontiguousarray(values, np.float32)


def _pilot(values: NDArray[Any]) -> tuple[tuple[float, float], ...]:
    """Return what the differences of each level are multiplied by."""
    levels = len(values) // 2 if values.ndim else 0
    fits = values.dtype.kind == "f" and values.shape == (2 * levels, 2)
    if not fits or not (np.abs(values) <= _MOST_PILOT).all() or not 1 <= levels <= MOST_LEVELS:
        raise ValueError(f"a pilot has two pairs of weights a level (got the shape {values.shape})")
    return tuple((float(a), float(b)) for a, b in values)
