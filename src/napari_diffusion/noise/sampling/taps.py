"""Sums of weighted neighbours, each product and sum rounded by itself."""

from __future__ import annotations

from typing import Any

from numba import njit

from napari_diffusion.engine.jit import exact_kernel

# Columns worked on at a time: the target stays in the L1 cache while all weights run over it.
COLUMNS = 2048


@njit(forceinline=True)
def _start(out: Any, weight: Any, source: Any) -> None:
    for i in range(out.size):
        out[i] = weight * source[i]


@njit(forceinline=True)
def _add(out: Any, weight: Any, source: Any) -> None:
    for i in range(out.size):
        out[i] += weight * source[i]


@njit(forceinline=True)
def _add_four(out: Any, weights: Any, k: Any, a: Any, b: Any, c: Any, d: Any) -> None:
    """Add four products one after the other, as `_add` does, in one turn of the memory."""
    wa, wb, wc, wd = weights[k], weights[k + 1], weights[k + 2], weights[k + 3]
    for i in range(out.size):
        out[i] = (((out[i] + wa * a[i]) + wb * b[i]) + wc * c[i]) + wd * d[i]


@exact_kernel
def add_taps(
    field: Any,
    out: Any,
    first: Any,
    rows: Any,
    columns: Any,
    weights: Any,
    start: Any,
    stop: Any,
) -> None:
    """Write ``Σ_k weights[k] · field[first[row] + rows[k], x + columns[k]]`` to some rows of `out`.

    Parameters
    ----------
    field, out : ndarray of float32, 2D
        Rows of two blocks.
    first : ndarray of int64
        For each row of `out`, the row of `field` at which it begins.
    rows, columns : ndarray of int64
        How many rows and columns further each neighbour lies.
    weights : ndarray of float32
    start, stop : int
        Half-open range of the rows written.
    """
    width = out.shape[1]
    for row in range(start, stop):
        for left in range(0, width, COLUMNS):
            right = min(left + COLUMNS, width)
            target = out[row, left:right]
            n, base = right - left, first[row]
            x0 = left + columns[0]
            _start(target, weights[0], field[base + rows[0], x0 : x0 + n])
            k = 1
            while k + 4 <= weights.size:
                x0, x1 = left + columns[k], left + columns[k + 1]
                x2, x3 = left + columns[k + 2], left + columns[k + 3]
                _add_four(
                    target,
                    weights,
                    k,
                    field[base + rows[k], x0 : x0 + n],
                    field[base + rows[k + 1], x1 : x1 + n],
                    field[base + rows[k + 2], x2 : x2 + n],
                    field[base + rows[k + 3], x3 : x3 + n],
                )
                k += 4
            while k < weights.size:
                x0 = left + columns[k]
                _add(target, weights[k], field[base + rows[k], x0 : x0 + n])
                k += 1
