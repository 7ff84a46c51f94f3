"""Zarr stores of strangers: every fault is one sentence, and nothing outside is read."""

from __future__ import annotations

import gzip
import os
import warnings

import numcodecs
import numpy as np
import pytest
import zarr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from zarr_stores import IMAGE, change, store

from napari_diffusion.io import NotReadable, read_image
from napari_diffusion.io.ome_zarr.reader import read_zarr

CHUNK = "0/c/0/0"


def refusal(path, **options):
    """Return why a store is not read: one sentence, on one line."""
    with pytest.raises(NotReadable) as caught:
        read_zarr(path, **options)
    said = str(caught.value)
    assert "\n" not in said
    return said


def read_or_refused(path, **options):
    """Return the source with its values, or None and why there are none."""
    try:
        found = read_zarr(path, **options)
        return found.replaced(image=np.asarray(found.image)), ""
    except NotReadable as error:
        return None, str(error)


@pytest.mark.parametrize("path", ["../other", "/etc", "0/../../other", "link"])
def test_a_level_outside_of_the_store_is_not_read(tmp_path, path):
    store(tmp_path / "other")
    made = store(tmp_path / "a.zarr", multiscale={"datasets": [{"path": path}]})
    (made / "link").symlink_to(tmp_path / "other")
    assert "outside of itself" in refusal(made)


def test_a_store_behind_a_link_is_read(tmp_path):
    store(tmp_path / "a.zarr")
    (tmp_path / "b.zarr").symlink_to(tmp_path / "a.zarr")
    assert np.array_equal(read_image(tmp_path / "b.zarr").image, IMAGE)


@pytest.mark.parametrize("path", [None, 7, "", "none", "a\0b", ["0"]])
def test_a_level_that_is_none(tmp_path, path):
    made = store(tmp_path / "a.zarr", multiscale={"datasets": [{"path": path}]})
    assert "names a " in refusal(made)


@pytest.mark.parametrize(
    ("shape", "chunks", "words"),
    [
        ([10**9, 10**9], [1, 1], "has 1e+18 chunks: 10000000 at most"),
        ([10**9, 10**9], [10**9, 10**9], "has chunks of 2e+06 TB"),
        ([10**9] * 20, [10**9] * 20, "more pixels than any memory"),
        ([10**400, 4], [10**400, 4], "more pixels than any memory"),
        ([10**400, 4], [1, 4], "more pixels than any memory"),
        ([0, 4], [1, 4], "holds no pixels"),
        ([], [], "0 axes"),
    ],
)
def test_hostile_shapes_are_refused_and_nothing_is_allocated(tmp_path, shape, chunks, words):
    made = store(tmp_path / "a.zarr")

    def edit(metadata):
        metadata["shape"] = shape
        metadata["chunk_grid"]["configuration"]["chunk_shape"] = chunks

    change(made / "0" / "zarr.json", edit)
    for lazy in (None, True, False):
        assert words in refusal(made, lazy=lazy)


@pytest.mark.parametrize("text", ["[" * 10**5, '{"a":' * 10**5, "{}", "[]", "nonsense", ""])
@pytest.mark.parametrize("file", ["zarr.json", "0/zarr.json", ".zattrs", "0/.zarray"])
def test_metadata_that_are_none(tmp_path, text, file):
    made = store(tmp_path / "a.zarr", version="0.5" if "json" in file else "0.4")
    (made / file).write_text(text)
    assert "a.zarr" in refusal(made)


@pytest.mark.parametrize("dtype", ["<u2", "|O"])
@pytest.mark.parametrize("codec", ["pickle", "base64"])
@pytest.mark.parametrize("where", ["filters", "compressor"])
def test_codecs_of_other_things_than_numbers_are_refused(tmp_path, dtype, codec, where):
    made = store(tmp_path / "a.zarr", version="0.4")
    used = {"id": codec}

    def edit(found):
        found.update({"dtype": dtype, where: [used] if where == "filters" else used})

    change(made / "0" / ".zarray", edit)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        said = refusal(made)
    assert codec in said or dtype == "|O"


@pytest.mark.parametrize("codec", ["nonsense", "https://a.b/c", "numcodecs.json2"])
def test_a_codec_that_is_unknown_is_named(tmp_path, codec):
    made = store(tmp_path / "a.zarr")
    change(
        made / "0" / "zarr.json",
        lambda found: found["codecs"].append({"name": codec, "configuration": {}}),
    )
    assert codec in refusal(made)


COMPRESSED = {
    "zstd": {"compressors": zarr.codecs.ZstdCodec()},
    "blosc": {"compressors": zarr.codecs.BloscCodec()},
    "gzip": {"compressors": zarr.codecs.GzipCodec()},
    "none": {"compressors": None},
    "sharded": {"chunks": (1, 2), "shards": (2, 2)},
}


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize("harm", ["cut", "empty", "noise", "longer"])
@pytest.mark.parametrize("codec", COMPRESSED)
def test_a_broken_chunk_is_one_sentence(tmp_path, codec, harm, lazy):
    made = store(tmp_path / "a.zarr", array=COMPRESSED[codec])
    chunk = made / CHUNK
    whole = chunk.read_bytes()
    harmed = {"cut": whole[:-3], "empty": b"", "noise": os.urandom(40), "longer": whole * 3}
    chunk.write_bytes(harmed[harm])
    found, said = read_or_refused(made, lazy=lazy)
    if found is None:
        assert "has a chunk that is broken" in said or (harm, codec) == ("noise", "blosc")
        assert "\n" not in said
    else:
        # What follows a whole frame is not looked at by every decoder.
        assert harm == "longer"
        assert found.image.shape == IMAGE.shape


@pytest.mark.parametrize(
    ("codec", "bomb"),
    [
        ("gzip", lambda: gzip.compress(bytes(1 << 24))),
        ("zstd", lambda: bytes(numcodecs.Zstd().encode(bytes(1 << 24)))),
        ("zstd", lambda: b"\x28\xb5\x2f\xfd\xe0" + (2**62).to_bytes(8, "little") + bytes(20)),
        ("blosc", lambda: bytes(numcodecs.Blosc().encode(bytes(1 << 24)))),
    ],
)
def test_a_chunk_that_decodes_to_far_more_is_refused(tmp_path, codec, bomb):
    made = store(tmp_path / "a.zarr", array=COMPRESSED[codec])
    (made / CHUNK).write_bytes(bomb())
    assert "would decode to more than" in refusal(made)
    with pytest.raises(NotReadable, match="would decode"):
        read_zarr(made, lazy=True).image.compute()


@pytest.mark.parametrize("compressor", ["zlib", "bz2", "lzma", "lz4", "zstd", "blosc"])
def test_bombs_in_older_stores(tmp_path, compressor):
    codec = numcodecs.get_codec({"id": compressor})
    made = store(tmp_path / "a.zarr", version="0.4", array={"compressors": codec})
    assert np.array_equal(read_image(made).image, IMAGE)
    (made / "0" / "0.0").write_bytes(bytes(codec.encode(bytes(1 << 24))))
    assert "would decode to more than" in refusal(made)


def test_a_bomb_in_a_shard(tmp_path):
    made = store(tmp_path / "a.zarr", array=COMPRESSED["sharded"])
    chunk = made / CHUNK
    bomb = bytes(numcodecs.Zstd().encode(bytes(1 << 24)))
    index = np.array([[0, len(bomb)], [0, len(bomb)]], "<u8").tobytes()
    chunk.write_bytes(bomb + index + bytes(numcodecs.CRC32C().encode(index))[-4:])
    assert "would decode to more than" in refusal(made)


def test_a_pipe_is_no_chunk(tmp_path):
    made = store(tmp_path / "a.zarr")
    (made / CHUNK).unlink()
    os.mkfifo(made / CHUNK)
    assert "is no file" in refusal(made)


@pytest.mark.parametrize("kind", ["objects", "texts", "structure"])
def test_what_holds_no_numbers(tmp_path, kind):
    dtype = {"objects": "|O", "texts": "<U4", "structure": [["a", "<u2"], ["b", "<u2"]]}[kind]
    made = store(tmp_path / "a.zarr", version="0.4")
    change(made / "0" / ".zarray", lambda found: found.update(dtype=dtype, fill_value=None))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert "a.zarr" in refusal(made)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4)
    | st.sampled_from([10**400, "0", "y", "micrometer", "scale", "step", "time"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["path", "axes", "datasets", "type", "scale", "name", "version", "window"]),
        inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
PLACES = [
    ("ome",), ("ome", "multiscales"), ("ome", "multiscales", 0), ("ome", "omero"),
    ("ome", "version"), ("ome", "omero", "channels"), ("ome", "omero", "channels", 0, "window"),
    ("ome", "multiscales", 0, "axes"), ("ome", "multiscales", 0, "axes", 0),
    ("ome", "multiscales", 0, "axes", 0, "unit"), ("ome", "multiscales", 0, "axes", 0, "name"),
    ("ome", "multiscales", 0, "axes", 0, "type"), ("ome", "multiscales", 0, "datasets"),
    ("ome", "multiscales", 0, "datasets", 0), ("ome", "multiscales", 0, "version"),
    ("ome", "multiscales", 0, "datasets", 0, "coordinateTransformations"),
    ("ome", "multiscales", 0, "datasets", 0, "coordinateTransformations", 0),
    ("ome", "multiscales", 0, "datasets", 0, "coordinateTransformations", 0, "scale"),
    ("ome", "multiscales", 0, "datasets", 0, "coordinateTransformations", 0, "scale", 0),
    ("ome", "plate"), ("ome", "well"), ("ome", "labels"), ("napari_diffusion",),
]  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(PLACES), JSON)
def test_whatever_stands_anywhere_is_read_or_refused_in_a_sentence(tmp_path_factory, place, value):
    made = store(
        tmp_path_factory.mktemp("any") / "a.zarr",
        omero={"channels": [{"label": "a", "window": {}}]},
    )

    def edit(found):
        holder = found["attributes"]
        for key in place[:-1]:
            holder = holder[key]
        holder[place[-1]] = value

    change(made / "zarr.json", edit)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found, said = read_or_refused(made)
    if found is None:
        assert "a.zarr" in said
    else:
        assert np.array_equal(found.image, IMAGE)
        assert all(0 < length < np.inf for length in found.lengths.values())
