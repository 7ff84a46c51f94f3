"""Describe the processing of an image, for a paper."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_diffusion.cli.errors import UsageError
from napari_diffusion.core.readable_name import readable_text
from napari_diffusion.io import read_image, read_record, step_paths

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable
    from pathlib import Path

    from napari_diffusion.io.step_record import StepRecord

#: What can be printed.
TEXTS = ("paragraph", "legend", "references", "bibtex", "python", "command", "supplement")

# What only a step of a recipe has.
_OF_RECIPES = ("python", "command")


def methods(arguments: Namespace) -> int:
    """Print the paragraph of a result, or what was asked for: references, code, the supplement."""
    record = _record(arguments.file, arguments.step)
    asked = arguments.text or "paragraph"
    noisy_copy = "recipe" not in record
    if noisy_copy and asked in _OF_RECIPES:
        raise UsageError(
            f"{str(arguments.file)!r} is a noisy copy, made without a recipe: use "
            "--text supplement for its parameters."
        )
    made = _texts()
    if asked != "all":
        print(readable_text(made[asked](record).rstrip()))
        return 0
    names = [name for name in TEXTS if not (noisy_copy and name in _OF_RECIPES)]
    parts = (f"{name.upper()}\n\n{made[name](record).rstrip()}" for name in names)
    print(readable_text("\n\n".join(parts)))
    return 0


def _texts() -> dict[str, Callable[[StepRecord], str]]:
    from napari_diffusion.records.methods_paragraph import legend, paragraph
    from napari_diffusion.records.references import bibtex, cited
    from napari_diffusion.records.reproduce import command, python
    from napari_diffusion.records.supplement import supplement

    return {
        "paragraph": paragraph,
        "legend": legend,
        "references": lambda record: "\n".join(each.text() for each in cited(record)),
        "bibtex": bibtex,
        "python": python,
        "command": command,
        "supplement": supplement,
    }


def _record(path: Path, step: int | None) -> StepRecord:
    """Return the record of one step of a result, the last one where none is named."""
    images = step_paths(path)
    if not images and not path.exists():
        read_image(path, lazy=True)  # says what there is not
    records = [each for each in map(read_record, images) if each is not None]
    if not records:
        kept = read_record(path)
        if kept is None or not ("recipe" in kept or "noise" in kept):
            raise ValueError(f"{str(path)!r} is no result of napari-diffusion.")
        several: list[Any] = [{**kept, **each} for each in kept.get("steps", ())]
        records = several or [kept]
    if step is None:
        return records[-1]
    found = [each for each in records if each["step"] == step]
    if not found:
        there = ", ".join(str(each["step"]) for each in records)
        raise UsageError(f"{str(path)!r} has no step {step}; it has {there}.")
    return found[-1]
