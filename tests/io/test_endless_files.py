"""Pipes, devices and files that unpack without end: refused before they are read."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import os
import struct
import subprocess
import sys
import threading

import nibabel
import numpy as np
import pytest
import tifffile
from PIL import Image
from zarr_stores import change, store

from napari_diffusion.cli import main
from napari_diffusion.io import NotReadable, read_image, read_record

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes by name")
IMAGE = np.random.default_rng(0).normal(100, 9, (12, 16)).astype(np.uint16)


@pytest.fixture
def pipe():
    """Make pipes; who reads one after all gets nothing, and does not wait."""
    made = []

    def let_go(path):
        os.close(os.open(path, os.O_WRONLY))

    def pipe(path):
        path.unlink(missing_ok=True)
        os.mkfifo(path)
        made.append(path)
        threading.Thread(target=let_go, args=(path,), daemon=True).start()
        return path

    yield pipe
    for path in made:
        os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK))


@pytest.mark.parametrize("ending", ["tif", "png", "npy", "mrc", "nii", "nii.gz", "dcm", "czi"])
def test_a_pipe_is_no_image(tmp_path, pipe, ending):
    path = pipe(tmp_path / f"a.{ending}")
    with pytest.raises(NotReadable, match="is a pipe or a device"):
        read_image(path)
    assert read_record(path) is None


@pytest.mark.parametrize("line", ["inspect {}", "recipe {}", "run a.npy o.npy --recipe {}"])
def test_a_pipe_is_no_recipe(tmp_path, monkeypatch, pipe, line, capsys):
    monkeypatch.chdir(tmp_path)
    np.save("a.npy", IMAGE)
    pipe(tmp_path / "r.json")
    assert main(line.format("r.json").split()) == 1
    assert "is no file" in capsys.readouterr().err


def test_recipes_have_a_length(tmp_path):
    from napari_diffusion.core.json_text import text_of

    path = tmp_path / "r.json"
    with path.open("wb") as file:
        file.truncate(10**12)  # of which nothing is stored
    with pytest.raises(ValueError, match="has 1000000000000 bytes"):
        text_of(path, "recipe")


@pytest.mark.parametrize("file", ["zarr.json", "0/zarr.json", ".zattrs", "0/.zarray"])
def test_metadata_of_zarr_are_files(tmp_path, pipe, file):
    made = store(tmp_path / "a.zarr", version="0.5" if "json" in file else "0.4")
    pipe(made / file)
    with pytest.raises(NotReadable, match="is no file, or longer"):
        read_image(made)
    if "/" not in file:
        with pytest.raises(NotReadable, match="is no file, or longer"):
            read_record(made)


def test_broken_metadata_of_zarr_say_so_where_the_record_is_asked_for(tmp_path):
    made = store(tmp_path / "a.zarr")
    (made / "zarr.json").write_text('{"a":' * 10**5)
    with pytest.raises(NotReadable, match="nested too deeply"):
        read_record(made)


@pytest.mark.filterwarnings("ignore:Numcodecs codecs")
@pytest.mark.parametrize("pack", [gzip, bz2])
@pytest.mark.parametrize("first", [b"", b"\0" * 16])
def test_a_bomb_behind_another_stream(tmp_path, pack, first):
    made = store(tmp_path / "a.zarr")
    name = "gzip" if pack is gzip else "numcodecs.bz2"
    codec = {"name": name, "configuration": {"level": 1}}

    def edit(found):
        found["codecs"] = [{"name": "bytes", "configuration": {"endian": "little"}}, codec]

    change(made / "0" / "zarr.json", edit)
    bomb = pack.compress(first) + pack.compress(b"\0" * (1 << 24))
    (made / "0/c/0/0").write_bytes(bomb)
    with pytest.raises(NotReadable, match="would decode to more than"):
        read_image(made)


def test_very_many_streams_in_a_chunk(tmp_path):
    made = store(tmp_path / "a.zarr")
    gzipped = {"name": "gzip", "configuration": {"level": 1}}

    def edit(found):
        found["codecs"] = [{"name": "bytes", "configuration": {"endian": "little"}}, gzipped]

    change(made / "0" / "zarr.json", edit)
    (made / "0/c/0/0").write_bytes(gzip.compress(b"") * 10_000)
    with pytest.raises(NotReadable, match="would decode to more than"):
        read_image(made)


def test_a_shard_of_very_many_chunks(tmp_path):
    made = store(tmp_path / "a.zarr", array={"chunks": (1, 2), "shards": (2, 2)})

    def edit(found):
        found["chunk_grid"]["configuration"]["chunk_shape"] = [10**4, 10**4]
        found["codecs"][0]["configuration"]["chunk_shape"] = [1, 1]

    change(made / "0" / "zarr.json", edit)
    with pytest.raises(NotReadable, match="shards of 100000000 chunks"):
        read_image(made)


def test_a_jpeg_of_very_many_scans(tmp_path):
    file = io.BytesIO()
    Image.fromarray(np.zeros((64, 64), np.uint8)).save(file, "JPEG", progressive=True)
    whole = file.getvalue()
    (tmp_path / "a.jpg").write_bytes(whole)
    assert read_image(tmp_path / "a.jpg").image.shape == (64, 64)
    scan = whole[whole.rindex(b"\xff\xda") : -2]
    (tmp_path / "a.jpg").write_bytes(whole[:-2] + 200 * scan + whole[-2:])
    with pytest.raises(NotReadable, match=r"in 2\d\d scans"):
        read_image(tmp_path / "a.jpg")


def test_a_nifti_whose_pixels_begin_far_behind(tmp_path):
    nibabel.save(
        nibabel.Nifti1Image(np.zeros((4, 4, 4), np.float32), np.eye(4)), tmp_path / "a.nii"
    )
    raw = bytearray((tmp_path / "a.nii").read_bytes())
    raw[108:112] = struct.pack("<f", 1e8)
    (tmp_path / "a.nii.gz").write_bytes(gzip.compress(bytes(raw) + b"\0" * 10**8, 1))
    for read in (read_image, read_record):
        with pytest.raises(NotReadable, match="begin at byte 100000000"):
            read(tmp_path / "a.nii.gz")


def _ome(path, planes, images=1):
    pixels = (
        '<Pixels DimensionOrder="XYZCT" Type="uint16" SizeX="16" SizeY="12" SizeZ="{}" SizeC="1" '
        'SizeT="1" ID="Pixels:0">{}</Pixels>'
    )
    data = "".join(
        f'<TiffData FirstZ="{n}" IFD="0"><UUID FileName="{n}.tif">urn:uuid:{n}</UUID></TiffData>'
        for n in range(planes if images == 1 else 0)
    )
    xml = f'<Image ID="Image:0">{pixels.format(planes, data or "<TiffData/>")}</Image>' * images
    schema = "http://www.openmicroscopy.org/Schemas/OME/2016-06"
    xml = f'<?xml version="1.0"?><OME xmlns="{schema}">{xml}</OME>'
    tifffile.imwrite(path, IMAGE, description=xml.encode(), metadata=None)
    return path


def test_a_set_of_very_many_files_that_are_not_there(tmp_path):
    with pytest.raises(NotReadable, match="20000 others are not in its folder"):
        read_image(_ome(tmp_path / "a.ome.tif", 20_000))


def test_many_images_of_many_planes_each(tmp_path):
    with pytest.raises(NotReadable, match="declares 2,400,000 planes"):
        read_image(_ome(tmp_path / "a.ome.tif", 1_200_000, images=2))


def test_what_tifffile_logs_is_not_printed(tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, IMAGE, byteorder="<", metadata=None)
    offsets = struct.pack("<HHI", 273, 4, 1)  # the tag, its type and its count
    raw = path.read_bytes()
    assert offsets in raw
    path.write_bytes(raw.replace(offsets, struct.pack("<HHI", 273, 4, 2**31)))
    line = [sys.executable, "-m", "napari_diffusion", "methods", str(path)]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1


def test_a_file_moves_no_cursor(tmp_path, capsys):
    np.save(tmp_path / "a.npy", IMAGE)
    (tmp_path / "r.json").write_text(json.dumps({"\x9b2J": 1}, ensure_ascii=False))
    assert main(["inspect", str(tmp_path / "r.json")]) == 0
    assert main(["recipe", str(tmp_path / "r.json")]) == 1
    said = capsys.readouterr()
    assert "2J" in said.out
    assert "2J" in said.err
    assert "\x9b" not in said.out + said.err


@pytest.mark.parametrize(
    "line", ["run b.npy o.npy", "run a.npy b.npy", "run a.npy o.npy --mask b.npy"]
)
def test_links_that_form_a_loop(tmp_path, monkeypatch, line, capsys):
    monkeypatch.chdir(tmp_path)
    np.save("a.npy", IMAGE)
    (tmp_path / "b.npy").symlink_to(tmp_path / "b.npy")
    assert main([*line.split(), "--recipe", "denoise fast", "--quiet"]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.npy", "b.npy"]
