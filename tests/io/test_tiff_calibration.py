"""What ImageJ, GDAL and the resolution of a TIFF say is honoured or warned of."""

from __future__ import annotations

import struct

import numpy as np
import pytest
import tifffile

from napari_diffusion.io import read_image

GREY = np.random.default_rng(0).integers(1, 250, (48, 64)).astype(np.uint8)
STACK = np.random.default_rng(0).integers(1, 250, (3, 2, 16, 20)).astype(np.uint8)


def written(path, image=GREY, **options):
    options = {"photometric": "minisblack", "metadata": None} | options
    tifffile.imwrite(path, image, **options)
    return path


def imagej(path, image=STACK, axes="ZCYX", resolution=(10, 5), **metadata):
    return written(
        path, image, imagej=True, resolution=resolution, metadata={"axes": axes, **metadata}
    )


# Resolution


@pytest.mark.parametrize("x", [(0, 1), (1, 0), (0, 0)])
def test_a_resolution_of_zero_is_unknown(tmp_path, x):
    path = written(tmp_path / "a.tif", resolution=(1, 1), resolutionunit="CENTIMETER")
    with tifffile.TiffFile(path, mode="r+") as file:
        file.pages[0].tags["XResolution"].overwrite(x)
    with pytest.warns(UserWarning, match=rf"no usable resolution .got \({x[0]}, {x[1]}\)"):
        found = read_image(path)
    assert (found.lengths, found.resolution) == ({}, None)


def test_a_resolution_that_is_no_ratio_is_unknown(tmp_path):
    path = written(tmp_path / "a.tif", resolution=(1, 1), resolutionunit="CENTIMETER")
    raw = path.read_bytes()
    ratio, real = (struct.pack("<HHI", 282, kind, 1) for kind in (5, 12))
    assert ratio in raw
    path.write_bytes(raw.replace(ratio, real))
    with pytest.warns(UserWarning, match=r"no usable resolution .got .2.*e-314,. and"):
        assert read_image(path).lengths == {}


# ImageJ


def test_lengths_and_limits_of_imagej(tmp_path):
    tables = [np.zeros((3, 256), np.uint8) for _ in range(2)]
    tables[0][1] = tables[1][0] = tables[1][2] = np.arange(256)
    found = read_image(
        imagej(
            tmp_path / "a.tif",
            spacing=0.5,
            unit="\\u00B5m",
            Ranges=(0.0, 100.0, 5.0, 50.0),
            LUTs=tables,
            Labels=["one", "two"] * 3,
        )
    )
    assert (found.axes, found.spacing, found.unit) == ("zcyx", (0.5, 0.2, 0.1), "micrometer")
    assert [(each.colour, each.limits) for each in found.channels] == [
        ("00FF00", (0.0, 100.0)),
        ("FF00FF", (5.0, 50.0)),
    ]
    assert np.array_equal(found.image, STACK)


def test_limits_of_one_channel_of_imagej(tmp_path):
    found = read_image(imagej(tmp_path / "a.tif", GREY, "YX", min=3.0, max=20.5))
    assert [each.limits for each in found.channels] == [(3.0, 20.5)]
    found = read_image(imagej(tmp_path / "b.tif", Ranges=(9.0, 3.0, 0.0, float("nan"))))
    assert found.channels == ()


@pytest.mark.parametrize(
    ("spacing", "z", "words"),
    [
        (-0.5, 0.5, "negative pixel size along z"),
        ("nan", 0.1, "no usable pixel size along z .got nan"),
        (0, 0.1, "no usable pixel size along z .got 0"),
    ],
)
@pytest.mark.filterwarnings("ignore:a.tif gives no voxel size along z")
def test_odd_spacings_of_imagej(tmp_path, spacing, z, words):
    path = imagej(tmp_path / "a.tif", spacing=spacing, unit="um")
    with pytest.warns(UserWarning, match=words):
        assert read_image(path).spacing == (z, 0.2, 0.1)


def test_odd_intervals_of_imagej(tmp_path):
    path = imagej(tmp_path / "a.tif", axes="TCYX", finterval="inf")
    with pytest.warns(UserWarning, match="no usable frame interval"):
        assert read_image(path).lengths == {}
    assert read_image(imagej(tmp_path / "b.tif", axes="TCYX", finterval=0)).lengths == {}


def test_units_of_imagej(tmp_path):
    found = read_image(imagej(tmp_path / "a.tif", GREY, "YX", unit="nm"))
    assert (found.lengths, found.unit) == ({"y": 0.2, "x": 0.1}, "nanometer")
    assert read_image(imagej(tmp_path / "b.tif", GREY, "YX", unit="pixel")).lengths == {}


def test_inches_of_imagej_are_no_scale(tmp_path):
    path = imagej(tmp_path / "a.tif", resolution=(72, 72), unit="inch", spacing=1.0)
    with pytest.warns(UserWarning, match="pixel size in inches, as it is to be printed"):
        found = read_image(path)
    assert (found.lengths, found.unit) == ({}, "pixel")


@pytest.mark.parametrize(
    ("resolution", "kind", "spacing"),
    [((1, 1), "NONE", (3, 1, 1)), ((10, 5), "NONE", (3, 0.2, 0.1)), ((72, 72), "INCH", (3, 1, 1))],
)
def test_a_spacing_of_imagej_without_a_unit(tmp_path, resolution, kind, spacing):
    path = imagej(tmp_path / "a.tif", resolution=resolution, spacing=3)
    number = {"NONE": 1, "INCH": 2}[kind]
    with tifffile.TiffFile(path, mode="r+") as file:
        file.pages[0].tags["ResolutionUnit"].overwrite(number)
    found = read_image(path)
    assert (found.spacing, found.unit) == (spacing, "pixel")


def test_the_origin_of_imagej(tmp_path):
    path = imagej(tmp_path / "a.tif", unit="um", spacing=0.5, xorigin=-20, yorigin=3, zorigin=2)
    assert read_image(path).place == pytest.approx({"z": -1.0, "y": -0.6, "x": 2.0})


def test_calibrated_values_of_imagej_are_warned_of(tmp_path):
    said = "ImageJ=1.54f\ncf=0\nc0=-32768.0\nc1=1.0\nvunit=Gray Value\n"
    path = written(tmp_path / "a.tif", GREY.astype(np.uint16), description=said)
    with pytest.warns(UserWarning, match=r"stand for -32768.0 \+ 1.0 × value in ImageJ"):
        assert np.array_equal(read_image(path).image, GREY)


# tifffile


@pytest.mark.parametrize(
    "said",
    [
        {"unit": "um", "spacing": 0.5},
        {
            "PhysicalSizeX": 0.1,
            "PhysicalSizeY": 200,
            "PhysicalSizeYUnit": "nm",
            "PhysicalSizeZ": 0.5,
        },
    ],
    ids=["of ImageJ", "of OME"],
)
def test_pixel_sizes_given_to_tifffile(tmp_path, said):
    path = written(tmp_path / "a.tif", STACK, resolution=(10, 5), metadata={"axes": "ZCYX", **said})
    found = read_image(path)
    assert (found.spacing, found.unit) == (pytest.approx((0.5, 0.2, 0.1)), "micrometer")


# No data


@pytest.mark.parametrize(
    ("dtype", "mark", "text"),
    [
        ("u1", 0, "0"),
        ("i2", -9999, "-9999"),
        ("i2", -9999, "-9999.0 "),
        ("f4", np.finfo("f4").min, "-3.4028234663852886e+38"),
        ("f4", np.float32(0.1), "0.1"),
        ("f4", np.nan, "nan"),
        ("f8", 1e20, "1e+20"),
        ("u8", 2**63 + 1, str(2**63 + 1)),
    ],
)
def test_no_data_is_not_valid(tmp_path, dtype, mark, text):
    image = GREY.astype(dtype)
    image[:6, :8] = mark
    path = written(tmp_path / "a.tif", image, extratags=[(42113, 2, 0, text, True)])
    with pytest.warns(UserWarning, match=r"marks 48 of 3072 values \(1.56%\) as no data"):
        found = read_image(path)
    assert np.array_equal(found.image, image, equal_nan=dtype[0] == "f")
    expected = np.ones(GREY.shape, bool)
    expected[:6, :8] = False
    assert np.array_equal(found.valid, expected)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nothing", "a mark of no data that is no number .'nothing'"),
        ("-9999", "marks no data by -9999, which no uint8 can be"),
        ("nan", "marks no data by nan, which no uint8 can be"),
        ("0.5", "marks no data by 0.5, which no uint8 can be"),
        ("1e999", "marks no data by 1e999, which no uint8 can be"),
        ("9" * 5000, "which no uint8 can be|is no number"),
    ],
)
def test_a_mark_that_no_pixel_can_have_is_warned_of(tmp_path, text, words):
    path = written(tmp_path / "a.tif", extratags=[(42113, 2, 0, text, True)])
    with pytest.warns(UserWarning, match=words):
        assert read_image(path).valid is None


def test_an_unused_mark_says_nothing(tmp_path):
    path = written(tmp_path / "a.tif", extratags=[(42113, 2, 0, "0", True)])
    assert read_image(path).valid is None


def test_white_as_zero_keeps_its_holes(tmp_path):
    image = GREY.copy()
    image[0, 0] = 0
    tags = [(42113, 2, 0, "0", True)]
    path = written(tmp_path / "a.tif", image, photometric="miniswhite", extratags=tags)
    with (
        pytest.warns(UserWarning, match="values are inverted"),
        pytest.warns(UserWarning, match="marks 1 of 3072"),
    ):
        found = read_image(path)
    assert np.argwhere(~found.valid).tolist() == [[0, 0]]
    assert np.array_equal(found.image, 255 - image)


@pytest.mark.parametrize(
    "tag",
    [
        (33550, 12, 3, (30.0, 30.0, 0.0), True),
        (34264, 12, 16, (0.0,) * 16, True),
        (34735, 3, 4, (1, 1, 0, 0), True),
    ],
    ids=["scale", "transformation", "keys"],
)
def test_geography_is_warned_of(tmp_path, tag):
    path = written(tmp_path / "a.tif", extratags=[tag])
    with pytest.warns(UserWarning, match="is a GeoTIFF: its pixel sizes and place on the Earth"):
        assert read_image(path).lengths == {}


def test_a_scale_of_the_values_is_warned_of(tmp_path):
    said = '<GDALMetadata><Item name="SCALE" sample="0" role="scale">0.1</Item></GDALMetadata>'
    path = written(tmp_path / "a.tif", extratags=[(42112, 2, 0, said, True)])
    with pytest.warns(UserWarning, match="gives a scale and an offset of its values"):
        assert np.array_equal(read_image(path).image, GREY)
