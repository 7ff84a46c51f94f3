"""Non-negative stencils: every tensor as a sum of weights times e·eᵀ, the offsets e whole numbers.

Selling's reduction finds, for a positive definite tensor of 2 or 3 dimensions, the one
decomposition D = Σ w e eᵀ with w ≥ 0 and whole e, of 3 or 6 terms. With it div(D ∇u) becomes
differences between pixels x and x ± e, and no value can leave the range.

The tensors of a chunk of a row are reduced together, all with the same operations. The signs of the
off-diagonal components are brought to a normal form before and undone after: mirrored tensors get
mirrored offsets and the same weights, to the bit.

References
----------
Selling (1874), Ueber die binären und ternären quadratischen Formen.
Fehrenbach and Mirebeau (2014), Sparse non-negative stencils for anisotropic diffusion.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.engine.jit import exact_inline_kernel, exact_kernel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

# As many tensors at once as leave their scratch in the nearest cache.
TOGETHER = 64

# Rows of scratch that a reduction takes.
SCRATCH = 12

# Three whole components are one number, BASE² e0 + BASE e1 + e2, which adds up as they do.
BASE = 2.0**17

# No tensor that a filter makes takes as many rounds. What is left of one that did is cut off at 0.
_ROUNDS = 1000

# The pairs of corners in the order of the weights.
_FIRST = (0, 0, 0, 1, 1, 2)
_SECOND = (1, 2, 3, 2, 3, 3)


def layout(terms: int) -> tuple[int, int, int, int, int]:
    """Return where in a chunk's stencils what stands, and how many rows there are.

    For each pixel the weights, the offsets as one number each, how far away the neighbours are in
    pixels, as many rows as there are terms each, and the longest offset along each of three axes.
    """
    return 0, terms, 2 * terms, 3 * terms, 3 * terms + 3


def stencils(tensors: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the weights (n, terms) and offsets (n, terms, d) of positive tensors (n, d, d)."""
    n, d = tensors.shape[:2]
    upper = np.triu_indices(d)
    terms = len(upper[0])
    _, packed, _, _, count = layout(terms)
    components = np.ascontiguousarray(tensors[:, *upper].T, np.float64).reshape(terms, 1, 1, n)
    out, scratch = np.zeros((count, TOGETHER)), np.empty((SCRATCH, TOGETHER))
    weights, offsets = np.empty((n, terms)), np.empty((n, terms, 3), np.int64)
    no_strides = np.zeros(3, np.int64)
    reduced = planar_chunk if d == 2 else solid_chunk
    for start in range(0, n, TOGETHER):
        size = min(TOGETHER, n - start)
        here = slice(start, start + size)
        reduced(components, 0, 0, start, size, np.ones(terms), no_strides, terms, scratch, out)
        weights[here], rest = out[:terms, :size].T, out[packed : packed + terms, :size].T.copy()
        for axis, base in enumerate((BASE * BASE, BASE, 1.0)):
            offsets[here, :, axis] = np.floor(rest / base + 0.5)
            rest -= base * offsets[here, :, axis]
    return weights, offsets[..., 3 - d :].copy()


def reach(condition: float, lengths: Sequence[float]) -> tuple[int, ...]:
    """Return how far offsets reach along each axis, in pixels.

    ``floor(c · √condition · longest other / length) + 1`` with c = ½ in 2D and √¾ in 3D. A
    tensor with eigenvalues (1/condition, 1, …) whose short axis is tilted by one pixel over
    √condition pixels reaches ½ √condition, lines in 3D reach further. These are the factors that
    no tensor exceeded in a search for the worst; offsets beyond would be left out.

    Parameters
    ----------
    condition : float
        Greatest ratio of two eigenvalues of a tensor in world units.
    lengths : sequence of float
        Pixel size along each of 2 or 3 axes, in world units.
    """
    # Tensors are stored with the precision of the image.
    widest = 1.001 * math.sqrt(condition * (0.25 if len(lengths) == 2 else 0.75))
    return tuple(
        math.floor(widest * max(other for j, other in enumerate(lengths) if j != i) / length) + 1
        for i, length in enumerate(lengths)
    )


@exact_kernel
def planar_chunk(tensors, group, row, start, size, scale, strides, terms, s, out):
    """Write the stencils of the tensors (D00, D01, D11) of some pixels of a site row.

    D = a f fᵀ + b (f gᵀ + g fᵀ) + c g gᵀ with b ≥ 0 begins at the axes. While b > a, f becomes
    f + m g, m being as large as b stays positive, and likewise g while b > c. In the end a − b,
    c − b and b are the weights of f, g and f + g. See `solid_chunk` for the parameters.
    """
    stride1, stride2 = strides[1], strides[2]
    d00, d01 = tensors[0, group, row, start:], tensors[1, group, row, start:]
    d11 = tensors[2, group, row, start:]
    for x in range(size):
        s[0, x], s[1, x] = d00[x] * scale[0], abs(d01[x] * scale[1])
        s[2, x], s[3, x], s[4, x] = d11[x] * scale[2], BASE, 1.0
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
        out[0, x], out[1, x], out[2, x] = max(a - b, 0.0), max(c - b, 0.0), b
        sign = 1.0 if d01[x] >= 0 else -1.0
        f1, g1 = np.floor(f / BASE + 0.5), np.floor(g / BASE + 0.5)
        f2, g2 = sign * (f - BASE * f1), sign * (g - BASE * g1)
        f, g = BASE * f1 + f2, BASE * g1 + g2
        out[3, x], out[4, x], out[5, x] = f, g, f + g
        f, g = stride1 * f1 + stride2 * f2, stride1 * g1 + stride2 * g2
        out[6, x], out[7, x], out[8, x] = f, g, f + g
        # Both offsets lie in one quadrant.
        out[9, x], out[10, x], out[11, x] = 0.0, abs(f1 + g1), abs(f2 + g2)


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
def solid_chunk(tensors, group, row, start, size, scale, strides, terms, scratch, out):
    """Write the stencils of the tensors (D00, D01, D02, D11, D12, D22) of some pixels of a row.

    First the basis f, D = Σ G_ab f_a f_bᵀ, is made short, pair by pair. Then, with the corners
    v = (0, f_0, f_1, f_2), D = Σ p_ij (v_i − v_j)(v_i − v_j)ᵀ over pairs of corners: while a p_ij
    is negative v_i moves to v_k + v_l − v_i, which turns its sign.

    Parameters
    ----------
    tensors : (6 or more, groups, site rows, X) float32 or float64
    group, row : int
    start, size : int
        The pixels of the row.
    scale : (6 or more,) float64
        What the components are multiplied by.
    strides : (3 or more,) int64
        How many pixels away the neighbour along each axis is.
    terms : int
        For how many terms `out` has room.
    scratch : (SCRATCH, TOGETHER) float64
    out : (rows, TOGETHER) float64
        Written; see `layout`.
    """
    g, v, turned = scratch[:6], scratch[6:10], scratch[10:12]
    stride0, stride1, stride2 = strides[0], strides[1], strides[2]
    packed, offset, longest = terms, 2 * terms, 3 * terms
    for k in range(6):
        source = tensors[k, group, row, start:]
        for x in range(size):
            g[k, x] = source[x] * scale[k]
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
            out[longest + axis, x] = 0.0
    for k in range(6):
        first, second = v[_FIRST[k]], v[_SECOND[k]]
        for x in range(size):
            out[k, x] = max(g[k, x], 0.0)
            rest = first[x] - second[x]
            e0 = np.floor(rest / BASE / BASE + 0.5)
            rest -= BASE * BASE * e0
            e1 = np.floor(rest / BASE + 0.5)
            e1, e2 = turned[0, x] * e1, turned[1, x] * (rest - BASE * e1)
            out[packed + k, x] = BASE * (BASE * e0 + e1) + e2
            out[offset + k, x] = stride0 * e0 + stride1 * e1 + stride2 * e2
            out[longest, x] = max(out[longest, x], abs(e0))
            out[longest + 1, x] = max(out[longest + 1, x], abs(e1))
            out[longest + 2, x] = max(out[longest + 2, x], abs(e2))
