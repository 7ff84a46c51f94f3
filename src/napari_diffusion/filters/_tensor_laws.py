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

from napari_diffusion.compiled import exact_inline_kernel, exact_kernel
from napari_diffusion.filters._exponential import exp_of_minus
from napari_diffusion.filters._stencil import TOGETHER

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.drive import Drive

# EDGE : λ = g(√µ), 1 where nothing changes.
# LINES : α, but for the least of the µ the coherence function of what it is below the next one.
# PLANES : the coherence function of what each µ is below the greatest.
# DIFFERENCE : no tensor, but in its first component the greatest µ less the least.
EDGE, LINES, PLANES, DIFFERENCE = range(4)

# After so many sweeps no tensor had off-diagonal components above 1e-20 of its trace.
_SWEEPS = 4


@exact_inline_kernel
def _edge(q, power, constant):
    """Return Weickert's conductance 1 − exp(−C / q^m) of q = (gradient / contrast)²."""
    one = type(q)(1)
    value = one
    for _ in range(power):
        value *= q
    return one - exp_of_minus(constant / value)


@exact_inline_kernel
def _coherent(c, alpha):
    """Return α + (1 − α) exp(−ln 2 / c²) of the coherence c in units of the contrast squared."""
    one = type(c)(1)
    return alpha + (one - alpha) * exp_of_minus(type(c)(0.6931471805599453) / (c * c))


@exact_kernel
def planar_tensors(p, law, power, constant, alpha, switch, least, start, stop):
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
    """
    kind = p.dtype.type
    zero, half, tiny = kind(0), kind(0.5), np.finfo(p.dtype).tiny
    noise, c, a = kind(64) * np.finfo(p.dtype).eps, kind(constant), kind(alpha)
    ratio, threshold = kind(least), kind(switch)
    unit = kind(1) if switch < 0 else max(threshold, tiny)
    for group in range(p.shape[1]):
        for row in range(start, stop):
            p00, p01, p11 = p[0, group, row], p[1, group, row], p[2, group, row]
            for x in range(p.shape[3]):
                middle, d, o = half * (p00[x] + p11[x]), half * (p00[x] - p11[x]), p01[x]
                r = np.sqrt(d * d + o * o)
                if law == DIFFERENCE:
                    p00[x] = r + r
                    continue
                # What is less than round-off of the greater eigenvalue is 0.
                clean = noise * (middle + r)
                first = _edge(max(middle + r - clean, zero), power, c)
                second = _edge(max(middle - r - clean, zero), power, c)
                if law != EDGE:
                    coherent = r + r >= threshold
                    first = a if coherent else first
                    second = _coherent((r + r) / unit, a) if coherent else second
                most = ratio * max(first, second)
                first, second = max(first, most), max(second, most)
                mean, turn = half * (first + second), half * (first - second) / max(r, tiny)
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


@exact_kernel
def _diagonalise(a, v, size):
    """Turn the tensors in a to diagonal ones by Jacobi's rotations, gathered in v.

    As many for each of them, because what its neighbours need may not change a tensor's last bit.
    """
    kind, tiny = a.dtype.type, np.finfo(a.dtype).tiny
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
def solid_tensors(p, law, power, constant, alpha, switch, least, start, stop):
    """Turn structure tensors (J00, J01, J02, J11, J12, J22) of site rows to diffusion tensors.

    A seventh component, of time by itself, follows the same law. See `planar_tensors`.
    """
    kind = p.dtype.type
    zero, c, alone = kind(0), kind(constant), kind(alpha)
    noise, ratio, threshold = kind(64) * np.finfo(p.dtype).eps, kind(least), kind(switch)
    unit = kind(1) if switch < 0 else max(threshold, np.finfo(p.dtype).tiny)
    a, v = np.empty((6, TOGETHER), p.dtype), np.empty((9, TOGETHER), p.dtype)
    k = np.empty((4, TOGETHER), p.dtype)
    for group in range(p.shape[1]):
        for row in range(start, stop):
            for x0 in range(0, p.shape[3], TOGETHER):
                size = min(TOGETHER, p.shape[3] - x0)
                for i in range(6):
                    source = p[i, group, row, x0:]
                    for x in range(size):
                        a[i, x] = source[x]
                _diagonalise(a, v, size)
                for x in range(size):
                    m0, m1, m2 = a[0, x], a[3, x], a[5, x]
                    low, high = min(min(m0, m1), m2), max(max(m0, m1), m2)
                    middle = max(min(m0, m1), min(max(m0, m1), m2))
                    above = middle if law == LINES else high
                    alike = law == EDGE or high - low < threshold
                    if law == DIFFERENCE:
                        p[0, group, row, x0 + x] = high - low
                        continue
                    clean = noise * high
                    q = p[6, group, row, x0 + x] if p.shape[0] == 7 else zero
                    if alike:
                        m0, m1, m2 = m0 - clean, m1 - clean, m2 - clean
                        k0, k1 = _edge(max(m0, zero), power, c), _edge(max(m1, zero), power, c)
                        k2, k3 = _edge(max(m2, zero), power, c), _edge(q, power, c)
                    else:
                        k0 = _coherent(max(above - m0, zero) / unit, alone)
                        k1 = _coherent(max(above - m1, zero) / unit, alone)
                        k2 = _coherent(max(above - m2, zero) / unit, alone)
                        k3 = _coherent(max(high - q, zero) / unit, alone)
                    most = ratio * max(max(k0, k1), k2)
                    k[0, x], k[1, x], k[2, x] = max(k0, most), max(k1, most), max(k2, most)
                    k[3, x] = k3
                if law == DIFFERENCE:
                    continue
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
                if p.shape[0] == 7:
                    target = p[6, group, row, x0:]
                    for x in range(size):
                        target[x] = k[3, x]


def replace(
    tensors: NDArray[Any], law: tuple[int, int, float, float, float], least: float, drive: Drive
) -> None:
    """Turn structure tensors (components, G, site rows, X) to diffusion tensors, in place."""
    turned = planar_tensors if len(tensors) == 3 else solid_tensors
    rows, columns = tensors.shape[2:]
    drive.each(
        lambda start, stop: turned(tensors, *law, least, start, stop), drive.bands(rows, columns)
    )
