"""A sub-step of tensor-driven diffusion: the structure tensors, and the exchange they bring."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.engine import smoothing
from napari_diffusion.filters.tensors import exchange, exchange_sites, structure_tensor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_diffusion.engine.threads import Threads
    from napari_diffusion.filters.tensors.axis_frame import Frame

# Pixels between two looks at the stop token.
_PIECE = 1 << 17

# Bands of fewer pixels are not worth another thread.
_SMALLEST_BAND = 1 << 15

NO_MASK = np.ones(1, np.bool_)


def structure(
    u: NDArray[Any],
    frame: Frame,
    inside: NDArray[np.bool_] | None,
    contrasts: Sequence[float],
    sigmas: tuple[float, float],
    joint: bool,
    threads: Threads,
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
    threads : Threads
        Shares rows among threads.
    """
    t, c, z, y, x = u.shape
    groups = 1 if joint else c
    guide = u
    if sigmas[0] > 0:
        guide = smoothing.smoothed_inside(u, inside, _variances(frame, sigmas[0]), threads)
    shortest = min(frame.lengths)
    with np.errstate(over="ignore"):
        steepness = np.minimum(1.0 / (shortest * np.array(contrasts)), np.finfo(np.float64).max)
    components = 3 if frame.dimensions == 2 else 6 + frame.is_timed
    out = np.empty((components, groups, frame.row_count, x), u.dtype)

    _products(guide, inside, frame, steepness, joint, out, threads)
    del guide
    if sigmas[1] > 0:
        variances = _variances(frame, sigmas[1])
        for k, group in itertools.product(range(components), range(groups)):
            block = out[k, group].reshape(t, 1, z, y, x)
            within = None
            if inside is not None:
                channels = slice(None) if joint else slice(group, group + 1)
                within = np.asarray(inside[:, channels].any(axis=1, keepdims=True))
            block[...] = smoothing.smoothed_inside(block, within, variances, threads)
    return out


def _products(
    guide: NDArray[Any],
    inside: NDArray[np.bool_] | None,
    frame: Frame,
    steepness: NDArray[np.float64],
    joint: bool,
    out: NDArray[Any],
    threads: Threads,
) -> None:
    def work(start: int, stop: int) -> None:
        more = (frame.ratios, steepness, joint, out, start, stop)
        if inside is None:
            structure_tensor.product_rows(guide, *more)
        else:
            structure_tensor.product_rows_inside(guide, inside, *more)

    threads.each(work, threads.bands(frame.row_count, guide.shape[1] * guide.shape[4]))


def _variances(frame: Frame, sigma: float) -> dict[int, float]:
    """Return variances in samples² by axis of an array (T, C, Z, Y, X)."""
    axes = (2, 3, 4, 0)
    widths = {
        axis: sigma / length
        for axis, length in zip(axes, frame.lengths, strict=True)
        if np.isfinite(length)
    }
    return {axis: width * width for axis, width in widths.items()}


class Exchange:
    """What is exchanged between the pixels of a state in a sub-step.

    Parameters
    ----------
    u : ndarray
        The state, laid out; every sub-step changes it in place.
    frame : Frame
        The layout.
    inside : ndarray of bool or None
        The mask, laid out.
    far : (int, int, int, int)
        How far stencils may reach along Z, Y, X and T.
    joint : bool
        Whether all channels share their tensors.
    threads : Threads
        Shares rows among threads.
    """

    def __init__(
        self,
        u: NDArray[Any],
        frame: Frame,
        inside: NDArray[np.bool_] | None,
        far: tuple[int, int, int, int],
        joint: bool,
        threads: Threads,
    ) -> None:
        t, c, z, y, x = u.shape
        self.u = u.reshape(-1)
        self.release()
        self.frame, self.joint = frame, joint
        self.inside = NO_MASK if inside is None else inside.reshape(-1)
        plane = z * y
        self.geometry = np.array(
            [[z, y, x, t], [y * x, x, 1, c * plane * x], [y, 1, 0, plane], far], np.int64
        )
        first, second = np.triu_indices(frame.dimensions)
        inner = frame.ratios[3 - frame.dimensions : 3]
        # (shortest spacing)² / (hᵢ hⱼ) for each component of a tensor, and of time by itself.
        products = [*(inner[first] * inner[second]), *[frame.ratios[3] ** 2] * frame.is_timed]
        self.products, self.shortest = np.array(products), min(frame.lengths)
        self.all_rows = np.arange(frame.row_count)
        self.everywhere = np.ones(frame.row_count, np.bool_)
        # The site rows near pixels that are overloaded.
        self.near = self.everywhere
        count = min(threads.count, -(-u.size // _SMALLEST_BAND), frame.row_count)
        edges = [frame.row_count * i // count for i in range(count + 1)]
        self.bands = list(itertools.pairwise(edges))

    def add_up(
        self,
        tensors: NDArray[Any],
        tau: float,
        fresh: bool,
        threads: Threads,
        wanted: NDArray[np.bool_] | None = None,
    ) -> None:
        """Add up what flows in a sub-step of `tau` along the stencils of the tensors.

        Loads are known from the sub-step before unless the tensors are `fresh`. What is added up
        outside of the `wanted` site rows may be anything; they become fewer from one sub-step to
        the next, None being all.
        """
        shape, everywhere, near_wanted = self.frame.shape, self.everywhere, self.all_rows
        if wanted is not None:
            # Of the wanted rows' partners the loads have to be whole.
            targets = self._around(wanted) if fresh else wanted
            near_wanted = np.flatnonzero(self._around(targets))
        if fresh:
            self.changes = np.zeros(self.u.size)
            self.loads = np.zeros(self.u.size, np.int32)

        def work(start: int, stop: int) -> None:
            rows = self._sources(near_wanted, (start, stop))
            self._exchange(tensors, tau, rows, everywhere, (start, stop), (fresh, False), threads)

        threads.each(work, self.bands)
        if fresh:
            overloaded = self._overloaded()
            self.near = self._around(overloaded) if overloaded.any() else overloaded
        near = self.near if wanted is None else self.near & wanted
        if near.any():
            sources = np.flatnonzero(self._around(near))

            def again(start: int, stop: int) -> None:
                exchange.clear_rows(self.changes, near, shape, (start, stop))
                rows = self._sources(sources, (start, stop))
                self._exchange(tensors, tau, rows, near, (start, stop), (False, True), threads)

            threads.each(again, self.bands)

    def _overloaded(self) -> NDArray[np.bool_]:
        """Return which site rows have a pixel with more than the full load."""
        t, c, z, y, x = self.frame.shape
        most = self.loads.reshape(t, c, z * y, x).max(axis=(1, 3))
        return np.asarray(most.ravel() > exchange_sites.FULL_LOAD)

    def release(self) -> None:
        """Give back the memory of changes and loads, to take new tensors in."""
        self.changes, self.loads = np.empty(0), np.empty(0, np.int32)

    def settle(self, rows: tuple[int, int]) -> None:
        """Add what has been added up to the values of some site rows."""
        exchange.settle_rows(self.u, self.changes, self.frame.shape, rows)

    def _exchange(
        self,
        tensors: NDArray[Any],
        tau: float,
        rows: NDArray[np.int64],
        wanted: NDArray[np.bool_],
        targets: tuple[int, int],
        how: tuple[bool, bool],
        threads: Threads,
    ) -> None:
        frame, scale = self.frame, self._scale(tau)
        kernel = exchange.exchange_planar if len(tensors) == 3 else exchange.exchange_solid
        rooms = exchange.rooms(len(tensors))
        thick = max(_PIECE // frame.shape[4], 1)
        for piece in range(0, len(rows), thick):
            threads.poll()
            some = rows[piece : piece + thick]
            for group in range(tensors.shape[1]):
                channels = (0, frame.shape[1]) if self.joint else (group, group + 1)
                kernel(
                    self.u, self.changes, self.loads, self.inside, wanted, frame.shape,
                    self.geometry, channels, tensors, group, some, scale, targets, *how, *rooms,
                )  # fmt: skip

    def fluxes(
        self, tensors: NDArray[Any], tau: float, threads: Threads
    ) -> tuple[NDArray[Any], NDArray[np.int16], NDArray[Any]]:
        """Return what `add_up` has added up, apart: weights and fluxes times `tau`, and offsets.

        Laid out as (components, T, G, Z, Y, X), (components, 4, T, G, Z, Y, X), the offsets along
        z, y, x and t, and (2, components, T, C, Z, Y, X), from behind and from ahead.
        """
        from napari_diffusion.filters.tensors import offset_fluxes

        t, c, z, y, x = self.frame.shape
        terms, groups = tensors.shape[:2]
        shape = (t, groups, z, y, x)
        weights = np.zeros((terms, t * groups * z * y * x), self.u.dtype)
        offsets = np.zeros((terms, 4, weights.shape[1]), np.int16)
        fluxes = np.zeros((2, terms, self.u.size), self.u.dtype)

        def work(start: int, stop: int) -> None:
            rooms = exchange.rooms(terms)[:3]
            for group in range(groups):
                channels = (0, c) if self.joint else (group, group + 1)
                offset_fluxes.write_fluxes(
                    self.u, self.loads, self.inside, self.frame.shape, self.geometry, channels,
                    tensors, group, self._scale(tau), start, stop, *rooms,
                    weights, offsets, fluxes,
                )  # fmt: skip

        threads.each(work, threads.bands(self.frame.row_count, c * x))
        return (
            weights.reshape(terms, *shape),
            offsets.reshape(terms, 4, *shape),
            fluxes.reshape(2, terms, *self.frame.shape),
        )

    def _scale(self, tau: float) -> NDArray[np.float64]:
        """Return what the components of tensors are multiplied by for a sub-step."""
        return np.asarray(0.5 * (tau / self.shortest**2) * self.products)

    def _sources(self, rows: NDArray[np.int64], targets: tuple[int, int]) -> NDArray[np.int64]:
        """Return those of the ascending site rows whose stencils may reach the targets."""
        far, site_rows, apart = self.geometry[3], self.geometry[2], self.frame.rows_apart
        span = int((far * site_rows).sum())
        first = max(targets[0] - span, targets[0] // apart * apart)
        last = min(targets[1] + span, -(-targets[1] // apart) * apart)
        return rows[np.searchsorted(rows, first) : np.searchsorted(rows, last)]

    def _around(self, rows: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return the site rows that stencils may reach from these."""
        from scipy import ndimage

        t, _, z, y, _ = self.frame.shape
        far = self.geometry[3]
        size = (2 * far[3] + 1, 2 * far[0] + 1, 2 * far[1] + 1)
        spread = ndimage.maximum_filter(rows.reshape(t, z, y), size=size, mode="constant")
        return np.ascontiguousarray(spread.ravel())
