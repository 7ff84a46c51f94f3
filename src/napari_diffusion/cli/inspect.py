"""Show what a file holds, how it was made, and what can be read of its processing."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_diffusion.cli.errors import UsageError
from napari_diffusion.cli.options import add_running, add_settings
from napari_diffusion.cli.traces.inspect_traces import inspect_traces
from napari_diffusion.core.grid import Grid
from napari_diffusion.core.json_text import text_of
from napari_diffusion.core.readable_name import readable_text
from napari_diffusion.io import read_image, read_record, step_paths
from napari_diffusion.io.memory import written_bytes

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from napari_diffusion.io import Source
    from napari_diffusion.io.step_record import StepRecord


def add_inspect(parser: ArgumentParser) -> None:
    """Add what can be typed after ``inspect``."""
    parser.add_argument(
        "files",
        type=Path,
        nargs="+",
        metavar="FILE",
        help="an image, or a result of run; with --trace also folders of images",
    )
    parser.add_argument(
        "--trace",
        metavar="all|NAME[,NAME…]",
        help="read traces of processing: all, or some by their names; several files are compared "
        "with one another for copies",
    )
    parser.add_argument(
        "--reference",
        type=Path,
        metavar="FILE",
        help="another image of the same source, or one that may share parts with FILE",
    )
    add_settings(parser, "a parameter of a trace, such as Copies.least=3")
    parser.add_argument("--axes", help="one letter of tczyx per axis of FILE, such as tyx")
    parser.add_argument(
        "--json", type=Path, metavar="FILE.json", help="write what was read as JSON"
    )
    parser.add_argument(
        "--report", type=Path, metavar="FILE.html", help="write what was read as one HTML page"
    )
    add_running(parser, "--json or --report file", "print only what was read, without tables")


def inspect(arguments: Namespace) -> int:
    """Show what files hold; with ``--trace``, what can be read of their processing."""
    if arguments.trace is not None:
        return inspect_traces(arguments)
    for option in ("reference", "settings", "axes", "json", "report"):
        if getattr(arguments, option):
            name = "set" if option == "settings" else option
            raise UsageError(f"--{name} needs --trace all, or --trace with names.")
    for path in arguments.files:
        _show(path)
    return 0


def _show(path: Path) -> None:
    """Print axes, shape, pixel size and type of an image, and the record of how it was made."""
    if path.exists() and path.suffix.lower() == ".json":
        print(readable_text(text_of(path, "recipe").rstrip()))
        return
    steps = step_paths(path)
    source = read_image(steps[-1] if steps else path, lazy=True)
    print(readable_text(str(path)))
    if steps:
        print(f"  steps       {len(steps)}: {', '.join(step.name for step in steps)}; each one:")
    for line in _described(source):
        print(readable_text(f"  {line}"))
    _print_record(read_record(steps[-1] if steps else path))


def _described(source: Source) -> list[str]:
    """Return lines that say what an image is."""
    image = source.image
    sizes = " × ".join(str(size) for size in image.shape)
    size = written_bytes(math.prod(image.shape) * image.dtype.itemsize)
    lines = [
        f"axes        {_axes(source)}",
        f"shape       {sizes}",
        f"pixel size  {_pixel_size(source)}",
    ]
    if source.place:
        place = ", ".join(f"{axis} {source.place[axis]!r}" for axis in source.place)
        lines.append(f"place       {place} (of the first pixel, in the units of the pixel size)")
    names = [channel.name or "?" for channel in source.channels]
    if any(channel.name for channel in source.channels):
        lines.append(f"channels    {', '.join(names)}")
    return [*lines, f"type        {image.dtype}, {size}", *_lost(source)]


def _lost(source: Source) -> list[str]:
    """Return lines on what the file marks as no data, and on what is missing in it."""
    found = [f"incomplete  {remark}" for remark in source.remarks]
    if source.valid is not None:
        share = 1 - float(np.mean(source.valid))
        found.append(f"no data     {100 * share:.3g} % of the values")
    return found


def _axes(source: Source) -> str:
    if source.axes is not None:
        return source.axes + (" (c: RGB colours)" if source.rgb else "")
    called = f", which calls them {source.letters}" if source.letters else ""
    try:
        return f"{Grid.of(source.image.shape).axes}, not named in the file{called}"
    except ValueError:
        return f"not named in the file{called}: run needs --axes"


def _pixel_size(source: Source) -> str:
    axes = source.axes or source.letters.lower()
    known = [axis for axis in axes if axis in source.lengths]
    space = [f"{axis} {source.lengths[axis]!r}" for axis in known if axis in "zyx"]
    time = [f"t {source.lengths['t']!r} {source.time_unit}"] if "t" in known else []
    words = [*time, f"{', '.join(space)} {source.unit}"] if space else time
    return ", ".join(words) or "not in the file, taken as 1 along every axis"


def _print_record(record: StepRecord | None) -> None:
    if record is None:
        print("  record      none: not made by napari-diffusion")
        return
    print(readable_text(f"  record      {record.get('processed', '')}"))
    print(json.dumps(record, indent=2))
