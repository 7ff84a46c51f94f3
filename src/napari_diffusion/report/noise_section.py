"""The section on the noise: what was found, and how well it fits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_diffusion.report.blocks import Block, Plots, Section, text
from napari_diffusion.report.chart import Chart, Line, chart

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.estimate import NoiseModel
    from napari_diffusion.report.report import Report

_COLOURS = ("Red", "Green", "Blue")

_LIMITS = (
    "The noise was measured on the middle of the source alone: structure as fine as the noise "
    "counts as noise, and what the camera or the file did to the image before is part of it. The "
    "noise may differ elsewhere."
)


def noise_section(report: Report) -> Section:
    """Return the noise of the source with its curves, and what the run found itself."""
    blocks: list[Block] = []
    if not report.noise:
        why = report.missing.get("noise", report.missing.get("source", "Not measured."))
        blocks += text([why], "missing")
    for channel, model in enumerate(report.noise):
        named = _COLOURS[channel] if report.grid.rgb else f"Channel {channel}"
        title = named if len(report.noise) > 1 else ""
        blocks += text([*_found(model), *model.details], title=title)
        drawn = [each for each in (mean_variance(model), spectrum(model)) if each is not None]
        blocks += [Plots(tuple(drawn))] if drawn else []
    record = report.result.record
    said = [record.get("noise_found", ""), *record.get("noise_warnings", ())]
    blocks += text(said, title="What the run itself found and used")
    blocks += text([_LIMITS] if report.noise else [], "limits")
    return Section("noise", "The noise, and how well it fits", tuple(blocks))


def mean_variance(model: NoiseModel) -> Chart | None:
    """Return the variances over the intensities with the model; None where none were measured."""
    if len(model.levels) < 2:
        return None
    ends = np.linspace(min(model.levels), max(model.levels), 41)
    lines = (
        Line("model", "line", list(ends), [float(v) for v in _variances(model, ends)], 1),
        Line("measured", "points", model.levels, model.variances),
    )
    return chart("Mean–variance curve", "intensity", "variance of the noise (intensity²)", lines)


def spectrum(model: NoiseModel) -> Chart | None:
    """Return the power of the noise over the frequency; None where it was not measured."""
    if len(model.frequencies) < 2:
        return None
    ends = (0.0, max(model.frequencies))
    lines = (
        Line("white noise", "dashed", ends, (1.0, 1.0), 1),
        Line("measured", "line", model.frequencies, model.power),
    )
    return chart(
        "Spectrum of the noise", "frequency (cycles per pixel)", "power (white noise = 1)", lines
    )


def _found(model: NoiseModel) -> list[str]:
    white = "white" if model.is_white else "not white"
    said = [f"Kind: {model.kind}, {white}. {_sentence(model.in_words())}"]
    deviation = deviation_from_model(model)
    if deviation is not None:
        said.append(
            f"The variances at {len(model.levels)} intensities deviate from the model by "
            f"{100 * deviation:.2g} % (median)."
        )
    return said


def deviation_from_model(model: NoiseModel) -> float | None:
    """Return the median of |measured − model| / model over the mean–variance curve."""
    levels, measured = np.array(model.levels), np.array(model.variances)
    expected = _variances(model, levels)
    known = expected > 0
    if known.sum() < 2:
        return None
    return float(np.median(np.abs(measured[known] / expected[known] - 1)))


def _variances(model: NoiseModel, levels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the variance of the model at each intensity."""
    if model.gain == 0:
        return np.full(len(levels), model.sigma**2)
    return model.variance_at(levels)


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:] if words[:1] != "σ" else words
