"""What the record of a step holds, as JSON has it."""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict, cast


class CastEntry(TypedDict):
    """What was done to values to bring them to another type."""

    dtype: str
    clipped: list[float] | None
    rounded: bool


class MaskEntry(TypedDict):
    """A mask by its content hash; the mask itself is not kept."""

    sha256: str


class MaskLayerEntry(TypedDict):
    """The layer that a mask was, and how many pixels lie inside."""

    layer: str
    inside: int


class GridEntry(TypedDict):
    """The grid keywords of a run."""

    axes: str
    spacing: list[float]
    along: str
    joint_channels: bool
    rgb: bool
    unit: NotRequired[str]
    mask: NotRequired[MaskEntry]
    missing: NotRequired[str]


class OriginEntry(TypedDict):
    """The source of steps that a run cannot go on from: rounded ones, and regions."""

    sha256: str
    first_step: int


class FurtherEntries(TypedDict, total=False):
    """What a record may say beside the recipe and the grid; None stands for nothing."""

    unit: str
    cast: CastEntry | None
    source_processed: str | None
    source_shape: list[int]
    noise_found: str
    noise_warnings: list[str]
    noise_details: list[str]
    region: list[list[int]]
    layer_axes: str
    layers: list[str]
    channel: int
    mask: MaskLayerEntry
    origin: OriginEntry
    started_from_rounded: bool
    noise_free_run: bool
    measures: dict[str, float | None]
    doubts: dict[str, str]
    recommended: dict[str, Any]


class StepEntry(TypedDict):
    """One of the steps in a file that holds several."""

    step: int
    noise_scale: float | list[float]
    is_final: bool


class StepRecord(FurtherEntries, total=False):
    """Everything it takes to make a step again."""

    schema: int
    recipe: dict[str, Any]
    noise: dict[str, Any]
    step: int
    is_final: bool
    noise_scale: float | list[float]
    next_noise_scale: float | list[float]
    asked: dict[str, str]
    units: str
    seed: int
    grid: GridEntry
    source: str
    first_step: int
    versions: dict[str, str]
    processed: str
    steps: list[StepEntry]


def as_record(found: Any) -> StepRecord | None:
    """Return what was read from a file as a record; None where it is none."""
    return cast(StepRecord, found) if isinstance(found, dict) else None
