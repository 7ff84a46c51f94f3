"""What PNG and JPEG photos say is honoured, warned of, or refused."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from napari_diffusion.io import NotReadable, read_image

COLOUR = np.arange(90, dtype=np.uint8).reshape(5, 6, 3)
DEEP = COLOUR.astype(np.uint16) * 257 + 1


def chunk(kind, data):
    body = kind + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))


def png(path, image, kind, *more, depth=16):
    """Write a PNG by its specification."""
    height, width = image.shape[:2]
    rows = b"".join(b"\0" + row.astype(f">u{depth // 8}").tobytes() for row in image)
    header = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)
    pieces = ((b"IHDR", header), *more, (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*piece) for piece in pieces))
    return path


def test_colours_of_sixteen_bits_keep_them(tmp_path):
    found = read_image(png(tmp_path / "a.png", DEEP, 2))
    assert found.image.dtype == np.uint16
    assert np.array_equal(found.image, DEEP)
    assert (found.axes, found.rgb) == ("yxc", True)


def test_alpha_of_sixteen_bits_is_kept(tmp_path):
    with_alpha = np.concatenate([DEEP, 9 * DEEP[..., :1]], axis=-1)
    found = read_image(png(tmp_path / "a.png", with_alpha, 6))
    assert np.array_equal(found.image, with_alpha)
    grey = np.stack([DEEP[..., 0], DEEP[..., 1]], axis=-1)
    found = read_image(png(tmp_path / "b.png", grey, 4))
    assert np.array_equal(found.image, grey[..., [0, 0, 0, 1]])


def test_deep_colours_are_turned_upright(tmp_path):
    entry = struct.pack("<HHIHH", 0x0112, 3, 1, 6, 0)
    exif = b"II*\0\x08\0\0\0\x01\0" + entry + b"\0\0\0\0"
    found = read_image(png(tmp_path / "a.png", DEEP, 2, (b"eXIf", exif)))
    assert np.array_equal(found.image, np.rot90(DEEP, -1))


def test_a_size_of_print_is_no_pixel_size(tmp_path):
    size = struct.pack(">IIB", 1000, 1000, 1)
    path = png(tmp_path / "a.png", COLOUR, 2, (b"pHYs", size), depth=8)
    assert read_image(path).lengths == {}


def test_a_transparent_colour_is_alpha(tmp_path):
    colour = struct.pack(">HHH", *COLOUR[2, 3])
    found = read_image(png(tmp_path / "a.png", COLOUR, 2, (b"tRNS", colour), depth=8))
    assert found.image.shape == (5, 6, 4)
    assert np.argwhere(found.image[..., 3] == 0).tolist() == [[2, 3]]


def test_a_transparent_colour_of_sixteen_bits_is_alpha(tmp_path):
    colour = struct.pack(">HHH", *DEEP[2, 3])
    found = read_image(png(tmp_path / "a.png", DEEP, 2, (b"tRNS", colour)))
    assert np.array_equal(found.image[..., :3], DEEP)
    assert np.argwhere(found.image[..., 3] == 0).tolist() == [[2, 3]]


def test_a_transparent_grey_is_warned_of(tmp_path):
    path = png(tmp_path / "a.png", COLOUR[..., 0], 0, (b"tRNS", struct.pack(">H", 3)), depth=8)
    with pytest.warns(UserWarning, match="shows grey 3 as transparent: it is read as grey"):
        assert np.array_equal(read_image(path).image, COLOUR[..., 0])


def test_inks_are_refused(tmp_path):
    Image.fromarray(COLOUR).convert("CMYK").save(tmp_path / "a.jpg")
    with pytest.raises(NotReadable, match="CMYK colours: convert it to RGB or grey"):
        read_image(tmp_path / "a.jpg")


def test_further_images_are_warned_of(tmp_path):
    frames = [Image.fromarray(COLOUR), Image.fromarray(COLOUR[::-1].copy())]
    frames[0].save(tmp_path / "a.png", save_all=True, append_images=frames[1:])
    with pytest.warns(UserWarning, match="holds 2 images: only the first one is read"):
        assert np.array_equal(read_image(tmp_path / "a.png").image, COLOUR)


def test_a_bomb_is_one_sentence(tmp_path):
    header = struct.pack(">IIBBBBB", 60000, 60000, 8, 0, 0, 0, 0)
    pieces = (b"IHDR", header), (b"IDAT", zlib.compress(b"\0")), (b"IEND", b"")
    path = tmp_path / "a.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*piece) for piece in pieces))
    with pytest.raises(NotReadable, match="declares more pixels than a photo has: save it as"):
        read_image(path)


def test_more_than_the_memory_is_refused(tmp_path, monkeypatch):
    from napari_diffusion.io import photo_reader

    monkeypatch.setattr(photo_reader.memory, "free_memory", lambda: 5 * 6 * 8 - 1)
    with pytest.raises(NotReadable, match="needs up to 240 B of memory, and 239 B are free"):
        read_image(png(tmp_path / "a.png", DEEP, 2))


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "deep.png"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_photo_that_is_cut_off_is_refused(tmp_path, name, share):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    path = tmp_path / name
    if name == "deep.png":
        png(path, noise.astype(np.uint16) * 257, 2)
    else:
        Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(NotReadable, match="is damaged or no photo"):
        read_image(path)


@pytest.mark.parametrize("kind", ["BMP", "EPS", "GIF"])
def test_no_other_format_hides_behind_the_name(tmp_path, kind):
    # For some of them Pillow would start programs, such as Ghostscript.
    Image.fromarray(COLOUR).save(tmp_path / "a.png", format=kind)
    with pytest.raises(NotReadable, match="no photo: cannot identify"):
        read_image(tmp_path / "a.png")
