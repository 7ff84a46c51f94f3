"""What the studies of a run return: findings in words, tables, maps, and plain values."""

from __future__ import annotations

import abc
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from napari_diffusion.core.results import ResultMap, ResultTable
    from napari_diffusion.loop.recipe import Recipe


@dataclass(frozen=True, eq=False)
class StudyResult(abc.ABC):
    """What a study found; the dock, the command line and the report show all alike.

    Attributes
    ----------
    recipe : Recipe
        Resolved on the image.
    step : int
        Index of the step that was studied; of several, the last one.
    """

    #: What it is called, such as "Feature survival".
    title: ClassVar[str]

    recipe: Recipe
    step: int

    @abc.abstractmethod
    def sentences(self) -> tuple[str, ...]:
        """Return what was found, the most important first, each a whole sentence."""

    @abc.abstractmethod
    def limits(self) -> tuple[str, ...]:
        """Return what was tried, on what, and what does not follow from it, in sentences."""

    def tables(self) -> tuple[ResultTable, ...]:
        """Return the numbers."""
        return ()

    def maps(self) -> tuple[ResultMap, ...]:
        """Return the maps, the most important first."""
        return ()

    @abc.abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON, without arrays of the image's size; no NaN."""
