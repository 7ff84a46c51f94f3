"""What was found about the noise of an image, under a name that programs can rely on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

#: Names of findings.
FindingName = Literal[
    "clipped",
    "few photons",
    "rows",
    "columns",
    "correlated",
    "sharpened",
    "compressed",
    "crooked",
    "falling",
    "uneven",
    "alike",
    "texture",
    "rounded",
    "stretched",
    "moving",
    "few windows",
]

#: What the amount of a finding is measured in.
FindingUnit = Literal["share", "intensity", "ratio", "windows", ""]

#: Findings that describe the noise and do not put its measurement in doubt.
DESCRIBING: tuple[FindingName, ...] = ("rows", "columns", "uneven")

#: Findings that the noise was changed after it arose, and is stronger than it looks.
PROCESSED: tuple[FindingName, ...] = ("compressed", "correlated", "sharpened", "falling")

#: What processing, once it is found, explains too.
_ITS_TRACES: tuple[FindingName, ...] = (
    "stretched",
    "rounded",
    "texture",
    "crooked",
    "few windows",
)

#: Findings that speak against a measurement, the most serious first.
SERIOUS: tuple[FindingName, ...] = (
    *PROCESSED,
    "clipped",
    "few photons",
    "rounded",
    "moving",
    "stretched",
    "texture",
    "crooked",
    "rows",
    "columns",
    "alike",
    "few windows",
)

_UNITS: dict[FindingName, FindingUnit] = {
    "clipped": "share",
    "few photons": "share",
    "rows": "intensity",
    "columns": "intensity",
    "correlated": "ratio",
    "sharpened": "ratio",
    "crooked": "ratio",
    "uneven": "ratio",
    "texture": "ratio",
    "rounded": "intensity",
    "moving": "ratio",
    "few windows": "windows",
}


@dataclass(frozen=True)
class Finding:
    """One finding about the noise of an image; `finding_text` puts it into words.

    Attributes
    ----------
    name : str
        - "clipped": intensities were cut off; `amount` is the share of pixels at `values`.
        - "few photons": so many pixels are at the lowest of `values` that few photons came.
        - "rows", "columns": row or column noise of standard deviation `amount`.
        - "correlated", "sharpened": the noise is not white; `amount` is its power at the finest
          scale, relative to coarser ones: below 1, as after smoothing, resizing, compression or
          denoising, or above 1.
        - "compressed": a JPEG once, whose 8 × 8 blocks start at the row and column of `values`.
        - "crooked": the variance deviates from a line over the intensity by `amount`, relative.
        - "falling": the variance decreases with the intensity.
        - "uneven": the variances of bright and dark places differ by the factor `amount`.
        - "alike": the intensities are too similar to tell how the noise depends on them.
        - "texture": the calmest windows have `amount` times the energy of the noise.
        - "rounded": quantized in steps of `amount`, coarser than the noise.
        - "stretched": gray levels that are unevenly spaced.
        - "moving": variance of successive frames relative to that of distant ones.
        - "few windows": only `amount` windows tell whether the noise is white.
    amount : float
        How much of it, in `unit`; 0 where there is nothing to measure.
    values : tuple of float
        Intensities, or a position, as `name` says.
    underestimated : bool
        Whether the noise is stronger than it was measured.
    """

    name: FindingName
    amount: float = 0.0
    values: tuple[float, ...] = ()
    underestimated: bool = False

    @property
    def unit(self) -> FindingUnit:
        """Unit of `amount`: "share" of the pixels, "intensity", "ratio", "windows" or none."""
        return _UNITS.get(self.name, "")


def serious(findings: Iterable[Finding], explained: Collection[FindingName]) -> tuple[Finding, ...]:
    """Return what speaks against a measurement, the most serious first.

    One cause stands for all traces of processing.

    Parameters
    ----------
    findings : iterable of Finding
        All that was found.
    explained : collection of str
        Names of findings that say nothing against it here.
    """
    found = {each.name: each for each in findings}
    if "uneven" not in found:
        found.pop("falling", None)
    cause = next((name for name in PROCESSED if name in found), None)
    apart = {*explained, *(PROCESSED if cause else ()), *(_ITS_TRACES if cause else ())} - {cause}
    return tuple(found[name] for name in SERIOUS if name in found and name not in apart)
