"""What the record of a step holds, as JSON has it, and the check of a record from outside."""

from __future__ import annotations

import functools
import hashlib
import json
import warnings
from typing import TYPE_CHECKING, Annotated, Any, NotRequired, cast

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, with_config
from typing_extensions import TypedDict

if TYPE_CHECKING:
    from collections.abc import Mapping

# Texts that come from a record go into code, commands and TeX that people run: what stands there
# without quotes can be nothing else.
Axes = Annotated[str, Field(pattern=r"^[tczyx?]{0,16}$")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Word = Annotated[str, Field(pattern=r"^[a-z]{0,16}$")]
Version = Annotated[str, Field(pattern=r"^[\w.+! -]{0,200}$")]
Count = Annotated[int, Field(ge=0, lt=2**64)]
Length = Annotated[float, Field(ge=1e-100, le=1e100)]
Ends = Annotated[list[int], Field(min_length=2, max_length=2)]


class CastEntry(TypedDict):
    """What was done to values to bring them to another type."""

    dtype: str
    clipped: list[float] | None
    rounded: bool


class MaskEntry(TypedDict):
    """A mask by its content hash; the mask itself is not kept."""

    sha256: Sha256


class MaskLayerEntry(TypedDict):
    """The layer that a mask was, and how many pixels lie inside."""

    layer: str
    inside: int


class GridEntry(TypedDict):
    """The grid keywords of a run."""

    axes: Axes
    spacing: list[Length]
    along: Axes
    joint_channels: bool
    rgb: bool
    unit: NotRequired[str]
    mask: NotRequired[MaskEntry]
    missing: NotRequired[Word]


class OriginEntry(TypedDict):
    """The source of steps that a run cannot go on from: rounded ones, and regions."""

    sha256: Sha256
    first_step: Count


class HashEntry(TypedDict, total=False):
    """The hashes of the source and of the step as written; see `core.merkle_hash`."""

    input: Sha256
    output: Sha256


class RecommendedEntry(TypedDict):
    """Which step was recommended, and why."""

    index: int
    reason: str


class BatchEntry(TypedDict):
    """The batch that a file belonged to: where its recipe was measured, and hashes of its plan."""

    resolved_on: str
    recipe: Sha256
    input: Sha256
    options: Sha256


class FurtherEntries(TypedDict, total=False):
    """What a record may say beside the recipe and the grid; None stands for nothing."""

    unit: str
    cast: CastEntry | None
    source_processed: str | None
    source_remarks: list[str] | None
    source_shape: list[int]
    noise_found: str
    noise_warnings: list[str]
    noise_details: list[str]
    region: list[Ends]
    layer_axes: Axes
    layers: list[str]
    channel: Count
    mask: MaskLayerEntry
    origin: OriginEntry
    started_from_rounded: bool
    noise_free_run: bool
    measures: dict[str, float | None]
    doubts: dict[str, str]
    recommended: RecommendedEntry
    hashes: HashEntry
    kept_every: Count
    batch: BatchEntry


class StepEntry(TypedDict):
    """One of the steps in a file that holds several."""

    step: Count
    noise_scale: float | list[float]
    is_final: bool
    sha256: NotRequired[Sha256]


@with_config(ConfigDict(extra="allow"))
class StepRecord(FurtherEntries, total=False):
    """Everything it takes to make a step again."""

    schema: int
    recipe: dict[str, Any]
    noise: dict[str, Any]
    step: Count
    is_final: bool
    noise_scale: float | list[float]
    next_noise_scale: float | list[float]
    asked: dict[str, str]
    units: str
    seed: Count
    grid: GridEntry
    source: str
    first_step: Count
    versions: dict[str, Version]
    processed: str
    steps: list[StepEntry]
    record_sha256: Sha256


#: The name of this package among the versions of a record.
VERSION = "napari-diffusion"

# Without these nothing can be said of a step, and it cannot be made again.
_REQUIRED = ("step", "is_final", "noise_scale", "grid", "source", "versions")


@functools.cache
def _checked() -> TypeAdapter[StepRecord]:
    return TypeAdapter(StepRecord)


def checked_record(found: dict[str, Any]) -> StepRecord:
    """Return plain values from outside as a record; ValueError says what records do not hold."""
    try:
        kept = _checked().validate_python(found)
    except (ValidationError, RecursionError) as error:
        where = "its depth"
        if isinstance(error, ValidationError):
            where = ".".join(str(each) for each in error.errors()[0]["loc"])
        raise ValueError(
            f"The record of napari-diffusion cannot be used: {where} is not what records hold."
        ) from None
    missing = [name for name in _REQUIRED if name not in kept] if "recipe" in kept else []
    if "versions" in kept and VERSION not in kept["versions"]:
        missing.append(f"version of {VERSION}")
    if missing:
        raise ValueError(f"The record of napari-diffusion cannot be used: it has no {missing[0]}.")
    if not _agrees(kept):
        raise ValueError(
            "The record of napari-diffusion cannot be used: its axes contradict each other."
        )
    return kept


def _agrees(kept: StepRecord) -> bool:
    """Return whether there is a length for each axis, and the layer of the channel is named."""
    if "recipe" not in kept:
        return True
    grid = kept["grid"]
    axes, along, spacing = grid["axes"], grid["along"], grid["spacing"]
    if spacing and (len(spacing) != len(along) or set(along) - set(axes)):
        return False
    joined = "c" in axes and kept.get("channel", 0) < len(kept.get("layers", ()))
    return "channel" not in kept or joined


def as_record(found: Any) -> StepRecord | None:
    """Return what a file or a layer has as its record; None, with a warning, if it is none."""
    if not isinstance(found, dict) or not found:
        return None
    try:
        return checked_record(found)
    except ValueError as error:
        warnings.warn(str(error), stacklevel=2)
        return None


def with_output_hash(record: StepRecord, sha256: str | None) -> StepRecord:
    """Return the record of a step with the hash of its values as they are written.

    None leaves it without one: that of a file which was opened is no longer true.
    """
    hashes = dict(record.get("hashes", {}))
    hashes.pop("output", None)
    if sha256 is not None:
        hashes["output"] = sha256
    kept = {name: each for name, each in record.items() if name != "hashes"}
    return cast("StepRecord", kept | ({"hashes": hashes} if hashes else {}))


#: Where a record keeps the hash of itself.
SEAL = "record_sha256"


def sealed(record: Mapping[str, Any]) -> Any:
    """Return a record with the SHA-256 of all its other entries, as it goes into a file."""
    return {**record, SEAL: _seal_of(record)}


def seal_holds(record: StepRecord) -> bool | None:
    """Return whether a record is as it was sealed; None if it has no seal."""
    if SEAL not in record:
        return None
    try:
        return record["record_sha256"] == _seal_of(record)
    except (RecursionError, ValueError):
        return False  # what cannot be sealed never was


def _seal_of(record: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a record's JSON: names in order, no blanks, ASCII, its seal left out.

    Whole numbers are written as such: a check of a record makes floats of some.
    """
    kept = {name: _canonical(each) for name, each in record.items() if name != SEAL}
    text = json.dumps(kept, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _canonical(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _canonical(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_canonical(each) for each in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
