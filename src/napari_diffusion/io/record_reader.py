"""Reads and writes the record of a result, in the file or beside it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from napari_diffusion.core.json_text import json_object, text_of
from napari_diffusion.io.physical_size import warn
from napari_diffusion.io.step_record import StepEntry, as_record, sealed

if TYPE_CHECKING:
    from pathlib import Path

    from napari_diffusion.io.step_record import StepRecord


def step_entry(record: StepRecord) -> StepEntry:
    """Return what a list of steps says of one, by its record."""
    entry = StepEntry(
        step=record["step"], noise_scale=record["noise_scale"], is_final=record["is_final"]
    )
    sha256 = record.get("hashes", {}).get("output")
    if sha256 is not None:
        entry["sha256"] = sha256
    return entry


def beside(path: Path) -> Path:
    """Return the path of the record of a file that cannot hold one itself."""
    return path.with_name(f"{path.name}.recipe.json")


def write_record(path: Path, record: StepRecord) -> None:
    """Write the record of a file beside it."""
    text = json.dumps(sealed(record), indent=2, allow_nan=False)
    beside(path).write_text(text + "\n", encoding="utf-8")


def read_record(path: Path) -> StepRecord | None:
    """Return the record in or beside a file; None if it was not made by napari-diffusion."""
    if path.is_dir():
        return _in_zarr(path)
    if path.exists() and not path.is_file():
        return None  # a pipe or a device, which may have no end
    if path.suffix.lower() in (".tif", ".tiff"):
        return _in_tiff(path)
    if path.name.lower().endswith((".nii", ".nii.gz")):
        from napari_diffusion.io.formats.nifti import read_record as in_nifti

        return in_nifti(path)
    return record_beside(path)


def record_beside(path: Path) -> StepRecord | None:
    """Return the record in the file beside; None, with a warning, for what is none."""
    kept = beside(path)
    if not kept.is_file():
        return None
    try:
        return as_record(json_object(text_of(kept, "record"), "record"))
    except ValueError as error:
        warn(path.name, f"has a record that cannot be read: {error}")
        return None


def step_paths(path: Path) -> list[Path]:
    """Return the images of the steps in the output of a run; none for any other file.

    A store that is one image is that of its step; a stack holds none that are images of their own.
    """
    if not path.is_dir():
        return []
    files = sorted(path.glob("step_*.ome.tif"))
    record = None if files else _in_zarr(path)
    if record is None:
        return files
    steps = sorted(entry for entry in path.glob("steps/[0-9]*") if entry.is_dir())
    alone = (path / "0").is_dir() and len(record.get("steps", ())) < 2
    return steps or [path] * alone


def _in_zarr(path: Path) -> StepRecord | None:
    from napari_diffusion.io.ome_zarr.description import KEY
    from napari_diffusion.io.ome_zarr.store import has_metadata, opened

    return as_record(dict(opened(path).attrs).get(KEY)) if has_metadata(path) else None


def _in_tiff(path: Path) -> StepRecord | None:
    import tifffile

    from napari_diffusion.io.tiff.ome_xml import record_in
    from napari_diffusion.io.tiff.storage import complaints

    with complaints(), tifffile.TiffFile(path) as file:
        if file.is_ome:
            # What stands beside is of a hyperstack of ImageJ that had the name before.
            return record_in(file.ome_metadata or "", path.name)
    return record_beside(path)
