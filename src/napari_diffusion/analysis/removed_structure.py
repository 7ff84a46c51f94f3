"""What was taken away: whether a residual holds structure, where, and how much was smoothed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

import numpy as np

from napari_diffusion.analysis.residual.degrees_of_freedom import degrees_of_freedom
from napari_diffusion.analysis.residual.null_runs import null_runs
from napari_diffusion.analysis.residual.residual_test import ResidualTest
from napari_diffusion.analysis.residual.windows import WINDOW_PIXELS, Windows
from napari_diffusion.analysis.study import Study
from napari_diffusion.core.whole_number import checked_whole
from napari_diffusion.engine.threads import Threads

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from napari_diffusion.analysis.residual.result import RemovedStructure
    from napari_diffusion.analysis.source_noise import Sigma
    from napari_diffusion.analysis.study import Progress
    from napari_diffusion.core.grid import GridOptions
    from napari_diffusion.core.image import Image
    from napari_diffusion.engine.threads import StopToken
    from napari_diffusion.estimate import NoiseModel
    from napari_diffusion.filters import Filter
    from napari_diffusion.loop.recipe import Recipe

# With the run on the source and the one on the changed source these are 12 runs of the recipe.
NULLS = 10


def removed_structure(
    image: ArrayLike | Image,
    recipe: Recipe | Filter,
    *,
    false_alarm_rate: float = 0.05,
    tile: int | None = None,
    nulls: int = NULLS,
    step: int | None = None,
    noise_sigma: Sigma | None = None,
    noise_model: NoiseModel | None = None,
    region: tuple[slice, ...] | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    stop: StopToken | None = None,
    **options: Unpack[GridOptions],
) -> RemovedStructure:
    """Test whether a step removed structure with the noise, and show where and how much.

    The residual ``r = y − u`` of the source y and the step u is compared with those of null runs,
    ``rₖ = u + nₖ − f(u + nₖ)``: the same recipe f, resolved once on y, on u plus fresh noise nₖ,
    minus their mean over k. There only noise was removed, yet their residual is neither white nor
    uncorrelated with the result. The statistics are the correlation of the residual with itself
    one pixel further and with the detail of the result, the energy of the smoothed residual, in
    windows, and its peaks. Each is standardised by mean and spread of the null runs at each pixel;
    the largest at a pixel is its score.

    Parameters
    ----------
    image, recipe, region, stop, **options
        As for `steps`.
    false_alarm_rate : float, optional
        How often an image of which only noise was removed gives an alarm, 0.001 to 0.5.
    tile : int, optional
        Size of the windows in pixels along each axis that diffuses, 3 or more. Default: 32 in a
        plane and 10 in a volume. Smaller windows show more detail and find only stronger
        structure.
    nulls : int, optional
        Number of null runs, 4 or more. More of them lower the threshold a little.
    step : int, optional
        Index of the step. Default: the last one.
    noise_sigma, noise_model : optional
        The noise of the image, if known; measured by default.
    seed : int, optional
        Selects the fresh noise.
    progress : callable, optional
        Takes how many runs of the recipe are done, and how many there are.

    Returns
    -------
    RemovedStructure
        The alarm, its score and threshold, and maps.

    Raises
    ------
    ValueError
        Without noise, and for parameters out of range.

    Examples
    --------
    >>> import numpy as np, napari_diffusion as nd
    >>> rng = np.random.default_rng(0)
    >>> stripes = 3.0 * np.sin(np.arange(96))[:, None] + np.zeros(96)
    >>> noisy = (stripes + rng.normal(size=(96, 96))).astype("float32")
    >>> found = nd.analysis.removed_structure(noisy, nd.filters.Heat(time=4.0), noise_sigma=1.0)
    >>> found.removed
    True
    """
    _check(false_alarm_rate, tile, nulls, seed)
    study = Study.of(image, recipe, options, step=step, noise_sigma=noise_sigma,
                     noise_model=noise_model, region=region, stop=stop)  # fmt: skip
    if not np.any(study.noise.sigma):
        raise ValueError("No noise was found in this image: give noise_sigma=… if you know it.")
    windows = _windows(study, tile)
    total = nulls + 2

    def done(count: int) -> None:
        if progress is not None:
            progress(count, total)

    result = study.result(study.image.data)
    done(1)
    freedom = degrees_of_freedom(study, result, windows)
    done(2)
    runs = []
    for run in null_runs(study, result, nulls, seed):
        runs.append(run)
        done(2 + len(runs))
    return ResidualTest(study, windows, result, freedom, runs).at(false_alarm_rate)


def _check(rate: float, tile: int | None, nulls: int, seed: int) -> None:
    if not 0.001 <= rate <= 0.5:
        raise ValueError(f"false_alarm_rate must be 0.001 to 0.5 (got {rate!r}).")
    for name, value, low in ("tile", tile, 3), ("nulls", nulls, 4), ("seed", seed, 0):
        checked_whole(name, value, low)


def _windows(study: Study, tile: int | None) -> Windows:
    grid, mask = study.grid, study.image.mask
    side = tile or round(WINDOW_PIXELS ** (1 / len(grid.along)))
    core = study.run.core
    inside = None if mask is None else np.ascontiguousarray(mask[core])
    if inside is not None and not inside.any():
        raise ValueError("The mask excludes all pixels of the studied part: enlarge one of them.")
    return Windows(side, grid.along_axes, inside, grid.rgb, Threads(stop=study.run.stop))
