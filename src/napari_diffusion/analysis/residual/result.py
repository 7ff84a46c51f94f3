"""What the test of a residual found: numbers, maps, and words."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from napari_diffusion.analysis.study_result import StudyResult
from napari_diffusion.core.results import ResultMap, ResultTable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.analysis.residual.noise_fit import NoiseFit
    from napari_diffusion.analysis.source_noise import Sigma

# An alarm over more of an image than this may have another cause than structure.
_NEARLY_ALL = 0.9

# Over the noise σ: removed detail that the estimate cannot tell from none.
_FAINT = 0.1


@dataclass(frozen=True, eq=False)
class RemovedStructure(StudyResult):
    """What a step removed: the test of its residual, and maps.

    Maps are in the axes of the source, without c for RGB images; for a region, of that part alone.

    Attributes
    ----------
    removed : bool
        Whether the residual holds more structure than the recipe leaves where it removes noise
        alone.
    statistic : float
        The largest score in the image, in standard deviations of the null runs.
    threshold : float
        The score that noise alone exceeds at the false-alarm rate.
    false_alarm_rate : float
        How often an image of which only noise was removed gives an alarm.
    null_maxima : tuple of float
        The largest score of each null run.
    peak : tuple of int
        Position of the largest score in pixels of the source, in the axes of the maps.
    detail_at_peak : float
        The value of `removed_detail` there.
    alarm : ndarray
        The score around every pixel.
    where : ndarray of bool
        Where it exceeds the threshold.
    share : float
        The share of the pixels where it does.
    scores : dict
        The largest score of each statistic.
    seen : tuple of (float, float)
        Radius in pixels of a spot, and the contrast, over the noise σ, from which such a spot gives
        an alarm in about half of the cases, if it is removed whole.
    correlation : ndarray
        Correlation of the residual with itself one pixel further, the mean over the axes.
    with_result : ndarray
        Correlation of the residual with the detail of the result.
    removed_detail : ndarray
        Of the structure that was removed, the part along the detail of the result, in intensity;
        below 0.1 times the noise σ it is no more than the noise of this estimate.
    removed_deviation : ndarray
        Root mean square of the residual, in intensity.
    degrees_of_freedom : ndarray
        Effective degrees of freedom per pixel: 1 where nothing is smoothed, 0 where all is
        averaged.
    residual_deviation, mean_degrees_of_freedom : float
        The same over all pixels.
    noise_sigma : float or tuple of float
        Standard deviation of the noise of the source, of each channel.
    noise_fit : NoiseFit
        What puts the noise of the null runs in doubt.
    tile : int
        Size of the windows in pixels.
    """

    title: ClassVar[str] = "What was taken away"

    removed: bool
    statistic: float
    threshold: float
    false_alarm_rate: float
    null_maxima: tuple[float, ...]
    peak: tuple[int, ...]
    detail_at_peak: float
    alarm: NDArray[Any]
    where: NDArray[np.bool_]
    share: float
    scores: dict[str, float]
    seen: tuple[tuple[float, float], ...]
    correlation: NDArray[Any]
    with_result: NDArray[Any]
    removed_detail: NDArray[Any]
    removed_deviation: NDArray[Any]
    degrees_of_freedom: NDArray[Any]
    residual_deviation: float
    mean_degrees_of_freedom: float
    noise_sigma: Sigma
    noise_fit: NoiseFit
    tile: int

    @property
    def sigma(self) -> float:
        """Standard deviation of the noise; the root mean square over channels."""
        return math.sqrt(float(np.mean(np.square(self.noise_sigma))))

    def sentences(self) -> tuple[str, ...]:
        """Return what was found, the most important first."""
        doubtful: tuple[str, ...] = ()
        if not self.noise_fit.fits:
            reasons = " ".join(self.noise_fit.doubts)
            doubtful = (
                f"This test is unreliable here: the noise may not be as assumed. {reasons}",
            )
        return (
            *doubtful,
            self._alarm_in_words() if self.removed else self._silence_in_words(),
            f"The residual has a standard deviation of {self.residual_deviation:.3g}, the noise "
            f"one of {self.sigma:.3g} (intensity).",
            f"The result keeps {self.mean_degrees_of_freedom:.2f} degrees of freedom per pixel (1: "
            "nothing smoothed, 0: all averaged).",
        )

    def limits(self) -> tuple[str, ...]:
        """Return what was tried, and what does not follow from it."""
        runs = len(self.null_maxima)
        spots = ", ".join(f"{contrast:.2g}σ at {radius:g}" for radius, contrast in self.seen)
        return (
            f"Tried: step {self.step}, against {runs} runs on the result plus fresh noise, in "
            f"windows of {self.tile} pixels. The threshold is extrapolated from these {runs} runs.",
            "No alarm is no proof: weak structure may be removed without one. A bright spot that "
            "is removed whole gives an alarm in about half of the cases from this contrast on, by "
            f"its radius in pixels: {spots}. Texture as fine and irregular as the noise cannot be "
            "told from it.",
            "The rate holds if the noise is as measured and the recipe treats the result, with "
            "fresh noise, as it treated the source; it was tested on images of which a filter "
            "removed noise alone.",
            "An alarm says that structure was removed beside the noise, not how much of it, nor "
            "that it matters.",
        )

    def tables(self) -> tuple[ResultTable, ...]:
        """Return the numbers of the test."""
        rows: tuple[tuple[str, float], ...] = (
            ("largest score (null standard deviations)", self.statistic),
            ("threshold", self.threshold),
            ("false-alarm rate per image", self.false_alarm_rate),
            ("largest score of the null runs, mean", float(np.mean(self.null_maxima))),
            ("share of the image above the threshold", self.share),
            ("standard deviation of the residual (intensity)", self.residual_deviation),
            ("noise σ (intensity)", self.sigma),
            ("degrees of freedom per pixel", self.mean_degrees_of_freedom),
            *((f"largest score: {name}", value) for name, value in self.scores.items()),
        )
        return (ResultTable("Residual", ("quantity", "value"), rows),)

    def maps(self) -> tuple[ResultMap, ...]:
        """Return the score, the removed deviation, the degrees of freedom and the correlations."""
        score, deviation = (0.0, 2 * self.threshold), (0.0, 2 * self.sigma)
        whole = (-1.0, 1.0)
        freedom, with_result = self.degrees_of_freedom, self.with_result
        return (
            ResultMap("excess residual structure", self.alarm, "", score, True),
            ResultMap("removed standard deviation", self.removed_deviation, "intensity",
                      deviation, True),
            ResultMap("removed detail", self.removed_detail, "intensity", (0.0, self.sigma)),
            ResultMap("degrees of freedom per pixel", freedom, "", (0.0, 1.0)),
            ResultMap("correlation of residual and result", with_result, "", whole, True),
            ResultMap("correlation of neighbouring residuals", self.correlation, "", whole, True),
        )  # fmt: skip

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "removed": self.removed,
            "statistic": self.statistic,
            "threshold": self.threshold,
            "false_alarm_rate": self.false_alarm_rate,
            "null_maxima": list(self.null_maxima),
            "peak": list(self.peak),
            "detail_at_peak": self.detail_at_peak,
            "share": self.share,
            "scores": dict(self.scores),
            "seen": [list(pair) for pair in self.seen],
            "residual_deviation": self.residual_deviation,
            "noise_sigma": np.ravel(self.noise_sigma).tolist(),
            "degrees_of_freedom": self.mean_degrees_of_freedom,
            "doubts": list(self.noise_fit.doubts),
            "tile": self.tile,
        }

    def _alarm_in_words(self) -> str:
        place = ", ".join(str(each) for each in self.peak)
        found = (
            "The residual holds more structure than this recipe leaves where it removes noise "
            f"alone, at {_odds(self.false_alarm_rate)}; the strongest is at ({place}), with a "
            f"score of {self.statistic:.1f} (threshold {self.threshold:.1f}), and {self.share:.0%} "
            "of the image exceed the threshold."
        )
        if self.detail_at_peak >= _FAINT * self.sigma:
            found += (
                " There it took away structure like that in the result, with a standard deviation "
                f"of at least about {self.detail_at_peak:.2g} (intensity), "
                f"{self.detail_at_peak / self.sigma:.2g} times that of the noise."
            )
        else:
            found += f" What resembles the result there is weaker than {_FAINT:g} times the noise."
        if self.share <= _NEARLY_ALL:
            return found
        return f"{found} So much of it may also mean that the noise is not as measured."

    def _silence_in_words(self) -> str:
        return (
            f"No structure was found in the residual, at {_odds(self.false_alarm_rate)}: its "
            f"largest score is {self.statistic:.1f}, the threshold {self.threshold:.1f}. Weak "
            "structure may be removed without an alarm."
        )


def _odds(rate: float) -> str:
    one_in = 1 / rate
    if abs(one_in - round(one_in)) < 0.01:
        return f"one false alarm in {round(one_in)} images"
    return f"{rate:.2%} false alarms per image"
