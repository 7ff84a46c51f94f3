"""How much of every pixel's own value is left in the result: the local divergence of a recipe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.engine.perturbation import perturbed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.analysis.residual.windows import Windows
    from napari_diffusion.analysis.study import Study


def degrees_of_freedom(study: Study, result: NDArray[Any], windows: Windows) -> NDArray[Any]:
    """Return the effective degrees of freedom per pixel, as a mean over windows.

    ``⟨p · (f(y + p) − f(y))⟩ / ⟨p²⟩`` with the source y and a small random change p: 1 where
    nothing is smoothed, 0 where all is averaged.

    Parameters
    ----------
    study : Study
        The recipe and the source.
    result : ndarray
        f(y) of the studied part, canonical.
    windows : Windows
        What is averaged over.

    References
    ----------
    Efron (2004), The estimation of prediction error: covariance penalties and cross-validation.
    Ramani, Blu and Unser (2008), Monte-Carlo SURE.
    """
    changed, change = perturbed(study.image, np.asarray(study.noise.sigma))
    change = change[study.run.core]
    answer = study.result(changed) - result
    sizes = windows.mean(np.square(change))
    found = windows.mean(change * answer)
    return np.divide(found, sizes, out=np.zeros_like(found), where=sizes > 0)
