"""Whether the noise that null runs draw is like that of the source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_diffusion.analysis.source_noise import SourceNoise
from napari_diffusion.estimate.finding import DESCRIBING, serious
from napari_diffusion.estimate.findings_text import warning_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from napari_diffusion.analysis.residual.local_statistics import Removal

# Where fewer degrees of freedom are left, the residual is nearly all of the noise; so many pixels
# of that kind are enough to compare it.
_SMOOTHED, _PIXELS = 0.3, 1000

# How far a residual may fall below the null runs, and a given σ below or above the measured one.
# Structure makes the measured σ too large, never too small.
_WEAK, _TOO_LARGE, _TOO_SMALL = 0.8, 1.25, 0.6


@dataclass(frozen=True)
class NoiseFit:
    """Whether the fresh noise is like that of the source.

    Attributes
    ----------
    doubts : tuple of str
        What puts the noise of the null runs in doubt, in sentences; empty if nothing does.
    """

    doubts: tuple[str, ...]

    @property
    def fits(self) -> bool:
        """Whether nothing puts the noise in doubt."""
        return not self.doubts


def noise_fit(
    noise: SourceNoise, observed: Removal, nulls: Sequence[Removal], freedom: NDArray[np.floating]
) -> NoiseFit:
    """Compare the noise of null runs with the source, and residuals where little else is left.

    Parameters
    ----------
    noise : SourceNoise
        What null runs draw.
    observed, nulls : Removal
        Of the source and of the null runs.
    freedom : ndarray
        Degrees of freedom per pixel.
    """
    found = [*_measured(noise), *_given(noise)]
    inside = observed.windows.inside
    smooth = freedom < _SMOOTHED if inside is None else (freedom < _SMOOTHED) & inside
    if np.count_nonzero(smooth) >= _PIXELS:
        usual = np.mean([each.energy for each in nulls], axis=0)
        ratio = float(np.median(observed.energy[smooth] / usual[smooth]))
        if ratio < _WEAK:
            found.append(
                f"Where the recipe smooths most, the residual has {ratio:.2f} times the variance "
                "of the null runs."
            )
    return NoiseFit(tuple(dict.fromkeys(found)))


def _measured(noise: SourceNoise) -> Iterator[str]:
    """Yield what speaks against a measured noise."""
    if noise.given is None:
        for model in noise.models:
            # Noise that hardly depends on the intensity need not be known better.
            for each in serious(model.findings, {*DESCRIBING, "alike"}):
                yield warning_text(each)


def _given(noise: SourceNoise) -> Iterator[str]:
    """Yield how a given σ differs from what is measured."""
    if noise.given is None:
        return
    measured = SourceNoise(noise.image)
    pairs = zip(np.broadcast_to(noise.given, len(measured.models)), measured.models, strict=True)
    for sigma, model in pairs:
        if not _TOO_SMALL * model.sigma <= sigma <= _TOO_LARGE * model.sigma:
            yield f"The given σ is {sigma:.3g}, and {model.sigma:.3g} was measured."
        elif not model.is_white:
            yield (
                "The σ was given, for which white noise is drawn, but the noise is not white, or "
                "not equally strong at all intensities: leave out noise_sigma, or give noise_model."
            )
