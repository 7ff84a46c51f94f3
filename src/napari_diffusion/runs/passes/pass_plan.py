"""The plan of a run that is larger than memory: its passes, its tiles, and what they take."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_diffusion.core.grid import per_axis
from napari_diffusion.engine.threads import num_threads
from napari_diffusion.io.memory import written_bytes
from napari_diffusion.runs.passes.pass_costs import Costs
from napari_diffusion.runs.passes.pass_sequence import Pass, most_parts, passes_of
from napari_diffusion.runs.passes.tiling import Tiling

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_diffusion.core.grid import Grid, Shape
    from napari_diffusion.loop.recipe import Recipe
    from napari_diffusion.runs.passes.kept_state import KeptPlan

# Arrays of a tile's size that are in memory at once, beside those of the filter: what is read,
# its noise, the states of a filter, what is encoded.
_ARRAYS = 6

# A step is cut into no more passes than this, but for all that it can be cut into.
_FEW = 8


class TooLittleMemory(MemoryError):  # noqa: N818 - it describes the machine
    """No tile fits: one that is as thick as its halo takes more."""


@dataclass(frozen=True)
class PassPlan:
    """How a run goes over an image.

    Attributes
    ----------
    passes : tuple of Pass
        In their order.
    tiling : Tiling
        The same for all.
    at_once : int
        How many tiles are made at once.
    redundancy : float
        Pixels that are filtered for each pixel of the image, on average over the passes.
    seconds : float
        How long the run takes, about.
    tile_bytes : int
        Memory that one tile takes.
    """

    passes: tuple[Pass, ...]
    tiling: Tiling
    at_once: int
    redundancy: float
    seconds: float
    tile_bytes: int

    def kept(self) -> KeptPlan:
        """Return what a run that goes on needs, for JSON."""
        return {
            "passes": [(each.step, each.start, each.stop, each.count) for each in self.passes],
            "tile": list(self.tiling.tile),
            "chunk": list(self.tiling.chunk),
            "redundancy": self.redundancy,
            "tile_bytes": self.tile_bytes,
        }

    @classmethod
    def of_kept(cls, kept: KeptPlan, shape: Shape, memory: int) -> PassPlan:
        """Return the plan of a run that is gone on with, for the memory that there is now.

        Raises
        ------
        TooLittleMemory
            If it has not room for one tile.
        """
        taken = int(kept["tile_bytes"])
        if taken > memory:
            raise TooLittleMemory(
                f"The unfinished run has tiles of {written_bytes(taken)}, and the memory of "
                f"{written_bytes(memory)} has no room for one: allow as much, or start again."
            )
        tiling = Tiling(shape, per_axis(kept["tile"]), per_axis(kept["chunk"]))
        passes = tuple(Pass(*each) for each in kept["passes"])
        at_once = max(min(memory // taken, num_threads()), 1)
        return cls(passes, tiling, at_once, float(kept["redundancy"]), 0.0, taken)


def planned(
    recipe: Recipe,
    grid: Grid,
    itemsize: int,
    memory: int,
    at_once: int | None,
    threads: int,
    costs: Costs | None = None,
) -> PassPlan:
    """Return the plan that takes the least time within a memory.

    Parameters
    ----------
    recipe : Recipe
        Resolved.
    grid : Grid
        Of the whole image.
    itemsize : int
        Bytes of a pixel as it is computed.
    memory : int
        Bytes that all tiles may take together.
    at_once : int or None
        How many tiles are made at once; None: up to one for each thread.
    threads : int
        How many threads there are.
    costs : Costs, optional
        What passes cost; measured if not given.

    Raises
    ------
    TooLittleMemory
        It says how much would do.
    """
    costs = costs or Costs.of(recipe, grid)
    needs, plans = [], []
    for most in _numbers(most_parts(recipe, grid)):
        passes = passes_of(recipe, grid, most)
        halos = [each.halo(recipe, grid) for each in passes]
        widest = per_axis(max(each) for each in zip(*halos, strict=True))
        for count in [at_once] if at_once else _halves(threads):
            per_pixel = pixel_bytes(recipe, itemsize, grid)
            tiling = Tiling.of(grid.shape, widest, memory // count // per_pixel)
            taken = tiling.padded(widest) * per_pixel
            if taken * count > memory:
                needs.append(taken * count)
                continue
            plans.append(_plan(passes, halos, tiling, count, costs, threads, taken))
    if not plans:
        raise TooLittleMemory(
            f"The memory of {written_bytes(memory)} is too small for a tile that is as thick as "
            f"its halo: allow {written_bytes(math.ceil(1.01 * min(needs)))}, such as memory="
            f"{math.ceil(1.01 * min(needs) / 2**20)}MiB, or reduce the time of the filter."
        )
    return min(plans, key=lambda plan: plan.seconds)


def pixel_bytes(recipe: Recipe, itemsize: int, grid: Grid) -> int:
    """Return the memory that a pixel of a tile takes, with all that is made of it."""
    every = (*recipe.filters, *filter(None, (recipe.final_filter,)))
    copies = max(each.copies for each in every) + 2 * (recipe.domain is not None)
    copies += 3 * (recipe.update == "reverse")  # the noisy images before and after, and a sum
    return itemsize * (_ARRAYS + copies) + 3 * grid.masked


def arrays_at_once(plan: PassPlan, recipe: Recipe) -> int:
    """Return how many arrays of the image's size the passes have on the disk at once."""
    return min(len(plan.passes), 2) * (2 if recipe.update == "reverse" else 1)


def _plan(
    passes: tuple[Pass, ...],
    halos: list[Shape],
    tiling: Tiling,
    count: int,
    costs: Costs,
    threads: int,
    taken: int,
) -> PassPlan:
    each = [tiling.redundancy(halo) for halo in halos]
    pixels = math.prod(tiling.shape)
    shared = max(threads // count, 1)
    seconds = sum(
        # Threads that share a tile wait while it is read and written.
        (costs.of_pass(one) * more + costs.moved * (more + 1) * shared) * pixels
        for one, more in zip(passes, each, strict=True)
    )
    return PassPlan(passes, tiling, count, sum(each) / len(each), seconds / threads, taken)


def _numbers(most: int) -> Iterator[int]:
    """Yield into how many passes a step may be cut."""
    yield from range(1, min(most, _FEW) + 1)
    if most > _FEW:
        yield most


def _halves(threads: int) -> list[int]:
    """Return how many tiles may be made at once."""
    counts = [threads]
    while counts[-1] > 1:
        counts.append(counts[-1] // 2)
    return counts
