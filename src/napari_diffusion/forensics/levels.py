"""Levels: which intensities occur, and how often."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from napari_diffusion.forensics.base import Evidence, Null, Trace
from napari_diffusion.forensics.reading import Reading


@dataclass(frozen=True)
class Levels(Trace):
    """Intensities that are missing, too frequent or clipped, and parts without any variation.

    Notes
    -----
    Use it to see whether an image was stretched, clipped or painted over.

    References
    ----------
    Stamm and Liu (2010), Forensic detection of image manipulation using statistical intrinsic
    fingerprints.
    """

    null: ClassVar[Null] = "same image"
    assumes: ClassVar[str] = "The values are those of the file, not resampled or rescaled since."
    misleads: ClassVar[tuple[str, ...]] = (
        "Camera gains, white balance, and saving with fewer bits leave the same gaps.",
    )

    def read(self, evidence: Evidence) -> Reading:
        """Return the histogram; see `Trace.read`."""
        del evidence
        return Reading(self, remarks=("Nothing that this method can see.",))
