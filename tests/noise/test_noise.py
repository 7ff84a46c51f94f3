"""Noise through its own door: which number lands on which pixel."""

from __future__ import annotations

import math
import tracemalloc

import numpy as np
import pytest

import napari_diffusion as nd
from napari_diffusion.core.address import Address
from napari_diffusion.filters import Heat
from napari_diffusion.noise import Gaussian

NOISE = Gaussian()


def numbers(shape, dtype=np.float32, **options):
    """Return the standard normal numbers of an array's pixels."""
    return NOISE(np.zeros(shape, dtype), 1.0, **{"seed": 11, "step": 3, **options})


def philox(counter, key):
    """Philox4x32-10 in plain integers (Salmon and others 2011)."""
    (c0, c1, c2, c3), (k0, k1) = counter, key
    for _ in range(10):
        low, high = 0xD2511F53 * c0, 0xCD9E8D57 * c2
        c0, c1, c2, c3 = (
            (high >> 32) ^ c1 ^ k0, high & 0xFFFFFFFF, (low >> 32) ^ c3 ^ k1, low & 0xFFFFFFFF,
        )  # fmt: skip
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return c0, c1, c2, c3


def test_this_philox_is_the_published_one():
    """A known answer of the Random123 library."""
    ones = 0xFFFFFFFF
    assert philox((0, 0, 0, 0), (0, 0)) == (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)
    assert philox((ones,) * 4, (ones,) * 2) == (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)


@pytest.mark.parametrize("seed", [0, 11, 2**32, 2**64 - 1])
def test_each_number_comes_from_its_address(seed):
    """Two neighbours' squares sum to −2 ln of their first word: which word, the address says."""
    shape, step = (2, 3, 2, 3, 11), 5
    found = NOISE(np.zeros(shape, np.float64), 1.0, seed=seed, step=step, axes="tczyx")
    for t, c, z, y, pair in np.ndindex(2, 3, 2, 3, 5):
        key = philox((t, c, step, 0), (seed & 0xFFFFFFFF, seed >> 32))[:2]
        words = philox((2 * pair >> 2, y, z, 0), key)
        word = words[2 * pair & 3]
        squares = np.sum(found[t, c, z, y, 2 * pair : 2 * pair + 2] ** 2)
        assert squares == pytest.approx(-2 * math.log((word + 0.5) / 2**32), rel=2e-6)


@pytest.mark.parametrize(
    ("axes", "shape", "plane"),
    [
        ("zyx", (4, 9, 13), (0,)),
        ("tyx", (4, 9, 13), (0,)),
        ("cyx", (3, 9, 13), (0,)),
        ("yxc", (9, 13, 3), (slice(None), slice(None), 0)),
        ("tczyx", (2, 3, 2, 9, 13), (0, 0, 0)),
    ],
)
def test_a_plane_alone_is_the_first_of_a_stack(axes, shape, plane):
    stack, alone = numbers(shape, axes=axes), numbers((9, 13))
    np.testing.assert_array_equal(stack[plane], alone)
    others = stack.reshape(9, 13, 3)[..., 1] if axes == "yxc" else stack.reshape(-1, 9, 13)[-1]
    assert np.mean(others == alone) < 0.01


def test_t_c_and_z_are_told_apart():
    stacks = [numbers((3, 9, 13), axes=axes)[1] for axes in ("tyx", "cyx", "zyx")]
    for a, b in ((0, 1), (0, 2), (1, 2)):
        assert np.mean(stacks[a] == stacks[b]) < 0.01


@pytest.mark.parametrize("axes", ["xy", "yx"])
def test_the_order_of_the_axes_does_not_matter(axes):
    np.testing.assert_array_equal(numbers((13, 9), axes="xy"), numbers((9, 13), axes="yx").T)
    stack = numbers((2, 3, 4, 5, 6), axes="tczyx")
    turned = numbers((6, 3, 5, 2, 4), axes="xcytz")
    np.testing.assert_array_equal(turned, stack.transpose(4, 1, 3, 0, 2))


def test_the_shape_does_not_matter():
    large = numbers((40, 50))
    for shape in ((1, 1), (7, 50), (40, 3), (39, 49)):
        np.testing.assert_array_equal(numbers(shape), large[: shape[0], : shape[1]])


def test_a_crop_has_the_numbers_of_the_whole():
    still = nd.Recipe(num_steps=2, starting_noise_scale=0.5, diffusion_filter=Heat(time=0.0))
    image = np.zeros((3, 20, 33), np.float32)
    whole = nd.run(image, still, axes="zyx").image
    for x in range(9):
        region = (slice(1, 3), slice(x, 15), slice(x, 33 - x // 2))
        crop = nd.run(image, still, axes="zyx", region=region).image
        np.testing.assert_array_equal(crop, whole[region])


def test_float64_images_get_the_same_numbers():
    np.testing.assert_array_equal(numbers((9, 13), np.float64), numbers((9, 13)).astype(float))
    image = np.random.default_rng(0).random((9, 13))
    expected = image + 0.1 * numbers((9, 13)).astype(float)
    np.testing.assert_allclose(NOISE(image, 0.1, seed=11, step=3), expected, rtol=0, atol=1e-16)


def test_both_halves_of_the_seed_count():
    seeds = (0, 1, 2**31, 2**32, 2**32 + 1, 2**63, 2**64 - 1)
    found = [numbers((9, 13), seed=seed) for seed in seeds]
    for i in range(len(seeds)):
        for j in range(i):
            assert np.mean(found[i] == found[j]) < 0.01


def test_streams_are_told_apart():
    from napari_diffusion import Grid
    from napari_diffusion.engine.block import Block

    block = Block(np.zeros((1, 1, 1, 9, 13), np.float32), Grid.of((9, 13)))
    found = [NOISE.add(block, (1.0,), Address(0, 0, k)) for k in (0, 1, 2**32 - 1)]
    assert np.mean(found[0] == found[1]) < 0.01
    assert np.mean(found[1] == found[2]) < 0.01


def test_each_channel_may_have_its_own_scale():
    shape, scales = (3, 9, 13), (0.5, 0.0, 2.0)
    found = NOISE(np.zeros(shape, np.float32), scales, seed=11, step=3, axes="cyx")
    expected = numbers(shape, axes="cyx") * np.array(scales, np.float32)[:, None, None]
    np.testing.assert_array_equal(found, expected)
    again = NOISE(np.zeros(shape, np.float32), np.array(scales), seed=11, step=3, axes="cyx")
    np.testing.assert_array_equal(again, expected)


def test_alpha_and_what_lies_outside_a_mask_stay():
    image = np.zeros((9, 13, 4), np.float32)
    mask = np.random.default_rng(0).random((9, 13)) > 0.5
    found = NOISE(image, 1.0, axes="yxc", rgb=True, mask=mask)
    assert not found[..., 3].any()
    assert not found[~mask].any()
    assert found[mask][:, :3].all()


@pytest.mark.parametrize(
    ("scale", "error"),
    [
        (-1e-9, ValueError),
        (float("nan"), ValueError),
        (float("inf"), ValueError),
        ((0.1, -0.1), ValueError),
        ("0.1", TypeError),
        (True, TypeError),
        (None, TypeError),
    ],
)
def test_a_scale_is_a_standard_deviation(scale, error):
    with pytest.raises(error, match=r"noise_scale .*\(got .*\)\.$"):
        NOISE(np.zeros((2, 9, 13)), scale, axes="cyx")


def test_a_noisy_copy_is_made_once():
    image = np.ones((512, 512), np.float32)
    Gaussian()(image, 0.1)
    tracemalloc.start()
    Gaussian()(image, 0.1)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1.5 * image.nbytes


def test_a_list_of_scales_has_one_for_each_channel():
    with pytest.raises(ValueError, match=r"3 .*2 channels"):
        NOISE(np.zeros((2, 9, 13)), (0.1, 0.2, 0.3), axes="cyx")


@pytest.mark.parametrize("name", ["seed", "step", "stream"])
def test_addresses_are_whole_numbers_in_range(name):
    bits = 64 if name == "seed" else 32
    Address(**{name: 2**bits - 1})
    for value in (-1, 2**bits):
        with pytest.raises(ValueError, match=rf"{name} .*2\*\*{bits} - 1 \(got {value}\)"):
            Address(**{name: value})
    for value in (1.0, "1", True, None):
        with pytest.raises(TypeError, match=rf"{name} must be a whole number \(got {value!r}\)"):
            Address(**{name: value})
    assert Address(**{name: np.uint8(7)}) == Address(**{name: 7})
