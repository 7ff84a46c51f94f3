"""Files of mixtures: .npz archives from anyone, of which nothing is run."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.filters.learned.archive import about_in, archived, arrays_in
from napari_diffusion.filters.mixture.mixture import Mixture

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

#: The most pixels of an image along an axis, Gaussians, and directions in which images differ.
MOST_SIDE, MOST_GAUSSIANS, MOST_DIRECTIONS = 32, 64, 64

# The arrays of a mixture.
_PARTS = ("mean", "directions", "shares", "centres", "rotations", "variances", "floor")

# Those of them that are axes, kept in single precision, and how far they may be from orthonormal.
_AXES = ("directions", "rotations")
_CLOSE = 1e-4

# Beyond these, squares and their ratios overflow.
_LARGEST, _LEAST_FLOOR = 1e50, 1e-100


def bytes_of(mixture: Mixture, about: Mapping[str, Any]) -> bytes:
    """Return a file of a mixture, always the same bytes for the same mixture.

    Parameters
    ----------
    mixture : Mixture
    about : dict
        Plain values that say what it was learned from, how, and how well it holds.
    """
    arrays = {part: np.asarray(getattr(mixture, part), np.float64) for part in _PARTS}
    # Most of a file, whose last digits change nothing.
    for part in _AXES:
        arrays[part] = arrays[part].astype(np.float32)
    return archived(arrays, about)


def mixture_in(data: bytes, name: str) -> tuple[Mixture, dict[str, Any]]:
    """Return the mixture in the bytes of a file, and what the file says about it.

    Raises
    ------
    ValueError
        If this is no mixture, or one that would not compute.
    """
    arrays = arrays_in(data, name)
    try:
        if wrong := {"about", *_PARTS} ^ set(arrays):
            raise ValueError(f"{', '.join(sorted(wrong))} must not be missing, or be there")
        _check_shapes(arrays)
        about = about_in(arrays)
        parts = {part: np.ascontiguousarray(arrays[part], np.float64) for part in _PARTS}
        _check_values(parts)
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"{name} holds no weights of a GaussianMixture: {error}.") from error
    shares = parts["shares"] / parts["shares"].sum()
    return Mixture(**{**parts, "shares": shares, "floor": parts["floor"].item()}), about


def _check_shapes(arrays: Mapping[str, NDArray[Any]]) -> None:
    """Raise if the arrays are no finite numbers, too large, or do not fit each other."""
    for part in _PARTS:
        values = arrays[part]
        kind = values.dtype.kind
        if kind != "f" or not values.size or not (abs(values.astype(float)) <= _LARGEST).all():
            raise ValueError(f"{part} must hold finite numbers of at most {_LARGEST:g}")
    shape, gaussians = arrays["mean"].shape, len(np.atleast_1d(arrays["shares"]))
    many = len(np.atleast_1d(arrays["directions"]))
    wanted = {
        "directions": (many, math.prod(shape)),
        "shares": (gaussians,),
        "centres": (gaussians, many),
        "rotations": (gaussians, many, many),
        "variances": (gaussians, many),
        "floor": (),
    }
    fits = (
        len(shape) == 2
        and all(1 <= side <= MOST_SIDE for side in shape)
        and 1 <= gaussians <= MOST_GAUSSIANS
        and 1 <= many <= min(MOST_DIRECTIONS, math.prod(shape))
        and all(arrays[part].shape == each for part, each in wanted.items())
    )
    if not fits:
        shapes = ", ".join(f"{part} {arrays[part].shape}" for part in _PARTS)
        raise ValueError(f"its parts are too large, or do not fit each other ({shapes})")


def _check_values(parts: Mapping[str, NDArray[np.float64]]) -> None:
    """Raise unless shares, variances and axes are those of Gaussians."""
    shares, variances, floor = (parts[each] for each in ("shares", "variances", "floor"))
    if not (shares > 0).all() or abs(shares.sum() - 1) > _CLOSE:
        raise ValueError("the shares must be positive, and add up to 1")
    if not floor >= _LEAST_FLOOR or not (variances >= floor).all():
        raise ValueError("the variances must be at least the floor, and that positive")
    for axes in (parts["directions"], *parts["rotations"]):
        # Of entries beyond 1 the product could overflow.
        far = np.abs(axes).max() > 2 or np.abs(axes @ axes.T - np.eye(len(axes))).max() > _CLOSE
        if far:
            raise ValueError("the axes must be orthonormal")
