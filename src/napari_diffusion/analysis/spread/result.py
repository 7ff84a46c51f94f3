"""The mean and spread of a recipe's results over random seeds, and what the spread is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from napari_diffusion.analysis.spread.spread_law import LEAST, MOST
from napari_diffusion.analysis.study_result import StudyResult
from napari_diffusion.core.results import ResultMap, ResultTable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.analysis.source_noise import Sigma
    from napari_diffusion.analysis.spread.spread_law import SpreadLaw, Verdict

_INVENTED = (
    "Each result is one plausible image, not a measurement: detail that seeds do not share is "
    "invented."
)

# Numbers of seeds whose mean is compared with the law.
_COUNTS = (1, 2, 4, 8)


@dataclass(frozen=True, eq=False)
class SeedSpread(StudyResult):
    """Mean and spread over random seeds, and whether the spread is the error of the mean.

    Attributes
    ----------
    seeds : tuple of int
        Random seeds that were run.
    mean : ndarray
        Mean of the results over the seeds.
    spread : ndarray
        Standard deviation over the seeds, ``√(Σ(u − mean)² / (K − 1))``, times `gain`.
    gain : ndarray
        What deviations from the mean are multiplied by to be as large as the error; 1 unless
        `verdict` is "posterior".
    law : SpreadLaw
        Squared errors, estimated without ground truth.
    coverage : float or None
        Share of the pixels of a reference, or of a repeat, that the interval of 90 % holds.
    coverage_of : str
        What `coverage` was measured on: "ground truth", "repeat acquisition" or nothing.
    noise_sigma : float or tuple of float
        Standard deviation of the noise of the source, of each channel.
    measured : bool
        Whether that was measured on the image instead of given.
    """

    title: ClassVar[str] = "Spread over seeds"

    seeds: tuple[int, ...]
    mean: NDArray[Any]
    spread: NDArray[Any]
    gain: NDArray[Any]
    law: SpreadLaw
    coverage: float | None
    coverage_of: str
    noise_sigma: Sigma
    measured: bool

    @property
    def verdict(self) -> Verdict:
        """What the spread is: "posterior", "sensitivity", or "not tested"."""
        return self.law.verdict

    def sentences(self) -> tuple[str, ...]:
        """Return what the spread is, how good the mean is, and the coverage."""
        return (_verdict(self), *_mean(self), *_coverage(self))

    def limits(self) -> tuple[str, ...]:
        """Return what was tried, and what does not follow from it."""
        sigma = math.sqrt(float(np.mean(np.square(self.noise_sigma))))
        source = "measured on this image" if self.measured else "given"
        return (
            f"Tried: step {self.step} with {len(self.seeds)} random seeds. The errors are Stein's "
            f"estimates, for noise that is independent from pixel to pixel, σ {sigma:.3g} "
            f"(intensity, {source}); no ground truth was used.",
            *([_INVENTED] if self.law.samples else []),
            "The errors are means over the whole part. At a single place the spread may be too "
            "small: detail that no seed brings back is not in it.",
        )

    def tables(self) -> tuple[ResultTable, ...]:
        """Return the numbers of the test."""
        law, (low, high) = self.law, self.law.interval
        rows = (
            ("spread / error", law.ratio),
            ("spread / error, 90 % interval from", low),
            ("spread / error, 90 % interval to", high),
            ("spread over the seeds (intensity)", math.sqrt(law.variance)),
            ("error of the mean of many seeds (intensity)", _root(law.error)),
            ("error of the first step (intensity)", _root(law.first)),
            ("measured coverage of 90 %", math.nan if self.coverage is None else self.coverage),
        )
        figures = tuple((count, law.figure(count), 1 + 1 / count) for count in _COUNTS)
        return (
            ResultTable("Spread and error", ("quantity", "value"), rows),
            ResultTable(
                "Squared error of the mean of so many seeds, over the least",
                ("seeds", "estimated", "if a posterior"),
                figures,
            ),
        )

    def maps(self) -> tuple[ResultMap, ...]:
        """Return the spread and, but for RGB images, the mean."""
        name = "calibrated spread" if self.verdict == "posterior" else "sensitivity to the noise"
        top = float(self.spread.max()) or 1.0
        found = [ResultMap(name, self.spread, "intensity", (0.0, top))]
        if self.spread.shape == self.mean.shape:
            ends = float(self.mean.min()), float(self.mean.max())
            if ends[0] == ends[1]:
                ends = ends[0], ends[0] + 1.0
            found.append(ResultMap("mean over the seeds", self.mean, "intensity", ends))
        return tuple(found)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        law = self.law
        return {
            "verdict": self.verdict,
            "seeds": list(self.seeds),
            "variance": law.variance,
            "error": law.error,
            "first": law.first,
            "ratio": None if math.isnan(law.ratio) else law.ratio,
            "interval": [None if math.isinf(end) else end for end in law.interval],
            "coverage": self.coverage,
            "coverage_of": self.coverage_of,
            "noise_sigma": np.ravel(self.noise_sigma).tolist(),
            "measured": self.measured,
        }


def _verdict(found: SeedSpread) -> str:
    law, count = found.law, len(found.seeds)
    if found.verdict == "posterior":
        return (
            f"The spread of {count} plausible images was tested on this image: their spread is "
            f"{law.ratio:.2f} times the error of their mean{_within(law)}. Multiplied accordingly, "
            "it shows the error, on average over the image."
        )
    if found.verdict == "sensitivity":
        return f"The spread is not the error: it shows sensitivity to the noise added. {_why(law)}"
    return (
        f"Whether the spread of {count} plausible images is their error was not tested: "
        f"{_doubt(found)}."
    )


def _within(law: SpreadLaw) -> str:
    low, high = law.interval
    return f" (90 % interval {low:.2f} to {high:.2f})"


def _why(law: SpreadLaw) -> str:
    if not law.samples:
        return (
            'The recipe has whole updates, which do not sample: that takes update="reverse" and a '
            "filter that is told the noise of each step."
        )
    if LEAST <= law.ratio <= MOST:
        return (
            f"The mean of many seeds has a squared error {law.excess:.0%} above that of the first "
            "step, so the results are not drawn around the best estimate."
        )
    known = f"{law.ratio:.2f}" if not math.isnan(law.ratio) else f"more than {law.interval[0]:.2f}"
    more = " With more steps it may become larger." if law.ratio < LEAST else ""
    return f"It is {known} times the error of the mean of many seeds{_within(law)}.{more}"


def _doubt(found: SeedSpread) -> str:
    if found.measured:
        return (
            "too few pixels, or noise whose σ is not known well enough. Study a larger part, or "
            "give noise_sigma=… if you know it"
        )
    return "too few pixels, or too little error beside the noise. Study a larger part"


def _mean(found: SeedSpread) -> tuple[str, ...]:
    law, count = found.law, len(found.seeds)
    if not law.error > 0 or found.verdict == "not tested":
        return ()
    mean = math.sqrt(law.error + law.variance / count)
    return (
        f"The mean of {count} has an error of about {mean:.3g} (root mean square, intensity), a "
        f"single one of about {math.sqrt(law.error + law.variance):.3g}, the first step of "
        f"{_root(law.first):.3g}.",
    )


def _coverage(found: SeedSpread) -> tuple[str, ...]:
    if found.coverage is None:
        return ()
    return (
        f"The interval of 90 % from the spread holds {found.coverage:.1%} of the pixels of the "
        f"{found.coverage_of}.",
    )


def _root(square: float) -> float:
    return math.sqrt(square) if square > 0 else math.nan
