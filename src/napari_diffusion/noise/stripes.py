"""Row and column noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import numpy as np

from napari_diffusion.core.method_words import in_terms
from napari_diffusion.noise.base import Noise

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.core.address import Address
    from napari_diffusion.core.noise_scale import Scales
    from napari_diffusion.engine.block import Block
    from napari_diffusion.engine.threads import Threads
    from napari_diffusion.noise.sampling.random_field import Place

Y, X = 3, 4


@dataclass(frozen=True)
class Stripes(Noise):
    """Add an offset to each row or each column of a plane.

    ``image[y, x] + noise_scale · n(y)`` for rows, ``n(x)`` for columns. With drift the offset n(y,
    x) changes slowly along the stripe: cubic B-splines with random normal knots `drift` apart,
    normalized to a standard deviation of 1 everywhere.

    Parameters
    ----------
    direction : {"rows", "columns"}
        Direction of the stripes: "rows" along x, as from a camera with row-wise readout; "columns"
        along y, as from a camera with one amplifier per column.
    drift : float
        Distance in world units along a stripe over which its offset changes, 0 or more; 0 keeps it
        constant from end to end. Values below one pixel count as one pixel.
    fixed : bool
        Use the same stripes for all planes and frames, as a fixed pattern of the detector;
        otherwise each plane of z, t and c has its own.

    Notes
    -----
    Use it for row and column noise of cameras, line scanners and charging in electron microscopes,
    and to see how an edge-preserving filter handles lines. Not for rings in tomograms. The noise
    scale is the standard deviation over all stripes; an image with few stripes may deviate from it.
    """

    display_name: ClassVar[str] = "Row and column"
    method_name = "stripe noise"
    terms = in_terms(
        direction={"rows": "one offset per row", "columns": "one offset per column"},
        drift="changing over {}",
        fixed="the same in all planes",
    )
    white: ClassVar[bool] = False

    direction: Annotated[
        Literal["rows", "columns"],
        {"tooltip": "Direction of the stripes: rows run along x, columns along y."},
    ] = "rows"
    drift: Annotated[
        float,
        {
            "min": 0.0,
            "unit": "world",
            "tooltip": "Length over which a stripe changes; 0: constant along the stripe.",
        },
    ] = 0.0
    fixed: Annotated[bool, {"tooltip": "Use the same stripes for all planes and frames."}] = False

    def add(self, block: Block, scales: Scales, address: Address) -> NDArray[Any]:
        """Return block + scale · n; see `Noise.add`."""
        from napari_diffusion.noise.sampling import random_field

        shape, origin = list(block.shape), list(block.grid.origin)
        if self.fixed:
            shape[:3], origin[:3] = (1, 1, 1), (0, 0, 0)
        along = X if self.direction == "rows" else Y
        place = random_field.Place(tuple(shape), tuple(origin), address)
        field = self._numbers(place, along, block.grid.length(along), block.threads)
        return random_field.added(block, field, scales)

    def _numbers(
        self, place: Place, along: int, length: float, threads: Threads
    ) -> NDArray[np.float32]:
        """Return the stripes' numbers: one for each, or along it with drift."""
        from napari_diffusion.noise.sampling import random_field

        start, size = place.origin[along], place.shape[along]
        if self.drift == 0:
            return random_field.white(_replaced(place, along, 0, 1), threads)
        # An axis that does not diffuse has no length.
        distance = max(self.drift / (length if np.isfinite(length) else 1.0), 1.0)
        at = np.arange(start, start + size) / distance
        first = np.floor(at).astype(np.int64)
        count = int(first[-1] - first[0]) + 4
        knots = random_field.white(_replaced(place, along, int(first[0]), count), threads)
        weights = _splines(at - first).astype(np.float32)
        index = first - first[0]
        field = np.zeros((), np.float32)
        for k in range(4):
            weight = weights[k] if along == X else weights[k][:, None]
            field = field + weight * knots.take(index + k, axis=along)
        return field


def _replaced(place: Place, axis: int, start: int, size: int) -> Place:
    """Return a place with another extent along one axis."""
    from napari_diffusion.noise.sampling.random_field import Place

    shape, origin = list(place.shape), list(place.origin)
    shape[axis], origin[axis] = size, start
    return Place(tuple(shape), tuple(origin), place.address)


def _splines(f: NDArray[Any]) -> NDArray[Any]:
    """Return the weights of four knots at a fraction f of the way from the second to the third.

    Cubic B-splines, divided by the norm of the four, so that the variance is the same everywhere.
    """
    weights = np.stack(
        [(1 - f) ** 3, 3 * f**3 - 6 * f**2 + 4, -3 * f**3 + 3 * f**2 + 3 * f + 1, f**3]
    )
    return np.asarray(weights / np.sqrt((weights**2).sum(axis=0)))
