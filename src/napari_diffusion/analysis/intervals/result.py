"""An interval around every pixel of a step, and what is known of its coverage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from napari_diffusion.analysis.intervals import interval_words
from napari_diffusion.analysis.study_result import ResultMap, ResultTable, StudyResult

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.analysis.source_noise import Sigma

#: What an interval holds: a repeat acquisition, noise included, or the noise-free value.
Target = Literal["repeat", "noise-free"]


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
        return interval_words.sentences(self)

    def limits(self) -> tuple[str, ...]:
        """Return what was tried, and what does not follow from it."""
        return interval_words.limits(self)

    def tables(self) -> tuple[ResultTable, ...]:
        """Return widths and coverage."""
        return (interval_words.table(self),)

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
