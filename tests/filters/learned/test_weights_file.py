"""Files of weights come from anyone."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_diffusion.engine.threads import Threads
from napari_diffusion.filters.learned.archive import MOST_BYTES, read_bytes
from napari_diffusion.filters.learned.network import Network
from napari_diffusion.filters.learned.scale import Scale
from napari_diffusion.filters.learned.weights_file import bytes_of, weights_in


def scale(steps=2, filters=3, nodes=5, seed=0):
    random = np.random.default_rng(seed)
    kernels = random.normal(size=(steps, filters, 25))
    kernels -= kernels.mean(axis=2, keepdims=True)
    kernels /= np.linalg.norm(kernels, axis=2, keepdims=True)
    influences = random.normal(size=(steps, filters, nodes))
    influences -= influences[..., nodes // 2, None]
    reactions = random.uniform(size=steps)
    return Scale(*(np.float32(each) for each in (kernels, influences, reactions)), 8.0)


def network(scales=2):
    return Network(tuple(scale(seed=n) for n in range(scales)), ((1.0, -0.9),) * 4)


def archive(arrays):
    """Return an archive of arrays, or of bytes that stand for them."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as made:
        for name, values in arrays.items():
            member = io.BytesIO()
            if isinstance(values, bytes):
                member.write(values)
            else:
                np.lib.format.write_array(member, np.asarray(values), allow_pickle=True)
            made.writestr(f"{name}.npy", member.getvalue())
    return stream.getvalue()


def arrays_of(data):
    with np.load(io.BytesIO(data), allow_pickle=False) as kept:
        return {name: kept[name] for name in kept.files}


def test_weights_come_back_as_they_were_and_always_in_the_same_bytes():
    about = {"sources": ["a photograph"], "levels": [0.01, 1.2]}
    data = bytes_of(network(), about)
    assert data == bytes_of(network(), about)
    found, said = weights_in(data, "x")
    assert said == about
    assert found.pilot == network().pilot
    for one, other in zip(found.scales, network().scales, strict=True):
        assert one.reach == other.reach
        np.testing.assert_allclose(one.kernels, other.kernels, rtol=0, atol=1e-7)
        assert np.abs(one.kernels.sum(axis=2)).max() < 1e-15
        for part in ("influences", "reactions"):
            np.testing.assert_array_equal(getattr(one, part), getattr(other, part))


CHANGES = {
    "a part is missing": lambda a: a.pop("kernels_1"),
    "another shape": lambda a: a.update(influences_0=a["influences_0"][:, :2]),
    "not finite": lambda a: a.update(reactions_0=np.float32([np.nan, 0])),
    "whole numbers": lambda a: a.update(reactions_0=np.array([0, 1])),
    "filters that do not add up to 0": lambda a: a.update(kernels_0=a["kernels_0"] + 0.1),
    "an even number of nodes": lambda a: a.update(influences_0=a["influences_0"][:, :, 1:]),
    "influences that are not 0 at 0": lambda a: a.update(influences_0=a["influences_0"] + 0.1),
    "influences of any size": lambda a: a.update(influences_0=a["influences_0"] * 1e4),
    "reactions that grow": lambda a: a.update(reactions_0=a["reactions_0"] + 1),
    "a pilot of any size": lambda a: a.update(pilot=a["pilot"] * 100),
    "no reach": lambda a: a.update(reach_0=np.array(0.0)),
    "a reach without end": lambda a: a.update(reach_0=np.array(np.inf)),
    "too many scales": lambda a: a.update({
        f"{part}_{n}": a[f"{part}_0"]
        for n in range(2, 9) for part in ("kernels", "influences", "reactions", "reach")
    }),
    "an odd pilot": lambda a: a.update(pilot=a["pilot"][:3]),
    "no text": lambda a: a.update(about=np.frombuffer(b"\xff\xfe", np.uint8)),
    "no object": lambda a: a.update(about=np.frombuffer(b"[1]", np.uint8)),
    "deep text": lambda a: a.update(about=np.frombuffer(b"[" * 100_000, np.uint8)),
    "objects of Python": lambda a: a.update(about=np.array([{"a": 1}], object)),
    "an array that is cut off": lambda a: a.update(reactions_0=_declared((1 << 40,))),
    "an array of negative size": lambda a: a.update(reactions_0=_declared((-4,))),
    "no array": lambda a: a.update(reactions_0=b"what?"),
}  # fmt: skip


def _declared(shape):
    member = io.BytesIO()
    header = {"descr": "<f4", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(member, header)
    return member.getvalue()


@pytest.mark.parametrize("name", CHANGES)
def test_what_is_no_file_of_weights_is_refused(name):
    arrays = arrays_of(bytes_of(network(), {}))
    CHANGES[name](arrays)
    with pytest.raises(ValueError, match="weights"):
        weights_in(archive(arrays), "'x.npz'")


def test_what_is_no_archive_is_refused():
    for data in (b"", b"PK\x03\x04", bytes_of(network(), {})[:-40]):
        with pytest.raises(ValueError, match="no file of weights"):
            weights_in(data, "'x.npz'")


def test_an_archive_that_unpacks_to_more_than_any_weights_is_refused():
    arrays = arrays_of(bytes_of(network(), {}))
    arrays["filling"] = np.zeros(MOST_BYTES, np.uint8)
    data = archive(arrays)
    assert len(data) < MOST_BYTES // 10
    with pytest.raises(ValueError, match="unpacks to more than"):
        weights_in(data, "'x.npz'")


def test_a_large_file_is_not_read(tmp_path):
    path = tmp_path / "x.npz"
    path.write_bytes(bytes(MOST_BYTES + 1))
    with pytest.raises(ValueError, match="larger than"):
        read_bytes(path)


WHOLE = bytes_of(network(), {"images": 3})


def read(data):
    """Return the network in a file, None where a sentence says why it is none."""
    try:
        return weights_in(data, "'x.npz'")[0]
    except ValueError as error:
        said = str(error)
    assert said.startswith("'x.npz' ")
    return None


@given(st.data())
def test_whatever_is_changed_in_a_file_gives_weights_or_a_sentence(data):
    changed = bytearray(WHOLE)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(changed) - 1))
        changed[at] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(changed)))
    read(bytes(changed[: data.draw(st.sampled_from([cut, len(changed)]))]))


SHAPES = st.lists(st.integers(0, 6), max_size=4).map(tuple)
TYPES = st.sampled_from(["f4", "f8", "i4", "u1", "c8", "?", "U3", "M8[s]"])


@given(st.sampled_from(sorted(arrays_of(WHOLE))), SHAPES, TYPES, st.floats(width=32))
def test_an_array_of_any_shape_and_type_gives_weights_or_a_sentence(name, shape, kind, value):
    arrays = arrays_of(WHOLE)
    filled = np.zeros(shape, kind)
    if filled.dtype.kind == "f":
        filled[...] = value
    found = read(archive({**arrays, name: filled}))
    if found is not None:
        assert np.isfinite(found.diffused(np.eye(9, dtype=np.float32), (0, 0), Threads(1))).all()
