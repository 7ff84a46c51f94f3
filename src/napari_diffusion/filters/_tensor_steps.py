"""A sub-step of tensor-driven diffusion: the structure tensors, and the exchange they bring."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.filters import _exchange, _smooth, _stencil, _structure_tensor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_diffusion.drive import Drive
    from napari_diffusion.filters._frame import Frame

# Samples whose stencils stand in the nearest caches at a time.
_PIECE = 4096

# Bands of fewer samples are not worth another thread.
_SMALLEST_BAND = 1 << 15

NO_MASK = np.ones(1, np.bool_)


def structure(
    u: NDArray[Any],
    frame: Frame,
    inside: NDArray[np.bool_] | None,
    contrasts: Sequence[float],
    sigmas: tuple[float, float],
    joint: bool,
    drive: Drive,
) -> NDArray[Any]:
    """Return structure tensors (components, G, site rows, X), relative to the contrast squared.

    Parameters
    ----------
    u : ndarray
        The state, laid out.
    frame : Frame
        The layout.
    inside : ndarray of bool or None
        The mask, laid out.
    contrasts : sequence of float
        One per channel.
    sigmas : (float, float)
        World widths of the smoothing before gradients are taken, and of their products.
    joint : bool
        Whether the channels are added; else G is their number.
    drive : Drive
        Shares rows among threads.
    """
    t, c, z, y, x = u.shape
    groups = 1 if joint else c
    guide = u
    if sigmas[0] > 0:
        guide = _smooth.smoothed_inside(u, inside, _variances(frame, sigmas[0], 0), drive)
    mask = NO_MASK.reshape(1, 1, 1, 1, 1) if inside is None else inside
    shortest = min(frame.lengths)
    with np.errstate(over="ignore"):
        steepness = np.minimum(1.0 / (shortest * np.array(contrasts)), np.finfo(np.float64).max)
    components = 3 if frame.dimensions == 2 else 6 + frame.is_timed
    out = np.empty((components, groups, frame.row_count, x), u.dtype)

    def work(start: int, stop: int) -> None:
        _structure_tensor.product_rows(
            guide, mask, frame.ratios, steepness, joint, out, start, stop
        )

    drive.each(work, drive.bands(frame.row_count, c * x))
    if sigmas[1] > 0:
        variances = _variances(frame, sigmas[1], 1)
        of_group = None
        if inside is not None:
            of_group = np.asarray(inside.any(axis=1))[None] if joint else inside.swapaxes(0, 1)
        for k in range(components):
            block = out[k].reshape(groups, t, z, y, x)
            block[...] = _smooth.smoothed_inside(block, of_group, variances, drive)
    return out


def _variances(frame: Frame, sigma: float, time_axis: int) -> dict[int, float]:
    """Return variances in samples² by axis of an array that has Z, Y and X last."""
    axes = (2, 3, 4, time_axis)
    widths = {
        axis: sigma / length
        for axis, length in zip(axes, frame.lengths, strict=True)
        if np.isfinite(length)
    }
    return {axis: width * width for axis, width in widths.items()}


class Exchange:
    """The records of a state, and what is exchanged between samples in a sub-step.

    Parameters
    ----------
    u : ndarray
        The state to begin with, laid out.
    frame : Frame
        The layout.
    inside : ndarray of bool or None
        The mask, laid out.
    far : (int, int, int, int)
        How far stencils may reach along Z, Y, X and T.
    joint : bool
        Whether all channels share their tensors.
    drive : Drive
        Shares rows among threads.
    """

    def __init__(
        self,
        u: NDArray[Any],
        frame: Frame,
        inside: NDArray[np.bool_] | None,
        far: tuple[int, int, int, int],
        joint: bool,
        drive: Drive,
    ) -> None:
        t, c, z, y, x = u.shape
        records = np.zeros((u.size, 4), u.dtype)
        records[:, 3] = u.ravel()
        flat = records.ravel()
        whole = np.int32 if u.dtype.itemsize == 4 else np.int64
        self.state = (flat, flat.view(np.float64), flat.view(whole))
        self.frame, self.joint = frame, joint
        self.inside = NO_MASK if inside is None else inside.ravel()
        plane = z * y
        self.geometry = np.array(
            [[z, y, x, t], [y * x, x, 1, c * plane * x], [y, 1, 0, plane], far], np.int64
        )
        self.everywhere = np.ones(frame.row_count, np.bool_)
        threads = min(drive.threads, -(-u.size // _SMALLEST_BAND), frame.row_count)
        edges = [frame.row_count * i // threads for i in range(threads + 1)]
        self.bands = list(itertools.pairwise(edges))

    def add_up(self, tensors: NDArray[Any], tau: float, drive: Drive) -> None:
        """Add up what flows in a sub-step of `tau` along the stencils of the tensors."""
        all_rows = np.arange(self.frame.row_count)
        wanted, overloaded = self.everywhere, np.zeros(self.frame.row_count, np.bool_)

        def work(start: int, stop: int) -> None:
            self._band(tensors, tau, all_rows, wanted, (start, stop), False, drive)

        drive.each(work, self.bands)

        def look(start: int, stop: int) -> None:
            _exchange.overloaded_rows(self.state, self.frame.shape, (start, stop), overloaded)

        drive.each(look, self.bands)
        if not overloaded.any():
            return
        near = self._around(overloaded)
        sources = np.flatnonzero(self._around(near))

        def again(start: int, stop: int) -> None:
            self._band(tensors, tau, sources, near, (start, stop), True, drive)

        drive.each(again, self.bands)

    def _band(
        self,
        tensors: NDArray[Any],
        tau: float,
        sources: NDArray[np.int64],
        wanted: NDArray[np.bool_],
        targets: tuple[int, int],
        limited: bool,
        drive: Drive,
    ) -> None:
        """Exchange for one band of site rows with all sources that can reach it."""
        frame = self.frame
        _exchange.clear_rows(self.state, wanted, frame.shape, targets, limited)
        far = self.geometry[3]
        span = int(far[0] * self.geometry[2, 0] + far[1] + far[3] * self.geometry[2, 3])
        apart = frame.rows_apart
        first = max(targets[0] - span, targets[0] // apart * apart)
        last = min(targets[1] + span, -(-targets[1] // apart) * apart)
        rows = sources[np.searchsorted(sources, first) : np.searchsorted(sources, last)]
        thick = max(_PIECE // frame.shape[4], 1)
        terms = tensors.shape[0]
        stencils = _stencil.Stencils.empty(terms, min(thick, max(len(rows), 1)), frame.shape[4])
        scale, strides = self._scale(tau), self.geometry[1, :3].astype(np.float64)
        for piece in range(0, len(rows), thick):
            drive.poll()
            some = np.ascontiguousarray(rows[piece : piece + thick])
            for group in range(tensors.shape[1]):
                self._stencils(tensors, group, some, scale, strides, stencils)
                channels = (0, frame.shape[1]) if self.joint else (group, group + 1)
                _exchange.exchange_rows(
                    self.state, self.inside, wanted, frame.shape, self.geometry, channels, some,
                    *stencils, targets, limited,
                )  # fmt: skip

    def _stencils(
        self,
        tensors: NDArray[Any],
        group: int,
        rows: NDArray[np.int64],
        scale: NDArray[np.float64],
        strides: NDArray[np.float64],
        out: _stencil.Stencils,
    ) -> None:
        reduced = _stencil.planar_rows if len(tensors) == 3 else _stencil.solid_rows
        reduced(tensors, group, rows, scale, strides, *out)
        if len(tensors) == 7:
            count = len(rows)
            out.weights[6, :count] = tensors[6, group, rows] * scale[6]
            out.packed[6, :count], out.offset[6, :count] = 0.0, self.geometry[1, 3]

    def _scale(self, tau: float) -> NDArray[np.float64]:
        """Return ½ tau / (hᵢ hⱼ) for each component of a tensor."""
        shortest, ratios = min(self.frame.lengths), self.frame.ratios
        first, second = np.triu_indices(self.frame.dimensions)
        inner = ratios[3 - self.frame.dimensions : 3]
        products = inner[first] * inner[second]
        if self.frame.is_timed:
            products = np.append(products, ratios[3] ** 2)
        return 0.5 * (tau / shortest**2) * products

    def _around(self, rows: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return the site rows that stencils may reach from these."""
        from scipy import ndimage

        t, _, z, y, _ = self.frame.shape
        far = self.geometry[3]
        size = (2 * far[3] + 1, 2 * far[0] + 1, 2 * far[1] + 1)
        spread = ndimage.maximum_filter(rows.reshape(t, z, y), size=size, mode="constant")
        return np.ascontiguousarray(spread.ravel())

    def settle(self, out: NDArray[Any], rows: tuple[int, int]) -> None:
        """Add what has been added up to the values of some site rows, and write these out."""
        _exchange.settle_rows(self.state, out.reshape(-1), self.frame.shape, rows)
