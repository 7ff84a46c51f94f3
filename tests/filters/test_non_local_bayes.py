"""Groups of similar patches, beside the formula patch by patch."""

from __future__ import annotations

import numpy as np
import pytest

from napari_diffusion.filters import HaarDiffusion, NonLocalBayes

SIGMA = 0.2
HAAR = HaarDiffusion(SIGMA, levels=2, weights=(0.4, 0.5))


def random(shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def lattice(shape=(60, 66)):
    """Return a wall of bricks, clean and noisy."""
    y, x = np.indices(shape)
    clean = 1.0 * ((y % 10 < 2) | ((x + 7 * (y // 10 % 2)) % 14 < 2))
    return clean, clean + SIGMA * random(shape)


def by_formula(y, guide, radius, patch, count, stride, depth, sigma):
    """Return the mean of all filtered patches of volumes; noise is one number or an array."""
    margin = radius + patch - 1
    pads = [(depth, depth), (margin, margin), (margin, margin)]
    sigma = np.broadcast_to(sigma, y.shape)
    u, p, s = (np.pad(each, pads, "reflect") for each in (y, guide, sigma))
    total, weight = np.zeros_like(u), np.zeros_like(u)
    starts = [[m for m in range(1 - patch, n) if m % stride == 0] for n in y.shape[1:]]
    around = [np.array(o) for o in np.ndindex(2 * depth + 1, 2 * radius + 1, 2 * radius + 1)]
    for z in range(len(y)):
        for top, left in ((a, b) for a in starts[0] for b in starts[1]):
            first = np.array([z, top + margin - radius, left + margin - radius])
            parts = [
                (k, slice(i, i + patch), slice(j, j + patch))
                for k, i, j in (first + o for o in around)
            ]
            own = p[z + depth, top + margin : top + margin + patch,
                    left + margin : left + margin + patch]  # fmt: skip
            apart = [np.sum((p[part] - own) ** 2) for part in parts]
            chosen = [parts[i] for i in np.argsort(apart)[:count]]
            g, v, n = (np.array([e[part].ravel() for part in chosen]) for e in (p, u, s))
            mean = g.mean(axis=0)
            covariance = (g - mean).T @ (g - mean) / len(g)
            gain = covariance @ np.linalg.inv(covariance + np.mean(n**2) * np.eye(patch**2))
            for part, made in zip(chosen, mean + (v - mean) @ gain.T, strict=True):
                total[part] += made.reshape(patch, patch)
                weight[part] += 1
    core = tuple(slice(a, a + n) for (a, _), n in zip(pads, y.shape, strict=True))
    return total[core] / weight[core]


@pytest.mark.parametrize(
    ("shape", "radius", "patch", "count", "stride", "depth"),
    [((1, 31, 37), 3, 4, 12, 3, 0), ((1, 19, 21), 1, 3, 64, 2, 0), ((6, 21, 20), 2, 3, 16, 3, 1)],
)
def test_patch_by_patch(shape, radius, patch, count, stride, depth):
    y = random(shape)
    chosen = NonLocalBayes(SIGMA, HAAR, radius, patch, count, stride, depth)
    count = min(count, (2 * radius + 1) ** 2 // 4 * 4) if depth == 0 else count
    plane, options = (y[0], {}) if shape[0] == 1 else (y, {"axes": "zyx"})
    guide = HAAR(plane, **options).reshape(shape)
    expected = by_formula(y, guide, radius, patch, count, stride, depth, SIGMA)
    # At the border, mirrored patches are equally similar to one that is its own mirror image.
    inner = slice(2 * depth, shape[0] - 2 * depth), slice(9, -9), slice(9, -9)
    made = chosen(plane, **options).reshape(shape)[inner]
    np.testing.assert_allclose(made, expected[inner], atol=1e-12)


def test_a_map_of_the_noise_counts_with_its_mean_variance():
    y, sigma = random((1, 23, 26)), np.linspace(0.1, 0.4, 26) * np.ones((1, 23, 1))
    pilot = HAAR.replaced(noise_sigma=sigma[0])
    made = NonLocalBayes(sigma[0], pilot, 2, 3, 12, 2, 0)(y[0])
    expected = by_formula(y, pilot(y[0])[None], 2, 3, 12, 2, 0, sigma)[0]
    # A very small part is added to every variance.
    np.testing.assert_allclose(made[9:-9, 9:-9], expected[9:-9, 9:-9], atol=1e-5)
    even = NonLocalBayes(np.full((23, 26), SIGMA), HAAR, 2, 3, 12, 2, 0)(y[0])
    np.testing.assert_allclose(even, NonLocalBayes(SIGMA, HAAR, 2, 3, 12, 2, 0)(y[0]), atol=1e-5)


def test_a_wall_is_better_than_in_its_pilot():
    clean, y = lattice()
    made = NonLocalBayes(SIGMA, HAAR, patch=5, stride=3)(y)
    assert np.mean((made - clean) ** 2) < 0.6 * np.mean((HAAR(y) - clean) ** 2)


@pytest.mark.parametrize(
    ("shape", "chunks", "options"),
    [((70, 131), (33, 40), {}), ((5, 40, 33), (5, 21, 20), {"axes": "zyx"})],
)
def test_chunks_and_threads_give_the_same_bits(shape, chunks, options, monkeypatch):
    import dask.array as da

    y = random(shape).astype(np.float32)
    chosen = NonLocalBayes(SIGMA, HAAR, 3, 4, 16, 3)
    monkeypatch.setenv("NAPARI_DIFFUSION_THREADS", "1")
    whole = chosen(y, **options)
    lazy = chosen(da.from_array(y, chunks=chunks), axes=options.get("axes", "yx"))
    np.testing.assert_array_equal(lazy.compute(scheduler="synchronous"), whole)
    monkeypatch.setenv("NAPARI_DIFFUSION_THREADS", "3")
    np.testing.assert_array_equal(chosen(y, **options), whole)


def test_joint_channels_say_together_what_is_similar():
    y = np.stack([random((20, 24)), np.zeros((20, 24))])
    one = NonLocalBayes(SIGMA, HAAR, 3, 4, 16, 3)(y[0])
    both = NonLocalBayes((SIGMA, 0.0), HAAR, 3, 4, 16, 3)(y, axes="cyx")
    np.testing.assert_allclose(both[0], one, atol=1e-12)
    np.testing.assert_array_equal(both[1], y[1])
    other = np.stack([y[0], random((20, 24), 1)])
    together = NonLocalBayes(SIGMA, HAAR, 3, 4, 16, 3)(other, axes="cyx")
    apart = NonLocalBayes(SIGMA, HAAR, 3, 4, 16, 3)(other, axes="cyx", joint_channels=False)
    np.testing.assert_allclose(apart[0], one, atol=1e-12)
    assert np.abs(together[0] - one).max() > 0.01


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=r"count must be a multiple of 4 \(got 30\)"):
        NonLocalBayes(count=30)
    with pytest.raises(ValueError, match=r"stride must be at most patch=4.*\(got 5\)"):
        NonLocalBayes(patch=4, stride=5)
