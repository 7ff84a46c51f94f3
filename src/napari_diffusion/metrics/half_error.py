"""The error beside another picture of the same thing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from napari_diffusion.metrics._base import Metric, Moments, View


@dataclass(frozen=True)
class HalfError(Metric):
    """Squared error of a step of one half beside the raw other half.

    ``½ mean (u₁ − y₂)² + ½ mean (u₂ − y₁)²`` of two independent pictures y₁ and y₂ of the same
    thing, which may be the odd and the even frames, and what the step made of them, u₁ and u₂. As
    the noise of one half knows nothing of the other, this is the true error plus the variance of
    the noise, a constant.

    Notes
    -----
    Use it wherever the same thing was recorded twice: the noise may be correlated, uneven or
    unknown. Where the halves are frames, the error is that of a half. Not where the thing moved,
    bleached or was shifted between the two: all of that counts as noise, and the step chosen is too
    early; nor for halves that were interpolated from one picture.

    References
    ----------
    Lehtinen and others (2018), Noise2Noise: Learning image restoration without clean data.
    """

    unit: ClassVar[str] = "intensity²"
    better: ClassVar[Literal["lower", "higher", ""]] = "lower"
    needs_halves: ClassVar[bool] = True

    def value(self, view: View) -> float:
        """Return the mean over both directions."""
        assert view.halves is not None
        one, other = view.halves
        there = Moments.of(one, one.image, other.source)
        back = Moments.of(one, other.image, one.source)
        return 0.5 * (there.mean_square + back.mean_square)

    def doubt(self, view: View) -> str:
        """Refuse to vote where both halves are one picture."""
        assert view.halves is not None
        one, other = view.halves
        if np.array_equal(one.source, other.source):
            return "Both halves are the same picture."
        return ""
