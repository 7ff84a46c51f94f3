"""The folder that the user wants compiled kernels to be kept in, if any."""

from __future__ import annotations

_folder = ""


def keep_kernels_in(folder: str) -> None:
    """Keep what is compiled from now on in a folder; an empty text: where numba keeps it."""
    global _folder
    _folder = folder


def kernel_folder() -> str:
    """Return the folder that was chosen, an empty text where none was."""
    return _folder
