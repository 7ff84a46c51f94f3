"""The report of images that were inspected for traces, without a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_diffusion.core.results import ResultTable
    from napari_diffusion.forensics.copying.panels import SharedPart
    from napari_diffusion.forensics.inspection import Inspection


@dataclass(frozen=True, eq=False)
class InspectionReport:
    """What such a report is written from.

    Attributes
    ----------
    inspections : tuple of Inspection
        One per image.
    pairs : ResultTable or None
        What was found in pairs of them.
    shared : tuple of SharedPart
        The same, to be drawn.
    """

    inspections: tuple[Inspection, ...]
    pairs: ResultTable | None = None
    shared: tuple[SharedPart, ...] = ()

    def __post_init__(self) -> None:
        if not self.inspections:
            raise ValueError("A report needs at least one image (got none).")

    @property
    def title(self) -> str:
        """Names of the images, of many the first."""
        names = [each.name for each in self.inspections]
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        return f"Traces in {', '.join(names[:3])}{more}"
