"""Error of the prediction of hidden pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from napari_diffusion.metrics.base import Metric, View


@dataclass(frozen=True)
class JInvariance(Metric):
    """Squared error of the prediction of hidden pixels.

    ``mean over hidden pixels of (y − u(y without them))²``: some pixels on a lattice are replaced
    by the mean of their neighbours before the run. For noise that is independent from pixel to
    pixel this is the true error plus the variance of the noise.

    Notes
    -----
    Use it where the noise is independent but its strength is unknown or non-uniform. It evaluates
    the filter without access to the pixel itself, and so stops too late for filters that keep much
    of that pixel. Not for correlated noise.

    References
    ----------
    Batson and Royer (2019), Noise2Self: Blind denoising by self-supervision.
    """

    display_name: ClassVar[str] = "J-invariance"
    unit: ClassVar[str] = "intensity²"
    better: ClassVar[Literal["lower", "higher", ""]] = "lower"
    probe: ClassVar[Literal["", "perturbed", "masked"]] = "masked"

    def value(self, view: View) -> float:
        """Return the mean squared error at the hidden pixels."""
        assert view.probed is not None
        assert view.probe is not None
        hidden = view.probe if view.mask is None else view.probe & view.mask
        error = view.probed[hidden].astype(np.float64) - view.source[hidden]
        return float(np.mean(np.square(error))) if error.size else float("nan")
