"""The output of a run as it lies on the disk: its records, its steps, and what is missing."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

import numpy as np

from napari_diffusion.io import NotReadable, read_image, read_record
from napari_diffusion.io.layout import Layout
from napari_diffusion.io.ome_zarr.store import has_metadata
from napari_diffusion.runs.verification.image_levels import opened_level
from napari_diffusion.runs.verification.step_values import StepValues

if TYPE_CHECKING:
    from pathlib import Path

    from napari_diffusion.io import Source
    from napari_diffusion.io.step_record import StepEntry, StepRecord

_STEP_FILE = re.compile(r"step_(\d{4,})\.ome\.tif")

# No run has more, but a record can say so.
_MOST_STEPS = 1_000_000


@dataclass(frozen=True, eq=False)
class SavedStep:
    """A step in an output.

    Attributes
    ----------
    name : str
        Such as "step 3", for a sentence.
    record : dict
        What is said of the step; of a file that holds several, with the entries of this one.
    values : StepValues
        What is stored of it.
    """

    name: str
    record: StepRecord
    values: StepValues

    @property
    def sha256(self) -> str | None:
        """The hash of the values as they were written; None if the record has none."""
        return self.record.get("hashes", {}).get("output")


@dataclass(eq=False)
class SavedRun:
    """An output of this program.

    Attributes
    ----------
    path : path
        Of the output.
    records : dict
        Every record in it as it stands there, by what it is of.
    steps : list of SavedStep
        Those that can be opened, in order.
    images : dict
        The folder of each OME-Zarr image, by what it is called before a colon.
    faults : list of str
        What is missing, and what contradicts each other, a sentence each.
    """

    path: Path
    records: dict[str, StepRecord] = field(default_factory=dict)
    steps: list[SavedStep] = field(default_factory=list)
    images: dict[str, Path] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)


def saved_run(path: Path) -> SavedRun:
    """Open an output; its values are read when they are asked for.

    Raises
    ------
    ValueError
        If it is no output of this program, or cannot be read at all.
    """
    run = SavedRun(path)
    if not path.exists():
        raise FileNotFoundError(f"{str(path)!r} does not exist.")
    if not path.is_dir():
        _open_file(run)
    elif has_metadata(path):
        _open_store(run)
    else:
        _open_folder(run)
    if not run.records:
        raise ValueError(f"{str(path)!r} is no result of napari-diffusion.")
    _check_complete(run)
    return run


def _open_file(run: SavedRun) -> None:
    # First the image: whatever is wrong with a file is one sentence then.
    source = read_image(run.path, lazy=True)
    record = source.record or read_record(run.path)
    if record is None:
        return
    run.records["The record"] = record
    entries = record.get("steps", [])
    many = len(entries) > 1
    axes = _axes(record, source.axes or "")
    letters = axes
    if many and source.axes is None and source.letters:
        letters = source.letters[1:].replace("S", "C").lower()
    elif source.axes:
        letters = source.axes[1:] if many else source.axes
    if not many:
        run.steps.append(_step(record, _values(source, letters, record)))
        return
    _check_length(run, source.image.shape[0])
    for index, entry in enumerate(entries[: source.image.shape[0]]):
        values = _values(source, letters, record, index)
        run.steps.append(_step(_record_of(record, entry), values))


def _open_folder(run: SavedRun) -> None:
    """Open a folder with one file per step."""
    files = {each: _STEP_FILE.fullmatch(each.name) for each in sorted(run.path.iterdir())}
    for path, match in files.items():
        if match is None:
            continue
        name = f"step {int(match[1])}"
        part = SavedRun(path)
        try:
            _open_file(part)
        except (ValueError, OSError) as error:
            run.faults.append(f"{name} cannot be read: {error}")
            continue
        if not part.steps:
            run.faults.append(f"{name} has no record of how it was made.")
            continue
        _add(run, name, int(match[1]), part.records["The record"], part.steps[0])


def _open_store(run: SavedRun) -> None:
    record = read_record(run.path)
    if record is None:
        return
    run.records["The record"] = record
    if not (run.path / "steps").is_dir():
        _open_image(run, run.path, record)
        return
    listed = record.get("steps", [])
    for entry in listed:
        name, path = f"step {entry['step']}", run.path / "steps" / f"{entry['step']:04}"
        own = read_record(path) if path.is_dir() else None
        part = SavedRun(path)
        if own is None:
            run.faults.append(f"{name} is missing: there is no step in '{path.name}'.")
            continue
        _open_image(part, path, own)
        run.faults += [f"{name}: {fault}" for fault in part.faults]
        run.images |= {f"{name}: ": each for each in part.images.values()}
        if part.steps:
            _add(run, name, entry["step"], own, part.steps[0])
            if part.steps[0].sha256 != entry.get("sha256"):
                run.faults.append(f"{name} has another hash in the list of steps.")
    names = {f"{entry['step']:04}" for entry in listed}
    for found in sorted((run.path / "steps").glob("[0-9]*")):
        if found.name not in names:
            run.faults.append(f"'{found.name}' is in the folder, and in no list of steps.")


def _add(run: SavedRun, name: str, number: int, record: StepRecord, step: SavedStep) -> None:
    run.records[f"The record of {name}"] = record
    if record.get("step") != number:
        run.faults.append(f"In the place of {name} is step {record.get('step')}.")
    run.steps.append(SavedStep(name, step.record, step.values))


def _open_image(run: SavedRun, path: Path, record: StepRecord) -> None:
    """Open the image at the root of a store, or a stack of steps."""
    try:
        array, stored, missing = opened_level(path, 0)
    except (NotReadable, OSError) as error:
        run.faults.append(f"The image cannot be read: {error}")
        return
    run.images[""] = path
    if missing:
        run.faults.append(missing)
    entries = record.get("steps", [])
    axes = _axes(record, "")
    letters = Layout.of(axes).axes
    many = bool(entries) and array.ndim == len(letters) + 1
    chunks = array.chunks[int(many) :]
    if not many:
        run.steps.append(_step(record, StepValues(stored, letters, axes, chunks=chunks)))
        return
    _check_length(run, array.shape[0], entries)
    for index, entry in enumerate(entries[: array.shape[0]]):
        values = StepValues(stored, letters, axes, index, chunks=chunks)
        run.steps.append(_step(_record_of(record, entry), values))


def _values(
    source: Source, letters: str, record: StepRecord, index: int | None = None
) -> StepValues:
    cast_entry = record.get("cast")
    dtype = None if cast_entry is None else np.dtype(cast_entry["dtype"])
    stored = source.image if source.stored is None else source.stored
    return StepValues(stored, letters, _axes(record, letters), index, dtype)


def _axes(record: StepRecord, otherwise: str) -> str:
    grid = record.get("grid")
    return otherwise if grid is None else grid["axes"]


def _step(record: StepRecord, values: StepValues) -> SavedStep:
    name = f"step {record['step']}" if "step" in record else "the image"
    return SavedStep(name, record, values)


def _record_of(record: StepRecord, entry: StepEntry) -> StepRecord:
    """Return the record of one of the steps in a file."""
    hashes = dict(record.get("hashes", {}))
    hashes.pop("output", None)
    if "sha256" in entry:
        hashes["output"] = entry["sha256"]
    apart = {name: each for name, each in record.items() if name != "steps"}
    return cast("StepRecord", {**apart, **entry, "hashes": hashes})


def _check_length(run: SavedRun, length: int, entries: list[StepEntry] | None = None) -> None:
    listed = run.records["The record"].get("steps", []) if entries is None else entries
    if length != len(listed):
        run.faults.append(f"The record lists {len(listed)} steps, and {length} are there.")


def _check_complete(run: SavedRun) -> None:
    """Note steps that the run was to write and that are not there."""
    whole = next(iter(run.records.values()))
    if cast("dict[str, bool]", whole).get("complete") is False:
        run.faults.append("The run was not completed.")
    there = {step.record.get("step") for step in run.steps}
    lost = [f"step {index}" for index in _expected(whole) if index not in there]
    named = {fault.split(" is missing")[0] for fault in run.faults}
    run.faults += [f"{each} is missing." for each in lost if each not in named]


def _expected(record: StepRecord) -> list[int]:
    """Return the steps that a run was to write, as far as its record says it."""
    from napari_diffusion.loop.kept_steps import kept_steps
    from napari_diffusion.records.provenance import described_recipe

    if "kept_every" not in record or "recipe" not in record:
        return []
    try:
        recipe = described_recipe(record)
    except ValueError:
        return []
    if recipe.total_steps > _MOST_STEPS:
        return []
    return kept_steps(recipe, record["kept_every"] or None, record.get("first_step", 0))
