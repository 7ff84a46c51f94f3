"""Takes no more away from an image than noise can be."""

from __future__ import annotations

from napari_diffusion.engine.jit import kernel


@kernel
def limit(change, relative, most, window, line, start, stop, out):
    """Write changes, made smaller where their mean square in a window is above `most`.

    Parameters
    ----------
    change : (H, W)
        What was added to the image.
    relative : (H + window − 1, W + window − 1)
        The same in units of the noise of each pixel, with pixels around it.
    most : float
    window : int
        Pixels along each axis.
    line : (W + window − 1,)
        Written.
    start, stop : int
        The rows that are written.
    out : (H, W)
    """
    area = change.dtype.type(window * window)
    one = change.dtype.type(1)
    for i in range(start, stop):
        for x in range(line.size):
            line[x] = 0
        # Always the same sums, wherever a part of the image begins.
        for j in range(window):
            row = relative[i + j]
            for x in range(line.size):
                line[x] += row[x] * row[x]
        to, changes = out[i], change[i]
        for x in range(to.size):
            to[x] = 0
        for k in range(window):
            shifted = line[k:]
            for x in range(to.size):
                to[x] += shifted[x]
        for x in range(to.size):
            to[x] = changes[x] * min(one, most * area / to[x])
