"""Steps in the type of their source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Cast:
    """Brings values back to a type: clipped, and rounded where the type holds integers.

    Attributes
    ----------
    dtype : str
        Name of the type.
    limits : tuple of float or None
        The lowest and highest value; what lies beyond is clipped. None clips nothing.
    """

    dtype: str
    limits: tuple[float, float] | None

    @classmethod
    def to(cls, source: Any) -> Self:
        """Return the cast to a source's type.

        Floats are clipped to 0 … 1, where colours lie, unless the source itself goes beyond.
        """
        dtype = np.dtype(source.dtype)
        if dtype.kind in "iu":
            limits = np.iinfo(dtype)
            return cls(dtype.name, (float(limits.min), float(limits.max)))
        within = dtype.kind != "f" or (np.nanmin(source) >= 0 and np.nanmax(source) <= 1)
        return cls(dtype.name, (0.0, 1.0) if within else None)

    def __call__(self, image: NDArray[Any]) -> NDArray[Any]:
        """Return a new array of the type."""
        clipped = image if self.limits is None else np.clip(image, *self.limits)
        if np.dtype(self.dtype).kind in "iub":
            clipped = np.rint(clipped)
        return clipped.astype(self.dtype)

    def record(self) -> dict[str, Any]:
        """Return what was done to the values, for the record of a step."""
        rounded = np.dtype(self.dtype).kind in "iub"
        limits = None if self.limits is None else list(self.limits)
        return {"dtype": self.dtype, "clipped": limits, "rounded": rounded}

    @classmethod
    def recorded(cls, kept: dict[str, Any]) -> Self:
        """Return the cast of a record."""
        limits = kept["clipped"]
        return cls(kept["dtype"], None if limits is None else (limits[0], limits[1]))
