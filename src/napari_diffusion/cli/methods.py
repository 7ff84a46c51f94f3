"""Describe the processing of an image, for a paper."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_diffusion.cli.errors import UsageError
from napari_diffusion.io import read_image, read_record, step_paths

if TYPE_CHECKING:
    from argparse import Namespace
    from pathlib import Path

    from napari_diffusion.io.step_record import StepRecord

#: What can be printed.
TEXTS = ("paragraph", "legend", "bibtex", "python", "command")


def methods(arguments: Namespace) -> int:
    """Print the paragraph, the legend, the references, the code or the command of a result."""
    from napari_diffusion.records import methods_text as texts
    from napari_diffusion.records.provenance import recipe_of

    record = _record(arguments.file, arguments.step)
    made = {
        "paragraph": texts.paragraph,
        "legend": texts.legend,
        "bibtex": lambda kept: texts.bibtex(recipe_of(kept)),
        "python": texts.python,
        "command": texts.command,
    }
    if arguments.text != "all":
        print(made[arguments.text](record).rstrip())
        return 0
    parts = [f"{name.upper()}\n\n{made[name](record).rstrip()}" for name in TEXTS]
    print("\n\n".join(parts))
    return 0


def _record(path: Path, step: int | None) -> StepRecord:
    """Return the record of one step of a result, the last one where none is named."""
    images = step_paths(path)
    if not images and not path.exists():
        read_image(path, lazy=True)  # says what there is not
    records = [each for each in map(read_record, images) if each is not None]
    if not records:
        kept = read_record(path)
        if kept is None or "recipe" not in kept:
            raise ValueError(f"{str(path)!r} is no result of a recipe run by napari-diffusion.")
        records = [{**kept, **each} for each in kept["steps"]] if "steps" in kept else [kept]
    if step is None:
        return records[-1]
    found = [each for each in records if each["step"] == step]
    if not found:
        there = ", ".join(str(each["step"]) for each in records)
        raise UsageError(f"{str(path)!r} has no step {step}; it has {there}.")
    return found[-1]
