"""What every diffusion equation is: a filter with a time, integrated in sub-steps."""

from __future__ import annotations

import abc
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import numpy as np

from napari_diffusion.filters.base import Filter

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.core.grid import Grid, Shape
    from napari_diffusion.engine.threads import Threads

# Fraction of the largest stable sub-step that is used. At the limit itself the checkerboard
# pattern does not decay; at 0.8 every pattern does, and no value can leave the range.
SAFETY = 0.8

MAX_SUB_STEPS = 10_000

TIME = {
    "min": 0.0,
    "unit": "world²",
    "tooltip": "How long to diffuse per step; as wide as a Gaussian of σ = √(2·time).",
}

Solver = Literal["explicit", "fsi", "aos"]

SOLVER = {
    "tooltip": "How time is integrated: explicit is exact about the range, fsi and aos are "
    "faster for long times.",
}


@dataclass(frozen=True)
class Flow(Filter):
    """A diffusion equation ``∂u/∂t = div(D ∇u)``, integrated for `time` in sub-steps.

    The number of sub-steps follows from `time`, the parameters and the spacing alone, never from
    the values of the image, so that crops, chunks and previews take the same ones. They are
    explicit unless the flow has a field `solver` that says otherwise.
    """

    keeps_mean: ClassVar[bool] = True
    maximum_principle: ClassVar[bool] = True

    time: Annotated[float, TIME] = 1.0

    @property
    def scheme(self) -> str:
        """Name of the integrator: ``"explicit"``, ``"fsi"`` or ``"aos"``."""
        return getattr(self, "solver", "explicit")

    @property
    def claims(self) -> frozenset[str]:
        """The claims that hold: cycles of fast sub-steps may leave the range."""
        held = super().claims
        return held - {"maximum_principle"} if self.scheme == "fsi" else held

    def bound(self, grid: Grid) -> float:
        """Return the largest stable sub-step for a conductance of at most 1, in world units².

        ``tau · Σ 2 / spacing² ≤ 1``
        """
        return 1.0 / sum(2.0 / length**2 for length in grid.spacing)

    def sub_steps(self, grid: Grid) -> int:
        """Return how many sub-steps one step takes; refuse more than 10 000."""
        steps = self._over(SAFETY * self.bound(grid))
        if self.scheme == "fsi":
            from napari_diffusion.filters.flows.fsi import cycles_of

            cycles, length = cycles_of(steps)
            steps = cycles * length
        elif self.scheme == "aos":
            from napari_diffusion.filters.flows.aos import steps_of

            # The bound times Σ 2/h² is 1 over the largest conductance.
            squares = sum(2.0 * (min(grid.spacing) / h) ** 2 for h in grid.spacing)
            steps = steps_of(steps, SAFETY * steps / squares)
        return self._allowed(steps, grid)

    def _over(self, tau: float) -> float:
        return self.time / tau if tau > 0 else (math.inf if self.time else 0.0)

    def _allowed(self, steps: float, grid: Grid) -> int:
        if steps > MAX_SUB_STEPS:
            count = f"{math.ceil(steps)}" if steps < 1e9 else f"{steps:.3g}"
            cure = 'take solver="aos", ' * (getattr(self, "solver", "aos") != "aos")
            raise ValueError(
                f"{type(self).__name__}: time={self.time:g} at spacing {grid.spacing} needs "
                f"{count} sub-steps, more than {MAX_SUB_STEPS}: {cure}give less time, or the right "
                "spacing if it is not that."
            )
        # A time of exactly n sub-steps is not to become n + 1 by the last bit of a quotient.
        return math.ceil(steps * (1 - 1e-12))

    @abc.abstractmethod
    def prepare(
        self, u: NDArray[Any], grid: Grid, mask: NDArray[np.bool_] | None, executor: Threads
    ) -> Any:
        """Return the coefficients of the equation for a state u, frozen for a sub-step or cycle."""

    @abc.abstractmethod
    def advance(
        self,
        u: NDArray[Any],
        out: NDArray[Any],
        coefficients: Any,
        weights: NDArray[Any],
        rows: tuple[int, int],
    ) -> None:
        """Write one sub-step of the site rows ``rows[0] … rows[1] − 1``; releases the GIL.

        `weights` are those of `Flow.weights`.
        """

    @property
    def own_guide(self) -> bool:
        """Whether `prepare` takes a state as it is for its first item, and the rest from no state.

        Then a row needs no more than the rows around it, and sub-steps are taken in waves.
        """
        return False

    def write_faces(
        self, coefficients: Any, faces: dict[int, NDArray[Any]], rows: tuple[int, int]
    ) -> None:
        """Write the conductance of the face below each pixel along some axes, 0 at the border.

        The solvers "fsi" and "aos" need it. Arrays have one channel where channels are joint; what
        flows across a mask's border is left to the caller.
        """
        from napari_diffusion.filters.flows.aos import face_rows

        guide, law, slopes, _, joint = coefficients
        count = slopes.shape[0] if joint else 1
        for axis, out in faces.items():
            face_rows(guide, law, slopes, axis, count, out, *rows)

    def reach(self, grid: Grid) -> Shape:
        """Return how far one sub-step reaches, per canonical axis."""
        return _ones_along(grid)

    def halo(self, grid: Grid) -> Shape | None:
        """Return the reach of all sub-steps of one step; None where every sub-step reaches all."""
        if self.scheme == "aos":
            return None
        count, each = self.sub_steps(grid), self.reach(grid)
        if self.scheme == "fsi":
            from napari_diffusion.filters.flows.fsi import cycles_of

            # What conductances reach further than to the neighbours counts once a cycle.
            cycles, length = cycles_of(self._over(SAFETY * self.bound(grid)))
            return tuple(cycles * (length + n - 1) if n else 0 for n in each)  # type: ignore[return-value]
        return tuple(count * n for n in each)  # type: ignore[return-value]

    def apply(
        self, block: NDArray[Any], grid: Grid, mask: NDArray[np.bool_] | None, executor: Threads
    ) -> NDArray[Any]:
        """Return the block diffused for `time`; see `Filter.apply`."""
        if self.sub_steps(grid) == 0:
            return block.copy()
        if self.scheme == "fsi":
            from napari_diffusion.filters.flows.fsi import integrated
        elif self.scheme == "aos":
            from napari_diffusion.filters.flows.aos import integrated
        else:
            integrated = _in_waves if self.own_guide else _one_by_one
        return integrated(self, block, grid, mask, executor)

    def advanced(
        self,
        u: NDArray[Any],
        out: NDArray[Any],
        coefficients: Any,
        weights: NDArray[Any],
        executor: Threads,
    ) -> None:
        """Write one explicit sub-step of all rows, shared among threads."""
        t, c, z, y, x = u.shape
        executor.each(
            lambda a, b: self.advance(u, out, coefficients, weights, (a, b)),
            executor.bands(t * z * y, c * x),
        )

    def weights(self, tau: float, grid: Grid, dtype: Any) -> NDArray[Any]:
        """Return (shortest spacing / spacing)² per canonical axis, then tau / shortest spacing².

        With the common factor apart, sums of fluxes are rounded once, and even the smallest
        numbers there are cannot add up to more than the neighbours' largest.
        """
        shortest = min(grid.spacing)
        ratios = [(shortest / length) ** 2 for length in grid.lengths]
        return np.array([*ratios, tau / shortest**2], dtype)


def _in_waves(
    flow: Flow, block: NDArray[Any], grid: Grid, mask: NDArray[np.bool_] | None, executor: Threads
) -> NDArray[Any]:
    from napari_diffusion.filters.flows import wavefront

    count, (_, *others) = flow.sub_steps(grid), flow.prepare(block, grid, mask, executor)
    weights = flow.weights(flow.time / count, grid, block.dtype)
    return wavefront.advanced(
        lambda u, out, a, b: flow.advance(u, out, (u, *others), weights, (a, b)),
        block,
        count,
        lag_of(block.shape, grid),
        executor,
    )


def lag_of(shape: Shape, grid: Grid) -> int:
    """Return how many site rows away the farthest of the next pixels lies, diagonal ones too."""
    _, _, z, y, _ = shape
    return sum({0: z * y, 2: y, 3: 1, 4: 0}[axis] for axis in grid.along_axes)


def _one_by_one(
    flow: Flow, block: NDArray[Any], grid: Grid, mask: NDArray[np.bool_] | None, executor: Threads
) -> NDArray[Any]:
    count = flow.sub_steps(grid)
    weights = flow.weights(flow.time / count, grid, block.dtype)
    buffers = [np.empty_like(block) for _ in range(min(count, 2))]
    u = block
    for sub_step in range(count):
        out = buffers[sub_step % 2]
        flow.advanced(u, out, flow.prepare(u, grid, mask, executor), weights, executor)
        u = out
    return u


def _ones_along(grid: Grid) -> Shape:
    return tuple(int(axis in grid.along_axes) for axis in range(5))  # type: ignore[return-value]
