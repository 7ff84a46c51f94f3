"""What is said of an interval, in sentences and in a table."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from napari_diffusion.analysis.study_result import ResultTable

if TYPE_CHECKING:
    from napari_diffusion.analysis.intervals.result import PredictionInterval

# A width that differs by less from another is said to be the same.
_SAME = 0.02


def sentences(found: PredictionInterval) -> tuple[str, ...]:
    """Return what was found, the most important first."""
    return (_what(found), _measured(found), _against_constant(found))


def limits(found: PredictionInterval) -> tuple[str, ...]:
    """Return what was tried, and what does not follow from it."""
    common = (
        "The coverage is a mean over the pixels: where structure was removed fewer are inside, in "
        "flat parts more.",
    )
    if found.of == "repeat":
        assert found.blocks is not None
        calibrating, measuring = found.blocks
        return (
            f"Tried: step {found.step} against one repeat, {calibrating} blocks to calibrate and "
            f"{measuring} others to measure; it holds for repeats of the same scene, exposure and "
            "noise.",
            "This interval holds noisy pixels. It says nothing of the noise-free value, which may "
            "lie elsewhere in it.",
            *common,
        )
    return (
        f"Estimated from the local error of step {found.step}, bias included, times "
        f"{found.factor:.3g}: a factor chosen by a benchmark with ground truth, on other images. "
        "It is not a conformal interval.",
        "It assumes white noise, or noise that depends on the intensity as measured, and that the "
        "recipe treats the result as it treats the source.",
        "Noisy pixels that were held back cannot show its coverage: they differ from the step by "
        "their own noise.",
        *common,
    )


def table(found: PredictionInterval) -> ResultTable:
    """Return widths and coverage."""
    low, high = found.coverage_interval or (math.nan, math.nan)
    rows = (
        ("nominal coverage", found.coverage),
        ("measured coverage", _number(found.coverage_measured)),
        ("measured coverage, 95 % interval from", low),
        ("measured coverage, 95 % interval to", high),
        ("mean width (intensity)", found.mean_width),
        ("width of the constant interval (intensity)", found.constant_width),
        ("measured coverage of the constant interval", _number(found.constant_coverage)),
        ("noise σ (intensity)", math.sqrt(float(np.mean(np.square(found.noise_sigma))))),
    )
    return ResultTable("Widths and coverage", ("quantity", "value"), rows)


def _number(value: float | None) -> float:
    return math.nan if value is None else value


def _what(found: PredictionInterval) -> str:
    target = {
        "repeat": "the pixels of a repeat acquisition, noise included,",
        "noise-free": "the noise-free values",
    }[found.of]
    return (
        f"The interval for {target} is {found.mean_width:.3g} wide on average (intensity), for a "
        f"nominal coverage of {found.coverage:.0%}."
    )


def _measured(found: PredictionInterval) -> str:
    if found.coverage_measured is None or found.coverage_interval is None:
        return (
            "No coverage is shown for the noise-free value: only ground truth can show it, and "
            "none was given."
        )
    low, high = found.coverage_interval
    on = "the reference" if found.of == "noise-free" else "blocks that were not used to calibrate"
    return (
        f"Measured on {on}, it holds {found.coverage_measured:.1%} of the pixels (95 % interval "
        f"{low:.1%} to {high:.1%})."
    )


def _against_constant(found: PredictionInterval) -> str:
    width = f"{found.constant_width:.3g}"
    ratio = found.mean_width / found.constant_width if found.constant_width > 0 else 1.0
    if abs(ratio - 1) < _SAME:
        how = "no narrower" if ratio >= 1 else "hardly narrower"
        said = f"On average it is {how} than the constant interval, {width}"
    else:
        word = "narrower" if ratio < 1 else "wider"
        said = f"On average it is {abs(1 - ratio):.0%} {word} than the constant interval, {width}"
    return f"{said}: what it adds is where the error is large and where it is small."
