"""What a filter takes away from an image: no more than noise can be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.engine.threads import Threads

#: Pixels of a window along each axis, and the most that is taken away in it on average, in units of
#: the noise's variance. White noise has more in one of 10⁴ windows.
WINDOW, MOST = 13, 1.5

# How far a result depends on what was taken away.
REACH = WINDOW // 2


def limited(
    change: NDArray[Any], threads: Threads, shares: NDArray[Any] | None = None
) -> NDArray[Any]:
    """Return what a filter adds to a plane, made smaller where noise cannot explain it.

    A change that is noise and something else, of which the first has the variance 1, comes closest
    to the noise alone when it is divided by its own mean square. So is one above `MOST`.

    Parameters
    ----------
    change : ndarray, shape (H, W)
        In units of the strongest noise.
    threads : Threads
        Share the rows.
    shares : ndarray, shape (H, W), optional
        The noise of each pixel over the strongest, where it differs between pixels.
    """
    from napari_diffusion.filters.learned.removed_noise_kernels import limit

    relative = change if shares is None else change / shares
    relative = np.pad(relative, REACH, "symmetric")
    out = np.empty_like(change)
    most = change.dtype.type(MOST)

    def work(start: int, stop: int) -> None:
        line = np.empty(relative.shape[1], change.dtype)
        limit(change, relative, most, WINDOW, line, start, stop, out)

    threads.each(work, threads.bands(*change.shape))
    return out
