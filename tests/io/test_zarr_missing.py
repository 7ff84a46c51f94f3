"""Chunks that are not there are counted, and said."""

from __future__ import annotations

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
