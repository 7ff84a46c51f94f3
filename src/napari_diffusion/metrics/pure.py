"""Expected squared error under photon noise, without the ground truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from napari_diffusion.metrics.base import Knowledge, Metric, Probe, View
from napari_diffusion.metrics.statistics.risk_estimate import expected_error


@dataclass(frozen=True)
class Pure(Metric):
    """Expected squared error relative to the source, for photon noise.

    ``mean (y − u)² − 2 mean V(y) + 2 mean V(y)·b·(u(y + εb) − u(y)) / ε`` with the source y, the
    image u of the step, a random b of ±1 and the variance of the noise, ``V(y) = gain · (y −
    offset) + read_noise²``, as `estimate.noise_model` measures it. It is the expected mean of (u −
    ground truth)² minus that of the source: the estimate for Poisson noise without read noise, and
    for Poisson–Gaussian noise with it, both to first order in the gain.

    Notes
    -----
    Use it to choose a step where the noise is photon noise, as from a camera: `Sure` with a single
    σ smooths dark parts too much and bright parts too little. Only differences between its values
    are meaningful. Not below about five photons per pixel, where the neglected second order
    matters. Not for correlated noise.

    References
    ----------
    Luisier, Blu and Unser (2011), Image denoising in mixed Poisson–Gaussian noise. Le Montagner,
    Angelini and Olivo-Marin (2014), An unbiased risk estimator for image denoising in the presence
    of mixed Poisson–Gaussian noise.
    """

    display_name: ClassVar[str] = "PURE"
    unit: ClassVar[str] = "intensity²"
    better: ClassVar[Literal["lower", "higher", ""]] = "lower"
    probe: ClassVar[Probe] = "perturbed"
    needs_noise: ClassVar[Knowledge] = "model"

    def value(self, view: View) -> float:
        """Return the expected squared error minus that of the source; NaN for unknown noise."""
        if not view.models:
            return float("nan")
        noise = [(model.read_noise**2, model.gain, model.offset) for model in view.models]
        return expected_error(view, noise)

    def doubt(self, view: View) -> str:
        """Return why the noise is not photon noise, or nothing."""
        if not view.models:
            return "The image is too small to measure how its noise depends on the intensity."
        kinds = {model.kind for model in view.models}
        if kinds & {"correlated", "processed"}:
            return "The noise is not independent from pixel to pixel."
        if not kinds & {"poisson", "poisson-gaussian"}:
            return "The noise does not grow with the intensity."
        return ""
