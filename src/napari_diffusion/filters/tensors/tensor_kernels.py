"""From structure tensors to diffusion tensors: what each filter makes of the eigenvalues.

D = Σ λ v vᵀ with the eigenvectors v of J, whose eigenvalues are µ. Every law is continuous where
eigenvalues are equal and eigenvectors arbitrary.

References
----------
Weickert (1998), Anisotropic diffusion in image processing.
Frangakis and Hegerl (2001), Noise reduction in electron tomographic reconstructions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.engine.exponential import exp_of_minus
from napari_diffusion.engine.jit import (
    exact_inline_kernel,
    exact_inner_kernel,
    exact_kernel,
)
from napari_diffusion.filters.tensors.stencil import TOGETHER

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.engine.threads import Threads

# EDGE : λ = g(√µ), 1 where nothing changes.
# LINES : α, but for the least of the µ the coherence function of what it is below the next one.
# PLANES : the coherence function of what each µ is below the greatest.
# DIFFERENCE : no tensor, but in its first component the greatest µ less the least.
EDGE, LINES, PLANES, DIFFERENCE = range(4)

# After so many sweeps no tensor had off-diagonal components above 1e-20 of its trace.
_SWEEPS = 4


@exact_inline_kernel
def _tiny(array):
    """Return the smallest normal number; numba's finfo takes long to compile."""
    return array.dtype.type(2.0**-126 if array.itemsize == 4 else 2.0**-1022)


@exact_inner_kernel
def _to_edges(q, size, power, constant, value):
    """Replace each q = (gradient / contrast)² by Weickert's conductance 1 − exp(−C / q^m)."""
    one, c = q.dtype.type(1), q.dtype.type(constant)
    for x in range(size):
        value[x] = one
    for _ in range(power):
        for x in range(size):
            value[x] *= q[x]
    for x in range(size):
        q[x] = one - exp_of_minus(c / value[x])


@exact_inner_kernel
def _to_coherence(q, size, alpha, unit):
    """Replace each coherence by α + (1 − α) exp(−ln 2 / c²), c = coherence / unit."""
    one, a, ln2 = q.dtype.type(1), q.dtype.type(alpha), q.dtype.type(0.6931471805599453)
    for x in range(size):
        c = q[x] / unit
        q[x] = a + (one - a) * exp_of_minus(ln2 / (c * c))


@exact_kernel
def planar_tensors(p, law, power, constant, alpha, switch, least, start, stop, room):
    """Turn structure tensors (J00, J01, J11) of site rows start … stop − 1 to diffusion tensors.

    Parameters
    ----------
    p : (3, G, site rows, X)
        The tensors, relative to the contrast squared.
    law : int
        EDGE, LINES or PLANES; the last two are the same in a plane.
    power, constant : int, float
        Of Weickert's conductance.
    alpha : float
        Diffusivity across structures.
    switch : float
        Where the eigenvalues µ differ by less, the law is EDGE all the same, and elsewhere
        coherence is relative to it, not to the contrast squared; negative for neither.
    least : float
        Least ratio of two λ.
    start, stop : int
        Site rows.
    room : (29, TOGETHER)
        What is written on the way.
    """
    kind = p.dtype.type
    zero, half, tiny = kind(0), kind(0.5), _tiny(p)
    noise, a = kind(2.0**-17 if p.itemsize == 4 else 2.0**-46), kind(alpha)
    ratio, threshold = kind(least), kind(switch)
    unit = kind(1) if switch < 0 else max(threshold, tiny)
    first, second, coherent, r, value = room[0], room[1], room[2], room[3], room[4]
    for group in range(p.shape[1]):
        for row in range(start, stop):
            for x0 in range(0, p.shape[3], TOGETHER):
                size = min(TOGETHER, p.shape[3] - x0)
                p00, p01, p11 = p[0, group, row, x0:], p[1, group, row, x0:], p[2, group, row, x0:]
                for x in range(size):
                    middle, d, o = half * (p00[x] + p11[x]), half * (p00[x] - p11[x]), p01[x]
                    r[x] = np.sqrt(d * d + o * o)
                    # What is less than round-off of the greater eigenvalue is 0.
                    clean = noise * (middle + r[x])
                    first[x] = max(middle + r[x] - clean, zero)
                    second[x] = max(middle - r[x] - clean, zero)
                    coherent[x] = r[x] + r[x]
                if law == DIFFERENCE:
                    for x in range(size):
                        p00[x] = coherent[x]
                    continue
                if law == EDGE or switch >= 0:
                    _to_edges(first, size, power, constant, value)
                    _to_edges(second, size, power, constant, value)
                if law != EDGE:
                    _to_coherence(coherent, size, alpha, unit)
                    for x in range(size):
                        drawn = r[x] + r[x] >= threshold
                        first[x] = a if drawn else first[x]
                        second[x] = coherent[x] if drawn else second[x]
                for x in range(size):
                    f, g = first[x], second[x]
                    most = ratio * max(f, g)
                    f, g = max(f, most), max(g, most)
                    mean, turn = half * (f + g), half * (f - g) / max(r[x], tiny)
                    d, o = half * (p00[x] - p11[x]), p01[x]
                    p00[x], p01[x], p11[x] = mean + turn * d, turn * o, mean - turn * d


@exact_inline_kernel
def _rotate(pp, pq, qq, pr, qr, tiny, p0, p1, p2, q0, q1, q2):
    """Turn axes p and q so that their component is 0; return the tensor and both axes."""
    one = type(pp)(1)
    d, h = qq - pp, pq + pq
    below = max(max(abs(d) + np.sqrt(d * d + h * h), abs(h)), tiny)
    t = (h if d >= 0 else -h) / below
    c = one / np.sqrt(one + t * t)
    s = t * c
    pp, qq = pp - t * pq, qq + t * pq
    pr, qr = c * pr - s * qr, s * pr + c * qr
    p0, q0 = c * p0 - s * q0, s * p0 + c * q0
    p1, q1 = c * p1 - s * q1, s * p1 + c * q1
    p2, q2 = c * p2 - s * q2, s * p2 + c * q2
    return pp, type(pp)(0), qq, pr, qr, p0, p1, p2, q0, q1, q2


@exact_inner_kernel
def _diagonalise(a, v, size):
    """Turn the tensors in a to diagonal ones by Jacobi's rotations, gathered in v.

    As many for each of them, because what its neighbours need may not change a tensor's last bit.
    """
    kind, tiny = a.dtype.type, _tiny(a)
    for k in range(9):
        for x in range(size):
            v[k, x] = kind(1 if k % 4 == 0 else 0)
    for _ in range(_SWEEPS):
        for x in range(size):
            a00, a01, a02, a11, a12, a22 = a[0, x], a[1, x], a[2, x], a[3, x], a[4, x], a[5, x]
            v0, v1, v2, w0, w1, w2 = v[0, x], v[1, x], v[2, x], v[3, x], v[4, x], v[5, x]
            z0, z1, z2 = v[6, x], v[7, x], v[8, x]
            a00, a01, a11, a02, a12, v0, v1, v2, w0, w1, w2 = _rotate(
                a00, a01, a11, a02, a12, tiny, v0, v1, v2, w0, w1, w2
            )
            a00, a02, a22, a01, a12, v0, v1, v2, z0, z1, z2 = _rotate(
                a00, a02, a22, a01, a12, tiny, v0, v1, v2, z0, z1, z2
            )
            a11, a12, a22, a01, a02, w0, w1, w2, z0, z1, z2 = _rotate(
                a11, a12, a22, a01, a02, tiny, w0, w1, w2, z0, z1, z2
            )
            a[0, x], a[1, x], a[2, x], a[3, x], a[4, x], a[5, x] = a00, a01, a02, a11, a12, a22
            v[0, x], v[1, x], v[2, x], v[3, x], v[4, x], v[5, x] = v0, v1, v2, w0, w1, w2
            v[6, x], v[7, x], v[8, x] = z0, z1, z2


@exact_kernel
def solid_tensors(p, law, power, constant, alpha, switch, least, start, stop, room):
    """Turn structure tensors (J00, J01, J02, J11, J12, J22) of site rows to diffusion tensors.

    A seventh component, of time by itself, follows the same law. See `planar_tensors`.
    """
    kind = p.dtype.type
    zero, tiny = kind(0), _tiny(p)
    noise = kind(2.0**-17 if p.itemsize == 4 else 2.0**-46)
    ratio, threshold = kind(least), kind(switch)
    unit = kind(1) if switch < 0 else max(threshold, tiny)
    a, v = room[:6], room[6:15]
    # Of the three axes and time: µ, λ by the law of edges, and λ by coherence.
    m, edge, k = room[15:20], room[20:24], room[24:28]
    timed, value = p.shape[0] == 7, room[28]
    for group in range(p.shape[1]):
        for row in range(start, stop):
            for x0 in range(0, p.shape[3], TOGETHER):
                size = min(TOGETHER, p.shape[3] - x0)
                for i in range(6):
                    source = p[i, group, row, x0:]
                    for x in range(size):
                        a[i, x] = source[x]
                _diagonalise(a, v, size)
                _eigenvalues(a, size, m)
                for x in range(size):
                    m[3, x] = p[p.shape[0] - 1, group, row, x0 + x] if timed else zero
                if law == DIFFERENCE:
                    for x in range(size):
                        p[0, group, row, x0 + x] = m[4, x]
                    continue
                for i in range(4 if timed else 3):
                    if law == EDGE or switch >= 0:
                        for x in range(size):
                            high = max(max(m[0, x], m[1, x]), m[2, x])
                            edge[i, x] = max(m[i, x] - (noise * high if i < 3 else zero), zero)
                        _to_edges(edge[i], size, power, constant, value)
                    if law != EDGE:
                        for x in range(size):
                            m0, m1, m2 = m[0, x], m[1, x], m[2, x]
                            high = max(max(m0, m1), m2)
                            middle = max(min(m0, m1), min(max(m0, m1), m2))
                            above = middle if (law == LINES) & (i < 3) else high
                            k[i, x] = max(above - m[i, x], zero)
                        _to_coherence(k[i], size, alpha, unit)
                    for x in range(size):
                        alike = law == EDGE or m[4, x] < threshold
                        k[i, x] = edge[i, x] if alike else k[i, x]
                for x in range(size):
                    most = ratio * max(max(k[0, x], k[1, x]), k[2, x])
                    k[0, x], k[1, x] = max(k[0, x], most), max(k[1, x], most)
                    k[2, x] = max(k[2, x], most)
                first = 0
                for i in range(3):
                    for j in range(i, 3):
                        target = p[first, group, row, x0:]
                        for x in range(size):
                            target[x] = (
                                k[0, x] * v[i, x] * v[j, x]
                                + k[1, x] * v[3 + i, x] * v[3 + j, x]
                                + k[2, x] * v[6 + i, x] * v[6 + j, x]
                            )
                        first += 1
                if timed:
                    target = p[p.shape[0] - 1, group, row, x0:]
                    for x in range(size):
                        target[x] = k[3, x]


@exact_inner_kernel
def _eigenvalues(a, size, m):
    """Write the eigenvalues of tensors that are diagonal, and the greatest less the least."""
    for x in range(size):
        m0, m1, m2 = a[0, x], a[3, x], a[5, x]
        m[0, x], m[1, x], m[2, x] = m0, m1, m2
        m[4, x] = max(max(m0, m1), m2) - min(min(m0, m1), m2)


def replace(
    tensors: NDArray[Any],
    law: tuple[int, int, float, float, float],
    least: float,
    threads: Threads,
) -> None:
    """Turn structure tensors (components, G, site rows, X) to diffusion tensors, in place."""
    turned = planar_tensors if len(tensors) == 3 else solid_tensors
    rows, columns = tensors.shape[2:]

    def work(start: int, stop: int) -> None:
        room = np.empty((29, TOGETHER), tensors.dtype)
        turned(tensors, *law, least, start, stop, room)

    threads.each(work, threads.bands(rows, columns))
