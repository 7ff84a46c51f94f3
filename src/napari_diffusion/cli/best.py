"""Report the step of a run that is closest to the ground truth."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from napari_diffusion.cli.errors import UsageError
from napari_diffusion.cli.process import stoppable, threads
from napari_diffusion.cli.recipe import chosen
from napari_diffusion.cli.source import check_memory, read_input
from napari_diffusion.io import check_apart, read_image

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import ArrayLike

    from napari_diffusion.analysis.step_selection import Curve
    from napari_diffusion.metrics import Metric


def best(arguments: Namespace) -> int:
    """Run a recipe on an image, and print the step closest to the ground truth, and why."""
    from napari_diffusion.analysis.step_selection import best_step

    chosen(arguments)  # what is wrong with it can be said before anything is read
    if arguments.halves and arguments.second:
        raise UsageError("--second and --halves exclude each other: give one of them.")
    if arguments.curves is not None:
        _check_table(arguments)
    read = read_input(arguments)
    check_memory(read)
    reference, second = _values(arguments.reference), _values(arguments.second)
    with threads(arguments.threads), stoppable() as stop:
        found = best_step(
            read.source.image,
            chosen(arguments, read),
            reference=reference,
            second=second,
            halves=arguments.halves,
            noise_sigma=arguments.sigma,
            metrics=_further(arguments),
            stop=stop,
            **read.options,
        )
    if arguments.curves is not None:
        _write(arguments.curves, found.curves)
    print(found.index)
    if not arguments.quiet:
        print(found.reason)
    return 0


def _values(path: Path | None) -> ArrayLike | None:
    return None if path is None else read_image(path).image


def _further(arguments: Namespace) -> list[Metric]:
    """Return all metrics that can be measured, where a table of them is to be written."""
    from napari_diffusion.metrics import METRICS, CustomMetric, RegionStatistic

    if arguments.curves is None:
        return []
    halves = arguments.second is not None or arguments.halves is not None
    return [
        cls()
        for cls in METRICS
        if (arguments.reference is not None or not cls.needs_reference)
        and (halves or not cls.needs_halves)
        and cls not in (CustomMetric, RegionStatistic)
    ]


def _check_table(arguments: Namespace) -> None:
    path = arguments.curves
    read = (arguments.input, arguments.reference, arguments.second, arguments.mask)
    check_apart(path, *filter(None, read))
    if path.suffix.lower() != ".csv":
        raise UsageError(f"--curves writes a CSV table: {str(path)!r} must end in .csv.")
    if path.exists() and not arguments.overwrite:
        raise FileExistsError(f"{str(path)!r} exists; --overwrite replaces it.")


def _write(path: Path, curves: Sequence[Curve]) -> None:
    """Write a row for each step, −1 being the source, and a column for each curve."""
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["step", *map(_title, curves)])
        for place, values in enumerate(zip(*(curve.values for curve in curves), strict=True)):
            table.writerow([place - 1, *map(repr, values)])


def _title(curve: Curve) -> str:
    return f"{curve.name} ({curve.metric.unit})" if curve.metric.unit else curve.name
