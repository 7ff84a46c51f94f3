"""Sums over all pixels of several images at once, each of them read one time."""

from __future__ import annotations

from napari_diffusion.engine.jit import kernel


@kernel
def moments(a, b, inside, out):
    """Write n, Σd, Σd², Σe, Σe², Σde into out, d = a − b and e = b minus its first value.

    All flat; pixels count where `inside`, and everywhere where that is empty.
    """
    whole = inside.size == 0
    first = b[0]
    n, sd, sdd, se, see, sde = 0, 0.0, 0.0, 0.0, 0.0, 0.0
    for i in range(a.size):
        if whole or inside[i]:
            d = float(a[i]) - float(b[i])
            e = float(b[i]) - float(first)
            n += 1
            sd += d
            sdd += d * d
            se += e
            see += e * e
            sde += d * e
    out[0], out[1], out[2], out[3], out[4], out[5] = n, sd, sdd, se, see, sde


@kernel
def risk(source, image, probed, change, inside, noise, out):
    """Write n, Σ(u − y)², ΣV, ΣVb(u' − u) and Σb² into out, V = noise₀ + noise₁ max(y − noise₂, 0).

    All flat; y is the source, u the image, u' that of the source plus the change b.
    """
    whole = inside.size == 0
    n, squares, variances, answers, changes = 0, 0.0, 0.0, 0.0, 0.0
    for i in range(source.size):
        if whole or inside[i]:
            y, u, b = float(source[i]), float(image[i]), float(change[i])
            variance = noise[0] + noise[1] * max(y - noise[2], 0.0)
            n += 1
            squares += (u - y) * (u - y)
            variances += variance
            answers += variance * b * (float(probed[i]) - u)
            changes += b * b
    out[0], out[1], out[2], out[3], out[4] = n, squares, variances, answers, changes


@kernel
def likeness(a, b, inside, size, low, spread, columns):
    """Return the sum and the count of the similarity of two planes, over windows of `size` squared.

    Windows that reach beyond the plane or `inside`, unless that is empty, do not count. `low` and
    `spread` are added to products of means and to those of variances; `columns` is room for six
    sums of each column, zeros at first.
    """
    ny, nx = a.shape
    whole = inside.size == 0
    count = float(size * size)
    unbiased = count / (count - 1.0)
    a0, b0 = float(a[0, 0]), float(b[0, 0])
    total, windows = 0.0, 0
    for y in range(ny):
        for x in range(nx):
            p, q = float(a[y, x]) - a0, float(b[y, x]) - b0
            columns[0, x] += p
            columns[1, x] += q
            columns[2, x] += p * p
            columns[3, x] += q * q
            columns[4, x] += p * q
            if not whole and not inside[y, x]:
                columns[5, x] += 1.0
        if y >= size:
            for x in range(nx):
                p, q = float(a[y - size, x]) - a0, float(b[y - size, x]) - b0
                columns[0, x] -= p
                columns[1, x] -= q
                columns[2, x] -= p * p
                columns[3, x] -= q * q
                columns[4, x] -= p * q
                if not whole and not inside[y - size, x]:
                    columns[5, x] -= 1.0
        if y < size - 1:
            continue
        sp, sq, spp, sqq, spq, outside = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        for x in range(nx):
            sp += columns[0, x]
            sq += columns[1, x]
            spp += columns[2, x]
            sqq += columns[3, x]
            spq += columns[4, x]
            outside += columns[5, x]
            if x >= size:
                sp -= columns[0, x - size]
                sq -= columns[1, x - size]
                spp -= columns[2, x - size]
                sqq -= columns[3, x - size]
                spq -= columns[4, x - size]
                outside -= columns[5, x - size]
            if x < size - 1 or outside > 0.5:
                continue
            m, n = sp / count, sq / count
            v, w = unbiased * (spp / count - m * m), unbiased * (sqq / count - n * n)
            c = unbiased * (spq / count - m * n)
            m, n = m + a0, n + b0
            top = (2.0 * m * n + low) * (2.0 * c + spread)
            total += top / ((m * m + n * n + low) * (v + w + spread))
            windows += 1
    return total, windows
