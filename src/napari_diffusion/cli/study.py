"""Study what a recipe leaves, removes and makes up on an image."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.analysis import studies
from napari_diffusion.cli.errors import UsageError
from napari_diffusion.cli.options import add_input, add_reading, add_recipe, add_running
from napari_diffusion.cli.process import stoppable, threads
from napari_diffusion.cli.recipe import chosen
from napari_diffusion.cli.source import check_memory, read_input
from napari_diffusion.cli.study_files import check_files, write_json, write_maps, write_page
from napari_diffusion.cli.study_text import study_text
from napari_diffusion.cli.values import parts
from napari_diffusion.core.readable_name import readable_text
from napari_diffusion.io import read_image

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Iterator, Sequence

    from napari_diffusion.analysis.studies import StudyKind, StudyOptions
    from napari_diffusion.analysis.study import Progress
    from napari_diffusion.analysis.study_result import StudyResult
    from napari_diffusion.engine.threads import StopToken
    from napari_diffusion.runs.run_input import RunInput

_ALL = "all"


def add_study(parser: ArgumentParser) -> None:
    """Add what can be typed after ``study``."""
    add_input(parser)
    add_recipe(parser)
    parser.add_argument(
        "--study",
        default=_ALL,
        metavar="NAME[,NAME…]",
        help=f"{', '.join(kind.key for kind in studies.STUDIES)}, or all (default: all)",
    )
    parser.add_argument(
        "--step", type=int, metavar="K", help="which step to study (default: the last one)"
    )
    parser.add_argument(
        "--region",
        type=parts,
        metavar="A:B[,A:B…]",
        help="the part to study, first and last + 1 for each axis of INPUT, such as 0:256,0:256",
    )
    _add_options(parser)
    parser.add_argument(
        "--json", type=Path, metavar="FILE.json", help="write what was found as JSON"
    )
    parser.add_argument(
        "--maps", type=Path, metavar="FOLDER", help="write each map as an OME-TIFF into a folder"
    )
    parser.add_argument(
        "--report", type=Path, metavar="FILE.html", help="write a report with the studies"
    )
    add_reading(parser)
    add_running(parser, "FILE or FOLDER", "print only what was found, without tables and limits")


def _add_options(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--kinds",
        default="spot",
        metavar="KIND[,KIND…]",
        help="objects that are tried for survival: spot, line, edge (default: spot)",
    )
    parser.add_argument("--dark", action="store_true", help="the objects are dark")
    parser.add_argument(
        "--background",
        type=Path,
        metavar="FILE",
        help="a mask of INPUT's size that is not 0 where there are no objects, for the null test",
    )
    parser.add_argument(
        "--second",
        type=Path,
        metavar="FILE",
        help="an independent noisy acquisition of the same scene, for the interval",
    )
    parser.add_argument(
        "--halves",
        choices=("frames",),
        help="take the even and the odd frames of INPUT as two acquisitions, for the interval",
    )
    parser.add_argument(
        "--measure",
        default="Objects",
        metavar="NAME",
        help="the metric whose stability is studied, such as Mean (default: Objects)",
    )


def study(arguments: Namespace) -> int:
    """Run the studies, and print what they found."""
    kinds = _kinds(arguments.study)
    chosen(arguments)  # what is wrong with it can be said before anything is read
    options = _own_options(arguments)
    check_files(arguments)
    read = read_input(arguments)
    check_memory(read)
    region = _region(arguments.region, read)
    options.update(_further(arguments))
    with threads(arguments.threads), stoppable() as stop:
        results = _results(arguments, kinds, read, region, options, stop)
        for result in results:
            print(readable_text(study_text(result, arguments.quiet)), end="\n\n")
        write_json(arguments, results)
        write_maps(arguments, read, region, results)
        write_page(arguments, read, region, results, stop)
    return 0


def _results(
    arguments: Namespace,
    kinds: Sequence[StudyKind],
    read: RunInput,
    region: tuple[slice, ...] | None,
    options: StudyOptions,
    stop: StopToken,
) -> list[StudyResult]:
    """Return what was found; of all studies those that the image allows."""
    recipe, found, first = chosen(arguments, read), [], None
    for kind in kinds:
        with _shown(kind.title, arguments.quiet) as progress:
            try:
                found.append(
                    kind.run(
                        read.source.image, recipe, options, read.options,
                        step=arguments.step, region=region, progress=progress, stop=stop,
                    )
                )  # fmt: skip
                continue
            except ValueError as error:
                if len(kinds) == 1 or arguments.study != _ALL:
                    raise
                first = first or error
                why = f"{kind.title}: not studied. {error}"
        print(readable_text(why), file=sys.stderr)
    if not found and first is not None:
        raise first
    return found


def _kinds(asked: str) -> tuple[StudyKind, ...]:
    if asked == _ALL:
        return studies.STUDIES
    known = {kind.key: kind for kind in studies.STUDIES}
    names = asked.split(",")
    for name in names:
        if name not in known:
            raise UsageError(f"--study has no {name!r}: give some of {', '.join(known)}, or all.")
    return tuple(known[name] for name in dict.fromkeys(names))


def _own_options(arguments: Namespace) -> StudyOptions:
    """Return what the studies take besides files."""
    from napari_diffusion.metrics import METRICS

    metrics = {cls.__name__: cls for cls in METRICS}
    if arguments.measure not in metrics:
        raise UsageError(
            f"--measure has no {arguments.measure!r}: give one of {', '.join(metrics)}."
        )
    if arguments.second and arguments.halves:
        raise UsageError("--second and --halves exclude each other: give one of them.")
    repeat = bool(arguments.second or arguments.halves)
    options: StudyOptions = {
        "kinds": tuple(arguments.kinds.split(",")),
        "dark": arguments.dark,
        "measure": metrics[arguments.measure](),
        "of": "repeat" if repeat else "noise-free",
    }
    if arguments.halves:
        options["halves"] = arguments.halves
    return options


def _further(arguments: Namespace) -> StudyOptions:
    """Return what the studies take from files."""
    options: StudyOptions = {}
    if arguments.background is not None:
        options["background"] = np.asarray(read_image(arguments.background).image) != 0
    if arguments.second is not None:
        options["second"] = read_image(arguments.second).image
    return options


def _region(asked: Any, read: RunInput) -> tuple[slice, ...] | None:
    if asked is None:
        return None
    shape, axes = read.source.image.shape, read.source.axes
    if len(asked) != len(shape):
        raise UsageError(
            f"--region needs one part for each axis of INPUT, {axes} (got {len(asked)})."
        )
    region = tuple(slice(*part.indices(size)[:2]) for part, size in zip(asked, shape, strict=True))
    if any(part.start >= part.stop for part in region):
        raise UsageError(f"--region holds no pixel of INPUT, whose shape is {shape}.")
    return region


@contextlib.contextmanager
def _shown(title: str, quiet: bool) -> Iterator[Progress]:
    """Show how far a study is, in runs of the recipe."""
    from tqdm import tqdm

    with tqdm(desc=title, unit="run", disable=quiet, file=sys.stderr) as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield progress
