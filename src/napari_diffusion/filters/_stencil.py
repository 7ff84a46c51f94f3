"""Non-negative stencils: every tensor as a sum of weights times e·eᵀ, the offsets e whole numbers.

Selling's reduction finds, for a positive definite tensor of 2 or 3 dimensions, the one
decomposition D = Σ w e eᵀ with w ≥ 0 and whole e, of 3 or 6 terms. With it div(D ∇u) becomes
differences between samples x and x ± e, and no value can leave the range.

The tensors of a row are reduced together, all with the same operations. The signs of the
off-diagonal components are brought to a normal form before and undone after: mirrored tensors get
mirrored offsets and the same weights, to the bit.

References
----------
Selling (1874), Ueber die binären und ternären quadratischen Formen.
Fehrenbach and Mirebeau (2014), Sparse non-negative stencils for anisotropic diffusion.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from napari_diffusion.compiled import exact_inline_kernel, exact_kernel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

# As many tensors at once as leave their scratch in the nearest cache.
TOGETHER = 64

# Three whole components are one number, BASE² e0 + BASE e1 + e2, which adds up as they do.
BASE = 2.0**17

# No tensor that a filter makes takes as many rounds. What is left of one that did is cut off at 0.
_ROUNDS = 1000

# The pairs of corners in the order of the weights.
_FIRST = (0, 0, 0, 1, 1, 2)
_SECOND = (1, 2, 3, 2, 3, 3)


class Stencils(NamedTuple):
    """The stencils of some rows of samples, as the kernels write and read them.

    Attributes
    ----------
    weights, packed, offset : (terms, rows, X) float64
        Weights, offsets as one number each, and how far away the neighbours are in samples.
    far : (3, rows, chunks) float64
        How far the offsets of each TOGETHER samples reach along each axis.
    """

    weights: NDArray[np.float64]
    packed: NDArray[np.float64]
    offset: NDArray[np.float64]
    far: NDArray[np.float64]

    @classmethod
    def empty(cls, terms: int, rows: int, columns: int) -> Stencils:
        """Return room for so many rows."""
        w, p, o = (np.empty((terms, rows, columns)) for _ in range(3))
        return cls(w, p, o, np.zeros((3, rows, -(-columns // TOGETHER))))


def stencils(tensors: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the weights (n, terms) and offsets (n, terms, d) of positive tensors (n, d, d)."""
    n, d = tensors.shape[:2]
    upper = np.triu_indices(d)
    terms = len(upper[0])
    components = np.ascontiguousarray(tensors[:, *upper].T, np.float64)
    out = Stencils.empty(terms, 1, n)
    row, strides = np.zeros(1, np.int64), np.zeros(3)
    reduced = planar_rows if d == 2 else solid_rows
    reduced(components.reshape(terms, 1, 1, n), 0, row, np.ones(terms), strides, *out)
    rest, offsets = out.packed[:, 0].T, np.empty((n, terms, 3), np.int64)
    for axis, base in enumerate((BASE * BASE, BASE, 1.0)):
        offsets[..., axis] = np.floor(rest / base + 0.5)
        rest = rest - base * offsets[..., axis]
    return out.weights[:, 0].T.copy(), offsets[..., 3 - d :].copy()


def reach(condition: float, lengths: Sequence[float]) -> tuple[int, ...]:
    """Return how far offsets reach along each axis, in samples.

    ``floor(c · √condition · longest other / length) + 1`` with c = ½ in 2D and √¾ in 3D. A
    tensor with eigenvalues (1/condition, 1, …) whose short axis is tilted by one sample over
    √condition samples reaches ½ √condition, lines in 3D reach further. These are the factors that
    no tensor exceeded in a search for the worst; offsets beyond would be left out.

    Parameters
    ----------
    condition : float
        Greatest ratio of two eigenvalues of a tensor in world units.
    lengths : sequence of float
        World length of one sample per axis, 2 or 3.
    """
    # Tensors are stored with the precision of the picture.
    widest = 1.001 * math.sqrt(condition * (0.25 if len(lengths) == 2 else 0.75))
    return tuple(
        math.floor(widest * max(other for j, other in enumerate(lengths) if j != i) / length) + 1
        for i, length in enumerate(lengths)
    )


@exact_kernel
def planar_rows(tensors, group, rows, scale, strides, weights, packed, offset, far):
    """Write the stencils of the tensors (D00, D01, D11) of some site rows.

    D = a f fᵀ + b (f gᵀ + g fᵀ) + c g gᵀ with b ≥ 0 begins at the axes. While b > a, f becomes
    f + m g, m being as large as b stays positive, and likewise g while b > c. In the end a − b,
    c − b and b are the weights of f, g and f + g. See `solid_rows` for the parameters.
    """
    s = np.empty((5, TOGETHER))
    stride1, stride2, columns = strides[1], strides[2], tensors.shape[3]
    for i in range(rows.size):
        d00, d01 = tensors[0, group, rows[i]], tensors[1, group, rows[i]]
        d11 = tensors[2, group, rows[i]]
        for start in range(0, columns, TOGETHER):
            size = min(TOGETHER, columns - start)
            for x in range(size):
                s[0, x], s[1, x] = d00[start + x] * scale[0], abs(d01[start + x] * scale[1])
                s[2, x], s[3, x], s[4, x] = d11[start + x] * scale[2], BASE, 1.0
            for _ in range(_ROUNDS):
                left = 0
                for x in range(size):
                    a, b, c, f, g = s[0, x], s[1, x], s[2, x], s[3, x], s[4, x]
                    m = np.floor(b / a) if b > a else 0.0
                    rest = b - m * a
                    c -= m * (b + rest)
                    f += m * g
                    m = np.floor(rest / c) if rest > c else 0.0
                    b = rest - m * c
                    a -= m * (rest + b)
                    g += m * f
                    left += 1 if b > a else 0
                    s[0, x], s[1, x], s[2, x], s[3, x], s[4, x] = a, b, c, f, g
                if left == 0:
                    break
            for x in range(size):
                a, b, c, f, g = s[0, x], s[1, x], s[2, x], s[3, x], s[4, x]
                weights[0, i, start + x] = max(a - b, 0.0)
                weights[1, i, start + x] = max(c - b, 0.0)
                weights[2, i, start + x] = b
                sign = 1.0 if d01[start + x] >= 0 else -1.0
                f1, g1 = np.floor(f / BASE + 0.5), np.floor(g / BASE + 0.5)
                f2, g2 = sign * (f - BASE * f1), sign * (g - BASE * g1)
                f, g = BASE * f1 + f2, BASE * g1 + g2
                packed[0, i, start + x], packed[1, i, start + x] = f, g
                packed[2, i, start + x] = f + g
                f, g = stride1 * f1 + stride2 * f2, stride1 * g1 + stride2 * g2
                offset[0, i, start + x], offset[1, i, start + x] = f, g
                offset[2, i, start + x] = f + g
                # Both offsets lie in one quadrant.
                s[0, x], s[1, x] = abs(f1 + g1), abs(f2 + g2)
            far1, far2 = 0.0, 0.0
            for x in range(size):
                far1, far2 = max(far1, s[0, x]), max(far2, s[1, x])
            far[1, i, start // TOGETHER], far[2, i, start // TOGETHER] = far1, far2


@exact_inline_kernel
def _shorten(aa, ab, bb, ac, bc, fa, fb):
    """Take from the longer of two basis vectors what it has of the shorter one."""
    short = min(aa, bb)
    m = np.floor(ab / short + 0.5)
    ma, mb = (m if aa <= bb else 0.0), (0.0 if aa <= bb else m)
    rest = ab - m * short
    both = ab + rest
    # One of ma and mb is 0.
    aa, bb, ac, bc = aa - mb * both, bb - ma * both, ac - mb * bc, bc - ma * ac
    return aa, rest, bb, ac, bc, fa + ma * fb, fb + mb * fa


@exact_inline_kernel
def _flip(least, ij, ik, il, jk, jl, kl, vi, vk, vl):
    """Where p_ij is negative move corner i to v_k + v_l − v_i."""
    bad = ij < least
    s = -ij if bad else 0.0
    a, b = (il if bad else ik), (ik if bad else il)
    return ij + (s + s), a - s, b - s, jk - s, jl - s, kl + s, (vk + vl - vi if bad else vi)


@exact_kernel
def solid_rows(tensors, group, rows, scale, strides, weights, packed, offset, far):
    """Write the stencils of the tensors (D00, D01, D02, D11, D12, D22) of some site rows.

    First the basis f, D = Σ G_ab f_a f_bᵀ, is made short, pair by pair. Then, with the corners
    v = (0, f_0, f_1, f_2), D = Σ p_ij (v_i − v_j)(v_i − v_j)ᵀ over pairs of corners: while a p_ij
    is negative v_i moves to v_k + v_l − v_i, which turns its sign.

    Parameters
    ----------
    tensors : (6 or more, groups, site rows, X) float32 or float64
    group : int
    rows : (n,) int64
    scale : (6 or more,) float64
        What the components are multiplied by.
    strides : (3,) float64
        How many samples away the neighbour along each axis is.
    weights, packed, offset, far
        Written; see `Stencils`.
    """
    g, v, turned = np.empty((6, TOGETHER)), np.empty((4, TOGETHER)), np.empty((2, TOGETHER))
    longest = np.empty((3, TOGETHER))
    stride0, stride1, stride2 = strides[0], strides[1], strides[2]
    columns = tensors.shape[3]
    for i in range(rows.size):
        for start in range(0, columns, TOGETHER):
            size = min(TOGETHER, columns - start)
            for k in range(6):
                row = tensors[k, group, rows[i]]
                for x in range(size):
                    g[k, x] = row[start + x] * scale[k]
            # Turned round so that at most D12 is positive, mirrored tensors are the same.
            for x in range(size):
                s1 = -1.0 if g[1, x] > 0 else 1.0
                s2 = -1.0 if g[2, x] > 0 else 1.0
                s12 = -1.0 if g[4, x] > 0 else 1.0
                # An axis that another zero leaves free makes D12 negative too.
                s1 = s2 * s12 if g[1, x] == 0 else s1
                s2 = s1 * s12 if g[2, x] == 0 else s2
                turned[0, x], turned[1, x] = s1, s2
                g[1, x], g[2, x], g[4, x] = s1 * g[1, x], s2 * g[2, x], s1 * s2 * g[4, x]
                v[0, x], v[1, x], v[2, x], v[3, x] = 0.0, BASE * BASE, BASE, 1.0
            for _ in range(_ROUNDS):
                left = 0
                for x in range(size):
                    a, b, c, p, q, r = g[0, x], g[1, x], g[2, x], g[3, x], g[4, x], g[5, x]
                    f0, f1, f2 = v[1, x], v[2, x], v[3, x]
                    a, b, p, c, q, f0, f1 = _shorten(a, b, p, c, q, f0, f1)
                    a, c, r, b, q, f0, f2 = _shorten(a, c, r, b, q, f0, f2)
                    p, q, r, b, c, f1, f2 = _shorten(p, q, r, b, c, f1, f2)
                    left += 1 if (f0 != v[1, x]) | (f1 != v[2, x]) | (f2 != v[3, x]) else 0
                    g[0, x], g[1, x], g[2, x], g[3, x], g[4, x], g[5, x] = a, b, c, p, q, r
                    v[1, x], v[2, x], v[3, x] = f0, f1, f2
                if left == 0:
                    break
            for x in range(size):
                a, b, c, p, q, r = g[0, x], g[1, x], g[2, x], g[3, x], g[4, x], g[5, x]
                g[0, x], g[1, x], g[2, x] = a + (b + c), p + (b + q), r + (c + q)
                g[3, x], g[4, x], g[5, x] = -b, -c, -q
            for _ in range(_ROUNDS):
                left = 0
                for x in range(size):
                    a, b, c, p, q, r = g[0, x], g[1, x], g[2, x], g[3, x], g[4, x], g[5, x]
                    v0, v1, v2, v3 = v[0, x], v[1, x], v[2, x], v[3, x]
                    # Less than round-off is no reason to go on.
                    least = -1e-15 * (a + b + c)
                    a, b, c, p, q, r, v0 = _flip(least, a, b, c, p, q, r, v0, v2, v3)
                    b, a, c, p, r, q, v0 = _flip(least, b, a, c, p, r, q, v0, v1, v3)
                    c, a, b, q, r, p, v0 = _flip(least, c, a, b, q, r, p, v0, v1, v2)
                    p, a, q, b, r, c, v1 = _flip(least, p, a, q, b, r, c, v1, v0, v3)
                    q, a, p, c, r, b, v1 = _flip(least, q, a, p, c, r, b, v1, v0, v2)
                    r, b, p, c, q, a, v2 = _flip(least, r, b, p, c, q, a, v2, v0, v1)
                    left += 1 if (v0 != v[0, x]) | (v1 != v[1, x]) | (v2 != v[2, x]) else 0
                    g[0, x], g[1, x], g[2, x], g[3, x], g[4, x], g[5, x] = a, b, c, p, q, r
                    v[0, x], v[1, x], v[2, x] = v0, v1, v2
                if left == 0:
                    break
            for axis in range(3):
                for x in range(size):
                    longest[axis, x] = 0.0
            for k in range(6):
                weight, pack = weights[k, i, start:], packed[k, i, start:]
                first, second, away = v[_FIRST[k]], v[_SECOND[k]], offset[k, i, start:]
                for x in range(size):
                    weight[x] = max(g[k, x], 0.0)
                    rest = first[x] - second[x]
                    e0 = np.floor(rest / BASE / BASE + 0.5)
                    rest -= BASE * BASE * e0
                    e1 = np.floor(rest / BASE + 0.5)
                    e1, e2 = turned[0, x] * e1, turned[1, x] * (rest - BASE * e1)
                    pack[x] = BASE * (BASE * e0 + e1) + e2
                    away[x] = stride0 * e0 + stride1 * e1 + stride2 * e2
                    longest[0, x] = max(longest[0, x], abs(e0))
                    longest[1, x] = max(longest[1, x], abs(e1))
                    longest[2, x] = max(longest[2, x], abs(e2))
            for axis in range(3):
                most = 0.0
                for x in range(size):
                    most = max(most, longest[axis, x])
                far[axis, i, start // TOGETHER] = most
