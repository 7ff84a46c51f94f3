"""Replays the run of an output from its source, and says where the two differ."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from napari_diffusion.core.function_parameter import CodeRefused
from napari_diffusion.core.merkle_hash import hash_of
from napari_diffusion.io import NotReadable
from napari_diffusion.io.cast import Cast
from napari_diffusion.records.provenance import content_hash, recipe_of, versions
from napari_diffusion.runs.run_input import Reading, read_input
from napari_diffusion.runs.verification.comparison import difference
from napari_diffusion.runs.verification.replay import replayed, replayed_noise
from napari_diffusion.runs.verification.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from napari_diffusion.core.function_parameter import AllowCode
    from napari_diffusion.engine.threads import StopToken
    from napari_diffusion.io.step_record import StepRecord
    from napari_diffusion.runs.run_input import RunInput
    from napari_diffusion.runs.verification.comparison import Difference
    from napari_diffusion.runs.verification.replay import Values
    from napari_diffusion.runs.verification.saved_run import SavedStep

    Result = tuple[Verdict | None, list[str]]

# What all steps of one run have in common.
_COMMON = ("recipe", "noise", "seed", "grid", "source", "first_step", "region", "hashes")


def replay_findings(
    output: Path,
    saved: Sequence[SavedStep],
    source: Path | None,
    mask: Path | None,
    allow_code: AllowCode,
    stop: StopToken | None,
) -> Result:
    """Return the verdict of a replay of the saved steps, None without one, and sentences on it."""
    steps = of_one_run(saved)
    if not steps:
        return None, []
    record, said = steps[0].record, []
    if len(steps) < len(saved):
        said.append(f"{len(saved) - len(steps)} steps of other runs are not replayed.")
    if why := why_not_replayable(record):
        return None, [*said, f"Not replayed: {why}."]
    path = source or source_beside(output, record)
    if path is None:
        return None, [*said, "Not replayed: give the source with --input."]
    if source is None:
        said.append(f"Replayed from {str(path)!r}, which lies beside the output.")
    try:
        read = read_source(path, record, mask)
        if refused := wrong_input(read, record, path):
            return refused[0], [*said, *refused[1]]
        found, more = _compared(steps, read, allow_code, stop)
    except CodeRefused:
        raise
    except (NotReadable, OSError):
        raise
    except ValueError as error:
        return Verdict.DIFFERENT, [*said, f"{path.name!r} does not fit the record: {error}"]
    return found, [*said, *more]


def of_one_run(steps: Sequence[SavedStep]) -> list[SavedStep]:
    """Return the steps that the run of the first one made."""

    def common(step: SavedStep) -> str:
        kept = {name: step.record.get(name) for name in _COMMON}
        kept["hashes"] = step.record.get("hashes", {}).get("input")
        return json.dumps(kept, sort_keys=True)

    return [step for step in steps if common(step) == common(steps[0])]


def why_not_replayable(record: StepRecord) -> str:
    """Return why a record cannot be replayed from a file; an empty text if it can."""
    if "recipe" not in record and "noise" not in record:
        return "the image is no step of a run"
    if record.get("first_step", 0):
        return f"the run went on from step {record['first_step']} of another one"
    if "channel" in record:
        return "the source was a stack of several layers"
    if record.get("layer_axes", record["grid"]["axes"]) != record["grid"]["axes"]:
        return "further axes of the source were folded into its frames"
    return ""


def source_beside(output: Path, record: StepRecord) -> Path | None:
    """Return the file beside an output that has the name of its source."""
    name = record.get("source", "")
    path = (output if output.name else output.absolute()).parent / name
    if not name or path.name != name or path.absolute() == output.absolute():
        return None
    return path if path.exists() else None


def read_source(path: Path, record: StepRecord, mask: Path | None) -> RunInput:
    """Read the source the way the record says."""
    grid = record["grid"]
    reading = Reading(
        axes=grid["axes"],
        spacing=tuple(grid["spacing"]),
        along=grid["along"],
        rgb=grid["rgb"],
        joint_channels=grid["joint_channels"],
        mask=mask,
        missing=grid.get("missing", "refuse"),
    )
    return read_input(path, reading)


def wrong_input(read: RunInput, record: StepRecord, path: Path) -> Result | None:
    """Return what is wrong with the source or the mask; None if nothing is."""
    written = record.get("hashes", {}).get("input")
    if written is not None and hash_of(read.source.image) != written:
        said = f"{path.name!r} is not the image that the run started from: its hash differs."
        return Verdict.DIFFERENT, [said]
    mask, kept = read.options.get("mask"), record["grid"].get("mask")
    if kept is None:
        return None if mask is None else (Verdict.DIFFERENT, ["The run had no mask: leave it out."])
    if mask is None:
        return None, ["Not replayed: the run had a mask, give it with --mask."]
    if content_hash(mask) == kept["sha256"]:
        return None
    return Verdict.DIFFERENT, ["The mask is not that of the run: its hash differs."]


def _compared(
    steps: Sequence[SavedStep], read: RunInput, allow_code: AllowCode, stop: StopToken | None
) -> tuple[Verdict, list[str]]:
    """Replay a run until a step differs, and return what was found."""
    changed = _changed_versions(steps[0].record)
    lenient: list[tuple[SavedStep, Difference]] = []
    for step, image in _made(steps, read, allow_code, stop):
        made = _as_written(image, step)
        if tuple(made.shape) != step.values.shape or made.dtype != step.values.dtype:
            return Verdict.DIFFERENT, [_unlike(step, made)]
        found = difference(step.values, made)
        if found is not None and not (changed and found.within):
            return Verdict.DIFFERENT, [_difference_words(step, found), *_version_words(changed)]
        if found is not None:
            lenient.append((step, found))
    count = steps[0].name if len(steps) == 1 else f"{len(steps)} steps"
    if not lenient:
        return Verdict.IDENTICAL, [f"Replayed: {count} made again with the same bits."]
    worst = max((found for _, found in lenient), key=lambda found: found.greatest)
    return Verdict.WITHIN, [
        f"Replayed: {count} made again, {lenient[0][0].name} and later ones with other bits: the "
        f"greatest difference is {worst.greatest:.3g}, within {worst.tolerance_words}.",
        *_version_words(changed),
    ]


def _made(
    steps: Sequence[SavedStep], read: RunInput, allow_code: AllowCode, stop: StopToken | None
) -> Iterator[tuple[SavedStep, Values]]:
    record = steps[0].record
    ends = record.get("region")
    region = None if ends is None else tuple(slice(*each) for each in ends)
    if "recipe" not in record:
        made = replayed_noise(
            read.source.image, read.options, record, allow_code, region=region, stop=stop
        )
        yield steps[0], made
        return
    recipe, wanted = recipe_of(record, allow_code), {each.record["step"]: each for each in steps}
    again = replayed(
        read.source.image, read.options, recipe, list(wanted), region=region, stop=stop
    )
    for index, image in again:
        yield wanted[index], image


def _as_written(image: Values, step: SavedStep) -> Values:
    """Return an image in the type of the file, converted as its record says."""
    kept = step.record.get("cast")
    return Cast.recorded(kept)(image) if kept else image


def _changed_versions(record: StepRecord) -> dict[str, tuple[str, str]]:
    """Return the versions, and the processor, that are others now: before and now."""
    before, now = record.get("versions", {}), versions()
    return {
        name: (before.get(name, "unknown"), now.get(name, "unknown"))
        for name in (*now, *(name for name in before if name not in now))
        if before.get(name) != now.get(name)
    }


def _version_words(changed: dict[str, tuple[str, str]]) -> list[str]:
    if not changed:
        return []
    before = ", ".join(f"{name} {first}" for name, (first, _) in changed.items())
    now = ", ".join(f"{name} {second}" for name, (_, second) in changed.items())
    return [f"Written with {before}; replayed with {now}."]


def _difference_words(step: SavedStep, found: Difference) -> str:
    where = f", {found.where}" if found.where else ""
    others = f" in {found.parts} parts of it" if found.parts > 1 else ""
    return (
        f"Replayed: different from {step.name}{where} on; the greatest difference{others} is "
        f"{found.greatest:.3g}."
    )


def _unlike(step: SavedStep, made: Values) -> str:
    return (
        f"Replayed: {step.name} has the shape {step.values.shape} and type {step.values.dtype}, "
        f"and made again {tuple(made.shape)} and {made.dtype}."
    )
