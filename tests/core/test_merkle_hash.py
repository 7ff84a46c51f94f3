"""The hash of values follows from them alone: neither chunks, nor files, nor memory change it."""

from __future__ import annotations

import hashlib

import dask.array as da
import numpy as np
import pytest
import zarr
from hypothesis import given
from hypothesis import strategies as st

from napari_diffusion.core.merkle_hash import MerkleHash, hash_of


def sha(data):
    return hashlib.sha256(data).digest()


def tree(blocks):
    """Return the root of a tree as RFC 6962 defines it: by halves, from above."""
    if len(blocks) < 2:
        return sha(b"\0" + blocks[0]) if blocks else sha(b"")
    left = 1
    while 2 * left < len(blocks):
        left *= 2
    return sha(b"\1" + tree(blocks[:left]) + tree(blocks[left:]))


def expected(values, block=1 << 26):
    data = np.ascontiguousarray(values, values.dtype.newbyteorder("<")).tobytes()
    root = tree([data[start : start + block] for start in range(0, len(data), block)])
    header = f"{values.dtype.newbyteorder('<').str} {values.shape}".encode()
    return sha(b"\2" + header + root).hex()


@given(
    sizes=st.lists(st.integers(0, 40), max_size=12),
    block=st.integers(1, 16),
)
def test_the_tree_is_that_of_rfc_6962(sizes, block):
    parts = [bytes(range(size)) for size in sizes]
    values = np.frombuffer(b"".join(parts), np.uint8)
    made = MerkleHash("u1", values.shape, block)
    for part in parts:
        made.update(part)
        made.hexdigest()  # asking does not end it
    assert made.hexdigest() == expected(values, block)


def test_a_known_hash_stays():
    image = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    assert hash_of(image) == expected(image)
    assert hash_of(image) == "a330f5f2e1bce2458ce0c2cca5021a19913e9718bbf88704b86071f98df4758e"


def test_blocks_have_64_mebibytes():
    image = np.zeros((3, 1 << 25), np.uint8)
    image[2, -1] = 1
    assert hash_of(image) == expected(image)


def kinds(image, path):
    """Yield the same values in other arrays."""
    yield image[::-1].copy()[::-1]
    yield np.asfortranarray(image)
    yield image.astype(image.dtype.newbyteorder(">"))
    yield da.from_array(image, chunks=(3, 4, 2))
    yield da.from_array(image, chunks=((1, 6), (2, 3), (4,)))
    for number, chunks in enumerate([(1, 5, 4), (4, 2, 3)]):
        stored = zarr.create_array(
            str(path / f"{number}.zarr"), shape=image.shape, chunks=chunks, dtype=image.dtype
        )
        stored[...] = image
        yield stored


@pytest.mark.parametrize("slab", [4, 16, 100, 1 << 26])
@pytest.mark.parametrize("dtype", ["?", "u1", "i2", "f4", "f8"])
def test_neither_chunks_nor_memory_change_it(tmp_path, dtype, slab):
    image = np.random.default_rng(0).integers(0, 9, (7, 5, 4)).astype(dtype)
    assert {hash_of(each, 2 * slab) for each in kinds(image, tmp_path)} == {expected(image)}


def test_everything_in_it_counts():
    image = np.arange(12, dtype=np.float32).reshape(3, 4)
    changed = image.copy()
    changed[2, 3] = np.nextafter(changed[2, 3], 0)
    minus = image.copy()
    minus[0, 0] = -0.0
    others = [changed, minus, image.reshape(4, 3), image.T, image.view("i4"), image[:2]]
    hashes = {hash_of(each) for each in (image, *others)}
    assert len(hashes) == 7


class Counted:
    """An array that notes what is read of it."""

    def __init__(self, shape, chunks):
        self.shape, self.chunks, self.dtype = shape, chunks, np.dtype("u1")
        self.read = []

    def __getitem__(self, region):
        self.read.append(region)
        return np.zeros([part.stop - part.start for part in region], np.uint8)

    def decoded(self):
        """Return how often the chunk is decoded that is decoded most often."""
        times = {}
        for region in self.read:
            first = [part.start // size for part, size in zip(region, self.chunks, strict=True)]
            last = [(part.stop - 1) // size for part, size in zip(region, self.chunks, strict=True)]
            reached = [range(a, b + 1) for a, b in zip(first, last, strict=True)]
            for index in np.ndindex(*[len(each) for each in reached]):
                chunk = tuple(each[i] for each, i in zip(reached, index, strict=True))
                times[chunk] = times.get(chunk, 0) + 1
        return max(times.values())


def decoded(counted, most):
    hash_of(counted, 2 * most)
    sizes = [np.prod([part.stop - part.start for part in each]) for each in counted.read]
    assert max(sizes) <= most
    assert sum(sizes) == np.prod(counted.shape)
    return counted.decoded()


def test_a_chunk_is_decoded_as_rarely_as_memory_lets_it():
    assert decoded(Counted((20, 8, 8), (4, 4, 4)), 700) == 1
    assert decoded(Counted((20, 8, 8), (10, 4, 4)), 350) == 2
    assert decoded(Counted((6, 20, 8), (3, 5, 4)), 100) == 3
