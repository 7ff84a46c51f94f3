"""An interval around every pixel of a step, and what is known of its coverage."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from napari_diffusion.analysis.study_result import StudyResult
from napari_diffusion.core.results import ResultMap, ResultTable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.analysis.source_noise import Sigma

#: What an interval holds: a repeat acquisition, noise included, or the noise-free value.
Target = Literal["repeat", "noise-free"]

# A width that differs by less from another is said to be the same.
_SAME = 0.02

_MEAN = (
    "The coverage is a mean over the pixels: where structure was removed fewer are inside, in flat "
    "parts more."
)


@dataclass(frozen=True, eq=False)
class PredictionInterval(StudyResult):
    """An interval around every pixel of a step.

    Attributes
    ----------
    of : {"repeat", "noise-free"}
        What it is for: the pixels of a repeat, noise included, or the noise-free values.
    coverage : float
        The share of the pixels that it is to hold.
    low, high : ndarray
        The step minus and plus the half width, in intensity, in the axes of the source; the step
        itself outside the mask.
    half_width : ndarray
        In intensity; without c for RGB images, where it is the mean over the colours; 0 outside the
        mask.
    mean_width : float
        Mean of high − low inside the mask, in intensity.
    constant_width : float
        Width of the interval of the same coverage that is equally wide everywhere.
    factor : float
        The half width over the local scale.
    coverage_measured : float or None
        For a repeat, that on blocks that did not calibrate; for the noise-free values, that on the
        reference, None without one.
    coverage_interval : tuple of two float or None
        Of 95 %, from a bootstrap over blocks.
    constant_coverage : float or None
        That of the constant interval, measured likewise.
    blocks : tuple of two int or None
        How many blocks calibrated and how many measured; None without a repeat.
    noise_sigma : float or tuple of float
        Standard deviation of the noise of the source, of each channel.
    """

    title: ClassVar[str] = "Prediction interval"

    of: Target
    coverage: float
    low: NDArray[Any]
    high: NDArray[Any]
    half_width: NDArray[Any]
    mean_width: float
    constant_width: float
    factor: float
    coverage_measured: float | None
    coverage_interval: tuple[float, float] | None
    constant_coverage: float | None
    blocks: tuple[int, int] | None
    noise_sigma: Sigma

    def sentences(self) -> tuple[str, ...]:
        """Return what was found, the most important first."""
        return (_what(self), _measured(self), _against_constant(self))

    def limits(self) -> tuple[str, ...]:
        """Return what was tried, and what does not follow from it."""
        return (*(_of_a_repeat(self) if self.of == "repeat" else _of_the_noise_free(self)), _MEAN)

    def tables(self) -> tuple[ResultTable, ...]:
        """Return widths and coverage."""
        low, high = self.coverage_interval or (math.nan, math.nan)
        rows = (
            ("nominal coverage", self.coverage),
            ("measured coverage", _number(self.coverage_measured)),
            ("measured coverage, 95 % interval from", low),
            ("measured coverage, 95 % interval to", high),
            ("mean width (intensity)", self.mean_width),
            ("width of the constant interval (intensity)", self.constant_width),
            ("measured coverage of the constant interval", _number(self.constant_coverage)),
            ("noise σ (intensity)", math.sqrt(float(np.mean(np.square(self.noise_sigma))))),
        )
        return (ResultTable("Widths and coverage", ("quantity", "value"), rows),)

    def maps(self) -> tuple[ResultMap, ...]:
        """Return the half width and, but for RGB images, the two ends."""
        top = float(self.half_width.max()) or 1.0
        found = [ResultMap("half width of the interval", self.half_width, "intensity", (0.0, top))]
        if self.half_width.shape == self.low.shape:
            ends = float(self.low.min()), float(self.high.max())
            if ends[0] == ends[1]:
                ends = ends[0], ends[0] + 1.0
            found.append(ResultMap("low end of the interval", self.low, "intensity", ends))
            found.append(ResultMap("high end of the interval", self.high, "intensity", ends))
        return tuple(found)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "of": self.of,
            "coverage": self.coverage,
            "mean_width": self.mean_width,
            "constant_width": self.constant_width,
            "factor": self.factor,
            "coverage_measured": self.coverage_measured,
            "coverage_interval": None if self.coverage_interval is None
            else list(self.coverage_interval),
            "constant_coverage": self.constant_coverage,
            "blocks": None if self.blocks is None else list(self.blocks),
            "noise_sigma": np.ravel(self.noise_sigma).tolist(),
        }  # fmt: skip


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


def _of_a_repeat(found: PredictionInterval) -> tuple[str, ...]:
    calibrating, measuring = found.blocks or (0, 0)
    return (
        f"Tried: step {found.step} against one repeat, {calibrating} blocks to calibrate and "
        f"{measuring} others to measure; it holds for repeats of the same scene, exposure and "
        "noise.",
        "This interval holds noisy pixels. It says nothing of the noise-free value, which may "
        "lie elsewhere in it.",
    )


def _of_the_noise_free(found: PredictionInterval) -> tuple[str, ...]:
    return (
        f"Estimated from the local error of step {found.step}, bias included, times "
        f"{found.factor:.3g}: a factor chosen by a benchmark with ground truth, on other images. "
        "It is not a conformal interval.",
        "It assumes noise that is independent from pixel to pixel, equally strong or growing with "
        "the intensity as measured, and that the recipe treats the result as it treats the source.",
        "An error of the noise's σ carries over to the width. Noisy pixels that were held back "
        "cannot show the coverage: they differ from the step by their own noise.",
    )
