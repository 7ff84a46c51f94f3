"""A TIFF that is read in parts is the one that is read whole, in every kind of file."""

from __future__ import annotations

import os
import pickle
import struct
import warnings
from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_diffusion.io import NotReadable, read_image
from napari_diffusion.io.memory import limited_memory
from napari_diffusion.io.tiff import page_values, storage, values

RNG = np.random.default_rng(0)
GREY = RNG.integers(1, 250, (48, 70)).astype(np.uint8)
COLOUR = RNG.integers(1, 250, (48, 70, 3)).astype(np.uint8)
STACK = RNG.integers(1, 60_000, (6, 48, 70)).astype(np.uint16)
REAL = RNG.random((3, 4, 20, 33)).astype(np.float32)
DEEP = RNG.integers(1, 250, (10, 40, 50)).astype(np.uint8)
HOLED = np.where(REAL < 0.2, np.float32("nan"), REAL)


PLAIN = {"metadata": None, "photometric": "minisblack"}


def plain(image, **options):
    def write(path):
        tifffile.imwrite(path, image, **(PLAIN | options))

    return write


def retagged(write, **tags):
    """Change the tags of the first page of what is written."""

    def change(path):
        write(path)
        with tifffile.TiffFile(path, mode="r+") as file:
            for name, value in tags.items():
                file.pages[0].tags[name].overwrite(value)

    return change


def recoded(write, code, value):
    """Make a tag of another one on each page."""

    def change(path):
        write(path)
        with tifffile.TiffFile(path) as file:
            places = [page.tags["ResolutionUnit"].offset for page in file.pages]
        raw = bytearray(path.read_bytes())
        for place in places:
            raw[place : place + 12] = struct.pack("<HHIHH", code, 3, 1, value, 0)
        path.write_bytes(raw)

    return change


def without_a_plane(write, number):
    """Let a later page have no pixels."""

    def change(path):
        write(path)
        with tifffile.TiffFile(path, mode="r+") as file:
            for name in ("StripOffsets", "StripByteCounts"):
                tag = file.pages[number].tags[name]
                tag.overwrite([0] * len(tag.value) if isinstance(tag.value, tuple) else 0)

    return change


def left_out(write, kind, *indices):
    """Leave some strips or tiles out, as GDAL does."""

    def change(path):
        write(path)
        with tifffile.TiffFile(path) as file:
            page = file.pages[0]
            starts, sizes = list(page.dataoffsets), list(page.databytecounts)
        for index in indices:
            starts[index] = sizes[index] = 0
        with tifffile.TiffFile(path, mode="r+") as file:
            file.pages[0].tags[f"{kind}Offsets"].overwrite(starts)
            file.pages[0].tags[f"{kind}ByteCounts"].overwrite(sizes)

    return change


def page_by_page(image, byteorder="<", **options):
    def write(path):
        with tifffile.TiffWriter(path, byteorder=byteorder) as file:
            for plane in image:
                file.write(plane, contiguous=False, **(PLAIN | options))

    return write


def ome_set(compression, *, missing=False, nodata=None):
    """Write a set of three files with two planes each; the second may be lost."""

    def write(path):
        names = [path.name, "b.ome.tif", "c.ome.tif"]
        data = "".join(
            f'<TiffData IFD="{z % 2}" FirstZ="{z}" PlaneCount="1">'
            f'<UUID FileName="{names[z // 2]}">urn:uuid:{z // 2}</UUID></TiffData>'
            for z in range(6)
        )
        xml = (
            '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" UUID="urn:uuid:0">'
            '<Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint16" '
            'SizeX="70" SizeY="48" SizeZ="6" SizeC="1" SizeT="1" PhysicalSizeX="0.5" '
            'PhysicalSizeY="0.5" PhysicalSizeZ="2"><Channel ID="Channel:0" '
            f'SamplesPerPixel="1"/>{data}</Pixels></Image></OME>'
        )
        tags = [] if nodata is None else [(42113, "s", 0, nodata, True)]
        for number, name in enumerate(names):
            if missing and number == 1:
                continue
            with tifffile.TiffWriter(path.parent / name, ome=False) as file:
                for plane in STACK[2 * number : 2 * number + 2]:
                    file.write(
                        plane,
                        contiguous=False,
                        description=xml if number == 0 else None,
                        metadata=None,
                        compression=compression,
                        extratags=tags,
                    )

    return write


NODATA = {"extratags": [(42113, "s", 0, "nan", True)]}
KINDS = {
    "one page": plain(GREY),
    "big-endian": plain(STACK, byteorder=">", metadata={"axes": "ZYX"}),
    "bigtiff": plain(REAL, bigtiff=True, metadata={"axes": "CZYX"}),
    "pages": page_by_page(STACK),
    "pages big-endian": page_by_page(STACK, byteorder=">"),
    "strips": page_by_page(STACK, rowsperstrip=7, compression="lzw"),
    "strips apart": page_by_page(STACK, rowsperstrip=7),
    "deflate": plain(STACK, compression="deflate", metadata={"axes": "TYX"}),
    "predictor": page_by_page(REAL[0], compression="zstd", predictor=3, byteorder=">"),
    "predictor alone": recoded(page_by_page(STACK), 317, 2),
    "predictor alone, one page": recoded(plain(GREY), 317, 2),
    "predictor alone, strips": recoded(page_by_page(STACK, rowsperstrip=7), 317, 2),
    "tiles": page_by_page(STACK, tile=(16, 32), compression="lzw", predictor=2),
    "tiles plain": page_by_page(STACK, tile=(16, 32)),
    "tiles big-endian": page_by_page(STACK, tile=(32, 16), byteorder=">"),
    "whole tiles": page_by_page(RNG.random((3, 48, 32)), tile=(16, 32)),
    "volume": plain(DEEP, volumetric=True, tile=(4, 16, 16), compression="deflate"),
    "volume plain": plain(DEEP, volumetric=True, tile=(4, 16, 16)),
    "colours": plain(COLOUR, photometric="rgb"),
    "colours tiled": plain(COLOUR, photometric="rgb", tile=(16, 16), compression="lzw"),
    "colours apart": plain(
        np.moveaxis(COLOUR, 2, 0).copy(),
        photometric="rgb",
        planarconfig="separate",
        rowsperstrip=9,
        compression="lzw",
    ),
    "colours apart tiled": plain(
        np.moveaxis(COLOUR, 2, 0).copy(),
        photometric="rgb",
        planarconfig="separate",
        tile=(16, 32),
    ),
    "colours apart, pages": page_by_page(
        np.stack([np.moveaxis(COLOUR, 2, 0)] * 2), photometric="rgb", planarconfig="separate"
    ),
    "jpeg": plain(COLOUR, photometric="rgb", compression="jpeg", tile=(32, 32)),
    "jpeg strips": plain(COLOUR, photometric="rgb", compression="jpeg", rowsperstrip=16),
    "alpha": plain(
        np.concatenate([COLOUR, COLOUR[..., :1]], 2), photometric="rgb", extrasamples=["unassalpha"]
    ),
    "five bands": plain(RNG.random((20, 30, 5)), planarconfig="contig", photometric="minisblack"),
    "one bit": page_by_page(STACK > 30_000, compression="packbits"),
    "twelve bits": page_by_page(STACK & 4095, bitspersample=12, photometric="minisblack"),
    "palette": plain(GREY, photometric="palette", colormap=np.zeros((3, 256), np.uint16)),
    "white is 0": page_by_page(STACK, photometric="miniswhite", compression="lzw"),
    "white is 0, one piece": plain(STACK, photometric="miniswhite", metadata={"axes": "ZYX"}),
    "white is 0, one bit": plain(GREY > 100, photometric="miniswhite"),
    "white is 0, real": plain(REAL[0, 0], photometric="miniswhite"),
    "fill order": recoded(plain(STACK), 266, 2),
    "fill order, pages": recoded(page_by_page(STACK), 266, 2),
    "a plane left out": without_a_plane(page_by_page(STACK), 2),
    "a plane of strips left out": without_a_plane(page_by_page(STACK, rowsperstrip=7), 2),
    "one pixel": plain(GREY[:1, :1]),
    "one row": page_by_page(STACK[:, :1], compression="lzw"),
    "one column": page_by_page(STACK[:, :, :1], tile=(16, 16)),
    "no data": plain(HOLED, metadata={"axes": "TZYX"}, **NODATA),
    "no data, pages": page_by_page(HOLED[0], compression="lzw", tile=(16, 16), **NODATA),
    "no data, nowhere": plain(REAL, metadata={"axes": "TZYX"}, **NODATA),
    "no data, white is 0": plain(
        GREY, photometric="miniswhite", extratags=[(42113, "s", 0, "7", True)]
    ),
    "no data, impossible": plain(GREY, extratags=[(42113, "s", 0, "-9999", True)]),
    "strips left out": left_out(plain(GREY, rowsperstrip=12, compression="lzw"), "Strip", 1, 2),
    "tiles left out": left_out(plain(GREY, tile=(16, 16)), "Tile", 0, 7),
    "tiles left out, no data": left_out(
        plain(GREY, tile=(16, 16), extratags=[(42113, "s", 0, "9", True)]), "Tile", 0, 7
    ),
    "imagej": plain(STACK, imagej=True, resolution=(2, 2), metadata={"axes": "ZYX", "unit": "um"}),
    "imagej hyperstack": plain(
        STACK.reshape(1, 3, 2, 48, 70).repeat(2, 0), imagej=True, metadata={"axes": "TZCYX"}
    ),
    "imagej compressed": plain(STACK, imagej=True, compression="deflate", metadata={"axes": "ZYX"}),
    "ome": plain(REAL, ome=True, metadata={"axes": "CZYX", "PhysicalSizeX": 0.5}),
    "ome big-endian": plain(REAL, ome=True, byteorder=">", metadata={"axes": "TZYX"}),
    "ome tiles": plain(
        REAL, ome=True, tile=(16, 16), compression="deflate", metadata={"axes": "TZYX"}
    ),
    "ome colours": plain(
        np.stack([COLOUR] * 2), ome=True, photometric="rgb", metadata={"axes": "ZYXS"}
    ),
    "ome set": ome_set(None),
    "ome set, compressed": ome_set("lzw"),
    "ome set, incomplete": ome_set("lzw", missing=True),
    "ome set, incomplete, no data": ome_set(None, missing=True, nodata="57"),
    **{
        f"orientation {number}": retagged(
            plain(GREY, rowsperstrip=9, compression="lzw", extratags=[(274, "H", 1, 1, True)]),
            Orientation=number,
        )
        for number in range(2, 10)
    },
    "colours turned": retagged(
        plain(COLOUR, photometric="rgb", extratags=[(274, "H", 1, 1, True)]), Orientation=6
    ),
    "no data turned": retagged(
        plain(
            HOLED[0, 0],
            extratags=[(274, "H", 1, 1, True), (42113, "s", 0, "nan", True)],
            resolution=(3, 7),
        ),
        Orientation=5,
    ),
}


def read_both(path):
    found, told = [], []
    for lazy in (False, True):
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            found.append(read_image(path, lazy=lazy))
        told.append([str(each.message) for each in said])
    return *found, *told


def some_slices(shape, count):
    for _ in range(count):
        yield tuple(
            slice(*np.sort(RNG.choice(size + 1, 2, replace=False)).tolist()) for size in shape
        )


@pytest.mark.parametrize("kind", KINDS)
def test_parts_are_those_of_the_whole(tmp_path, kind):
    path = tmp_path / "a.ome.tif" if kind.startswith("ome") else tmp_path / "a.tif"
    KINDS[kind](path)
    whole, lazy, told, told_lazily = read_both(path)
    assert whole.stored is None
    stored = pickle.loads(pickle.dumps(lazy.stored))
    assert lazy.image.shape == stored.shape == whole.image.shape
    assert lazy.image.dtype == stored.dtype == whole.image.dtype
    for each in (slice(None),) * stored.ndim, *some_slices(stored.shape, 12):
        for parts in (lazy.stored, stored):
            np.testing.assert_array_equal(parts[each], whole.image[each], strict=True)
        np.testing.assert_array_equal(lazy.image[each].compute(), whole.image[each])
        if lazy.valid is not None:
            valid = np.ones(stored.shape, bool) if whole.valid is None else whole.valid
            np.testing.assert_array_equal(lazy.valid[each].compute(), valid[each], strict=True)
    assert whole.valid is None or lazy.valid is not None
    for field in ("axes", "letters", "lengths", "place", "unit", "time_unit", "rgb", "channels"):
        assert getattr(lazy, field) == getattr(whole, field)
    assert (lazy.resolution, lazy.remarks) == (whole.resolution, whole.remarks)

    def others(said):
        return sorted(each for each in said if "as no data" not in each)

    assert others(told_lazily) == others(told)
    assert ("as no data" in " ".join(told_lazily)) >= ("as no data" in " ".join(told))


@pytest.mark.parametrize("kind", ["a plane left out", "a plane of strips left out"])
def test_a_plane_that_is_left_out_is_empty(tmp_path, kind):
    KINDS[kind](tmp_path / "a.tif")
    with pytest.warns(UserWarning, match="they are filled with 0"):
        found = read_image(tmp_path / "a.tif")
    expected = STACK.copy()
    expected[2] = 0
    np.testing.assert_array_equal(found.image, expected)


def test_differences_are_summed_up_along_rows(tmp_path):
    KINDS["predictor alone, one page"](tmp_path / "a.tif")
    found = read_image(tmp_path / "a.tif").image
    np.testing.assert_array_equal(found, np.cumsum(GREY, axis=1, dtype=np.uint8))


@pytest.mark.parametrize("ome", [False, True])
def test_strips_in_any_order_are_put_in_order(tmp_path, ome):
    path = tmp_path / ("a.ome.tif" if ome else "a.tif")
    if ome:
        plain(STACK, ome=True, metadata={"axes": "ZYX"}, rowsperstrip=24)(path)
    else:
        page_by_page(STACK, rowsperstrip=24)(path)
    with tifffile.TiffFile(path) as file:
        first, second = file.pages[3].dataoffsets
    with tifffile.TiffFile(path, mode="r+") as file:
        file.pages[3].tags["StripOffsets"].overwrite([second, first])
    expected = STACK.copy()
    expected[3] = np.roll(STACK[3], 24, axis=0)
    for lazy in (False, True):
        np.testing.assert_array_equal(read_image(path, lazy=lazy).image, expected)


class TestDecoding:
    """No more is decoded than a part needs."""

    @pytest.fixture
    def decoded(self, monkeypatch):
        """Return a list that gets the numbers of the strips and tiles that are decoded."""
        numbers, place = [], page_values._place

        def remembered(found, *more):
            numbers.append(found[1])
            place(found, *more)

        monkeypatch.setattr(page_values, "_place", remembered)
        return numbers

    def test_tiles(self, tmp_path, decoded):
        KINDS["tiles"](tmp_path / "a.tif")
        stored = read_image(tmp_path / "a.tif", lazy=True).stored
        stored[2:4, 17:30, 33:64]
        assert decoded == [(0, 0, 16, 32, 0)] * 2
        decoded.clear()
        stored[5:6, 15:17, 31:33]
        assert [(y, x) for _, _, y, x, _ in decoded] == [(0, 0), (0, 32), (16, 0), (16, 32)]

    def test_strips_of_separate_colours(self, tmp_path, decoded):
        KINDS["colours apart"](tmp_path / "a.tif")
        stored = read_image(tmp_path / "a.tif", lazy=True).stored
        stored[1:3, 9:19, 0:5]
        assert [(c, y) for c, _, y, _, _ in decoded] == [(1, 9), (1, 18), (2, 9), (2, 18)]

    def test_of_a_lazy_image(self, tmp_path, decoded):
        KINDS["volume"](tmp_path / "a.tif")
        image = read_image(tmp_path / "a.tif", lazy=True).image
        np.testing.assert_array_equal(image[9, 8:20, 49].compute(), DEEP[9, 8:20, 49])
        assert {(z, y, x) for _, z, y, x, _ in decoded} == {(8, 0, 48), (8, 16, 48)}


class TestMemory:
    def test_files_larger_than_it_are_lazy(self, tmp_path):
        path = tmp_path / "a.tif"
        page_by_page(np.zeros((40, 1000, 1000), np.uint8), compression="deflate")(path)
        assert read_image(path).stored is None
        with limited_memory(64 << 20):
            assert read_image(path).stored is not None
            assert read_image(path, lazy=False).stored is None

    @pytest.mark.parametrize("options", [{"tile": (64, 64)}, {"rowsperstrip": 64}])
    def test_tiles_and_strips_larger_than_it_are_refused(self, tmp_path, monkeypatch, options):
        path = tmp_path / "a.tif"
        page_by_page(np.zeros((4, 64, 64), np.uint8), compression="deflate", **options)(path)
        monkeypatch.setattr(storage, "_HARMLESS", 4000)
        monkeypatch.setattr(storage.memory, "free_memory", lambda: 4000)
        with pytest.raises(
            NotReadable, match=r"strips or tiles of 4\.1 kB, and 4 kB of memory are"
        ):
            read_image(path, lazy=True)

    def test_what_has_no_parts_is_read_whole_if_it_fits(self, tmp_path, monkeypatch):
        KINDS["strips"](tmp_path / "a.tif")
        monkeypatch.setattr(values, "are_readable_in_parts", lambda _: False)
        found = read_image(tmp_path / "a.tif", lazy=True)
        assert found.stored is None
        np.testing.assert_array_equal(found.image, STACK)
        monkeypatch.setattr(storage.memory, "free_memory", lambda: 1000)
        with pytest.raises(NotReadable, match="convert it to OME-Zarr, which is read in chunks"):
            read_image(tmp_path / "a.tif", lazy=True)


class TestFaults:
    @pytest.mark.parametrize("kind", ["big-endian", "pages", "tiles", "ome set"])
    @pytest.mark.parametrize("change", ["later", "gone"])
    def test_a_file_that_has_changed_is_not_read(self, tmp_path, kind, change):
        ending = ".ome.tif" if kind == "ome set" else ".tif"
        KINDS[kind](tmp_path / f"a{ending}")
        found = read_image(tmp_path / f"a{ending}", lazy=True)
        raw = pickle.dumps(found.stored)
        # Of a set the planes from the third on lie in other files.
        for name, part in {"a": slice(0, 2), "c": slice(4, 6)}.items():
            path = tmp_path / f"{name}{ending}"
            if not path.exists():
                continue
            if change == "gone":
                path.unlink()
            else:
                os.utime(path, ns=(0, 0))
            words = "is not there any more" if change == "gone" else "has changed since it was"
            for parts in (found.stored, found.image, pickle.loads(raw)):
                with pytest.raises(NotReadable, match=rf"\.tif' {words}"):
                    np.asarray(parts[part])

    def test_a_damaged_strip_is_refused_where_it_is_read(self, tmp_path):
        path = tmp_path / "a.tif"
        KINDS["strips"](path)
        with tifffile.TiffFile(path) as file:
            start = file.pages[3].dataoffsets[2]
        raw = bytearray(path.read_bytes())
        raw[start : start + 40] = b"\xff" * 40
        path.write_bytes(raw)
        found = read_image(path, lazy=True)
        np.testing.assert_array_equal(found.stored[:3], STACK[:3])
        with pytest.raises(NotReadable, match=r"a\.tif' has a strip or tile that is broken"):
            found.stored[3:4]

    def test_it_is_unpickled_in_any_folder_without_reading(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        KINDS["ome set, incomplete"](Path("a.ome.tif"))
        with pytest.warns(UserWarning, match="is incomplete"):
            raw = pickle.dumps(read_image("a.ome.tif", lazy=True).stored)
        assert len(raw) < 2000
        (tmp_path / "b").mkdir()
        monkeypatch.chdir("b")
        np.testing.assert_array_equal(pickle.loads(raw)[4:5], STACK[4:5])
        (tmp_path / "a.ome.tif").unlink()
        with pytest.raises(NotReadable, match="is not there any more"):
            pickle.loads(raw)[4:5]

    @pytest.mark.parametrize("lazy", [False, True])
    def test_colours_in_an_unknown_order_are_refused(self, tmp_path, lazy):
        retagged(KINDS["colours tiled"], PlanarConfiguration=223)(tmp_path / "a.tif")
        with pytest.raises(NotReadable, match="colours are stored in an unknown order"):
            read_image(tmp_path / "a.tif", lazy=lazy)

    @pytest.mark.parametrize("lazy", [False, True])
    def test_a_plane_without_a_place_is_refused(self, tmp_path, lazy):
        path = tmp_path / "a.tif"
        KINDS["strips"](path)
        with tifffile.TiffFile(path) as file:
            place = file.pages[2].tags["StripOffsets"].offset
        raw = bytearray(path.read_bytes())
        raw[place : place + 2] = b"\xff\xff"
        path.write_bytes(raw)
        with pytest.raises(NotReadable, match="one of its planes does not say where its pixels"):
            read_image(path, lazy=lazy)
