"""What studies and traces return for windows, files and reports alike: maps and tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray


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
