"""The result of measuring a noise."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

from napari_diffusion.core.array_parameter import ArrayParameter
from napari_diffusion.estimate.finding import DESCRIBING, Finding, FindingName, serious
from napari_diffusion.estimate.findings_text import finding_text, warning_text
from napari_diffusion.estimate.measured_text import measured_text

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from napari_diffusion.noise import Noise

#: Kinds of noise.
Kind = Literal["none", "gaussian", "poisson", "poisson-gaussian", "correlated", "processed"]

# The part of the variance that may not be proportional to the intensity in Poisson noise.
_PROPORTIONAL = 0.15

_NOT_WHITE: tuple[FindingName, ...] = (
    "correlated",
    "sharpened",
    "compressed",
    "crooked",
    "uneven",
    "falling",
)


@dataclass(frozen=True)
class NoiseModel:
    """The noise of an image, as `noise_model` measures it.

    Attributes
    ----------
    sigma : float
        Standard deviation of the noise at the mean intensity, without row and column noise.
    level : float
        That mean intensity.
    gain : float
        Slope of the variance over the intensity: the intensity of one photon. 0 where the noise
        does not depend on the intensity, or where that cannot be measured.
    offset : float
        Intensity without any light: as given, or where the line of the variance reaches 0.
    read_noise : float
        Standard deviation of the noise without any light.
    row_noise, column_noise : float
        Standard deviation of the row noise, or the column noise; 0 where it cannot be
        distinguished from chance.
    levels, variances : tuple of float
        The mean–variance curve.
    frequencies, power : tuple of float
        The spectrum of the noise: cycles per pixel, and power relative to white noise of the same
        standard deviation.
    kernel : tuple of tuple of float
        The kernel of correlated noise; empty for white noise and where none was measured.
    findings : tuple of Finding
        What was found, by name and with its amount: see `Finding`; `finding_text` gives the words.
    gain_error : float
        Standard error of the gain.
    dark_variance_error : float
        Standard error of the variance at the offset.
    offset_is_known : bool
        Whether the offset was given; if not, read noise and offset cannot be told apart.
    """

    sigma: float
    level: float
    gain: float = 0.0
    offset: float = 0.0
    read_noise: float = 0.0
    row_noise: float = 0.0
    column_noise: float = 0.0
    levels: tuple[float, ...] = ()
    variances: tuple[float, ...] = ()
    frequencies: tuple[float, ...] = ()
    power: tuple[float, ...] = ()
    kernel: tuple[tuple[float, ...], ...] = field(default=(), repr=False)
    findings: tuple[Finding, ...] = ()
    gain_error: float = 0.0
    dark_variance_error: float = 0.0
    offset_is_known: bool = True

    @property
    def warnings(self) -> tuple[str, ...]:
        """What puts these parameters in doubt, one sentence each, the most serious first."""
        return tuple(warning_text(each) for each in serious(self.findings, DESCRIBING))

    @property
    def details(self) -> tuple[str, ...]:
        """All that was found, in full."""
        return tuple(finding_text(each) for each in self.findings)

    def finding(self, name: FindingName) -> Finding | None:
        """Return the finding of this name, None where there is none."""
        return next((found for found in self.findings if found.name == name), None)

    @property
    def kind(self) -> Kind:
        """Kind of the noise, apart from row and column noise.

        "none"; "processed": the image was compressed, sharpened or passed through a tone curve;
        "correlated" between neighbours, by the sensor or by smoothing; "poisson": its variance is
        proportional to the intensity; "poisson-gaussian": it grows with it; else "gaussian".
        """
        names = {found.name for found in self.findings}
        if names & {"compressed", "sharpened", "falling", "stretched"}:
            return "processed"
        if self.kernel or "correlated" in names:
            return "correlated"
        if self.sigma == 0:
            return "none"
        if self.gain == 0:
            return "gaussian"
        elsewhere = abs(self.sigma**2 - self.gain * self.level)
        return "poisson" if elsewhere <= _PROPORTIONAL * self.sigma**2 else "poisson-gaussian"

    @property
    def is_white(self) -> bool:
        """Whether the noise is credibly white and equally strong at all intensities."""
        return not self.kernel and not any(f.name in _NOT_WHITE for f in self.findings)

    @property
    def noise_scale(self) -> float:
        """Standard deviation at the mean intensity, with row and column noise."""
        return math.hypot(self.sigma, self.row_noise, self.column_noise)

    def in_words(self) -> str:
        """Return the measured parameters in one sentence."""
        parts = [f"σ = {self.sigma:.3g} at intensity {self.level:.3g}"]
        if self.gain > 0:
            parts += self.light_in_words()
        if self.row_noise > 0:
            parts.append(f"row noise {self.row_noise:.3g}")
        if self.column_noise > 0:
            parts.append(f"column noise {self.column_noise:.3g}")
        if self.kernel:
            parts.append("correlated between neighbours")
        return ", ".join(parts) + "."

    def light_in_words(self) -> list[str]:
        """Return gain, offset and read noise in words, with the digits that were measured."""
        words = [f"gain {measured_text(self.gain, self.gain_error)}"]
        if not self.offset_is_known:
            # Without read noise the line of the variance would reach 0 at the offset.
            zero = measured_text(self.offset, self.dark_variance_error / self.gain)
            where = f" (no variance at intensity {zero})" if self.offset and zero else ""
            return [*words, f"read noise not separable from the offset{where}"]
        words.append(f"offset {self.offset:.6g}")
        variance, error = self.read_noise**2, self.dark_variance_error
        if variance <= 2 * error:
            return [*words, "read noise too weak to measure"]
        halved = error / (2 * self.read_noise) if error else 0.0
        return [*words, f"read noise {measured_text(self.read_noise, halved)}"]

    def variance_at(self, intensity: ArrayLike) -> NDArray[np.float64]:
        """Return the variance of the noise at each intensity."""
        light = np.maximum(np.asarray(intensity, float) - self.offset, 0.0)
        return self.read_noise**2 + self.gain * light

    def noise(self) -> Noise:
        """Return the measured noise, for use with `noise_scale`; a sum with row or column noise."""
        from napari_diffusion.noise import Stripes, Sum

        components: list[Noise] = [_component(self)]
        weights = [self.sigma]
        stripes = (Stripes("rows"), self.row_noise), (Stripes("columns"), self.column_noise)
        for noise, strength in stripes:
            if strength > 0:
                components.append(noise)
                weights.append(strength)
        return Sum(tuple(components), tuple(weights)) if components[1:] else components[0]


def _component(model: NoiseModel) -> Noise:
    """Return the noise without row and column noise."""
    from napari_diffusion.noise import Correlated, Gaussian, Poisson, PoissonGaussian

    if model.gain == 0:
        return Correlated(kernel=ArrayParameter(model.kernel)) if model.kernel else Gaussian()
    # At this reference the noise scale is `sigma`, to the last digit.
    lit = model.level > max(model.offset, 0.0)
    reference: float | Literal["auto"] = model.level if lit else "auto"
    if model.read_noise == 0 and model.offset == 0:
        return Poisson(gain=model.gain, reference=reference)
    return PoissonGaussian(
        gain=model.gain, offset=model.offset, read_noise=model.read_noise, reference=reference
    )
