"""The values of a TIFF are right however they are packed; kinds that are not read are refused."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import tifffile

from napari_diffusion.io import NotReadable, read_image

RANDOM = np.random.default_rng(0)
GREY = RANDOM.integers(0, 250, (48, 64)).astype(np.uint8)
COLOUR = RANDOM.integers(0, 250, (48, 64, 3)).astype(np.uint8)


def written(path, image, **options):
    options = {"photometric": "minisblack", "metadata": None} | options
    tifffile.imwrite(path, image, **options)
    return path


def retagged(path, **values):
    """Overwrite the values of tags."""
    with tifffile.TiffFile(path, mode="r+") as file:
        for name, value in values.items():
            file.pages[0].tags[name].overwrite(value)
    return path


# Packing


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("compression", [None, "lzw", "deflate", "zstd", "packbits", "lzma"])
@pytest.mark.parametrize(
    "dtype", ["u1", "i2", "u2", "i4", "u4", "u8", "f2", "f4", "f8"], ids=lambda name: name
)
def test_values_of_every_compression(tmp_path, order, compression, dtype):
    image = (RANDOM.random((48, 64)) * 200 - (100 if dtype[0] in "if" else 0)).astype(dtype)
    path = written(
        tmp_path / "a.tif", image, byteorder=order, compression=compression, rowsperstrip=7
    )
    found = read_image(path).image
    assert found.dtype == np.dtype(dtype)
    assert np.array_equal(found, image)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("compression", ["lzw", "deflate", "zstd"])
@pytest.mark.parametrize(("dtype", "predictor"), [("u2", 2), ("i4", 2), ("f4", 3), ("f8", 3)])
@pytest.mark.parametrize("tile", [None, (16, 32)])
def test_values_of_every_predictor(tmp_path, order, compression, dtype, predictor, tile):
    image = (RANDOM.random((48, 64)) * 2000).astype(dtype)
    path = written(
        tmp_path / "a.tif",
        image,
        byteorder=order,
        compression=compression,
        predictor=predictor,
        tile=tile,
    )
    assert np.array_equal(read_image(path).image, image)


@pytest.mark.parametrize("compression", [None, "lzw"])
@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_values_of_both_orders_of_colours(tmp_path, compression, planar):
    image = COLOUR if planar == "contig" else np.moveaxis(COLOUR, -1, 0)
    path = written(
        tmp_path / "a.tif", image, photometric="rgb", planarconfig=planar, compression=compression
    )
    found = read_image(path)
    assert np.array_equal(found.image, image)
    assert (found.axes, found.rgb) == ("yxc" if planar == "contig" else "cyx", True)


def test_colours_of_jpeg_are_rgb(tmp_path):
    smooth = np.linspace([10, 200, 60], [240, 30, 90], 64 * 48).reshape(48, 64, 3).astype(np.uint8)
    for kind in ("RGB", "YCBCR"):
        path = written(
            tmp_path / "a.tif",
            smooth,
            photometric="rgb",
            compression="jpeg",
            compressionargs={"outcolorspace": kind},
        )
        with tifffile.TiffFile(path) as file:
            assert file.pages[0].photometric.name == kind
        found = read_image(path)
        assert found.rgb
        np.testing.assert_allclose(found.image.astype(int), smooth, atol=6)


@pytest.mark.parametrize("bits", [1, 2, 4, 10, 12, 14])
def test_packed_bits(tmp_path, bits):
    image = RANDOM.integers(0, 2**bits, (48, 63)).astype("u1" if bits <= 8 else "u2")
    image = image.astype(bool) if bits == 1 else image
    path = written(tmp_path / "a.tif", image, bitspersample=bits)
    assert np.array_equal(read_image(path).image, image)


@pytest.mark.parametrize("options", [{"compression": "lzw"}, {"bitspersample": 12}])
def test_without_imagecodecs_its_name_is_given(tmp_path, monkeypatch, options):
    path = written(tmp_path / "a.tif", GREY.astype(np.uint16), **options)
    monkeypatch.setitem(sys.modules, "imagecodecs", None)
    with pytest.raises(NotReadable, match="needs another package: pip install imagecodecs"):
        read_image(path)
    assert np.array_equal(read_image(written(tmp_path / "b.tif", GREY)).image, GREY)


def test_an_unknown_compression_is_refused(tmp_path):
    path = retagged(written(tmp_path / "a.tif", GREY, compression="lzw"), Compression=12345)
    with pytest.raises(NotReadable, match="12345"):
        read_image(path)


# Photometric


@pytest.mark.parametrize(
    ("image", "bits", "expected"),
    [
        (GREY, None, 255 - GREY),
        (GREY > 100, None, GREY <= 100),
        (GREY.astype(np.uint16), 12, 4095 - GREY.astype(np.uint16)),
    ],
)
def test_white_as_zero_becomes_light(tmp_path, image, bits, expected):
    path = written(tmp_path / "a.tif", image, photometric="miniswhite", bitspersample=bits)
    with pytest.warns(UserWarning, match="0 as white: its values are inverted"):
        found = read_image(path).image
    assert found.dtype == image.dtype
    assert np.array_equal(found, expected)


def test_white_as_zero_of_other_values_is_warned_of(tmp_path):
    image = GREY.astype(np.float32)
    path = written(tmp_path / "a.tif", image, photometric="miniswhite")
    with pytest.warns(UserWarning, match="unusual for float32: values are kept"):
        assert np.array_equal(read_image(path).image, image)


@pytest.mark.parametrize(
    ("photometric", "words"),
    [
        (5, "CMYK colours: convert it to RGB or grey"),
        (8, "CIELab"),
        (9, "ICCLab"),
        (10, "ITULab"),
        (32844, "LogL "),
        (32845, "LogLuv"),
        (6, "YCbCr colours without JPEG: convert it to RGB"),
    ],
)
def test_other_colours_are_refused(tmp_path, photometric, words):
    path = written(tmp_path / "a.tif", COLOUR, photometric="rgb")
    retagged(path, PhotometricInterpretation=photometric)
    with pytest.raises(NotReadable, match=words):
        read_image(path)


def test_subsampled_colours_are_refused(tmp_path):
    path = written(
        tmp_path / "a.tif", COLOUR, photometric="ycbcr", compression="jpeg", subsampling=(2, 2)
    )
    retagged(path, Compression=5)
    with pytest.raises(NotReadable, match="YCbCr colours without JPEG"):
        read_image(path)


@pytest.mark.parametrize(
    ("photometric", "words"), [(32803, "raw image of a colour sensor"), (777, "unknown kind")]
)
def test_odd_colours_are_warned_of(tmp_path, photometric, words):
    path = retagged(written(tmp_path / "a.tif", GREY), PhotometricInterpretation=photometric)
    with pytest.warns(UserWarning, match=words):
        assert np.array_equal(read_image(path).image, GREY)


# Formats of values


def test_complex_values_are_refused(tmp_path):
    path = written(tmp_path / "a.tif", GREY.astype(np.complex64))
    with pytest.raises(NotReadable, match="complex values: save their magnitude or phase"):
        read_image(path)


def test_values_without_a_format_are_warned_of(tmp_path):
    path = written(tmp_path / "a.tif", GREY.astype(np.int16))
    retagged(path, SampleFormat=4)
    with pytest.warns(UserWarning, match="does not say what its values are: .* uint16"):
        assert np.array_equal(read_image(path).image, GREY)


def test_unsupported_bits_are_refused(tmp_path):
    path = written(tmp_path / "a.tif", GREY.astype(np.int16))
    retagged(path, BitsPerSample=12)
    with pytest.raises(NotReadable, match="values of 12 bits in sample format 2"):
        read_image(path)


# Extra channels


@pytest.mark.parametrize(
    ("extra", "rgb", "words"),
    [
        (["unspecified"], False, None),
        (["unassalpha"], True, None),
        (["assocalpha"], True, "multiplied by alpha"),
    ],
)
def test_a_fourth_channel(tmp_path, recwarn, extra, rgb, words):
    image = np.concatenate([COLOUR, GREY[..., None]], axis=-1)
    path = written(tmp_path / "a.tif", image, photometric="rgb", extrasamples=extra)
    found = read_image(path)
    assert np.array_equal(found.image, image)
    assert (found.axes, found.rgb) == ("yxc", rgb)
    said = [str(each.message) for each in recwarn]
    assert [words in text for text in said] == [True] if words else said == []


def test_a_fourth_channel_that_says_nothing_is_warned_of(tmp_path):
    image = np.concatenate([COLOUR, GREY[..., None]], axis=-1)
    path = written(tmp_path / "a.tif", image, photometric="rgb", extrasamples=["unassalpha"])
    # The tag becomes another one, which nothing reads.
    raw = path.read_bytes()
    path.write_bytes(raw.replace(b"\x52\x01\x03\x00\x01", b"\x51\x01\x03\x00\x01"))
    with pytest.warns(UserWarning, match="does not say what its fourth channel is"):
        assert read_image(path).rgb is False


def test_five_bands_are_channels(tmp_path):
    image = np.concatenate([COLOUR, COLOUR[..., :2]], axis=-1)
    path = written(
        tmp_path / "a.tif", image, photometric="rgb", extrasamples=["unspecified", "unspecified"]
    )
    found = read_image(path)
    assert (found.axes, found.rgb, found.image.shape) == ("yxc", False, (48, 64, 5))


def test_alpha_of_grey_is_warned_of(tmp_path):
    image = COLOUR[..., :2]
    path = written(tmp_path / "a.tif", image, planarconfig="contig", extrasamples=["unassalpha"])
    with pytest.warns(UserWarning, match="alpha in channel 2: it is read like the other"):
        assert read_image(path).rgb is False


# Orientation

UPRIGHT = {
    2: lambda image: image[:, ::-1],
    3: lambda image: image[::-1, ::-1],
    4: lambda image: image[::-1],
    5: lambda image: image.swapaxes(0, 1),
    6: lambda image: np.rot90(image, -1),
    7: lambda image: np.rot90(image, -1)[::-1],
    8: lambda image: np.rot90(image),
}


@pytest.mark.parametrize("orientation", UPRIGHT)
@pytest.mark.parametrize("image", [GREY, COLOUR], ids=["grey", "colour"])
def test_images_are_turned_upright(tmp_path, orientation, image):
    path = written(
        tmp_path / "a.tif",
        image,
        photometric="rgb" if image.ndim == 3 else "minisblack",
        resolution=(10000, 5000),
        resolutionunit="CENTIMETER",
        extratags=[(274, 3, 1, orientation, True), (42113, 2, 0, str(image.max()), True)],
    )
    with (
        pytest.warns(UserWarning, match=rf"\(orientation {orientation}\): it is turned upright"),
        pytest.warns(UserWarning, match="as no data"),
    ):
        found = read_image(path)
    assert np.array_equal(found.image, UPRIGHT[orientation](image))
    assert np.array_equal(found.valid, UPRIGHT[orientation](image != image.max()))
    assert found.spacing == ((2.0, 1.0) if orientation < 5 else (1.0, 2.0))
    assert found.resolution[0][0] == (10000 if orientation < 5 else 5000)


def test_an_unknown_orientation_is_warned_of(tmp_path):
    path = written(tmp_path / "a.tif", GREY, extratags=[(274, 3, 1, 9, True)])
    with pytest.warns(UserWarning, match=r"unknown orientation \(9\): it is not turned"):
        assert np.array_equal(read_image(path).image, GREY)
