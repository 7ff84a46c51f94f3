"""Says whether an output is as it was written, and whether its run makes the same again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_diffusion.core.merkle_hash import hash_of
from napari_diffusion.io import NotReadable
from napari_diffusion.io.step_record import seal_holds
from napari_diffusion.runs.verification.image_levels import level_faults
from napari_diffusion.runs.verification.replayed_run import replay_findings
from napari_diffusion.runs.verification.saved_run import saved_run
from napari_diffusion.runs.verification.verdict import Verdict, Verification

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from napari_diffusion.core.function_parameter import AllowCode
    from napari_diffusion.engine.threads import StopToken
    from napari_diffusion.runs.verification.saved_run import SavedRun, SavedStep

# So many parts that cannot be read are named.
_MOST_NAMED = 3


def verify(
    output: Path,
    source: Path | None = None,
    mask: Path | None = None,
    allow_code: AllowCode = False,
    stop: StopToken | None = None,
) -> Verification:
    """Check the hashes of an output, and replay its run from the source.

    Parameters
    ----------
    output : path
        What a run, a filter or a noise was written to.
    source : path, optional
        What it was made from; by default a file beside the output that has its name. Without one
        the output is not replayed.
    mask : path, optional
        The mask of the run.
    allow_code : bool
        Whether functions that the recipe names may run.
    stop : StopToken, optional
        Once set, `Stopped` is raised.

    Raises
    ------
    ValueError
        If it is no output of this program, or cannot be read at all.
    CodeRefused
        If the recipe names functions that must not run.
    """
    run = saved_run(output)
    changed = _record_faults(run)
    found = {step.name: _hash(step) for step in run.steps}
    broken = [*run.faults, *changed, *_value_faults(run, found)]
    if not broken:  # of what is broken nothing can be the means
        broken += [
            f"{name}{each}" for name, path in run.images.items() for each in level_faults(path)
        ]
    sealed = all(map(seal_holds, run.records.values()))
    hashed = bool(run.steps) and all(step.sha256 for step in run.steps)
    if broken:
        verdict, said = Verdict.BROKEN, broken
    else:
        verdict = Verdict.INTACT if sealed and hashed else Verdict.UNKNOWN
        said = [*_checked(run, sealed=sealed, hashed=hashed)]
    if changed:
        said.append("The run is not replayed: its record is not the one that was written.")
        return Verification(output.name, verdict, tuple(said))
    readable = [step for step in run.steps if isinstance(found[step.name], str)]
    made, more = replay_findings(output, readable, source, mask, allow_code, stop)
    if made is not None and not broken:
        verdict = made
    return Verification(output.name, verdict, (*said, *more))


def _record_faults(run: SavedRun) -> list[str]:
    return [
        f"{name} is not as it was written: its hash differs."
        for name, record in run.records.items()
        if seal_holds(record) is False
    ]


def _hash(step: SavedStep) -> str | NotReadable | OSError:
    """Return the hash of what is stored of a step, or why there is none."""
    try:
        return hash_of(step.values)
    except (NotReadable, OSError) as error:
        return error


def _value_faults(run: SavedRun, found: dict[str, str | NotReadable | OSError]) -> Iterator[str]:
    """Yield a sentence on each step whose values are not those that were written."""
    written = {step.sha256: step.name for step in run.steps if step.sha256}
    for step in run.steps:
        sha256 = found[step.name]
        if not isinstance(sha256, str):
            yield from _unreadable(step, sha256)
        elif step.sha256 not in (None, sha256) and sha256 in written:
            yield f"{step.name} holds the values of {written[sha256]}."
        elif step.sha256 not in (None, sha256):
            yield f"{step.name} is not as it was written: the hash of its values differs."


def _unreadable(step: SavedStep, error: NotReadable | OSError) -> Iterator[str]:
    """Yield which parts of a step cannot be read."""
    count = 0
    for name, region in step.values.regions():
        try:
            step.values[region]
        except (NotReadable, OSError) as why:
            count += 1
            if count <= _MOST_NAMED:
                yield f"{step.name}: {name or 'the image'} cannot be read: {why}"
    if not count:
        yield f"{step.name} cannot be read: {error}"
    if count > _MOST_NAMED:
        yield f"{step.name}: {count - _MOST_NAMED} further parts cannot be read."


def _checked(run: SavedRun, *, sealed: bool, hashed: bool) -> Iterator[str]:
    """Yield what was checked, and what has no hash to be checked by."""
    count = "1 step" if len(run.steps) == 1 else f"{len(run.steps)} steps"
    if sealed and hashed:
        yield f"{count} and the record are as they were written."
        return
    if not sealed:
        yield "The record has no hash of itself: whether it was changed cannot be checked."
    if not hashed:
        yield "The record has no hash of the values: whether they were changed cannot be checked."
