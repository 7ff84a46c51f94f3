"""What is compared: a case is one piece of work, done by us and by others."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.measure import Call, Cost, Duel, duel

if TYPE_CHECKING:
    from benchmarks.peers import Peer

# The variable that says on how many threads we run, and the name of running on one though there are
# more.
THREADS, ON_ONE = "NAPARI_DIFFUSION_THREADS", "the same on one thread"

# How near two libraries must come to pass for computing the same thing in float32.
SAME = 3e-5


@dataclass(frozen=True)
class Setting:
    """How large, how long and on how many threads.

    Attributes
    ----------
    size : {"full", "quick", "tiny"}
    threads : int
    """

    size: str = "full"
    threads: int = 1

    @property
    def plane(self) -> tuple[int, int]:
        return (24, 40) if self.size == "tiny" else (2048, 2048)

    @property
    def volumes(self) -> tuple[tuple[int, int, int], ...]:
        if self.size == "tiny":
            return ((9, 10, 12),)
        small, large = (128, 128, 128), (256, 256, 256)
        return (small,) if self.size == "quick" else (small, large)

    @property
    def rounds(self) -> int:
        return {"full": 11, "quick": 5, "tiny": 2}[self.size]

    @property
    def budget(self) -> float:
        return {"full": 1.0, "quick": 0.6, "tiny": 0.1}[self.size]


@dataclass(frozen=True)
class Side:
    """One way of doing the work.

    Attributes
    ----------
    name : str
        Library and function.
    call : callable
        Does it; conversions in and out are not part of it.
    work : float
        Units of work that a call does, in pixels and iterations.
    note : str
        What it computes, where that is not the same thing.
    own : bool
        Whether it is ours too: a part of the call, or a bound such as copying the image.
    """

    name: str
    call: Call
    work: float
    note: str = ""
    own: bool = False


@dataclass(frozen=True)
class Case:
    """One piece of work."""

    name: str
    title: str
    unit: str
    ours: Side
    others: tuple[Side, ...]


@dataclass(frozen=True)
class Result:
    """What came out for one other side of one case; plain values."""

    case: str
    title: str
    unit: str
    threads: int
    ours: str
    theirs: str
    note: str
    own: bool
    duel: Duel = field(repr=False)

    def as_dict(self) -> dict[str, Any]:
        """Return plain values; costs in whole picoseconds, wall and CPU for each round."""
        sides = {
            side: [[round(1e12 * cost.wall), round(1e12 * cost.cpu)] for cost in costs]
            for side, costs in vars(self.duel).items()
        }
        return {**{f.name: getattr(self, f.name) for f in fields(self)}, "duel": sides}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Result:
        sides = {
            side: tuple(Cost(1e-12 * wall, 1e-12 * cpu) for wall, cpu in costs)
            for side, costs in values["duel"].items()
        }
        return cls(**{**values, "duel": Duel(**sides)})


Builder = Callable[[Setting], Iterator[Case]]


def measured(case: Case, setting: Setting) -> Iterator[Result]:
    """Measure a case, one other side after the other; what fails is said and left out."""
    others = case.others
    if setting.threads > 1:
        # Parts of the call and bounds of the machine are looked at on one thread.
        others = (*(other for other in others if not other.own), _alone(case.ours))
    for other in others:
        try:
            found = duel(
                case.ours.call,
                case.ours.work,
                other.call,
                other.work,
                setting.rounds,
                setting.budget,
            )
        except Exception as error:
            failed(other.name, error)
            continue
        yield Result(
            case.name,
            case.title,
            case.unit,
            setting.threads,
            case.ours.name,
            other.name,
            other.note,
            other.own,
            found,
        )


def _alone(ours: Side) -> Side:
    """Our own call on one thread, though there are more."""

    def call() -> None:
        before = os.environ.get(THREADS)
        os.environ[THREADS] = "1"
        try:
            ours.call()
        finally:
            os.environ.pop(THREADS)
            if before is not None:
                os.environ[THREADS] = before

    return Side(ON_ONE, call, ours.work, own=True)


def here(setting: Setting, *pairs: tuple[Peer, Callable[[], Side]]) -> Iterator[Side]:
    """Make the sides of the libraries that are here, can use the threads, and do not fail."""
    for peer, side in pairs:
        try:
            if peer.ready(setting.threads):
                yield side()
        except Exception as error:
            failed(getattr(peer, "name", "numpy"), error)


def failed(name: str, error: BaseException) -> None:
    """Say what is left out, and why."""
    print(f"  {name} failed: {error!r}", file=sys.stderr, flush=True)


def example_image(shape: tuple[int, ...]) -> np.ndarray:
    """Return a float32 image from 0 to 1: soft shapes, some edges, a little noise."""
    rng = np.random.default_rng(0)
    grids = np.meshgrid(*(np.linspace(0, 1, n, dtype=np.float32) for n in shape), indexing="ij")
    waves = sum(np.cos((5 + 3 * i) * np.pi * x) for i, x in enumerate(grids))
    shapes = 0.5 + 0.15 * waves + 0.1 * (waves > 0.5)
    noisy = shapes + 0.05 * rng.standard_normal(shape, dtype=np.float32)
    return np.ascontiguousarray(np.clip(noisy, 0, 1), np.float32)


def copying(image: np.ndarray) -> Side:
    """Copying the array: one read and one write, the bound of what memory allows."""
    out = np.empty_like(image)
    return Side("copy of the array", lambda: np.copyto(out, image), image.size, own=True)


def difference(ours: Any, theirs: Any, margin: int = 0) -> float:
    """Return the greatest difference further from the border than `margin` pixels."""
    inner = tuple(slice(margin, n - margin) for n in ours.shape)
    return float(np.abs(np.asarray(ours, float)[inner] - np.asarray(theirs, float)[inner]).max())


def agreement(found: float, where: str = "") -> str:
    """Say how nearly the same thing was computed."""
    if found <= SAME:
        return f"same to {found:.0e}{where}"
    return f"DIFFERS by {found:.1g}{where}"


def name_of(shape: tuple[int, ...]) -> str:
    """Return 2048² for (2048, 2048)."""
    if len(set(shape)) == 1:
        return f"{shape[0]}{'²³'[len(shape) - 2]}"
    return "×".join(map(str, shape))
