"""A TIFF that does not hold what it declares is refused or said to be incomplete."""

from __future__ import annotations

import struct
import tracemalloc

import numpy as np
import pytest
import tifffile

from napari_diffusion.io import NotReadable, read_image
from napari_diffusion.io.tiff import storage

GREY = np.random.default_rng(0).integers(1, 250, (48, 64)).astype(np.uint8)
STACK = np.random.default_rng(1).integers(1, 250, (10, 48, 64)).astype(np.uint8)


def written(path, image=GREY, **options):
    options = {"photometric": "minisblack", "metadata": None} | options
    tifffile.imwrite(path, image, **options)
    return path


def retagged(path, page=0, **values):
    """Overwrite the values of tags."""
    with tifffile.TiffFile(path, mode="r+") as file:
        for name, value in values.items():
            file.pages[page].tags[name].overwrite(value)
    return path


def directory(*entries, following=0):
    """Return a classic TIFF directory of long values."""
    packed = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in entries)
    return struct.pack("<H", len(entries)) + packed + struct.pack("<I", following)


def header_only(path, **more):
    """Write a TIFF of 20 × 16 pixels by its directory."""
    tags = {"width": 20, "height": 16, "bits": 8, "packing": 1, "offset": 200, "count": 320} | more
    entries = zip((256, 257, 258, 259, 273, 279), tags.values(), strict=True)
    body = b"II*\0\x08\0\0\0" + directory((262, 1), *entries)
    path.write_bytes(body.ljust(200, b"\0") + b"\7" * 320)
    return path


# Cut off


@pytest.mark.parametrize("compression", [None, "lzw", "deflate", "zstd", "packbits"])
@pytest.mark.parametrize("options", [{}, {"rowsperstrip": 5}, {"tile": (16, 16)}])
def test_a_cut_off_page_is_refused(tmp_path, compression, options):
    path = written(tmp_path / "a.tif", compression=compression, **options)
    path.write_bytes(path.read_bytes()[:-60])
    with pytest.raises(NotReadable, match=r"cut off: it declares .* and holds .*\. Copy it again"):
        read_image(path)


@pytest.mark.parametrize("options", [{"metadata": {"axes": "ZYX"}}, {"imagej": True}])
def test_a_cut_off_stack_is_refused(tmp_path, options):
    path = written(tmp_path / "a.tif", STACK, **options)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    with pytest.raises(NotReadable, match="cut off"):
        read_image(path)


def test_pages_behind_the_end_are_said(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        for plane in STACK:
            file.write(plane, metadata=None, contiguous=False)
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        end = file.pages[4].offset + 1
    (tmp_path / "a.tif").write_bytes((tmp_path / "a.tif").read_bytes()[:end])
    with pytest.warns(UserWarning, match="cut off or damaged: no more than its first 4 pages can"):
        found = read_image(tmp_path / "a.tif")
    assert np.array_equal(found.image, STACK[:4])
    assert len(found.remarks) == 1


def test_a_stack_of_imagej_with_fewer_pages_is_refused(tmp_path):
    text = "ImageJ=1.54f\nimages=20\nslices=20\nloop=false\n"
    path = written(tmp_path / "a.tif", STACK, description=text, compression="lzw")
    with pytest.raises(NotReadable, match="declares 20 planes and holds 10: it is cut off"):
        read_image(path)


def test_strips_that_are_too_short_are_refused(tmp_path):
    path = written(tmp_path / "a.tif", rowsperstrip=24)
    retagged(path, StripByteCounts=[24 * 64, 23 * 64])
    with pytest.raises(NotReadable, match=r"declares 3,072 bytes in a plane and holds 3,008"):
        read_image(path)


def test_damaged_strips_are_refused(tmp_path):
    path = written(tmp_path / "a.tif", compression="deflate", rowsperstrip=24)
    with tifffile.TiffFile(path) as file:
        start = file.pages[0].dataoffsets[1]
    raw = bytearray(path.read_bytes())
    raw[start + 10 : start + 40] = bytes(30)
    path.write_bytes(raw)
    with pytest.raises(NotReadable, match=r"a\.tif' cannot be read"):
        read_image(path)


def test_a_count_that_is_too_small_is_warned_of(tmp_path):
    path = header_only(tmp_path / "a.tif", count=100)
    with pytest.warns(
        UserWarning, match="its pixels take 100 B, and they take 320 B: what follows"
    ):
        assert read_image(path).image.tolist() == [[7] * 20] * 16


# Left out


@pytest.mark.parametrize(
    ("options", "parts"),
    [({"rowsperstrip": 12}, "1 of 4 strips"), ({"tile": (16, 16)}, "1 of 12 tiles")],
)
@pytest.mark.parametrize("compression", [None, "deflate"])
def test_strips_and_tiles_that_are_left_out_are_said(tmp_path, options, parts, compression):
    path = written(tmp_path / "a.tif", compression=compression, **options)
    kind = "Tile" if "tile" in options else "Strip"
    with tifffile.TiffFile(path) as file:
        page = file.pages[0]
        offsets, counts = [0, *page.dataoffsets[1:]], [0, *page.databytecounts[1:]]
    retagged(path, **{f"{kind}Offsets": offsets, f"{kind}ByteCounts": counts})
    share = "25%" if kind == "Strip" else "8.33%"
    words = rf"stores no pixels for {parts} \({share}\): they are filled with 0"
    with pytest.warns(UserWarning, match=words):
        found = read_image(path)
    rows, columns = (12, 64) if kind == "Strip" else (16, 16)
    expected = GREY.copy()
    expected[:rows, :columns] = 0
    assert np.array_equal(found.image, expected)
    assert [each.startswith(f"a.tif stores no pixels for {parts}") for each in found.remarks] == [
        True
    ]


@pytest.mark.parametrize("packing", [1, 8])
def test_an_image_without_any_strip_is_refused(tmp_path, packing):
    path = header_only(tmp_path / "a.tif", packing=packing, offset=0, count=0)
    with pytest.raises(NotReadable, match="holds no pixels: none of its 1 strips is stored"):
        read_image(path)


# Hostile


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"width": 0}, "holds no image: it declares 16 × 0 pixels"),
        ({"width": 2**32 - 1, "height": 2**32 - 1}, "declares .* of pixels and is 520 B long"),
        ({"width": 100_000, "height": 100_000, "packing": 8}, "10 GB of pixels and is 520 B long"),
        (
            {"width": 10_000, "height": 10_000},
            "cut off: it declares 100,000,200 bytes and holds 520",
        ),
        ({"bits": 7000}, "values of 7000 bits"),
        ({"bits": 0}, "values of 0 bits"),
        ({"packing": 999}, "999"),
        ({"offset": 2**32 - 1}, "cut off"),
        ({"offset": 400}, "cut off: it declares 720 bytes and holds 520"),
    ],
)
def test_hostile_headers_are_refused(tmp_path, more, words):
    path = header_only(tmp_path / "a.tif", **more)
    tracemalloc.start()
    try:
        with pytest.raises(NotReadable, match=words):
            read_image(path)
        assert tracemalloc.get_traced_memory()[1] < 50e6
    finally:
        tracemalloc.stop()


def test_huge_tiles_are_refused(tmp_path):
    path = written(tmp_path / "a.tif", compression="deflate", tile=(16, 16))
    retagged(path, TileWidth=2**16 - 16, TileLength=2**16 - 16)
    with pytest.raises(NotReadable, match=r"declares 4.3 GB of pixels and is .* long"):
        read_image(path)


def test_tags_that_contradict_each_other_are_refused(tmp_path):
    path = retagged(written(tmp_path / "a.tif", tile=(16, 16)), TileLength=0)
    with pytest.raises(NotReadable, match="is damaged: its tags contradict each other"):
        read_image(path)


@pytest.mark.parametrize("length", [1, 2, 150])
def test_pages_in_a_loop_are_refused(tmp_path, length):
    size = len(directory((256, 1)))
    pages = [directory((256, 1), following=8 + size * ((k + 1) % length)) for k in range(length)]
    (tmp_path / "a.tif").write_bytes(b"II*\0\x08\0\0\0" + b"".join(pages))
    with pytest.raises(NotReadable, match="its pages form a loop"):
        read_image(tmp_path / "a.tif")


def test_huge_counts_of_tags_are_refused(tmp_path):
    (tmp_path / "a.tif").write_bytes(b"II*\0\x08\0\0\0\xff\xff" + b"\0" * 100)
    with pytest.raises(NotReadable, match="suspicious number of tags"):
        read_image(tmp_path / "a.tif")


def test_more_than_the_memory_is_refused(tmp_path, monkeypatch):
    path = written(tmp_path / "a.tif", STACK)
    monkeypatch.setattr(storage.memory, "free_memory", lambda: STACK.nbytes - 1)
    with pytest.raises(NotReadable, match="31 kB of pixels, and 31 kB of memory are free: convert"):
        read_image(path, lazy=False)


def test_a_shape_beyond_the_file_is_refused(tmp_path):
    text = '{"shape": [1000000000, 48, 64]}'
    path = written(tmp_path / "a.tif", GREY, description=text)
    with pytest.raises(NotReadable, match=r"TB of pixels and is .* long: it is damaged"):
        read_image(path)


def test_what_tifffile_logs_is_warned_of(tmp_path):
    path = retagged(written(tmp_path / "a.tif", subfiletype=1), NewSubfileType=0)
    raw = path.read_bytes()
    # The count of strips becomes two, of which only one is needed.
    counts = struct.pack("<HHI", 279, 4, 1)
    assert counts in raw
    path.write_bytes(raw.replace(counts, struct.pack("<HHI", 279, 4, 2)))
    with pytest.warns(UserWarning, match="not quite a regular TIFF .incorrect StripByteCounts"):
        assert np.array_equal(read_image(path).image, GREY)


@pytest.mark.parametrize("seed", range(60))
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_files_with_wrong_bytes_never_crash(tmp_path, seed):
    random = np.random.default_rng(seed)
    options = [{}, {"compression": "lzw"}, {"tile": (16, 16)}, {"imagej": True}, {"ome": True}]
    path = written(tmp_path / "a.tif", STACK, **options[seed % 5])
    raw = bytearray(path.read_bytes())
    # Headers are where damage does most.
    for place in random.integers(0, min(len(raw), 800), 6):
        raw[place] = random.integers(256)
    path.write_bytes(raw)
    try:
        found = read_image(path)
    except (NotReadable, OSError):
        return
    assert found.image.size <= 100 * STACK.size
