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
    low, high : float
        The values that are kept; what lies beyond is clipped.
    """

    dtype: str
    low: float
    high: float

    @classmethod
    def to(cls, source: Any) -> Self:
        """Return the cast to a source's type; floats are clipped to 0 … 1, where colours lie."""
        dtype = np.dtype(source.dtype)
        if dtype.kind in "iu":
            limits = np.iinfo(dtype)
            return cls(dtype.name, float(limits.min), float(limits.max))
        return cls(dtype.name, 0.0, 1.0)

    def __call__(self, image: NDArray[Any]) -> NDArray[Any]:
        """Return a new array of the type."""
        clipped = np.clip(image, self.low, self.high)
        if np.dtype(self.dtype).kind in "iub":
            np.rint(clipped, out=clipped)
        return clipped.astype(self.dtype)

    def record(self) -> dict[str, Any]:
        """Return what was done to the values, for the record of a step."""
        rounded = np.dtype(self.dtype).kind in "iub"
        return {"dtype": self.dtype, "clipped": [self.low, self.high], "rounded": rounded}
