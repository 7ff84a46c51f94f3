"""What a report is written from: a source, the kept steps of a run, and studies of it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from napari_diffusion.core.grid import Grid
from napari_diffusion.report.source_noise import measured_noise

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from napari_diffusion.analysis.study_result import StudyResult
    from napari_diffusion.core.grid import GridOptions
    from napari_diffusion.core.merkle_hash import Sliceable
    from napari_diffusion.estimate import NoiseModel
    from napari_diffusion.forensics.inspection import Inspection
    from napari_diffusion.io.step_record import StepRecord


@dataclass(frozen=True, eq=False)
class ReportStep:
    """A step, and how it was made.

    Attributes
    ----------
    record : mapping
        Of the step.
    values : array
        In the axes of the source; any array that slices give parts of.
    """

    record: StepRecord
    values: Sliceable


@dataclass(frozen=True, eq=False)
class Report:
    """What a report is written from.

    Attributes
    ----------
    name : str
        What the report is on, such as the name of a file.
    steps : tuple of ReportStep
        The kept steps in order; the last one is the result.
    options : GridOptions
        ``axes, spacing, along, joint_channels, rgb`` of the source.
    source : array or None
        The part of the source that was processed, in the shape of the steps; None if it is not at
        hand.
    source_name : str
        Name of the layer or file that the run started from.
    studies : tuple of StudyResult
        What was found out about the run; each has a section.
    noise : tuple of NoiseModel
        The noise of the source, one per channel; empty if it was not measured.
    inspections : tuple of Inspection
        Traces that were read from the source or the result.
    missing : mapping
        Why a section is empty, one sentence by its id: "removed", "noise", "survives",
        "null", "traces".
    notes : tuple of str
        What stands before everything else, in sentences.
    checks : tuple of str
        What was checked while the report was made, in sentences.
    in_files : bool
        Whether the steps are files, which ``napari-diffusion verify`` takes.
    """

    name: str
    steps: tuple[ReportStep, ...]
    options: GridOptions
    source: Sliceable | None = None
    source_name: str = ""
    studies: tuple[StudyResult, ...] = ()
    noise: tuple[NoiseModel, ...] = ()
    inspections: tuple[Inspection, ...] = ()
    missing: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    in_files: bool = False

    def __post_init__(self) -> None:
        if not self.steps:
            raise ValueError("A report needs at least one step (got none).")
        wanted = tuple(self.result.values.shape)
        others = [step.values for step in self.steps]
        others += [] if self.source is None else [self.source]
        for each in others:
            if tuple(each.shape) != wanted:
                raise ValueError(
                    "The source and the steps of a report must have one shape (got "
                    f"{tuple(each.shape)} and {wanted})."
                )

    @property
    def result(self) -> ReportStep:
        """The last step."""
        return self.steps[-1]

    @property
    def grid(self) -> Grid:
        """Axes and pixel size of the steps."""
        apart = ("mask", "missing")
        options: Any = {name: each for name, each in self.options.items() if name not in apart}
        return Grid.of(tuple(self.result.values.shape), **options)

    def with_studies(self, *studies: StudyResult) -> Report:
        """Return this report with further studies."""
        return dataclasses.replace(self, studies=(*self.studies, *studies))


def report_of_steps(
    source: NDArray[Any],
    steps: Sequence[tuple[StepRecord, NDArray[Any]]],
    options: GridOptions,
    source_name: str,
    studies: Sequence[StudyResult] = (),
) -> Report:
    """Return what a report is written from, of arrays in memory.

    Parameters
    ----------
    source : ndarray
        What the run started from, whole; never written.
    steps : sequence of (record, ndarray)
        The kept steps in order, each with its record. Of a run on a region they have its shape.
    options : GridOptions
        ``axes, spacing, along, joint_channels, rgb, mask, missing`` of the source.
    source_name : str
        Name of the source.
    studies : sequence of StudyResult
        What was found out about the run.

    Raises
    ------
    ValueError
        If there is no step, or the shapes differ.
    """
    noise, why = measured_noise(source, options)
    kept = tuple(ReportStep(record, values) for record, values in steps)
    return Report(
        name=source_name,
        steps=kept,
        options=options,
        source=part_of(source, kept[-1].record) if kept else source,
        source_name=source_name,
        studies=tuple(studies),
        noise=noise,
        missing={"noise": why} if why else {},
    )


def part_of(source: NDArray[Any], record: StepRecord) -> NDArray[Any]:
    """Return the part of a source that the image of a record was made of."""
    ends = record.get("region")
    if ends is None or len(ends) != source.ndim:
        return source
    return source[tuple(slice(*each) for each in ends)]
