"""Whether the noise that null runs draw is like that of the source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_diffusion.analysis.residual.local_statistics import Removal
    from napari_diffusion.analysis.residual.windows import Windows
    from napari_diffusion.analysis.study import Study

# The share of the windows that is calmest, and how far its energy may be from that of null runs.
_CALM, _UNLIKE = 0.2, 1.25

# Correlation of neighbours in calm windows, minus that of null runs, that noise does not have.
_ALIKE = 0.1


@dataclass(frozen=True)
class NoiseFit:
    """Whether the fresh noise is like that of the source.

    Attributes
    ----------
    energy : float
        Energy of the residual in its calmest windows, over that of the null runs there.
    beside : float
        Correlation of neighbouring residuals in the same windows, minus that of the null runs.
    doubts : tuple of str
        What puts the noise model in doubt, in sentences; empty if nothing does.
    """

    energy: float
    beside: float
    doubts: tuple[str, ...]

    @property
    def fits(self) -> bool:
        """Whether nothing puts the noise model in doubt."""
        return not self.doubts


def noise_fit(
    study: Study, observed: Removal, nulls: Sequence[Removal], windows: Windows
) -> NoiseFit:
    """Compare the residual with those of null runs where it is calmest."""
    inside = windows.inside
    flat: NDArray[Any] = observed.energy.ravel() if inside is None else observed.energy[inside]
    calm = observed.energy <= np.quantile(flat, _CALM)
    if inside is not None:
        calm &= inside
    energy = float(observed.energy[calm].mean() / np.mean([n.energy[calm].mean() for n in nulls]))
    axes = [axis for axis in windows.axes if observed.residual.shape[axis] > 1]
    beside = [
        float(observed.beside(axis)[calm].mean() - np.mean([n.beside(axis)[calm].mean()
              for n in nulls]))
        for axis in axes
    ]  # fmt: skip
    most = max(beside, default=0.0)
    return NoiseFit(energy, most, tuple(_doubts(study, energy, most)))


def _doubts(study: Study, energy: float, beside: float) -> list[str]:
    found = []
    models = study.noise.models if study.noise.given is None else ()
    if any(model.kind == "processed" for model in models):
        found.append("The image was compressed, sharpened or passed through a tone curve.")
    if not 1 / _UNLIKE <= energy <= _UNLIKE:
        found.append(
            f"Where the residual is calmest its variance is {energy:.2f} times that of the "
            "measured noise."
        )
    if beside > _ALIKE:
        found.append("Even where the residual is calmest its neighbours are correlated.")
    return found
