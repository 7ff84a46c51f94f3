"""The work of an inspection in a thread: which traces apply, and what each reads."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, NamedTuple

from napari_diffusion.engine.threads import Stopped
from napari_diffusion.widgets.inspect.trace_words import cure_words
from napari_diffusion.widgets.run.read_layer import as_run_error
from napari_diffusion.widgets.run.run_request import Begun, Message, RunError, SeedDone

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Generator, Sequence

    from napari_diffusion.forensics import Evidence, Reading, Trace
    from napari_diffusion.widgets.inspect.inspected import Inspected
    from napari_diffusion.widgets.run.worker import Work, Worker


class Applies(NamedTuple):
    """Whether a trace can be read: why it cannot, empty where it can."""

    place: int
    why_not: str


class TraceRead(NamedTuple):
    """What a trace has read, or why it has read nothing."""

    place: int
    reading: Reading | None
    why_not: str = ""


def applying_work(
    inspected: Inspected, traces: Sequence[Trace]
) -> Callable[[threading.Event], Generator[Applies, None, str]]:
    """Return the work of asking every trace whether it applies; it returns what is wrong."""

    def work(stop: threading.Event) -> Generator[Applies, None, str]:
        try:
            evidence = inspected.evidence(stop)
        except (ValueError, TypeError, OSError, RunError) as error:
            return str(error)
        for place, trace in enumerate(traces):
            if stop.is_set():
                break
            yield Applies(place, _why_not(trace, evidence, inspected))
        return ""

    return work


def inspecting_work(inspected: Inspected, asked: Sequence[tuple[int, Trace]]) -> Work:
    """Return the work of reading traces: `Message`, `Begun` and `SeedDone` with `TraceRead`."""

    def work(worker: Worker) -> None:
        worker.post(Message("Reading the image …"))
        with contextlib.suppress(Stopped), as_run_error("source"):
            evidence = _evidence(inspected, worker)
            worker.post(Begun(len(asked), "traces"))
            for done, (place, trace) in enumerate(asked, 1):
                if worker.stop.is_set():
                    return
                worker.post(Message(f"{trace.display_name} …"))
                worker.post(SeedDone(_read(place, trace, evidence, inspected), done), in_turn=True)

    return work


def _evidence(inspected: Inspected, worker: Worker) -> Evidence:
    try:
        return inspected.evidence(worker.stop)
    except OSError as error:
        raise ValueError(str(error)) from error


def _read(place: int, trace: Trace, evidence: Evidence, inspected: Inspected) -> TraceRead:
    """Read one trace; what it cannot read keeps no other from being read."""
    if why := _why_not(trace, evidence, inspected):
        return TraceRead(place, None, why)
    try:
        return TraceRead(place, trace.read(evidence))
    except (ValueError, OSError, ArithmeticError) as error:
        return TraceRead(place, None, str(error) or type(error).__name__)


def _why_not(trace: Trace, evidence: Evidence, inspected: Inspected) -> str:
    try:
        why = trace.why_not(evidence)
        return cure_words(trace, why, evidence.file is not None, inspected.letters)
    except (ValueError, OSError, ArithmeticError) as error:
        return str(error) or type(error).__name__
