from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numba import njit
from scipy import special, stats

from napari_diffusion.noise.sampling import normal as normal_module
from napari_diffusion.noise.sampling import random_numbers

# Random123's published known answers for philox4x32-10: counter, key, output.
KNOWN = [
    ("00000000 00000000 00000000 00000000", "00000000 00000000",
     "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff",
     "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0",
     "d16cfe09 94fdcceb 5001e420 24126ea1"),
]  # fmt: skip
# Normals at (t, c, z) = (7, 1, 2), y = 3 … 4, x = 6 … 9 for seed 2⁶³ + 1, step 9, stream 1.
GOLDEN = [
    "0x1.510b4e0000000p-1",
    "0x1.7f371e0000000p-2",
    "0x1.3d418e0000000p-3",
    "0x1.5b406a0000000p-1",
    "0x1.76edf60000000p-1",
    "0x1.3488660000000p-4",
    "-0x1.fbe0740000000p-3",
    "0x1.6768700000000p-3",
]
SEEDS = (0, 1, 0x0123456789ABCDEF, 2**64 - 1)
END = 2**32


def words_of(text: str) -> list[int]:
    return [int(word, 16) for word in text.split()]


def philox(counter: list[int], key: list[int]) -> list[int]:
    """Philox4x32-10 in Python's integers."""
    (a, b, c, d), (k, m) = counter, key
    for _ in range(10):
        p, q = a * 0xD2511F53, c * 0xCD9E8D57
        a, b, c, d = (q >> 32) ^ b ^ k, q % END, (p >> 32) ^ d ^ m, p % END
        k, m = (k + 0x9E3779B9) % END, (m + 0xBB67AE85) % END
    return [a, b, c, d]


def word_at(seed, step, stream, t, c, z, y, x, attempt=0) -> int:
    key = philox([t, c, step, stream], [seed % END, seed // END])[:2]
    return philox([x >> 2, y, z, attempt], key)[x & 3]


def words(shape, origin=(0, 0, 0, 0, 0), seed=0, step=0, stream=0, attempt=0):
    keys, z = random_numbers.addresses(shape, origin, seed, step, stream)
    out = np.zeros((len(z), *shape[3:]), np.uint32)
    part = (0, len(z), 0, shape[3])
    random_numbers.fill_words(out, keys, z, origin[3], origin[4], *part, attempt)
    return out.reshape(shape)


def normals(shape, origin=(0, 0, 0, 0, 0), seed=0, step=0, stream=0, dtype=np.float32):
    keys, z = random_numbers.addresses(shape, origin, seed, step, stream)
    out = np.zeros((len(z), *shape[3:]), dtype)
    normal_module.fill_normal(out, keys, z, origin[3], origin[4], 0, len(z), 0, shape[3])
    return out.reshape(shape)


def added(image, scale, origin=(0, 0, 0, 0, 0), seed=0):
    keys, z = random_numbers.addresses(image.shape, origin, seed)
    planes = image.reshape(-1, *image.shape[3:])
    out = np.zeros_like(planes)
    part = (0, len(z), 0, image.shape[3])
    normal_module.add_normal(planes, out, scale, keys, z, origin[3], origin[4], *part)
    return out.reshape(image.shape)


def pairs(even, odd):
    """Normal numbers of pairs of words."""
    out = np.empty(2 * even.size, np.float32)
    normal_module.normal_block(out, even, odd, even.size // 2)
    return out.reshape(-1, 2)


@njit
def each(function, word, out):
    for i in range(word.size):
        out[i] = function(word[i])


@njit
def uniform_of(word):
    return random_numbers.uniform(word)


@njit
def exponential_of(word):
    return normal_module.exponential(word)


def exact_exponential(word):
    """−ln u in float64, u = (word + ½) / 2³²."""
    below = (word.astype(np.float64) + 0.5) / END
    above = ((END - 1 - word.astype(np.int64)) + 0.5) / END
    return np.where(word < END // 2, -np.log(below), -np.log1p(-above))


def exact_pairs(even, odd):
    """Box–Muller in float64."""
    low = (odd & 0x3FFFFFFF).astype(np.int64)
    angle = np.pi / 4 * (np.where(low < 2**29, low, low - 2**30) + 0.5) / 2**29
    cosine = np.cos(angle) * np.where(odd >> 31, -1, 1)
    sine = np.sin(angle)
    swap = (odd >> 30) & 1 == 1
    radius = np.sqrt(2 * exact_exponential(even))
    return np.stack(
        [radius * np.where(swap, sine, cosine), radius * np.where(swap, cosine, sine)], axis=-1
    )


# Words at and around every place where the formulas change.
EDGES = np.array(
    [(edge + near) % END for edge in (0, 2**24, 2**30, 2**31, 3 * 2**30) for near in range(-9, 9)],
    np.uint32,
)


# Which number belongs where


@pytest.mark.parametrize(("counter", "key", "output"), KNOWN)
def test_philox_gives_the_known_answers(counter, key, output):
    assert philox(words_of(counter), words_of(key)) == words_of(output)
    got = random_numbers.philox4x32_10(*words_of(counter), *words_of(key))
    assert [int(word) for word in got] == words_of(output)


def test_words_stand_at_their_addresses():
    rng = np.random.default_rng(5)
    shape = (2, 2, 2, 3, 70)
    for trial, seed in enumerate(SEEDS * 3):
        step, stream, attempt = (int(n) for n in rng.choice([0, 1, 63, END - 1], 3))
        ends = [END, END, END, END, 4 * END]
        # At the first addresses, at the last ones, and anywhere.
        origin = [
            0 if trial % 3 == 0 else end - size if trial % 3 == 1 else int(rng.integers(end - size))
            for end, size in zip(ends, shape, strict=True)
        ]
        got = words(shape, origin, seed, step, stream, attempt)
        for index in itertools.product((0, 1), (0, 1), (0, 1), (0, 2), (0, 1, 2, 3, 4, 37, 69)):
            place = [first + offset for first, offset in zip(origin, index, strict=True)]
            assert got[index] == word_at(seed, step, stream, *place, attempt)


def test_lanes_and_normals_follow_the_words():
    shape = (1, 1, 2, 5, 67)
    word = words(shape, seed=3)[..., :66].reshape(-1, 2)
    normal = normals(shape, seed=3)[..., :66].reshape(-1, 2)
    np.testing.assert_array_equal(normal, pairs(word[:, 0].copy(), word[:, 1].copy()))


def test_bits_are_those_of_the_first_version():
    got = normals((1, 1, 1, 2, 4), (7, 1, 2, 3, 6), seed=2**63 + 1, step=9, stream=1)
    assert [value.hex() for value in got.ravel().tolist()] == GOLDEN


# How exact the numbers are


def test_normals_are_box_muller_to_a_few_ulp():
    word = words((1, 1, 1, 1000, 2000)).reshape(-1, 2)
    even = np.concatenate([word[:, 0], np.repeat(EDGES, EDGES.size)])
    odd = np.concatenate([word[:, 1], np.tile(EDGES, EDGES.size)])
    error = pairs(even, odd) / exact_pairs(even, odd) - 1
    assert np.abs(error).max() < 3e-7
    assert abs(error.mean()) < 1e-8
    assert error.std() < 8e-8


def test_vector_and_scalar_code_agree():
    # Two words at a time are too few for a vector.
    rng = np.random.default_rng(0)
    even = np.concatenate([EDGES, rng.integers(0, END, 10_000, np.uint32)])
    odd = np.concatenate([EDGES[::-1], rng.integers(0, END, 10_000, np.uint32)])
    alone = [pairs(even[i : i + 2], odd[i : i + 2]) for i in range(0, even.size, 2)]
    np.testing.assert_array_equal(pairs(even, odd), np.concatenate(alone))


def test_normals_reach_beyond_six_sigma_on_all_sides():
    for odd, sign, place in ((0, 1, 0), (1 << 31, -1, 0), (1 << 30, 1, 1), (3 << 30, -1, 1)):
        got = pairs(np.zeros(2, np.uint32), np.full(2, odd, np.uint32))[0]
        assert got[place] == pytest.approx(sign * np.sqrt(66 * np.log(2)), rel=3e-7)
        assert 0 < abs(got[1 - place]) < 1e-7


def test_exponential_is_exact_at_both_ends_and_falls():
    start = np.arange(2**16, dtype=np.uint32)
    for word in (start, start + np.uint32(2**31 - 2**15), ~start[::-1]):
        got = np.empty(word.size, np.float32)
        each(exponential_of, word, got)
        np.testing.assert_allclose(got, exact_exponential(word), rtol=2e-7)
        assert (np.diff(got[:: 2**12]) < 0).all()


def test_uniform_lies_inside_0_and_1():
    word = np.concatenate([EDGES, words((1, 1, 1, 1, 100_000)).ravel()])
    got = np.empty(word.size, np.float32)
    each(uniform_of, word, got)
    np.testing.assert_allclose(got, (word + 0.5) / END, rtol=1.2e-7)
    assert got.min() == np.float32(2.0**-33)
    assert got.max() == np.float32(1 - 2.0**-24)
    assert abs(got.mean(dtype=float) - 0.5) < 4.5 * np.sqrt(1 / 12 / got.size)


# The same numbers however they are asked for


@pytest.mark.parametrize("x_start", [0, END - 60, 4 * END - 150], ids=["start", "2^32", "end"])
def test_every_cut_gives_the_same_bits(x_start):
    shape, origin = (2, 1, 3, 20, 150), (END - 2, 3, END - 3, END - 20, x_start)
    whole = normals(shape, origin, seed=2**64 - 1, step=END - 1)
    rng = np.random.default_rng(1)
    for width in range(1, 68):
        low = [int(rng.integers(size)) for size in (*shape[:4], shape[4] - width)]
        high = [int(rng.integers(a, b)) + 1 for a, b in zip(low[:4], shape[:4], strict=True)]
        high.append(low[4] + width)
        cut = tuple(map(slice, low, high))
        place = tuple(a + b for a, b in zip(origin, low, strict=True))
        part = normals(whole[cut].shape, place, seed=2**64 - 1, step=END - 1)
        np.testing.assert_array_equal(part, whole[cut])


def test_a_2d_array_is_the_first_plane_of_a_stack():
    stack = normals((2, 2, 2, 30, 40), seed=8)
    np.testing.assert_array_equal(normals((1, 1, 1, 30, 40), seed=8)[0, 0, 0], stack[0, 0, 0])
    planes = stack.reshape(8, -1)
    assert np.unique(planes, axis=0).shape == planes.shape


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_bands_planes_and_threads_write_their_part_alone(dtype):
    image = np.random.default_rng(2).normal(size=(3, 40, 123)).astype(dtype)
    keys, z = random_numbers.addresses((1, 1, *image.shape), (0, 0, 4, 5, 6), seed=4)
    whole, shared, one = (np.full_like(image, np.nan) for _ in range(3))
    normal_module.add_normal(image, whole, 0.3, keys, z, 5, 6, 0, 3, 0, 40)
    bands = [(p, p + 1, r, min(r + 7, 40)) for p in range(3) for r in range(0, 40, 7)]
    with ThreadPoolExecutor(4) as pool:
        list(
            pool.map(
                lambda band: normal_module.add_normal(image, shared, 0.3, keys, z, 5, 6, *band),
                bands,
            )
        )
    np.testing.assert_array_equal(shared, whole)
    normal_module.add_normal(image, one, 0.3, keys, z, 5, 6, 1, 2, 3, 5)
    np.testing.assert_array_equal(one[1, 3:5], whole[1, 3:5])
    assert np.isnan(one).sum() == one.size - 2 * 123


def test_float64_takes_the_same_normals():
    shape, origin = (1, 2, 2, 9, 133), (0, 1, 2, 3, 5)
    normal = normals(shape, origin)
    np.testing.assert_array_equal(normals(shape, origin, dtype=np.float64), normal)
    image = np.random.default_rng(3).normal(size=shape)
    scale = 1 / 3
    np.testing.assert_array_equal(added(image, scale, origin), image + scale * normal.astype(float))
    single = image.astype(np.float32)
    np.testing.assert_array_equal(added(single, scale, origin), single + np.float32(scale) * normal)


def test_image_may_be_read_only_or_the_output_itself():
    image = np.ones((1, 1, 1, 8, 50), np.float32)
    wanted = added(image, 0.5)
    image.flags.writeable = False
    np.testing.assert_array_equal(added(image, 0.5), wanted)
    image = np.ones((1, 8, 50), np.float32)
    keys, z = random_numbers.addresses((1, 1, *image.shape), (0,) * 5, 0)
    normal_module.add_normal(image, image, 0.5, keys, z, 0, 0, 0, 1, 0, 8)
    np.testing.assert_array_equal(image, wanted[0, 0])


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"seed": -1}, r"seed must be from 0 to 2\*\*64 - 1 \(got -1\)"),
        ({"seed": 2**64}, "seed must be"),
        ({"step": END}, r"step must be from 0 to 2\*\*32 - 1 \(got 4294967296\)"),
        ({"stream": -1}, "stream must be"),
        ({"origin": (0, 0, 0, 0, -1)}, r"along x must be .* \(got -1 to 3\)"),
        ({"origin": (0, 0, 0, 0, 4 * END - 4)}, "along x"),
        ({"origin": (0, 0, 0, END - 2, 0)}, "along y"),
        ({"origin": (0, 0, END, 0, 0)}, "along z"),
        ({"origin": (END, 0, 0, 0, 0)}, "along t"),
    ],
)
def test_what_has_no_address_is_refused(changed, message):
    options = {"shape": (1, 1, 1, 3, 5), "origin": (0,) * 5, "seed": 0, "step": 0, "stream": 0}
    with pytest.raises(ValueError, match=message):
        random_numbers.addresses(**(options | changed))


# Their distribution: tolerances follow from the pixel size, and the seed is fixed


@pytest.fixture(scope="module")
def sample():
    return normals((1, 1, 1, 2500, 4000), seed=1).ravel()


def test_moments_are_those_of_the_normal_distribution(sample):
    powers = np.ones(sample.size)
    for order in range(1, 5):
        powers *= sample
        mean = special.factorial2(order - 1) if order % 2 == 0 else 0.0
        deviation = np.sqrt((special.factorial2(2 * order - 1) - mean**2) / sample.size)
        assert abs(powers.mean() - mean) < 4.5 * deviation


def test_distribution_is_normal(sample):
    assert stats.kstest(sample, special.ndtr, method="asymp").pvalue > 0.001


@pytest.mark.parametrize("lane", range(4))
def test_every_lane_is_normal(sample, lane):
    assert stats.kstest(sample[lane::16], special.ndtr, method="asymp").pvalue > 0.001


@pytest.mark.parametrize("sigma", [3, 4, 5])
@pytest.mark.parametrize("side", [-1, 1])
def test_tails_have_their_frequency(sample, side, sigma):
    wanted = sample.size * special.ndtr(-sigma)
    assert abs((side * sample > sigma).sum() - wanted) < 4 * np.sqrt(wanted) + 1


def test_neighbours_steps_seeds_and_streams_are_independent():
    shape, zero = (1, 1, 1, 700, 1000), (0, 0, 0, 0, 0)
    shifts = [(0, 0, 0, 0, x) for x in (1, 2, 3, 4, 5, 4 * 2**16)]
    shifts += [(0, 0, 0, y, 0) for y in (1, 2, 700)]
    shifts += [(0, 0, 1, 0, 0), (0, 1, 0, 0, 0), (1, 0, 0, 0, 0), (1, 1, 0, 0, 0)]
    fields = [normals(shape, shift) for shift in (zero, *shifts)]
    fields += [normals(shape, seed=seed) for seed in (1, END, 2**64 - 1)]
    fields += [normals(shape, step=1), normals(shape, stream=1), normals(shape, seed=1, step=1)]
    flat = np.stack([field.ravel() for field in fields])
    for numbers in (flat, flat**2):
        between = np.corrcoef(numbers) - np.eye(len(flat))
        assert np.abs(between).max() < 5 / np.sqrt(flat.shape[1])
