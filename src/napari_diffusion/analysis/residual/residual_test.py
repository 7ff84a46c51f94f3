"""The test of a residual against those of null runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.analysis.residual.local_statistics import (
    DETAIL,
    Removal,
    statistics,
    white_gain,
)
from napari_diffusion.analysis.residual.noise_fit import noise_fit
from napari_diffusion.analysis.residual.null_runs import centred
from napari_diffusion.analysis.residual.result import RemovedStructure
from napari_diffusion.analysis.residual.score import Score, score
from napari_diffusion.core.grid import CANONICAL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_diffusion.analysis.residual.windows import Windows
    from napari_diffusion.analysis.study import Study


@dataclass(frozen=True, eq=False)
class ResidualTest:
    """What runs of a recipe made, canonical, of the studied part.

    Attributes
    ----------
    study : Study
        The source, the recipe and the noise.
    windows : Windows
        What statistics average over.
    result : ndarray
        Of the source.
    freedom : ndarray
        Degrees of freedom per pixel.
    runs : sequence of (residual, result)
        Of the null runs.
    """

    study: Study
    windows: Windows
    result: NDArray[Any]
    freedom: NDArray[Any]
    runs: Sequence[tuple[NDArray[Any], NDArray[Any]]]

    def at(self, rate: float) -> RemovedStructure:
        """Return the result of the test for a false-alarm rate per image."""
        study, windows = self.study, self.windows
        observed = self._removal(study.run.source - self.result, self.result)
        residuals = centred(np.stack([residual for residual, _ in self.runs]))
        nulls = [
            self._removal(residual, result)
            for residual, (_, result) in zip(residuals, self.runs, strict=True)
        ]
        found = score(observed, nulls, statistics(windows, self.result.shape), windows)
        threshold = found.threshold(rate)
        deviation = self._deviation()
        alarm = study.in_axes(windows.kept(found.values).astype(self.result.dtype))
        detail = study.in_axes(self._removed_detail(observed, nulls))
        place = np.unravel_index(int(np.argmax(alarm)), alarm.shape)
        return RemovedStructure(
            recipe=study.recipe,
            step=study.step,
            removed=found.largest > threshold,
            statistic=found.largest,
            threshold=threshold,
            false_alarm_rate=rate,
            null_maxima=found.null_maxima,
            peak=self._in_source(place),
            detail_at_peak=float(detail[place]),
            alarm=alarm,
            where=alarm > threshold,
            share=self._mean(found.values > threshold),
            scores={part.statistic.name: part.largest for part in found.parts},
            seen=self._seen(found, threshold, observed),
            correlation=study.in_axes(self._beside(observed)),
            with_result=study.in_axes(observed.with_detail(DETAIL[-1])),
            removed_detail=detail,
            removed_deviation=study.in_axes(deviation),
            degrees_of_freedom=study.in_axes(self.freedom),
            residual_deviation=float(np.sqrt(self._mean(np.square(deviation)))),
            mean_degrees_of_freedom=self._mean(self.freedom),
            noise_sigma=study.noise.sigma,
            noise_fit=noise_fit(study.noise, observed, nulls, self.freedom),
            tile=windows.side,
        )

    @property
    def _units(self) -> NDArray[Any]:
        """The noise σ of each channel, canonical; 1 where there is none."""
        sigmas = np.broadcast_to(self.study.noise.sigma, self.result.shape[1:2])
        units = np.where(sigmas > 0, sigmas, 1.0).reshape(1, -1, 1, 1, 1)
        return np.asarray(units, self.result.dtype)

    def _removal(self, residual: NDArray[Any], result: NDArray[Any]) -> Removal:
        """Return a residual and a result in multiples of the noise σ."""
        units = self._units
        return Removal(self.windows.kept(residual) / units, result / units, self.windows)

    def _removed_detail(self, observed: Removal, nulls: Sequence[Removal]) -> NDArray[Any]:
        """Return the part of the excess in the residual that is along the detail of the result.

        ``⟨r v⟩ / √⟨v²⟩`` of the residual r and the detail v, minus that of noise: no more than the
        root mean square of what was removed, by the inequality of Cauchy and Schwarz.
        """
        scale = DETAIL[-1]
        usual = np.mean([each.along_detail(scale) for each in nulls], axis=0)
        excess = observed.along_detail(scale) - usual
        strength = np.sqrt(self.windows.mean(np.square(observed.detail(scale))))
        found = np.zeros_like(excess)
        np.divide(np.maximum(excess, 0), strength, out=found, where=strength > 1e-3)
        units = self._units
        if self.windows.colours:
            units = np.sqrt(np.mean(np.square(units), axis=1, keepdims=True) / self._colours())
        return self.windows.kept(found * units)

    def _deviation(self) -> NDArray[Any]:
        """Return the root mean square of the residual, over colours too."""
        residual = self.study.run.source - self.result
        return np.sqrt(self.windows.mean(np.square(residual)) / self._colours())

    def _colours(self) -> int:
        return int(self.result.shape[1]) if self.windows.colours else 1

    def _beside(self, observed: Removal) -> NDArray[Any]:
        found = np.zeros_like(observed.energy)
        axes = [axis for axis in self.windows.axes if self.result.shape[axis] > 1]
        for axis in axes:
            found += observed.beside(axis) / len(axes)
        return found

    def _mean(self, values: NDArray[Any]) -> float:
        inside = self.windows.inside
        return float(np.mean(values if inside is None else values[inside]))

    def _in_source(self, place: Sequence[np.integer]) -> tuple[int, ...]:
        """Return a position in the maps as one in the whole source."""
        grid, core = self.study.grid, self.study.run.core
        axes = [axis for axis in grid.axes if axis != "c" or not grid.rgb]
        starts = [core[CANONICAL.index(axis)].start for axis in axes]
        return tuple(int(a + b) for a, b in zip(place, starts, strict=True))

    def _seen(
        self, found: Score, threshold: float, observed: Removal
    ) -> tuple[tuple[float, float], ...]:
        """Return radius and contrast of spots whose peak in the residual is at the threshold.

        A Gaussian smoothed by one of its own size keeps 2^(−n/2) of its height in n axes.
        """
        n = len(self.windows.axes)
        energy = self._mean(observed.energy) / self._colours()
        pairs = []
        for part in found.parts:
            radius = part.statistic.radius
            if radius:
                height = part.usual + threshold * part.per_score
                contrast = height * np.sqrt(white_gain(radius, n) * energy * 2**n)
                pairs.append((radius, float(contrast)))
        return tuple(pairs)
