"""What OME-XML says is honoured, warned of, or refused; it never leads out of the folder."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile

from napari_diffusion.io import NotReadable, read_image

OME = "http://www.openmicroscopy.org/Schemas/OME/2016-06"
STACK = np.random.default_rng(0).integers(0, 1000, (4, 16, 20)).astype(np.uint16)
IDS = [f"urn:uuid:00000000-0000-0000-0000-00000000000{k}" for k in range(3)]


def xml_of(
    attributes="", inside="<TiffData/>", head="", uuid="", channels='<Channel ID="C:0"/>', **sizes
):
    sizes = {"X": 20, "Y": 16, "Z": 4, "C": 1, "T": 1} | sizes
    said = " ".join(f'Size{axis}="{size}"' for axis, size in sizes.items())
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>{head}<OME xmlns="{OME}" {uuid}>'
        f'<Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint16" '
        f"{said} {attributes}>{channels}{inside}</Pixels></Image></OME>"
    )


def written(path, xml, image=STACK, **options):
    tifffile.imwrite(
        path,
        image,
        description=xml.encode(),
        metadata=None,
        ome=False,
        photometric="minisblack",
        **options,
    )
    return path


def ome_set(folder, compression=None, names=("z0.ome.tif", "z1.ome.tif", "z2.ome.tif")):
    """Write planes of 10, 20 and 30 into three files that make one stack."""
    inside = "".join(
        f'<TiffData FirstZ="{k}" IFD="0" PlaneCount="1"><UUID FileName="{names[k]}">{IDS[k]}'
        "</UUID></TiffData>"
        for k in range(3)
    )
    for k in range(3):
        xml = xml_of(inside=inside, uuid=f'UUID="{IDS[k]}"', Z=3)
        plane = np.full((16, 20), 10 * (k + 1), np.uint16)
        written(folder / f"z{k}.ome.tif", xml, plane, compression=compression)
    return folder / "z0.ome.tif"


# Files of a set


@pytest.mark.parametrize("compression", [None, "lzw", "zstd"])
def test_a_set_has_the_planes_of_its_files(tmp_path, compression):
    found = read_image(ome_set(tmp_path, compression))
    assert found.image[:, 0, 0].tolist() == [10, 20, 30]
    assert (found.axes, found.remarks, found.valid) == ("zyx", (), None)


def test_missing_files_of_a_set_are_said(tmp_path):
    path = ome_set(tmp_path)
    (tmp_path / "z1.ome.tif").unlink()
    words = r"incomplete: 1 of 3 planes \(33.3%\) are in no file, their pixels are 0 and not valid"
    with pytest.warns(UserWarning, match=words):
        found = read_image(path)
    assert found.image[:, 0, 0].tolist() == [10, 0, 30]
    assert found.valid.reshape(3, -1).all(axis=1).tolist() == [True, False, True]
    assert found.remarks == (
        "z0.ome.tif is incomplete: 1 of 3 planes (33.3%) are in no file, their pixels are 0 and "
        "not valid.",
    )


def test_planes_that_are_cut_off_are_said(tmp_path):
    path = written(tmp_path / "a.ome.tif", xml_of(inside="<TiffData/>", Z=8))
    with pytest.warns(UserWarning, match=r"4 of 8 planes \(50%\) are in no file"):
        found = read_image(path)
    assert np.array_equal(found.image[:4], STACK)
    assert found.valid[:4].all()
    assert not found.valid[4:].any()
    path = written(tmp_path / "b.ome.tif", xml_of(inside='<TiffData PlaneCount="8"/>', Z=8))
    with pytest.warns(UserWarning, match=r"4 of 8 planes \(50%\) are in no file"):
        read_image(path)


@pytest.mark.parametrize(
    "name", ["../z1.ome.tif", "/tmp/z1.ome.tif", "C:\\z1.tif", "a\\..\\..\\b.tif"]
)
def test_files_of_other_folders_are_not_opened(tmp_path, monkeypatch, name):
    path = ome_set(tmp_path, names=("z0.ome.tif", name, "z2.ome.tif"))
    opened = []
    init = tifffile.TiffFile.__init__

    def remembered(self, file, *more, **options):
        opened.append(str(file))
        init(self, file, *more, **options)

    monkeypatch.setattr(tifffile.TiffFile, "__init__", remembered)
    with pytest.raises(NotReadable, match="is not a file of its folder: it is not opened"):
        read_image(path)
    assert opened == [str(path)]


def test_a_file_below_its_folder_is_opened(tmp_path):
    names = ("z0.ome.tif", "z1.ome.tif", "more/z2.ome.tif")
    path = ome_set(tmp_path, names=names)
    (tmp_path / "more").mkdir()
    (tmp_path / "z2.ome.tif").rename(tmp_path / "more" / "z2.ome.tif")
    assert read_image(path).image[:, 0, 0].tolist() == [10, 20, 30]


def test_files_of_different_kinds_are_refused(tmp_path):
    path = ome_set(tmp_path)
    xml = xml_of(uuid=f'UUID="{IDS[1]}"')
    written(tmp_path / "z1.ome.tif", xml, np.zeros((16, 20), np.uint8))
    with pytest.raises(NotReadable, match="planes of different kinds: read its files one by one"):
        read_image(path)


# Text that cannot be used


@pytest.mark.parametrize(
    ("xml", "words"),
    [
        (xml_of(head='<!DOCTYPE o [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'), "has a DOCTYPE"),
        (xml_of().replace("</Pixels>", ""), "is broken"),
        (f'<?xml version="1.0"?><OME xmlns="{OME}"></OME>', "describes no image"),
        (
            f'<OME xmlns="{OME}"><BinaryOnly MetadataFile="a.companion.ome"/></OME>',
            "describes no image and points to 'a.companion.ome'",
        ),
        (xml_of(Z="many"), "has no usable SizeZ"),
        (xml_of().replace('DimensionOrder="XYZCT"', ""), "does not describe it"),
        (xml_of(inside='<TiffData IFD="x"/>'), "has no usable IFD"),
    ],
)
def test_unusable_text_is_warned_of_and_the_image_read(tmp_path, xml, words):
    path = written(tmp_path / "a.ome.tif", xml)
    with pytest.warns(UserWarning, match=f"has OME-XML that {words}.*: the image is read without"):
        found = read_image(path)
    assert np.array_equal(found.image, STACK)
    assert (found.axes, found.lengths) == (None, {})


@pytest.mark.parametrize(
    "xml",
    [
        xml_of(Z=10**9),
        xml_of(X=10**9),
        xml_of(Z=-1),
        xml_of(inside='<TiffData PlaneCount="1000000000000"/>'),
        xml_of().replace(
            "</OME>",
            '<StructuredAnnotations><XMLAnnotation ID="A:0" Namespace="modulo"><Value><Modulo>'
            '<ModuloAlongZ Type="lambda" Start="0" End="1e12"/></Modulo></Value></XMLAnnotation>'
            "</StructuredAnnotations></OME>",
        ),
    ],
)
def test_more_planes_than_a_file_can_hold_are_refused(tmp_path, xml):
    with pytest.raises(NotReadable, match="planes: it is damaged"):
        read_image(written(tmp_path / "a.ome.tif", xml))


# Lengths


@pytest.mark.parametrize(
    ("attributes", "lengths", "words"),
    [
        (
            'PhysicalSizeX="0.1" PhysicalSizeY="0.1" PhysicalSizeZ="-0.5"',
            (0.5, 0.1, 0.1),
            "negative",
        ),
        (
            'PhysicalSizeX="0.1" PhysicalSizeY="0.1" PhysicalSizeZ="1" PhysicalSizeZUnit="pixel"',
            (0.1, 0.1, 0.1),
            "along z in px, beside others in µm: it is unknown along z",
        ),
        ('PhysicalSizeX="0.1" PhysicalSizeY="0.1" PhysicalSizeZ="0"', (0.1, 0.1, 0.1), "no usable"),
        (
            'PhysicalSizeX="0.1" PhysicalSizeY="NaN" PhysicalSizeZ="1"',
            (1, 0.1, 0.1),
            "along y (got 'NaN')",
        ),
        ('PhysicalSizeX="" PhysicalSizeY="" PhysicalSizeZ=""', (1, 1, 1), None),
        ('PhysicalSizeX="a" PhysicalSizeY="1" PhysicalSizeZ="1"', (1, 1, 1), "along x (got 'a')"),
        (
            'PhysicalSizeX="2" PhysicalSizeY="1" PhysicalSizeZ="1" PhysicalSizeXUnit="furlong"',
            (1, 1, 1),
            "along x in furlong, beside others in µm",
        ),
    ],
)
@pytest.mark.filterwarnings("ignore:a.ome.tif gives no voxel size along")
def test_lengths(tmp_path, recwarn, attributes, lengths, words):
    found = read_image(written(tmp_path / "a.ome.tif", xml_of(attributes)))
    assert np.array_equal(found.image, STACK)
    assert found.spacing == lengths
    said = [str(each.message) for each in recwarn]
    assert any(words in text for text in said) if words else said == []


def test_a_frame_interval(tmp_path):
    attributes = 'TimeIncrement="20" TimeIncrementUnit="ms"'
    found = read_image(written(tmp_path / "a.ome.tif", xml_of(attributes, Z=1, T=4)))
    assert (found.axes, found.lengths, found.time_unit) == ("tyx", {"t": 20.0}, "millisecond")
    path = written(tmp_path / "b.ome.tif", xml_of('TimeIncrement="-inf"', Z=1, T=4))
    with pytest.warns(UserWarning, match="no usable frame interval"):
        assert read_image(path).lengths == {}


@pytest.mark.parametrize(
    ("times", "unit", "lengths"),
    [
        ((0.5, 3, 5.5, 8), "", {"t": 2.5}),
        ((10, 30, 80, 100), 'DeltaTUnit="ms"', {"t": 30.0}),
        ((0, 0, 0, 0), "", {}),
        ((0, "x", 1, 2), "", {}),
        ((0, 1, 2, "1e999"), "", {}),
    ],
)
def test_a_frame_interval_by_the_times_of_the_planes(tmp_path, recwarn, times, unit, lengths):
    planes = "".join(
        f'<Plane TheZ="0" TheC="0" TheT="{t}" DeltaT="{time}" {unit}/>'
        for t, time in enumerate(times)
    )
    found = read_image(
        written(tmp_path / "a.ome.tif", xml_of(inside="<TiffData/>" + planes, Z=1, T=4))
    )
    assert found.lengths == lengths
    assert found.time_unit == ("frame" if not lengths else "millisecond" if unit else "second")
    assert ["no frame interval: the mean" in str(each.message) for each in recwarn] == [True] * len(
        lengths
    )


SIZES = 'PhysicalSizeX="0.1" PhysicalSizeY="0.1" PhysicalSizeZ="1"'
MICRONS = 'PositionXUnit="mm" PositionYUnit="µm" PositionZUnit="µm"'


def test_the_place_of_the_first_plane(tmp_path):
    planes = "".join(
        f'<Plane TheZ="{z}" TheC="0" TheT="0" PositionX="2" PositionY="-3" PositionZ="{z + 5}" '
        f"{MICRONS}/>"
        for z in (1, 0)
    )
    found = read_image(written(tmp_path / "a.ome.tif", xml_of(SIZES, "<TiffData/>" + planes)))
    assert found.place == {"x": 2000.0, "y": -3.0, "z": 5.0}


def test_the_place_of_the_stage(tmp_path):
    label = '<StageLabel Name="A1" X="2" Y="3" XUnit="µm" YUnit="µm"/>'
    xml = xml_of(SIZES).replace("<Pixels", f"{label}<Pixels")
    assert read_image(written(tmp_path / "a.ome.tif", xml)).place == {"x": 2.0, "y": 3.0}


def test_a_place_without_a_unit_of_length_is_warned_of(tmp_path):
    plane = '<TiffData/><Plane TheZ="0" TheC="0" TheT="0" PositionX="2"/>'
    path = written(tmp_path / "a.ome.tif", xml_of(SIZES, plane))
    with pytest.warns(UserWarning, match="position along x in 'reference frame', not in micro"):
        assert read_image(path).place == {}


# Channels


def test_names_and_colours_of_channels(tmp_path):
    channels = (
        '<Channel ID="C:0" Name="DAPI" Color="65535"/><Channel ID="C:1" Name="GFP"/>'
        '<Channel ID="C:2" Color="-16776961"/><Channel ID="C:3" Color="-1"/>'
    )
    found = read_image(written(tmp_path / "a.ome.tif", xml_of(channels=channels, Z=1, C=4)))
    assert found.axes == "cyx"
    assert [(each.name, each.colour) for each in found.channels] == [
        ("DAPI", "0000FF"),
        ("GFP", ""),
        ("", "FF0000"),
        ("", "FFFFFF"),
    ]


def test_channels_that_do_not_fit_are_warned_of(tmp_path):
    path = written(tmp_path / "a.ome.tif", xml_of(channels='<Channel Name="A"/>', Z=1, C=4))
    with pytest.warns(UserWarning, match="describes 1 channels and has 4: their names are not"):
        assert read_image(path).channels == ()
    path = written(tmp_path / "b.ome.tif", xml_of(channels='<Channel Name="A" Color="red"/>'))
    with pytest.warns(UserWarning, match="unusable colour .'red'.: it is unknown"):
        assert read_image(path).channels[0].name == "A"


# Record


@pytest.mark.parametrize("text", ["{broken", "[1, 2]", "3", "", "[" * 100_000])
def test_a_damaged_record_is_unknown(tmp_path, text):
    annotation = (
        '<StructuredAnnotations><CommentAnnotation ID="A:0" Namespace="napari-diffusion"><Value>'
        f"{text}</Value></CommentAnnotation></StructuredAnnotations></OME>"
    )
    path = written(tmp_path / "a.ome.tif", xml_of().replace("</OME>", annotation))
    with pytest.warns(UserWarning, match="damaged record of napari-diffusion"):
        found = read_image(path)
    assert found.record is None
    assert np.array_equal(found.image, STACK)
