"""What the test of a residual found, in sentences and in a table."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from napari_diffusion.analysis.study_result import ResultTable

if TYPE_CHECKING:
    from napari_diffusion.analysis.removed_structure import RemovedStructure


def sentences(found: RemovedStructure) -> tuple[str, ...]:
    """Return what was found, the most important first."""
    return (*(_doubtful(found),) * (not found.noise_fit.fits), _alarm(found), *_amounts(found))


def limits(found: RemovedStructure) -> tuple[str, ...]:
    """Return what was tried, and what does not follow from it."""
    runs = len(found.null_maxima)
    return (
        f"Tried: step {found.step} against {runs} null runs, in windows of {found.tile} pixels. "
        f"The threshold is extrapolated from the {runs} largest scores of the null runs.",
        "No alarm is no proof: structure weaker than the noise in a window may have been removed "
        "without one. Feature survival tells which sizes and contrasts are kept.",
        "The null runs assume that the noise is as measured, independent of the structure, and "
        "that the recipe treats the result as it treats the structure of the source.",
        "An alarm shows that structure was removed, not that it matters; smooth structure that the "
        "result keeps with less contrast counts too.",
    )


def table(found: RemovedStructure) -> ResultTable:
    """Return the numbers of the test."""
    rms = math.sqrt(float(np.mean(np.square(found.removed_deviation))))
    rows = (
        ("largest score (null standard deviations)", found.statistic),
        ("threshold", found.threshold),
        ("false-alarm rate per image", found.false_alarm_rate),
        ("largest score of null runs, mean", float(np.mean(found.null_maxima))),
        ("share of the image above the threshold", float(found.where.mean())),
        ("removed standard deviation (intensity)", rms),
        ("noise σ (intensity)", math.sqrt(float(np.mean(np.square(found.noise_sigma))))),
        ("degrees of freedom per pixel, mean", float(found.degrees_of_freedom.mean())),
    )
    scores = tuple((f"largest score: {name}", value) for name, value in found.scores.items())
    return ResultTable("Residual", ("quantity", "value"), rows + scores)


def _doubtful(found: RemovedStructure) -> str:
    reasons = " ".join(found.noise_fit.doubts)
    return f"The noise does not fit the null runs, so that this test is unreliable here. {reasons}"


def _alarm(found: RemovedStructure) -> str:
    rate = f"at {_odds(found.false_alarm_rate)}"
    if not found.removed:
        return (
            f"No alarm {rate}: the largest score is {found.statistic:.1f}, the threshold "
            f"{found.threshold:.1f}. Weak structure may be removed without an alarm."
        )
    place = ", ".join(str(each) for each in found.peak)
    return (
        "The residual holds more structure than this recipe leaves where it removes noise alone, "
        f"{rate}; the strongest is at ({place}), with a score of {found.statistic:.1f} above the "
        f"threshold of {found.threshold:.1f}, and {found.where.mean():.1%} of the image exceed it."
    )


def _odds(rate: float) -> str:
    one_in = 1 / rate
    if abs(one_in - round(one_in)) < 0.01:
        return f"one false alarm in {round(one_in)} images"
    return f"{rate:.2%} false alarms per image"


def _amounts(found: RemovedStructure) -> tuple[str, ...]:
    rms = math.sqrt(float(np.mean(np.square(found.removed_deviation))))
    sigma = math.sqrt(float(np.mean(np.square(found.noise_sigma))))
    freedom = float(found.degrees_of_freedom.mean())
    return (
        f"The residual has a standard deviation of {rms:.3g}, the noise one of {sigma:.3g} "
        f"(intensity).",
        f"The result keeps {freedom:.2f} degrees of freedom per pixel (1: nothing smoothed, 0: all "
        "averaged).",
    )
