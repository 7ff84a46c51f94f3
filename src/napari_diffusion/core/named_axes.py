"""Arrays whose axes have names: those of xarray and zarr."""

from __future__ import annotations

from typing import Any

from napari_diffusion.core.axis_names import FURTHER, axis_letters, letter_of
from napari_diffusion.core.dask_array import is_dask


def values_of(image: Any) -> Any:
    """Return the dask array inside of an array with named axes, else the array itself."""
    inner = getattr(image, "data", None) if _names_of(image) else None
    return inner if is_dask(inner) else image


def named_axes(image: Any, rgb: bool = False) -> str | None:
    """Return the axes that the names of an array's dimensions mean, one letter for each.

    Parameters
    ----------
    image : array_like
        With its names in ``dims``, as xarray has them, or in ``metadata.dimension_names``, as zarr.
    rgb : bool
        Whether the axis whose name says nothing may be that of the colours.

    Returns
    -------
    str or None
        None where there are no names, or none that says anything.

    Raises
    ------
    ValueError
        For a name that means another axis than t, c, z, y or x.

    Examples
    --------
    >>> import numpy as np, xarray
    >>> from napari_diffusion.core.named_axes import named_axes
    >>> named_axes(xarray.DataArray(np.zeros((5, 32, 32)), dims=("time", "lat", "lon")))
    'tyx'
    """
    names = _names_of(image)
    if not any(letter_of(name) for name in names):
        return None
    letters = axis_letters(names, "tzyxc" if rgb else "tczyx")
    if FURTHER in letters:
        name = names[letters.index(FURTHER)]
        raise ValueError(
            f"The dimension {name!r} is none of the axes t, c, z, y and x (got "
            f"{', '.join(names)}): take one place along it, or name all axes with axes=…"
        )
    return letters


def _names_of(image: Any) -> tuple[str, ...]:
    names = getattr(image, "dims", None)
    if names is None:
        names = getattr(getattr(image, "metadata", None), "dimension_names", None)
    if not isinstance(names, tuple | list) or len(names) != len(getattr(image, "shape", ())):
        return ()
    return tuple("" if name is None else str(name) for name in names)
