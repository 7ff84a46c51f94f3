"""Run the loop on a file and write its steps."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any

from napari_diffusion import Recipe, steps
from napari_diffusion.cli.arguments import ONE_FILE, UsageError
from napari_diffusion.cli.recipe import chosen
from napari_diffusion.core.grid import Grid, GridOptions
from napari_diffusion.core.image import Image, is_dask
from napari_diffusion.denoising.noise_report import noise_report
from napari_diffusion.denoising.report_text import found_text, report_record, warning_texts

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator
    from pathlib import Path

    from napari_diffusion.io import Output, Source


def run(arguments: Namespace) -> int:
    """Read an image, run the loop on it, and write each step as it is made."""
    chosen(arguments)  # what is wrong with it can be said before anything is read
    source, options, dtype = prepared(arguments)
    recipe = chosen(arguments, min(source.spacing_along(options["along"] or "")))
    output = opened(arguments.output, source, recipe, arguments.keep, dtype, arguments.overwrite)
    with threads(arguments.threads):
        image = Image.of(source.image, **options)
        resolved = recipe.resolved_on(image)
        report = noise_report(image, recipe, resolved)
        del image
        more = report_record(report)
        write_steps(output, source, resolved, options, arguments.keep, arguments.quiet, **more)
    if report is not None and not arguments.quiet:
        print(found_text(report), *warning_texts(report), sep="\n", file=sys.stderr)
    if not arguments.quiet:
        print(f"{output.path}: {_written(output)}")
    return 0


def prepared(arguments: Namespace) -> tuple[Source, GridOptions, Any]:
    """Return the source, its grid options, and the type to write: None for that computed in."""
    from napari_diffusion.io import check_apart, check_ending, read_image

    read = [path for path in (arguments.input, arguments.mask) if path is not None]
    try:
        check_ending(arguments.output)
    except ValueError as error:
        raise UsageError(str(error)) from error
    check_apart(arguments.output, *read)
    source, options = read_as(read_image(arguments.input), arguments)
    _check_memory(source)
    mask = None if arguments.mask is None else read_image(arguments.mask).image
    options = {**options, "mask": mask, "missing": arguments.missing}
    dtype = source.image.dtype.newbyteorder("=") if arguments.dtype == "source" else None
    return source, options, dtype


def check_one(arguments: Namespace) -> None:
    """Refuse an output without ending where there is one image to write."""
    if not arguments.output.suffix:
        raise UsageError(
            f"{str(arguments.output)!r} needs an ending that says the format: {ONE_FILE}."
        )


def read_as(source: Source, arguments: Namespace) -> tuple[Source, GridOptions]:
    """Return the source as the command line wants it read, and the grid options of the loop."""
    axes = arguments.axes or source.axes
    rgb = arguments.rgb
    if rgb is None:
        rgb = source.rgb and "c" in (axes or "")
    if axes is None and source.record and len(source.record.get("steps", ())) > 1:
        raise UsageError(
            f"{source.name!r} holds the steps of a run: name its axes to take them for frames, "
            f"such as --axes t{source.letters[1:].replace('S', 'C').lower()}."
        )
    options: dict[str, Any] = {
        "axes": axes,
        "along": arguments.along,
        "joint_channels": arguments.joint_channels,
        "rgb": rgb,
    }
    try:
        grid = Grid.of(source.image.shape, **options)
        lengths = dict(source.lengths)
        if arguments.spacing is not None:
            grid = Grid.of(source.image.shape, spacing=arguments.spacing, **options)
            lengths.update(zip(grid.along, grid.spacing, strict=True))
            source = source.replaced(resolution=None)
    except (ValueError, TypeError) as error:
        raise UsageError(_as_typed(str(error))) from error
    source = source.replaced(axes=grid.axes, rgb=rgb, lengths=lengths)
    return source, {
        "axes": grid.axes,
        "spacing": source.spacing_along(grid.along),
        "along": grid.along,
        "joint_channels": grid.joint_channels,
        "rgb": rgb,
    }


def _as_typed(text: str) -> str:
    """Return a message about keywords of Python with the options of the command line instead."""
    return re.sub(r"\b(axes|along|spacing|rgb)=(True|'?([^' ,.;]+)'?)", _option, text)


def _option(match: re.Match[str]) -> str:
    return f"--{match[1]}" if match[2] == "True" else f"--{match[1]} {match[3]}"


def opened(
    path: Path, source: Source, recipe: Recipe, keep: int, dtype: Any, overwrite: bool
) -> Output:
    """Return the output for the kept steps of a run; `dtype` None is the type computed in."""
    from napari_diffusion.io import Output

    count = sum(kept(index, recipe, keep) for index in range(recipe.total_steps + 1))
    return Output(path, source, count, computed(source) if dtype is None else dtype, overwrite)


def computed(source: Source) -> Any:
    """Return the type that a source is computed in."""
    import numpy as np

    wide = source.image.dtype.kind == "f" and source.image.dtype.itemsize == 8
    return np.dtype(np.float64 if wide else np.float32)


def processed(source: Source) -> str | None:
    """Return what was done to a source before, in words; None where it is raw."""
    return None if source.record is None else source.record.get("processed")


def kept(index: int, recipe: Recipe, keep: int) -> bool:
    """Say whether a step is written: every `keep`-th, with 0 none, and the last one in any case."""
    total = recipe.total_steps
    if recipe.final_filter is None and index == total:
        return False  # equals the one before
    last = total if recipe.final_filter is not None else total - 1
    return index == last or bool(keep and index < total and (index + 1) % keep == 0)


def write_steps(
    output: Output,
    source: Source,
    recipe: Recipe,
    options: GridOptions,
    keep: int,
    quiet: bool,
    seen: Any = None,
    **entries: Any,
) -> None:
    """Run the loop and write its kept steps; `seen` is called with every step of it.

    Further keywords are entries of the records.
    """
    from tqdm import tqdm

    from napari_diffusion.io import cast_record
    from napari_diffusion.records.provenance import record

    more: dict[str, Any] = {
        "cast": cast_record(computed(source), output.dtype),
        "source_processed": processed(source),
        **entries,
    }
    total = recipe.total_steps + (recipe.final_filter is not None)
    with (
        output,
        stoppable() as stop,
        tqdm(total=total, unit="step", disable=quiet, file=sys.stderr) as bar,
        contextlib.closing(_made(output, source, recipe, options, stop)) as made,
    ):
        for step in made:
            if step.is_final and recipe.final_filter is None:
                break
            if seen is not None:
                seen(step)
            if kept(step.index, recipe, keep):
                output.write(step.image, record(recipe, step, options, source.name, **more))
            bar.update()
            del step  # one image less while the next step is made


def _made(
    output: Output, source: Source, recipe: Recipe, options: GridOptions, stop: threading.Event
) -> Any:
    if not is_dask(source.image):
        return steps(source.image, recipe, stop=stop, **options)
    from napari_diffusion.io.scratch import steps_by_disk

    return steps_by_disk(source.image, recipe, output.path.parent, stop, **options)


def _check_memory(source: Source) -> None:
    from napari_diffusion.io.memory import free, needed

    if is_dask(source.image):
        return
    wanted, there = needed(source.image.shape, source.image.dtype), free()
    if wanted > there:
        raise MemoryError(
            f"A run on {source.name!r} needs about {wanted / 1e9:.1f} GB of memory, and "
            f"{there / 1e9:.1f} GB are free: save it as OME-Zarr, which is read in parts."
        )


def _written(output: Output) -> str:
    steps = [step["step"] for step in output.steps if not step["is_final"]]
    words = [f"step {steps[0]}" if len(steps) == 1 else f"{len(steps)} steps"] if steps else []
    if len(steps) < len(output.steps):
        words.append("the final filter's result")
    return f"{' and '.join(words)}, {output.dtype}"


@contextlib.contextmanager
def stoppable() -> Iterator[threading.Event]:
    """Turn the first Ctrl-C into a request to stop; the second one breaks off at once."""
    stop = threading.Event()

    def ask(number: int, frame: Any) -> None:
        del number, frame
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    signals = [signal.SIGINT, signal.SIGTERM]
    before = {each: signal.signal(each, ask) for each in signals}
    try:
        yield stop
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


@contextlib.contextmanager
def threads(count: int | None) -> Iterator[None]:
    """Limit the threads of the engine, and of dask."""
    if count is None:
        yield
        return
    import dask

    before = os.environ.get("NAPARI_DIFFUSION_THREADS")
    os.environ["NAPARI_DIFFUSION_THREADS"] = str(count)
    try:
        with dask.config.set(num_workers=count):
            yield
    finally:
        os.environ.pop("NAPARI_DIFFUSION_THREADS")
        if before is not None:
            os.environ["NAPARI_DIFFUSION_THREADS"] = before
