"""Files of learned weights: .npz archives from anyone, of which nothing is run."""

from __future__ import annotations

import math
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

# The parts of a scale, and how many axes they have.
_PARTS = {"kernels": 3, "influences": 3, "reactions": 1, "reach": 0}

# Filters add up to 0, and φ is 0 at 0, so that a constant image stays as it is.
_LEAST_ZERO = 1e-5


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
    """Return one scale; raise if a part is missing, of another shape, or not finite."""
    parts = {part: arrays[f"{part}_{n}"] for part in _PARTS}
    for part, ndim in _PARTS.items():
        values = parts[part]
        if values.dtype.kind != "f" or values.ndim != ndim or not np.isfinite(values).all():
            raise ValueError(f"{part}_{n} must hold finite numbers along {ndim} axes")
    kernels, influences, reactions = (
        parts[each] for each in ("kernels", "influences", "reactions")
    )
    steps, filters = kernels.shape[:2]
    nodes = influences.shape[2]
    fits = (
        kernels.shape == (steps, filters, SIDE**2)
        and influences.shape == (steps, filters, nodes)
        and reactions.shape == (steps,)
        and 1 <= steps <= MOST_STEPS
        and 1 <= filters <= MOST_FILTERS
        and 3 <= nodes <= MOST_NODES
    )
    if not fits:
        shapes = ", ".join(f"{part} {parts[part].shape}" for part in _PARTS)
        raise ValueError(f"the parts of scale {n} do not fit each other ({shapes})")
    if nodes % 2 == 0 or influences[:, :, nodes // 2].any():
        raise ValueError(f"the influences of scale {n} must be 0 at 0, their middle node")
    reach = float(parts["reach"])
    if not 0 < reach < math.inf or np.abs(kernels.sum(axis=2)).max() > _LEAST_ZERO:
        raise ValueError(f"the filters of scale {n} must add up to 0, and its reach be positive")
    # Rounded to single precision, as files hold them, filters do not quite add up to 0.
    exact = kernels.astype(np.float64)
    exact -= exact.mean(axis=2, keepdims=True)
    return Scale(exact, _single(influences), _single(reactions), reach)


def _single(values: NDArray[Any]) -> NDArray[np.float32]:
    return np.ascontiguousarray(values, np.float32)


def _pilot(values: NDArray[Any]) -> tuple[tuple[float, float], ...]:
    """Return what the differences of each level are multiplied by."""
    levels = len(values) // 2 if values.ndim else 0
    fits = (
        values.dtype.kind == "f" and values.shape == (2 * levels, 2) and np.isfinite(values).all()
    )
    if not fits or not 1 <= levels <= MOST_LEVELS:
        raise ValueError(f"a pilot has two pairs of weights a level (got the shape {values.shape})")
    return tuple((float(a), float(b)) for a, b in values)
