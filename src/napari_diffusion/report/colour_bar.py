"""The colour bar of an image."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ColourBar:
    """The palette of an image, and the numbers at its ends and in the middle."""

    diverging: bool
    labels: tuple[str, str, str]
