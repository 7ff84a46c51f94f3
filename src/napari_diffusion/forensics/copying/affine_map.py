"""Affine maps of the plane: where a part stands a second time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Degrees, and share of the size, below which words leave a turn or a scale out.
_STRAIGHT, _SAME_SIZE = 1.0, 0.02

# Matched places from which on an affine map is fitted.
_ENOUGH = 12


@dataclass(frozen=True, eq=False)
class AffineMap:
    """From y, x of a part to y, x of the other part: ``matrix · place + shift``.

    Attributes
    ----------
    matrix : ndarray, shape (2, 2)
    shift : ndarray, shape (2,)
    """

    matrix: NDArray[np.float64]
    shift: NDArray[np.float64]

    def __call__(self, places: NDArray[Any]) -> NDArray[np.float64]:
        """Return where places, shape (n, 2), come to lie."""
        return np.asarray(places @ self.matrix.T + self.shift, np.float64)

    def inverse(self) -> AffineMap:
        """Return the map from the other part back."""
        back = np.asarray(np.linalg.inv(self.matrix), np.float64)
        return AffineMap(back, -back @ self.shift)

    def after(self, first: AffineMap) -> AffineMap:
        """Return the map that takes `first` and then this one."""
        return AffineMap(self.matrix @ first.matrix, self.matrix @ first.shift + self.shift)

    @property
    def scale(self) -> float:
        """How many times as large the other part is, along an axis."""
        return math.sqrt(abs(float(np.linalg.det(self.matrix))))

    @property
    def is_mirrored(self) -> bool:
        """Whether left and right change sides."""
        return bool(np.linalg.det(self.matrix) < 0)

    @property
    def turn(self) -> float:
        """Degrees clockwise, −180 … 180; of a mirrored part, after left and right changed sides."""
        matrix = self.matrix * ([1, -1] if self.is_mirrored else [1, 1])
        return math.degrees(math.atan2(matrix[0, 1] - matrix[1, 0], matrix[0, 0] + matrix[1, 1]))

    def is_similar(self, most_scale: float = 2.0, most_stretch: float = 1.25) -> bool:
        """Whether it is no more than moving, turning, mirroring and moderate scaling."""
        large, small = np.linalg.svd(self.matrix, compute_uv=False)
        return bool(
            small * most_scale >= 1 and large <= most_scale and large <= most_stretch * small
        )

    def words(self) -> str:
        """Return how the other part differs, such as "mirrored, turned by 15° clockwise"."""
        half = abs(self.turn) > 180 - _STRAIGHT
        found = ["mirrored" + " top to bottom" * half] if self.is_mirrored else []
        if abs(self.turn) >= _STRAIGHT and not (half and self.is_mirrored):
            way = " clockwise" if self.turn > 0 else " counterclockwise"
            found.append(f"turned by {abs(self.turn):.0f}°{'' if half else way}")
        if abs(self.scale - 1) >= _SAME_SIZE:
            found.append(f"{self.scale:.2f} × as large")
        if not found:
            found.append("shifted by ({:.0f}, {:.0f}) pixels".format(*(np.rint(self.shift) + 0.0)))
        return ", ".join(found)


def fitted(sources: NDArray[Any], targets: NDArray[Any], mirrored: bool) -> AffineMap:
    """Return the map of least squares between matched places.

    Of few places only a similarity is fitted: the two more numbers of an affine map would follow
    the errors of single key points.
    """
    if len(sources) >= _ENOUGH:
        sides = np.column_stack([sources, np.ones(len(sources))])
        solved = np.linalg.lstsq(sides, targets, rcond=None)[0]
        return AffineMap(solved[:2].T.copy(), solved[2].copy())
    own, other = sources.mean(axis=0), targets.mean(axis=0)
    left, stretch, right = np.linalg.svd((targets - other).T @ (sources - own))
    sign = np.array([1.0, np.sign(np.linalg.det(left @ right)) * (-1 if mirrored else 1)])
    size = float(stretch @ sign) / max(float(((sources - own) ** 2).sum()), 1e-12)
    matrix = size * (left * sign) @ right
    return AffineMap(matrix, other - matrix @ own)
