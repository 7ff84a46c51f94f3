"""Chunks that are not there are counted, and said."""

from __future__ import annotations

import os
import pickle
import shutil

import numpy as np
import pytest
from zarr_stores import IMAGE, store

from napari_diffusion.io import NotReadable, read_image

KINDS = {
    "v3": ("0.5", {}, "0/c/0/1", 12),
    "v3 .": ("0.5", {"chunk_key_encoding": {"name": "default", "separator": "."}}, "0/c.0.1", 12),
    "v3 v2": ("0.5", {"chunk_key_encoding": {"name": "v2", "separator": "."}}, "0/0.1", 12),
    "v2 .": ("0.4", {}, "0/0.1", 12),
    "v2 /": ("0.4", {"chunk_key_encoding": {"name": "v2", "separator": "/"}}, "0/0/1", 12),
    "shards": ("0.5", {"shards": (2, 4)}, "0/c/0/1", 6),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("lazy", [False, True])
def test_missing_chunks_are_counted(tmp_path, kind, lazy):
    version, array, chunk, expected = KINDS[kind]
    made = store(tmp_path / "a.zarr", version=version, array=array)
    (made / "0" / ".DS_Store").write_bytes(b"")
    (made / "0" / "c.9.9").write_bytes(b"")
    assert read_image(made, lazy=lazy).remarks == ()
    (made / chunk).unlink()
    with pytest.warns(UserWarning, match=f"a.zarr is incomplete: 1 of {expected} chunks"):
        found = read_image(made, lazy=lazy)
    (remark,) = found.remarks
    assert f"1 of {expected} chunks ({1 / expected:.2g} of the image) are not stored" in remark
    assert "read as 0" in remark
    assert (np.asarray(found.image) == 0).sum() == IMAGE.size // expected


@pytest.mark.parametrize("kind", KINDS)
def test_an_image_without_chunks_is_refused(tmp_path, kind):
    version, array, *_, expected = KINDS[kind]
    made = store(tmp_path / "a.zarr", np.zeros_like(IMAGE), version=version, array=array)
    with pytest.raises(NotReadable, match=f"{expected} of its {expected} chunks are missing"):
        read_image(made)


def test_links_to_nothing_are_missing_chunks(tmp_path):
    made = store(tmp_path / "a.zarr")
    (made / "0/c/0/1").unlink()
    (made / "0/c/0/1").symlink_to("not fetched")
    with pytest.warns(UserWarning, match="1 of 12 chunks"):
        read_image(made)


class TestPartsReadLater:
    """Lazy images read their chunks when they are looked at, and may find other ones."""

    @pytest.mark.parametrize("kind", KINDS)
    def test_a_chunk_that_has_gone_is_no_zeros(self, tmp_path, kind):
        version, array, chunk, _ = KINDS[kind]
        made = store(tmp_path / "a.zarr", version=version, array=array)
        found = read_image(made, lazy=True)
        again = pickle.loads(pickle.dumps(found.stored))
        (made / chunk).unlink()
        for values in (found.stored, again, found.image):
            with pytest.raises(
                NotReadable, match=r"1' is not there any more: copy the image again"
            ):
                np.asarray(values[0:2, 1:5])
            np.testing.assert_array_equal(values[2:6, 0:8], IMAGE[2:])

    @pytest.mark.parametrize("kind", KINDS)
    def test_a_chunk_that_is_written_again_is_not_read(self, tmp_path, kind):
        version, array, chunk, _ = KINDS[kind]
        made = store(tmp_path / "a.zarr", version=version, array=array)
        found = read_image(made, lazy=True)
        later = found.stored._files.newest + 1
        os.utime(made / chunk, ns=(later, later))
        with pytest.raises(NotReadable, match=r"1' was written after the image was opened: start"):
            found.image[0].compute()
        np.testing.assert_array_equal(found.image[2:].compute(), IMAGE[2:])

    @pytest.mark.parametrize("kind", KINDS)
    def test_a_chunk_that_was_missing_stays_so(self, tmp_path, kind):
        version, array, chunk, _ = KINDS[kind]
        made = store(tmp_path / "a.zarr", version=version, array=array)
        aside = (made / chunk).rename(tmp_path / "aside")
        with pytest.warns(UserWarning, match="is incomplete"):
            found = read_image(made, lazy=True)
        lost = (slice(0, 2), slice(4, 8) if kind == "shards" else slice(2, 4))
        assert not found.image[lost].compute().any()
        aside.rename(made / chunk)
        with pytest.raises(NotReadable, match="was written after the image was opened"):
            found.stored[lost]

    def test_it_is_unpickled_in_any_folder_without_reading(self, tmp_path, monkeypatch):
        store(tmp_path / "a.zarr")
        monkeypatch.chdir(tmp_path)
        raw = pickle.dumps(read_image("a.zarr", lazy=True).stored)
        (tmp_path / "b").mkdir()
        monkeypatch.chdir(tmp_path / "b")
        np.testing.assert_array_equal(pickle.loads(raw)[1:3, 1:3], IMAGE[1:3, 1:3])
        shutil.rmtree(tmp_path / "a.zarr")
        with pytest.raises(NotReadable, match="not there any more"):
            pickle.loads(raw)[0:1, 0:1]
