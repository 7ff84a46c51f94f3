"""Times two calls in turn and compares them pair by pair."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

# A shorter measurement says more about the clock and the scheduler than about the call.
SHORTEST = 0.02

# So long a call is not begun a second time to find out how long it is.
_LONG = 1.0

Call = Callable[[], object]


@dataclass(frozen=True)
class Cost:
    """What one unit of work took, in seconds, on the wall's clock and on the processors'."""

    wall: float
    cpu: float


@dataclass(frozen=True)
class Spread:
    """The median of some numbers, and the least and the greatest of them."""

    median: float
    least: float
    greatest: float

    @classmethod
    def of(cls, numbers: Sequence[float]) -> Spread:
        return cls(statistics.median(numbers), min(numbers), max(numbers))


@dataclass(frozen=True)
class Duel:
    """The costs of two sides, measured in turn: ours[i] directly before theirs[i]."""

    ours: tuple[Cost, ...]
    theirs: tuple[Cost, ...]

    def ratio(self, clock: str) -> Spread:
        """How many times theirs costs what ours does, pair by pair; clock is "wall" or "cpu"."""
        pairs = zip(self.ours, self.theirs, strict=True)
        return Spread.of([getattr(b, clock) / getattr(a, clock) for a, b in pairs])

    def best(self, side: str, clock: str) -> float:
        """The least that a side ("ours" or "theirs") ever took."""
        return min(getattr(cost, clock) for cost in getattr(self, side))


def cost(call: Call, work: float, repeats: int = 1) -> Cost:
    """Return what one unit of work costs when a call does `work` of them."""
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(repeats):
        call()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    # A clock of coarse ticks may not have moved at all.
    return Cost(max(wall, 1e-9) / (work * repeats), max(cpu, 1e-9) / (work * repeats))


def duel(
    ours: Call,
    our_work: float,
    theirs: Call,
    their_work: float,
    rounds: int = 9,
    budget: float = 20.0,
) -> Duel:
    """Measure two calls A B A B … after a warm-up of each.

    Parameters
    ----------
    ours, theirs : callable
    our_work, their_work : float
        Units of work that one call does.
    rounds : int
        Pairs to measure; 3 at least are measured.
    budget : float
        Seconds after which no further round begins.
    """
    our_repeats, their_repeats = _repeats(ours), _repeats(theirs)
    found: list[tuple[Cost, Cost]] = []
    begun = time.perf_counter()
    enabled = gc.isenabled()
    gc.disable()
    try:
        while len(found) < rounds:
            if len(found) >= min(3, rounds) and time.perf_counter() - begun > budget:
                break
            a = cost(ours, our_work, our_repeats)
            found.append((a, cost(theirs, their_work, their_repeats)))
    finally:
        if enabled:
            gc.enable()
    return Duel(tuple(a for a, _ in found), tuple(b for _, b in found))


def _repeats(call: Call) -> int:
    """Warm a call up and return how often to repeat it for a measurement that is long enough."""
    took = cost(call, 1.0).wall
    if took < _LONG:
        took = cost(call, 1.0).wall
    return max(1, round(SHORTEST / took))
