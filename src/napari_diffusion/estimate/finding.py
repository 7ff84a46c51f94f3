"""What was found about the noise of an image, under a name that programs can rely on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

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
