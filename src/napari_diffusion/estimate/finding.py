"""What was noticed about the noise of an image, under a name that programs can rely on."""

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

#: Findings that describe the noise and take nothing from the numbers.
DESCRIBING: tuple[FindingName, ...] = ("rows", "columns", "uneven")


@dataclass(frozen=True)
class Finding:
    """One thing that was noticed about the noise of an image.

    Attributes
    ----------
    name : str
        "clipped": values were cut off. "few photons": the darkest pixels have none. "rows",
        "columns": they have a noise of their own. "correlated": weaker at the finest scale than
        white noise, as after smoothing, resizing, compression or denoising. "sharpened": stronger
        there. "compressed": the 8 × 8 blocks of JPEG show. "crooked": the variance follows no
        line over the intensity. "falling": it falls. "uneven": bright and dark places differ in
        their noise by more than half. "alike": the intensities are too much alike to tell.
        "texture": texture may have been taken for noise. "rounded": coarser than the noise.
        "stretched": values at uneven distances. "moving": repeated frames are not the same scene.
        "few windows": not enough to tell whether the noise is white.
    sentence : str
        The finding in words.
    amount : float
        How much of it: the share of pixels that were cut off, σ of the rows, the power at the
        finest scale by that at coarser ones, …; 0 where there is no number.
    """

    name: FindingName
    sentence: str
    amount: float = 0.0
