"""Which arrays are those of dask."""

from __future__ import annotations


def is_dask(image: object) -> bool:
    """Return whether an image is a dask array, without importing dask."""
    return type(image).__module__.split(".")[0] == "dask" and hasattr(image, "chunks")
