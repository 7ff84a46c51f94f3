"""The outputs of a batch: one name for each input, none of them taken twice."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from napari_diffusion.io import ENDINGS, check_apart
from napari_diffusion.io.output_format import partial_path
from napari_diffusion.io.reader import FORMATS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

#: The formats of outputs, by what they are called, and the endings of their names.
OUTPUT_FORMATS = {**{ending[1:]: ending for ending in ENDINGS}, "folder": ""}

_READ = (".zarr", *(ending for each in FORMATS for ending in each.endings))
# The longest first: of "a.nii.gz" more goes than ".gz".
_ENDINGS = sorted({*_READ, *(f".ome{ending}" for ending in _READ)}, key=len, reverse=True)


def named_outputs(inputs: Iterable[Path], folder: Path, ending: str) -> list[Path]:
    """Return an output for each input: its name without the ending, with another one.

    Parameters
    ----------
    inputs : iterable of path
        The images.
    folder : path
        Where the outputs are.
    ending : str
        Chooses the format; an empty one is a folder of OME-TIFF files.
    """
    return [folder / f"{_stem(path, dots=bool(ending))}{ending}" for path in inputs]


def _stem(path: Path, dots: bool) -> str:
    name = os.path.basename(os.path.abspath(path))
    for ending in _ENDINGS:
        if name.lower().endswith(ending) and len(name) > len(ending):
            name = name[: -len(ending)]
            break
    # What stands behind a dot would be the ending of a folder.
    return name if dots else name.replace(".", "_")


def check_outputs(inputs: Sequence[Path], outputs: Sequence[Path], *read: Path) -> None:
    """Refuse outputs of which one would replace another, or an input.

    Parameters
    ----------
    inputs, outputs : sequence of path
        Of each output the input.
    *read : path
        Further files that are read, such as a mask.

    Raises
    ------
    FileExistsError
        With the names of the two.
    """
    taken: dict[str, Path] = {}
    for path, output in zip(inputs, outputs, strict=True):
        # Unfinished, it has another name; and some disks know no capitals.
        for name in {output.name.casefold(), partial_path(output).name.casefold()}:
            other = taken.setdefault(name, path)
            if other is not path:
                raise FileExistsError(
                    f"{str(other)!r} and {str(path)!r} would both be written to {output.name!r}: "
                    "rename one of them, or run them into two folders."
                )
    if not outputs:
        return
    every = (*inputs, *read)
    check_apart(outputs[0].parent / ".new", *every)  # the folder of the outputs lies in no store
    held = {identity for path in every for identity in _identities(path)}
    for output in outputs:
        if _identity(output) in held:
            check_apart(output, *every)


def _identities(path: Path) -> set[tuple[int, int]]:
    """Return what tells a file from all others, and the folders that it is in."""
    real = Path(os.path.realpath(path))
    found = (_identity(each) for each in (real, *real.parents))
    return {each for each in found if each is not None}


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    return found.st_dev, found.st_ino
