"""The base class of diffusion equations: filters with a time, integrated in sub-steps."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, final

from napari_diffusion.core.citation import Cite
from napari_diffusion.core.grid import per_axis
from napari_diffusion.filters.flows.equation import SAFETY, C, Equation

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.core.grid import Grid, Shape
    from napari_diffusion.engine.block import Block
    from napari_diffusion.filters.flows.inspection import Inspection

MAX_SUB_STEPS = 10_000

Solver = Literal["explicit", "fsi", "aos"]

# What a methods section calls the solvers, and cites for them.
SOLVER_WORDS = {
    "fsi": "fast semi-iterative scheme",
    "aos": "additive operator splitting",
}
SOLVER_CITES = (
    Cite("hafner2016", "solver", ("fsi",)),
    Cite("weickert1998aos", "solver", ("aos",)),
)

SOLVER = {
    "tooltip": "Time integration: explicit preserves the range exactly; fsi and aos "
    "are faster for long times.",
}


@dataclass(frozen=True)
class Flow(Equation[C]):
    """A diffusion equation ``∂u/∂t = div(D ∇u)``, integrated for `time` in sub-steps.

    The number of sub-steps follows from `time`, the parameters and the pixel size alone, never from
    the intensities, so that crops, chunks and previews take the same ones. Sub-steps are explicit
    unless the flow has a field `solver` with another value.
    """

    keeps_mean: ClassVar[bool] = True
    maximum_principle: ClassVar[bool] = True

    @property
    def scheme(self) -> str:
        """Name of the integrator: ``"explicit"``, ``"fsi"`` or ``"aos"``."""
        return getattr(self, "solver", "explicit")

    @property
    def claims(self) -> frozenset[str]:
        """The claims that hold: cycles of fast sub-steps may leave the range."""
        held = super().claims
        return held - {"maximum_principle"} if self.scheme == "fsi" else held

    def sub_steps(self, grid: Grid) -> int:
        """Return how many sub-steps one step takes; at most 10 000."""
        steps = self._over(SAFETY * self.bound(grid))
        if self.scheme == "fsi":
            cycles, length = self._cycles(grid)
            steps = cycles * length
        elif self.scheme == "aos":
            from napari_diffusion.filters.flows.aos import steps_of

            # The bound times Σ 2/h² is 1 over the largest conductance.
            squares = sum(2.0 * (min(grid.spacing) / h) ** 2 for h in grid.spacing)
            steps = steps_of(steps, SAFETY * steps / squares)
        return self._allowed(steps, grid)

    def _over(self, tau: float) -> float:
        return self.time / tau if tau > 0 else (math.inf if self.time else 0.0)

    def _cycles(self, grid: Grid) -> tuple[int, int]:
        from napari_diffusion.filters.flows.fsi import cycles_of

        return cycles_of(self._over(SAFETY * self.bound(grid)))

    def _allowed(self, steps: float, grid: Grid) -> int:
        if steps > MAX_SUB_STEPS:
            count = f"{math.ceil(steps)}" if steps < 1e9 else f"{steps:.3g}"
            cure = 'use solver="aos", ' * (getattr(self, "solver", "aos") != "aos")
            raise ValueError(
                f"{type(self).__name__}: time={self.time:g} at spacing {grid.spacing} needs "
                f"{count} sub-steps, more than {MAX_SUB_STEPS}: {cure}reduce the time, or correct "
                "the spacing."
            )
        # A time of exactly n sub-steps is not to become n + 1 by the last bit of a quotient.
        return math.ceil(steps * (1 - 1e-12))

    def explicit_step(self, grid: Grid) -> float:
        """Return the length of an explicit sub-step, whatever the solver is."""
        largest = SAFETY * self.bound(grid)
        count = math.ceil(self._over(largest) * (1 - 1e-12))
        return self.time / count if count else largest

    def inspected(self, block: Block) -> Inspection:
        """Return what the flow makes of an image in an explicit sub-step; see `Filter.inspect`."""
        from napari_diffusion.filters.flows import face_inspection

        return face_inspection.inspected(self, block, self.explicit_step(block.grid))

    def reach(self, grid: Grid) -> Shape:
        """Return how far one sub-step reaches, per canonical axis."""
        return per_axis(int(axis in grid.along_axes) for axis in range(5))

    def halo(self, grid: Grid) -> Shape | None:
        """Return the reach of all sub-steps of one step; None where every sub-step reaches all."""
        return self.part_halo(grid, 0, self.part_count(grid))

    @final
    def apply(self, block: Block) -> NDArray[Any]:
        """Return the block diffused for `time`; see `Filter.apply`."""
        return self.apply_parts(block, 0, self.part_count(block.grid))

    def part_count(self, grid: Grid) -> int:
        """Return the number of explicit sub-steps, or of cycles; see `Filter.part_count`."""
        count = self.sub_steps(grid)
        if count == 0 or self.scheme == "aos":
            return 1
        return self._cycles(grid)[0] if self.scheme == "fsi" else count

    def part_halo(self, grid: Grid, start: int, stop: int) -> Shape | None:
        """Return the reach of some sub-steps or cycles; None where one reaches everything."""
        if start >= stop or self.sub_steps(grid) == 0:
            return (0, 0, 0, 0, 0)
        if self.scheme == "aos":
            return None
        # What conductances reach further than to the neighbours counts once a cycle.
        more = self._cycles(grid)[1] - 1 if self.scheme == "fsi" else 0
        return per_axis((stop - start) * (n + more) if n else 0 for n in self.reach(grid))

    def apply_parts(
        self, block: Block, start: int, stop: int, core: tuple[slice, ...] | None = None
    ) -> NDArray[Any]:
        """Return the block after some sub-steps or cycles; see `Filter.apply_parts`."""
        if start >= stop or self.sub_steps(block.grid) == 0:
            return block.values.copy()
        return self._advanced(block, start, stop, core)

    def _advanced(
        self, block: Block, start: int, stop: int, core: tuple[slice, ...] | None
    ) -> NDArray[Any]:
        """Return the block after some parts, at least one."""
        del core
        if self.scheme == "fsi":
            from napari_diffusion.filters.flows.fsi import integrated
        elif self.scheme == "aos":
            from napari_diffusion.filters.flows.aos import integrated
        else:
            from napari_diffusion.filters.flows import explicit

            integrated = explicit.in_waves if self.own_guide else explicit.one_by_one
        return integrated(self, block, start, stop)
