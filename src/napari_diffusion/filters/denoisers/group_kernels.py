"""Groups of similar patches, each filtered by the mean and covariance that a guide gives it."""

from __future__ import annotations

import math

from napari_diffusion.engine.jit import inline_kernel, inner_kernel, kernel

# Patches that differ from their mean by more times the noise differ by as many: beside the squares,
# single precision still holds the noise.
LARGEST = 3e3

# Of the largest variance of a map: groups with less count as so much.
LEAST = 1e-6

# What sums of squares in single precision are off by.
ROUNDING = 1e-6


@inner_kernel
def _compared(guide, corner, radii, sizes, scale, column, found):
    """Write the squared differences of a row of patches to all others around each of them."""
    z, y, first = corner
    size, stride = sizes
    k = 0
    for dz in range(-radii[0], radii[0] + 1):
        for dy in range(-radii[1], radii[1] + 1):
            for dx in range(-radii[1], radii[1] + 1):
                for x in range(column.size):
                    column[x] = 0
                for c in range(guide.shape[0]):
                    factor = scale[c]
                    for j in range(size):
                        a = guide[c, z, y + j, first:]
                        b = guide[c, z + dz, y + dy + j, first + dx :]
                        for x in range(column.size):
                            s = (a[x] - b[x]) * factor
                            column[x] += s * s
                for r in range(found.shape[0]):
                    total = column[r * stride]
                    for i in range(1, size):
                        total += column[r * stride + i]
                    found[r, k] = total
                k += 1


@inner_kernel
def _nearest(distances, places, heap):
    """Write the places of the least distances: a heap with the largest of them on top."""
    count = places.size
    for k in range(distances.size):
        value, i = distances[k], 0
        if k < count:
            i = k
            while i > 0 and heap[(i - 1) // 2] < value:
                heap[i], places[i] = heap[(i - 1) // 2], places[(i - 1) // 2]
                i = (i - 1) // 2
        elif value < heap[0]:
            child = 1
            while child < count:
                if child + 1 < count and heap[child + 1] > heap[child]:
                    child += 1
                if heap[child] <= value:
                    break
                heap[i], places[i] = heap[child], places[child]
                i, child = child, 2 * child + 1
        else:
            continue
        heap[i], places[i] = value, k


@inner_kernel
def _gathered(u, guide, corners, size, scale, g, rows):
    """Write the patches of the guide less their mean, over the noise, and those of u less it."""
    count = corners.shape[0]
    share = g.dtype.type(1) / g.dtype.type(count)
    for i in range(count):
        z, y, x = corners[i]
        for j in range(size):
            a, b = guide[z, y + j, x:], u[z, y + j, x:]
            for k in range(size):
                g[i, j * size + k] = a[k]
                rows[j * size + k, i] = b[k]
    for j in range(size * size):
        mean = g.dtype.type(0)
        for i in range(count):
            mean += share * g[i, j]
        row = rows[j]
        for i in range(count):
            g[i, j] -= mean
            row[i] -= mean
    for i in range(count):
        patch, most = g[i], g.dtype.type(0)
        for j in range(size * size):
            most = max(most, abs(patch[j]))
        factor = min(scale, g.dtype.type(LARGEST) / most)
        for j in range(size * size):
            patch[j] *= factor


@inline_kernel
def _less_four(row, c, rows, factors, first, begin):
    f0, f1 = factors[first, c], factors[first + 1, c]
    f2, f3 = factors[first + 2, c], factors[first + 3, c]
    r0, r1, r2, r3 = rows[first], rows[first + 1], rows[first + 2], rows[first + 3]
    for n in range(begin, row.size):
        row[n] -= (f0 * r0[n] + f1 * r1[n]) + (f2 * r2[n] + f3 * r3[n])


@inner_kernel
def _less(row, c, rows, factors, span, begin):
    """Subtract some rows, each times what a matrix has in that row and column c."""
    whole = span[0] + (span[1] - span[0]) // 4 * 4
    for first in range(span[0], whole, 4):
        _less_four(row, c, rows, factors, first, begin)
    for a in range(whole, span[1]):
        factor, other = factors[a, c], rows[a]
        for n in range(begin, row.size):
            row[n] -= factor * other[n]


@inner_kernel
def _factored(g, noise, matrix):
    """Write U with Uᵀ U = gᵀ g + noise; its diagonal is inverted."""
    size = g.shape[1]
    total = g.dtype.type(0)
    for i in range(g.shape[0]):
        for a in range(size):
            total += g[i, a] * g[i, a]
    # Where rounding is more than the noise U would grow without bounds.
    noise = max(noise, total * g.dtype.type(ROUNDING))
    for a in range(size):
        for b in range(a, size):
            matrix[a, b] = 0
        matrix[a, a] = noise
    for i in range(0, g.shape[0], 4):
        g0, g1, g2, g3 = g[i], g[i + 1], g[i + 2], g[i + 3]
        for a in range(size):
            f0, f1, f2, f3 = g0[a], g1[a], g2[a], g3[a]
            row = matrix[a]
            for b in range(a, size):
                row[b] += (f0 * g0[b] + f1 * g1[b]) + (f2 * g2[b] + f3 * g3[b])
    for a in range(size):
        row = matrix[a]
        _less(row, a, matrix, matrix, (0, a), a)
        # Rounding does not make it less than it can be.
        pivot = g.dtype.type(1 / math.sqrt(max(row[a], noise)))
        row[a] = pivot
        for b in range(a + 1, size):
            row[b] *= pivot


@inner_kernel
def _solved(matrix, turned, rows):
    """Replace rows by (Uᵀ U)⁻¹ rows."""
    size = rows.shape[0]
    for a in range(size):
        row = rows[a]
        _less(row, a, rows, matrix, (0, a), 0)
        for n in range(row.size):
            row[n] *= matrix[a, a]
        for b in range(a, size):
            turned[b, a] = matrix[a, b]
    for a in range(size - 1, -1, -1):
        row = rows[a]
        _less(row, a, rows, turned, (a + 1, size), 0)
        for n in range(row.size):
            row[n] *= matrix[a, a]


@inner_kernel
def _noise(variances, c, corners, size, count):
    """Return the variance of the noise of a group times its patches, over that of the channel."""
    if variances.ndim == 1:
        return count
    total = count * (size * size) * variances.dtype.type(LEAST)
    for i in range(corners.shape[0]):
        z, y, x = corners[i]
        for j in range(size):
            row = variances[c, z, y + j, x:]
            for k in range(size):
                total += row[k]
    return total / variances.dtype.type(size * size)


@inner_kernel
def _added(u, corners, size, noise, rows, base, out):
    """Add every patch of a group, less what is noise in it."""
    for i in range(corners.shape[0]):
        z, y, x = corners[i]
        for j in range(size):
            a, to = u[z, y + j, x:], out[z - base[0], y + j - base[1], x:]
            for k in range(size):
                to[k] += a[k] - noise * rows[j * size + k, i]


@inner_kernel
def _counted(corners, size, base, out):
    one = out.dtype.type(1)
    for i in range(corners.shape[0]):
        z, y, x = corners[i]
        for j in range(size):
            to = out[z - base[0], y + j - base[1], x:]
            for k in range(size):
                to[k] += one


@kernel
def filter_groups(
    u, guide, scale, variances, radii, sizes, corner, tops, sums, counts,
    column, found, places, heap, corners, g, matrices, rows
):  # fmt: skip
    """Add the filtered patches of all groups of some rows, and how many they are at each pixel.

    Parameters
    ----------
    u, guide : (C, D, H, W) float32 or float64
        With margins.
    scale : (C,)
        1 / σ of each channel; 0 leaves a channel out.
    variances : (1,) or (C, D, H, W)
        Of the noise over σ², where it has a map.
    radii : (int, int)
        Search radii along the third axis and in the planes.
    sizes : (int, int)
        Width of a patch, and distance of the groups.
    corner : (int, int, int)
        Where the first patch begins but for the radius along the third axis.
    tops : int
        How many rows of groups there are.
    sums, counts : (C, 2 · radius + 1, rows, W), (2 · radius + 1, rows, W)
        Added to: they begin a search radius before the corner, but with the first column.
    column, found, places, heap, corners, g, matrices, rows : arrays
        Written: a row of differences, those of (groups of a row, patches), the nearest ones, the
        patches of a group in the guide, two matrices, and the patches of u.
    """
    side, middle = 2 * radii[1] + 1, found.shape[1] // 2
    plane, top, left = corner
    base, count = (plane, top - radii[1]), u.dtype.type(places.size)
    for row in range(tops):
        y = top + row * sizes[1]
        _compared(guide, (plane + radii[0], y, left), radii, sizes, scale, column, found)
        for r in range(found.shape[0]):
            # A patch is always in its own group.
            found[r, middle] = -1
            _nearest(found[r], places, heap)
            for i in range(places.size):
                k = places[i]
                corners[i, 0] = plane + k // (side * side)
                corners[i, 1] = y + k // side % side - radii[1]
                corners[i, 2] = left + r * sizes[1] + k % side - radii[1]
            _counted(corners, sizes[0], base, counts)
            for c in range(u.shape[0]):
                if scale[c] > 0:
                    noise = _noise(variances, c, corners, sizes[0], count)
                    _gathered(u[c], guide[c], corners, sizes[0], scale[c], g, rows)
                    _factored(g, noise, matrices[0])
                    _solved(matrices[0], matrices[1], rows)
                    _added(u[c], corners, sizes[0], noise, rows, base, sums[c])
