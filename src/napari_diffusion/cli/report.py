"""Write what was done to an image, and what may have been lost, as one HTML file."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from napari_diffusion.cli.errors import UsageError
from napari_diffusion.cli.options import add_code, add_running
from napari_diffusion.cli.process import stoppable, threads
from napari_diffusion.io import check_apart, split_extension

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Callable, Iterator

    from napari_diffusion.forensics import Trace


def add_report(parser: ArgumentParser) -> None:
    """Add what can be typed after ``report``."""
    parser.add_argument(
        "result", type=Path, metavar="RESULT", help="a result of run, filter or noise"
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="FILE.html",
        help="the report (default: RESULT's name with .report.html, beside it)",
    )
    parser.add_argument(
        "--source",
        type=Path,
        metavar="FILE",
        help="what RESULT was made from (default: the file beside RESULT that has its name)",
    )
    parser.add_argument(
        "--mask", type=Path, metavar="FILE", help="the mask of the run: a record has only its hash"
    )
    parser.add_argument(
        "--step", type=int, metavar="K", help="which step is the result (default: the last one)"
    )
    parser.add_argument(
        "--no-studies",
        action="store_false",
        dest="studies",
        help="leave out what survives, what noise alone becomes and what structure was removed, "
        "which run the recipe again several times",
    )
    parser.add_argument(
        "--trace",
        metavar="all|NAME[,NAME…]",
        help="read traces of processing from the source, and from the result beside it",
    )
    add_code(parser)
    add_running(parser, "report")


def report(arguments: Namespace) -> int:
    """Write the report of a result, and print where it is."""
    from napari_diffusion.report import report_of_result, write_report
    from napari_diffusion.report.page import check_page
    from napari_diffusion.report.result_traces import with_traces

    path = arguments.output or _beside(arguments.result)
    traces = _traces(arguments.trace)
    check_apart(path, *filter(None, (arguments.result, arguments.source, arguments.mask)))
    try:
        check_page(path, overwrite=arguments.overwrite)
    except ValueError as error:
        raise UsageError(str(error)) from error
    with threads(arguments.threads), stoppable() as stop, _shown(arguments.quiet) as progress:
        made = report_of_result(
            arguments.result,
            arguments.source,
            arguments.studies,
            step=arguments.step,
            mask=arguments.mask,
            allow_code=arguments.allow_code,
            progress=progress,
            stop=stop,
        )
        if traces:
            made = with_traces(made, traces, arguments.source, arguments.result, stop)
    print(write_report(path, made, overwrite=arguments.overwrite))
    return 0


def _traces(names: str | None) -> tuple[Trace, ...]:
    from napari_diffusion.forensics.catalog import chosen_traces

    try:
        return chosen_traces(names) if names is not None else ()
    except ValueError as error:
        raise UsageError(str(error)) from error


def _beside(result: Path) -> Path:
    """Return where the report of a result is written unless somebody says it."""
    path = result if result.name else result.absolute()
    with contextlib.suppress(ValueError):
        path = split_extension(path)[0]
    return path.with_name(f"{path.name}.report.html")


@contextlib.contextmanager
def _shown(quiet: bool) -> Iterator[Callable[[str, int, int], None]]:
    """Show how far each study is, in runs of the recipe."""
    from tqdm import tqdm

    bars: list[tqdm] = []

    def progress(study: str, done: int, total: int) -> None:
        if not bars or bars[-1].desc.removesuffix(": ") != study:
            for bar in bars:
                bar.close()
            bars.append(tqdm(total=total, desc=study, unit="run", disable=quiet, file=sys.stderr))
        bars[-1].update(done - bars[-1].n)

    try:
        yield progress
    finally:
        for bar in bars:
            bar.close()
