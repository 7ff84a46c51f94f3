"""Sums of weighted neighbours, each product and sum rounded by itself."""

from __future__ import annotations

from typing import Any

from numba import njit

from napari_diffusion.compiled import exact_kernel

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
            for k in range(weights.size):
                at, shift = first[row] + rows[k], columns[k]
                source = field[at, left + shift : right + shift]
                if k == 0:
                    _start(target, weights[k], source)
                else:
                    _add(target, weights[k], source)
