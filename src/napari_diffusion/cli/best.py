"""Say which step of a run is nearest to the ground truth."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any

from napari_diffusion.cli.arguments import UsageError
from napari_diffusion.cli.recipe import chosen
from napari_diffusion.cli.run import read_as, stoppable, threads

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence
    from pathlib import Path

    from napari_diffusion.analysis.step_selection import Curve
    from napari_diffusion.metrics import Metric


def best(arguments: Namespace) -> int:
    """Run a recipe on an image, and print the step that is nearest to the ground truth, and why."""
    import numpy as np

    from napari_diffusion.analysis.step_selection import best_step
    from napari_diffusion.io import check_apart, read_image

    chosen(arguments)  # what is wrong with it can be said before anything is read
    if arguments.halves and arguments.second:
        raise UsageError("Give either --second FILE or --halves frames: both say what to compare.")
    beside = {name: getattr(arguments, name) for name in ("reference", "second", "mask")}
    read = [path for path in (arguments.input, *beside.values()) if path is not None]
    if arguments.curves is not None:
        check_apart(arguments.curves, *read)
        _check_table(arguments.curves, arguments.overwrite)
    source, options = read_as(read_image(arguments.input), arguments)
    others: dict[str, Any] = {
        name: None if path is None else np.asarray(read_image(path).image)
        for name, path in beside.items()
    }
    options = {**options, "mask": others.pop("mask"), "missing": arguments.missing}
    recipe = chosen(arguments, min(source.spacing_along(options["along"] or "")))
    with threads(arguments.threads), stoppable() as stop:
        found = best_step(
            np.asarray(source.image),
            recipe,
            **others,
            halves=arguments.halves,
            noise_sigma=arguments.sigma,
            metrics=_further(arguments),
            stop=stop,
            **options,
        )
    if arguments.curves is not None:
        _write(arguments.curves, found.curves)
    print(found.index)
    if not arguments.quiet:
        print(found.reason)
    return 0


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


def _check_table(path: Path, overwrite: bool) -> None:
    if path.suffix.lower() != ".csv":
        raise UsageError(f"{str(path)!r} must end in .csv: curves are written as a table.")
    if path.exists() and not overwrite:
        raise FileExistsError(f"{str(path)!r} is there already; --overwrite replaces it.")


def _write(path: Path, curves: Sequence[Curve]) -> None:
    """Write a row for each step, −1 being the source, and a column for each curve."""
    rows: list[list[Any]] = [["step", *(_title(curve) for curve in curves)]]
    for place in range(len(curves[0].values)):
        rows.append([place - 1, *(repr(curve.values[place]) for curve in curves)])
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)


def _title(curve: Curve) -> str:
    return f"{curve.name} ({curve.metric.unit})" if curve.metric.unit else curve.name
