"""The diffusion time of an image without a reference, from a model of its power spectrum."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_diffusion.forensics.diffusion_time.tiles import Tiles

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Starts of the search, and its bounds: time, logarithm of the scale, slope, logarithm of the noise.
_STARTS = (0.2, 1.5)
_BOUNDS = ([0.0, -30.0, 1.0, -30.0], [12.0, 40.0, 4.5, 40.0])


def time_alone(plane: NDArray[np.float64], unit: float) -> float:
    """Return t of ``(A λ^(−a/2) + N) exp(−2 t λ) + Q`` in pixels²; NaN where too little is seen.

    Before diffusion, the power is assumed to be a power law and white noise; Q is of rounding.
    """
    from scipy import optimize

    tiles = Tiles(size=32, rings=15)
    chosen = tiles.chosen(plane, unit)
    if len(chosen) < 12:
        return float("nan")
    found = tiles.spectra(plane, chosen, unit)[0].mean(0) - 2 * np.log(unit)
    rates = tiles.weights()[1]

    def misfit(x: NDArray[np.float64]) -> NDArray[np.float64]:
        scene = np.exp(x[1] - 0.5 * x[2] * np.log(rates)) + np.exp(x[3])
        # Once for rounding, and once for the floor of the spectra.
        return np.asarray(np.log(scene * np.exp(-2 * x[0] * rates) + 1 / 6) - found)

    noise = float(np.clip(found[-1] + 1, -8.0, 12.0))
    starts = ([t, float(found[0]), 2.5, noise] for t in _STARTS)
    fits = [
        optimize.least_squares(misfit, x, bounds=_BOUNDS, loss="soft_l1", f_scale=0.1)
        for x in starts
    ]
    return float(min(fits, key=lambda fit: fit.cost).x[0])
