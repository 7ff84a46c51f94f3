"""What tells whether an output is of the run that a batch would make."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from napari_diffusion.io import read_record, step_paths
from napari_diffusion.records.provenance import grid_record, plain
from napari_diffusion.runs.fingerprint import fingerprint
from napari_diffusion.runs.run_input import Reading

if TYPE_CHECKING:
    from pathlib import Path

    from napari_diffusion.core.function_parameter import AllowCode
    from napari_diffusion.io.step_record import BatchEntry
    from napari_diffusion.loop.recipe import Recipe
    from napari_diffusion.runs.run_input import RunInput

#: Whether "auto" is measured on each file, or on the first one for all.
Resolve = Literal["each", "first"]


@dataclass(frozen=True)
class BatchOptions:
    """How the files of a batch are read and written.

    Attributes
    ----------
    reading : Reading
        What the files do not say themselves.
    ending : str
        Of the outputs, such as ".ome.zarr"; an empty one is a folder of OME-TIFF files.
    keep_every : int or None
        Which steps are written; None: the last image alone.
    dtype : {"float", "source"}
        The type that they are written in.
    stack, imagej : bool
        Whether an OME-Zarr is one image, and a .tif a hyperstack of ImageJ.
    resolve : {"each", "first"}
        Whether what a recipe leaves open is measured on each file, or on the first one that can be
        read for all.
    overwrite : bool
        Whether outputs are replaced, also those that are there already.
    take_over : bool
        Whether an output is taken over whose owner cannot be asked.
    allow_code : bool or collection of str
        Whether the recipe of an unfinished run may name functions.
    """

    reading: Reading = field(default_factory=Reading)
    ending: str = ".ome.zarr"
    keep_every: int | None = 1
    dtype: Literal["float", "source"] = "float"
    stack: bool = False
    imagej: bool = False
    resolve: Resolve = "each"
    overwrite: bool = False
    take_over: bool = False
    allow_code: AllowCode = False


def batch_entry(
    read: RunInput, recipe: Recipe, kept: list[int], options: BatchOptions, resolved_on: str
) -> BatchEntry:
    """Return what the records say of the batch: all that an output follows from, as hashes."""
    assert read.path is not None
    grid = grid_record(read.source.image.shape, read.options, read.source.unit)
    written = {
        "kept": kept,
        "dtype": str(read.written_type(options.dtype)),
        "stack": options.stack,
        "imagej": options.imagej,
        "resolve": options.resolve,
    }
    return {
        "resolved_on": resolved_on,
        "recipe": _hash(recipe.to_dict()),
        "input": _hash(fingerprint(read.path)),
        "options": _hash({"grid": grid, **written}),
    }


def standing_entry(output: Path) -> BatchEntry | None:
    """Return what an output says of its batch; None if it is there of no batch, or incomplete."""
    record: Any = read_record((step_paths(output) or [output])[-1]) or {}
    entry: BatchEntry | None = record.get("batch")
    return None if record.get("complete") is False else entry


def differing(standing: BatchEntry, entry: BatchEntry) -> str:
    """Return what differs between two runs, in words; an empty text where nothing does."""
    words = {
        "recipe": "recipe",
        "input": "input",
        "options": "options",
        "resolved_on": "first file",
    }
    found = [word for name, word in words.items() if standing.get(name) != entry.get(name)]
    return " and ".join(found)


def _hash(value: Any) -> str:
    text = json.dumps(plain(value), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
