"""What the studies of a run return: findings in words, tables, maps, and plain values."""

from __future__ import annotations

import abc
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.loop.recipe import Recipe


@dataclass(frozen=True, eq=False)
class ResultMap:
    """A value around every pixel.

    Attributes
    ----------
    name : str
        Such as "removed standard deviation".
    values : ndarray
        In the axes of the source, without c for RGB images; for a region, of that part alone.
    unit : str
        "intensity", or empty for a pure number.
    limits : tuple of two float
        The values at the two ends of the colour bar.
    diverging : bool
        Whether the middle of the limits is a value of its own, such as 0.
    """

    name: str
    values: NDArray[Any]
    unit: str
    limits: tuple[float, float]
    diverging: bool = False


@dataclass(frozen=True)
class ResultTable:
    """Numbers in rows, with their names above.

    Attributes
    ----------
    title : str
        What is listed.
    columns : tuple of str
        Names with units, such as "radius (pixels)".
    rows : tuple of tuple
        One value per column: text, whole numbers and numbers; NaN where there is none.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str | int | float, ...], ...]


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
