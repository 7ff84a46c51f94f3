"""Frames: which of a sequence stand still, and which return."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np

from napari_diffusion.forensics.base import Evidence, Need, Null, Trace
from napari_diffusion.forensics.reading import NOTHING, Curve, Number, Reading

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.core.image import Image
    from napari_diffusion.forensics.sequence.repeated_runs import RepeatedRun, Repeats
    from napari_diffusion.forensics.sequence.still_steps import Steps

# So many runs are named one by one.
_NAMED = 5


@dataclass(frozen=True)
class Frames(Trace):
    """Frames of a sequence that stand still, and runs of frames that return later.

    A step changes by ``c(i) = mean |u(i+1) − u(i)|``. ``still(i)`` is the lesser of two ratios: the
    widest gap between ``c(i)`` and the median, among the changes of the surroundings in rising
    order, as ``c / next larger c``; and, of runs of 4 steps or more that hold it, ``max c / c just
    before and after``. Slow steps grade into faster ones, in size and in time; frozen ones do not,
    since their noise is frozen too. ``return(i, j) = d(i, j) / median of d(k, k+1) near i``,
    averaged over the frames of a run, where ``d`` is the root-mean-square difference of averages
    over 24 × 24 parts, without what is coarser than four of them. All are about 1 where a sequence
    goes on as usual.

    Parameters
    ----------
    ratio : float
        Frames are listed below this ratio, from 0 to 1.
    run : int
        Least length of a run that returns, in frames.
    apart : int
        Least number of steps with change between a run and its return.
    surroundings : int
        How many steps say what is usual for a frame that stands still.

    Notes
    -----
    Use it to find frames that were repeated to fill a gap or to lengthen a recording, before or
    after compression. Single frames that return are found where no bit differs. A sequence without
    motion differs by noise alone: there only frames without noise of their own are seen. Still
    frames longer than half the surroundings are found where no bit differs, and not otherwise.

    References
    ----------
    Wang and Farid (2007), Exposing digital forgeries in video by detecting duplication.
    """

    needs: ClassVar[frozenset[Need]] = frozenset({"pixels", "frames"})
    null: ClassVar[Null] = "same image"
    assumes: ClassVar[str] = (
        "Something moves, or each frame has noise of its own, and most frames are as recorded."
    )
    misleads: ClassVar[tuple[str, ...]] = (
        "A scene or a camera at rest, dropped frames that a recorder fills, and a higher frame "
        "rate than that of the source leave frames that stand still.",
        "Compression of video leaves out small changes: after it, frames of a quiet scene can be "
        "equal.",
        "Periodic motion, such as a heartbeat, a rotating stage or a clock, returns by itself.",
        "Averaging over time, interpolation and slow motion make neighbouring frames similar.",
    )

    ratio: Annotated[
        float,
        {"min": 0.0, "max": 1.0, "tooltip": "Frames with a lower ratio are listed."},
    ] = 0.5
    run: Annotated[
        int, {"min": 2, "max": 1000, "unit": "frames", "tooltip": "Shorter returns are not listed."}
    ] = 8
    apart: Annotated[
        int,
        {"min": 1, "max": 10_000, "unit": "frames", "tooltip": "Earlier returns are not listed."},
    ] = 12
    surroundings: Annotated[
        int,
        {"min": 3, "max": 1001, "unit": "frames", "tooltip": "Frames that say what is usual."},
    ] = 61

    def worthless(self, evidence: Evidence) -> str:
        """Return why no frame can be told from another; see `Trace.worthless`."""
        image = evidence.image
        if image.mask is not None and not image.mask.all(axis=0).any():
            return "No pixel lies in the mask in every frame."
        inside = image.data if image.mask is None else image.data[image.mask]
        return "All frames are of one intensity." if inside.min() == inside.max() else ""

    def read(self, evidence: Evidence) -> Reading:
        """Return the distances between frames, and what stands still or returns."""
        from napari_diffusion.forensics.sequence.frame_distance import features_of
        from napari_diffusion.forensics.sequence.repeated_runs import repeats_of
        from napari_diffusion.forensics.sequence.still_steps import steps_of

        steps = steps_of(evidence.image, self.surroundings)
        still = steps.ratio < self.ratio
        moved = np.concatenate([[0], np.cumsum(~still)])
        features = features_of(evidence.image)
        repeats = repeats_of(features, moved, self.run, self.apart, self.ratio, evidence.threads)
        frozen, equal = _still_runs(still, steps), _equal_frames(evidence.image, repeats)
        remarks = [*_repeat_words(repeats), *_still_words(frozen), *_equal_words(equal)]
        return Reading(
            self,
            curves=_curves(steps, repeats),
            numbers=_numbers(steps, frozen, repeats),
            remarks=tuple(remarks) or (NOTHING,),
        )


def _still_runs(still: NDArray[np.bool_], steps: Steps) -> list[tuple[float, int, int]]:
    """Return (ratio, first, last) frame of each run that stands still, the stillest first."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], still.astype(np.int8), [0]])))
    return sorted(
        (float(steps.ratio[first:last].mean()), int(first), int(last))
        for first, last in edges.reshape(-1, 2)
    )


def _equal_frames(image: Image, repeats: Repeats) -> list[tuple[int, int]]:
    """Return (frame, first frame equal to the bit), without blank ones and those of named runs."""
    from napari_diffusion.forensics.sequence.frame_distance import pixels_inside

    inside, seen, found = pixels_inside(image), dict[bytes, int](), []
    named = {r.later + i for r in repeats.runs for i in range(r.length)}
    last = b""
    for i, frame in enumerate(image.data):
        values = np.ascontiguousarray(frame if inside is None else frame[inside])
        digest = hashlib.sha256(values.data).digest()
        own = digest != last and i not in named
        if own and digest in seen and values.min() < values.max():
            found.append((i, seen[digest]))
        seen.setdefault(digest, i)
        last = digest
    return found


def _numbers(
    steps: Steps, frozen: list[tuple[float, int, int]], repeats: Repeats
) -> tuple[Number, ...]:
    usual = "1 where the sequence goes on as usual"
    named = [("least change to the next frame / next larger one", float(steps.ratio.min()))]
    if np.isfinite(repeats.least):
        named.append(("least distance of two runs apart / of neighbours", repeats.least))
    named += [(f"frames {_span(f, n)} among themselves", r) for r, f, n in frozen[:_NAMED]]
    named += [(f"frames {_returned(run)}", run.ratio) for run in repeats.runs[:_NAMED]]
    return tuple(Number(name, value, words=usual) for name, value in named)


def _span(first: int, last: int) -> str:
    return f"{first}–{last}"


def _returned(run: RepeatedRun) -> str:
    later = _span(run.later, run.later + run.length - 1)
    return f"{later} after {_span(run.first, run.first + run.length - 1)}"


def _curves(steps: Steps, repeats: Repeats) -> tuple[Curve, ...]:
    change, ratio = "mean absolute difference (intensity)", "difference / usual or next larger one"
    x = tuple(map(float, range(len(steps.change))))
    later = np.flatnonzero(np.isfinite(repeats.nearest))
    usual = np.flatnonzero(np.isfinite(steps.usual))
    found = [
        Curve("from each frame to the next", "frame", ratio, x, tuple(steps.ratio.tolist())),
        Curve("as usual", "frame", ratio, (0.0, float(len(x))), (1.0, 1.0), is_null=True),
        Curve("change to the next frame", "frame", change, x, tuple(steps.change.tolist())),
        Curve("usual change", "frame", change, tuple(usual.astype(float).tolist()),
              tuple(steps.usual[usual].tolist()), is_null=True),
    ]  # fmt: skip
    if later.size:
        found.insert(1, Curve("from each frame to the most similar earlier one", "frame", ratio,
                              tuple(later.astype(float).tolist()),
                              tuple(repeats.nearest[later].tolist())))  # fmt: skip
    return tuple(found)


def _still_words(frozen: list[tuple[float, int, int]]) -> list[str]:
    if not frozen:
        return []
    named = [f"{_span(f, n)} ({_times(r)})" for r, f, n in frozen]
    return [
        "Frames hardly differ from one to the next (in brackets: as a multiple of the least "
        f"difference of others around): {_listed(named)}. This also happens where nothing moves, "
        "where a recorder fills dropped frames, and in compressed video."
    ]


def _repeat_words(repeats: Repeats) -> list[str]:
    if not repeats.runs:
        return []
    named = [f"{_returned(run)} ({_times(run.ratio)})" for run in repeats.runs]
    return [
        "Runs of frames return (in brackets: their difference as a multiple of that of "
        f"neighbours): {_listed(named)}. This also happens with periodic motion."
    ]


def _equal_words(equal: list[tuple[int, int]]) -> list[str]:
    if not equal:
        return []
    named = [f"{later} with {first}" for later, first in equal]
    return [
        f"Frames are equal to the bit: {_listed(named)}. This also happens in computed sequences "
        "and in compressed video of a quiet scene."
    ]


def _times(ratio: float) -> str:
    return "no bit differs" if ratio == 0 else f"{ratio:.2g}"


def _listed(named: list[str]) -> str:
    rest = len(named) - _NAMED
    return ", ".join(named[:_NAMED]) + (f" and {rest} more" if rest > 0 else "")
