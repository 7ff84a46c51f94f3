"""A diffusion equation, as the integrators see it: coefficients of a state, and one sub-step."""

from __future__ import annotations

import abc
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Generic, Self, TypeVar

import numpy as np

from napari_diffusion.filters.base import Filter

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray

    from napari_diffusion.core.grid import Grid, Shape
    from napari_diffusion.engine.block import Block
    from napari_diffusion.engine.threads import Threads
    from napari_diffusion.filters.flows.inspection import Edges

# What an equation is made of in a state: conductances, or what they follow from.
C = TypeVar("C")

# Fraction of the largest stable sub-step that is used. At the limit itself the checkerboard
# pattern does not decay; at 0.8 every pattern does, and no value can leave the range.
SAFETY = 0.8

TIME = {
    "min": 0.0,
    "unit": "world²",
    "tooltip": "Diffusion time per step; blurs flat areas like a Gaussian of σ = √(2·time).",
}


@dataclass(frozen=True)
class Equation(Filter, Generic[C]):
    """An equation ``∂u/∂t = div(D ∇u)`` that is to hold for `time`."""

    time: Annotated[float, TIME] = 1.0

    def bound(self, grid: Grid) -> float:
        """Return the largest stable sub-step for a conductance of at most 1, in world units².

        ``tau · Σ 2 / spacing² ≤ 1``
        """
        return 1.0 / sum(2.0 / length**2 for length in grid.spacing)

    @abc.abstractmethod
    def sub_steps(self, grid: Grid) -> int:
        """Return how many sub-steps one step takes."""

    def at(self, sub_step: int, grid: Grid) -> Self:
        """Return the equation that holds in a sub-step; most do not change with time."""
        del sub_step, grid
        return self

    @abc.abstractmethod
    def prepare(self, block: Block) -> C:
        """Return the coefficients of the equation for a state u, frozen for a sub-step or cycle."""

    @abc.abstractmethod
    def advance(
        self,
        u: NDArray[Any],
        out: NDArray[Any],
        coefficients: C,
        weights: NDArray[Any],
        rows: tuple[int, int],
    ) -> None:
        """Write one sub-step of the site rows ``rows[0] … rows[1] − 1``; releases the GIL.

        `weights` are those of `Equation.weights`.
        """

    @property
    def own_guide(self) -> bool:
        """Whether `prepare` takes a state as it is for its first item, and the rest from no state.

        Then a row needs no more than the rows around it, and sub-steps are taken in waves.
        """
        return False

    def write_faces(
        self, coefficients: C, faces: dict[int, NDArray[Any]], rows: tuple[int, int]
    ) -> None:
        """Write the conductance of the face below each pixel along some axes, 0 at the border.

        The solvers "fsi" and "aos" and `Filter.inspect` need it. Arrays have one channel where
        channels are joint; what flows across a mask's border is left to the caller.
        """
        raise NotImplementedError(f"{type(self).__name__} has the explicit solver only.")

    def pixel_conductance(self, coefficients: C) -> NDArray[Any] | None:
        """Return the conductance of the pixels, where it is from theirs that those of faces follow.

        It is canonical, of one channel where channels are joint.
        """
        del coefficients
        return None

    def edges(self, block: Block, conductance: NDArray[Any]) -> Edges | None:
        """Return what is measured to find edges, canonical; None where none are looked for.

        Parameters
        ----------
        block : Block
            A state.
        conductance : ndarray
            The least one around each pixel, 0 … 1 relative to the largest.
        """
        del block, conductance
        return None

    def advanced(
        self,
        u: NDArray[Any],
        out: NDArray[Any],
        coefficients: C,
        weights: NDArray[Any],
        threads: Threads,
    ) -> None:
        """Write one explicit sub-step of all rows, shared among threads."""
        t, c, z, y, x = u.shape
        threads.each(
            lambda a, b: self.advance(u, out, coefficients, weights, (a, b)),
            threads.bands(t * z * y, c * x),
        )

    def weights(self, tau: float, grid: Grid, dtype: DTypeLike) -> NDArray[Any]:
        """Return (shortest spacing / spacing)² per canonical axis, then tau / shortest spacing².

        With the common factor apart, sums of fluxes are rounded once, and even the smallest
        numbers there are cannot add up to more than the neighbours' largest.
        """
        shortest = min(grid.spacing)
        ratios = [(shortest / length) ** 2 for length in grid.lengths]
        return np.array([*ratios, tau / shortest**2], dtype)


def lag_of(shape: Shape, grid: Grid) -> int:
    """Return how many site rows away the farthest of the next pixels lies, diagonal ones too."""
    _, _, z, y, _ = shape
    return sum({0: z * y, 2: y, 3: 1, 4: 0}[axis] for axis in grid.along_axes)
