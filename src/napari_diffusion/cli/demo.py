"""Watch the loop run on a photo of a face, or restore one."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from typing import TYPE_CHECKING

import numpy as np

from napari_diffusion import Recipe, Step
from napari_diffusion.cli import screen
from napari_diffusion.cli.output import shown_progress
from napari_diffusion.cli.process import stoppable
from napari_diffusion.io import Output, Source
from napari_diffusion.loop.kept_steps import kept_steps
from napari_diffusion.loop.recipe_units import LengthUnit, to_json
from napari_diffusion.runs.file_run import FileRun
from napari_diffusion.runs.run_input import RunInput
from napari_diffusion.samples import SAMPLES

if TYPE_CHECKING:
    from argparse import Namespace
    from pathlib import Path

    from napari_diffusion.core.grid import GridOptions
    from napari_diffusion.samples import Sample

#: What there is to watch, and on which sample, with the recipe that it carries.
DEMOS = {"loop": "face", "restore": "damaged"}

_NO_NAPARI = (
    'The window needs napari and Qt: run pip install "napari-diffusion[all]", or give --no-window.'
)
_NO_SCREEN = (
    "There is no display for the window: run sudo apt-get install xvfb xauth (Debian, Ubuntu) for "
    "a virtual one, or give --no-window."
)


def demo(arguments: Namespace) -> int:
    """Run the recipe of a sample image on it; leave steps and images."""
    problem = _window_problem() if arguments.window else None
    if arguments.window and problem is None and not screen.is_there():
        screen.run_again_on_a_virtual_one()
    name = DEMOS[arguments.what]
    sample = SAMPLES[name]()
    _make_files(arguments.output, sample, arguments.quiet)
    if problem is not None:
        print(f"napari-diffusion: {problem}", file=sys.stderr)
        return 1
    if arguments.window:
        from napari_diffusion.widgets.loop.demo import demo as demo_window

        stay = arguments.stay
        stay = not screen.is_virtual() if stay is None else stay
        demo_window(arguments.output, Recipe.from_dict(sample.recipe), stay, name)
    return 0


def _window_problem() -> str | None:
    """Return why no window can be opened; None if one can."""
    if any(importlib.util.find_spec(name) is None for name in ("napari", "qtpy")):
        return _NO_NAPARI
    if not screen.is_there() and shutil.which("xvfb-run") is None:
        return _NO_SCREEN
    return None


def _make_files(folder: Path, sample: Sample, quiet: bool) -> None:
    """Write the steps, the recipe and the contact sheet; other files in the folder stay."""
    from napari_diffusion.io.contact_sheet import contact_sheet, panel, shown_range, step_label

    source = Source(name=sample.name, image=sample.image, axes=sample.axes, rgb=sample.rgb)
    options: GridOptions = {
        "axes": sample.axes,
        "rgb": sample.rgb,
        "spacing": sample.spacing,
        "missing": "ignore",
    }
    read = RunInput(source, options)
    recipe = Recipe.from_dict(sample.recipe)
    panels = [panel("the face", np.nan_to_num(sample.image), sample.axes, rgb=sample.rgb)]

    def seen(step: Step) -> None:
        label = step_label(step.index, step.noise_scale, step.is_final)
        panels.append(panel(label, step.image, sample.axes, rgb=sample.rgb))

    folder.mkdir(parents=True, exist_ok=True)
    steps, sheet = folder / "steps.ome.zarr", folder / "contact_sheet.png"
    kept = kept_steps(recipe)
    output = Output(steps, source, len(kept), read.computing_type, overwrite=True)
    run = FileRun(read, recipe, output, kept, seen=seen)
    with shown_progress(run, quiet), stoppable() as stop:
        run.run(stop)
    contact_sheet(panels, shown_range(sample.image, sample.rgb)).save(sheet)
    made_for = LengthUnit.of(sample.unit, sample.spacing)
    (folder / "recipe.json").write_text(to_json(run.resolved, made_for) + "\n", encoding="utf-8")
    if not quiet:
        last = "" if recipe.final_filter is None else " and the final filter"
        print(f"{steps}: the face after each of {recipe.total_steps} steps{last}")
        print(f"{sheet}: all of them side by side")
        print(f"{folder / 'recipe.json'}: the recipe", flush=True)
