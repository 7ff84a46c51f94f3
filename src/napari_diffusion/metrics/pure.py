"""The expected squared error under photon noise, without the ground truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from napari_diffusion.metrics.base import Knowledge, Metric, Probe, View
from napari_diffusion.metrics.statistics.risk_estimate import expected_error


@dataclass(frozen=True)
class Pure(Metric):
    """Expected squared error relative to the source, for noise that grows with the intensity.

    ``mean (y − u)² − 2 mean V(y) + 2 mean V(y)·b·(u(y + εb) − u(y)) / ε`` with the source y, the
    image u of the step, a random b of ±1 and the variance of the noise,
    ``V(y) = gain · (y − offset) + read_noise²``, as `estimate.noise_model` measures it. It is the
    expected mean of (u − truth)² less that of the source. Without read noise this is the estimate
    for Poisson noise, with it that for Poisson–Gaussian noise, both to first order in the gain.

    Notes
    -----
    Use it to choose a step where the noise is that of photons, as a camera has it: `Sure` with one
    σ smooths the dark places too much and the bright ones too little. Only its differences mean
    something. Not where a photon or two decide, below some five a pixel: there the second order,
    which is left out, counts. Not for correlated noise.

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
        """Return the expected squared error less that of the source; NaN for unknown noise."""
        if not view.models:
            return float("nan")
        noise = [(model.read_noise**2, model.gain, model.offset) for model in view.models]
        return expected_error(view, noise)

    def doubt(self, view: View) -> str:
        """Refuse to vote where the noise is not that of photons."""
        if not view.models:
            return "The image is too small to measure how its noise depends on the intensity."
        kinds = {model.kind for model in view.models}
        if kinds & {"correlated", "processed"}:
            return "The noise is not independent from pixel to pixel."
        if not kinds & {"poisson", "poisson-gaussian"}:
            return "The noise does not grow with the intensity."
        return ""
