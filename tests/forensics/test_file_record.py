"""What files say of themselves, in files written here and in damaged ones."""

from __future__ import annotations

import io
import json
import struct
import sys
import types

import numpy as np
import pytest
import tifffile
from PIL import Image, PngImagePlugin
from scipy import ndimage

from napari_diffusion.forensics import FileRecord
from napari_diffusion.forensics.metadata import c2pa_record
from napari_diffusion.forensics.metadata.file_facts import listed, plain_text
from napari_diffusion.forensics.metadata.xmp import xmp_facts
from napari_diffusion.io import read_image

NOTHING = "Nothing that this method can see."


@pytest.fixture(autouse=True)
def without_c2pa(monkeypatch):
    monkeypatch.setitem(sys.modules, "c2pa", None)
    monkeypatch.setattr(c2pa_record, "find_spec", lambda name: None)


def scene(shape=(90, 120), seed=0):
    values = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=shape), 3)
    return np.clip(128 + 60 * values / values.std(), 0, 255).astype(np.uint8)


def read(path, image=None):
    source = read_image(path)
    values = source.image if image is None else image
    return FileRecord()(values, axes=source.axes or "yx", rgb=source.rgb, file=path)


def facts(reading):
    return dict(reading.facts)


def jpeg(path, image, **options):
    Image.fromarray(image).save(path, "JPEG", **options)
    return path


def exif_of(image, thumbnail=None, **more):
    """Return EXIF of an image with a position, a person and, if given, a thumbnail."""
    exif = Image.Exif()
    exif[0x0131], exif[0x0132], exif[0x013B] = (
        "Darkroom\n\x1b[31m 1.2",
        "2024:02:03 10:00:00",
        "Ada",
    )
    exif[0x8769] = {0x9003: "2023:12:31 09:00:00", 0xA002: 4000, 0xA003: 3000}
    exif[0x8825] = {1: "N", 2: (48.0, 51.0, 30.0), 3: "E", 4: (2.0, 17.0, 40.0)}
    for tag, value in more.items():
        exif[int(tag[1:])] = value
    stored = exif.tobytes()
    if thumbnail is None:
        return stored
    # A second directory of two numbers at the end, where the first one points to it.
    small = io.BytesIO()
    Image.fromarray(thumbnail).save(small, "JPEG", quality=90)
    body = bytearray(stored[6:] + b"\0" * (len(stored) % 2))
    order = "<" if body[:2] == b"II" else ">"
    (first,) = struct.unpack(order + "I", body[4:8])
    (count,) = struct.unpack(order + "H", body[first : first + 2])
    at = len(body)
    struct.pack_into(order + "I", body, first + 2 + 12 * count, at)
    entry = struct.pack(order + "HHHII", 2, 0x0201, 4, 1, at + 30)
    entry += struct.pack(order + "HHIII", 0x0202, 4, 1, len(small.getvalue()), 0)
    return b"Exif\0\0" + bytes(body) + entry + small.getvalue()


def test_how_a_jpeg_is_coded(tmp_path):
    colour = np.stack([scene(seed=i) for i in range(3)], -1)
    found = facts(
        read(jpeg(tmp_path / "a.jpg", colour, quality=73, subsampling=1, progressive=True))
    )
    assert found["JPEG: quality"] == "73"
    assert found["JPEG: sampling of colours"] == "4:2:2"
    assert found["JPEG: scans"] == "progressive"
    assert found["format"] == "JPEG"
    found = facts(read(jpeg(tmp_path / "b.jpg", scene(), quality=90)))
    assert (found["JPEG: quality"], found["JPEG: sampling of colours"]) == ("90", "grey")
    own = [[min(255, n) for n in range(5, 69)]] * 2
    found = facts(read(jpeg(tmp_path / "c.jpg", colour, qtables=own, subsampling=0)))
    assert found["JPEG: quality"].startswith("about ")
    assert found["JPEG: sampling of colours"] == "4:4:4"


def test_exif_is_shown_in_one_line_without_persons(tmp_path):
    image = scene()
    reading = read(jpeg(tmp_path / "a.jpg", image, exif=exif_of(image)))
    found = facts(reading)
    assert found["EXIF: Software"] == "Darkroom [31m 1.2"
    assert found["EXIF: GPS position (private)"] == "48.85833° N, 2.29444° E"
    assert found["EXIF: persons, serial numbers (private)"] == "1 tags, not shown"
    assert "Ada" not in str(reading.to_dict())
    words = " ".join(reading.remarks)
    assert "taken at 2023:12:31 09:00:00 and changed at 2024:02:03" in words
    assert "4000 × 3000 pixels, and the image has 120 × 90" in words
    assert NOTHING not in words


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_thumbnail_of_another_image_shows_where_it_differs(tmp_path, orientation):
    image = scene((240, 320))
    before = image.copy()
    before[40:120, 200:280] = 255
    small = np.asarray(Image.fromarray(before).resize((160, 120), Image.Resampling.BOX))
    stored = exif_of(image, small, _274=orientation)
    reading = read(jpeg(tmp_path / "a.jpg", image, exif=stored, quality=95))
    (shown,) = reading.maps
    upright = np.rot90(shown.values) if orientation == 6 else shown.values
    assert upright.shape == image.shape
    assert upright[50:110, 210:270].mean() > 60
    assert abs(upright[140:].mean()) < 30
    assert reading.numbers[0].value < 0.95


def test_a_thumbnail_of_the_image_agrees(tmp_path):
    image = scene((240, 320))
    small = np.asarray(Image.fromarray(image).resize((160, 107), Image.Resampling.BOX))
    barred = np.zeros((120, 160), np.uint8)
    barred[6:113] = small
    wide = np.asarray(Image.fromarray(image).resize((320, 214), Image.Resampling.BOX))
    reading = read(jpeg(tmp_path / "a.jpg", wide, exif=exif_of(wide, barred)))
    (shown,) = reading.maps
    assert reading.numbers[0].value > 0.98, "bars are left out"
    assert np.abs(shown.values).mean() < 5
    assert not any("thumbnail" in remark for remark in reading.remarks)


def test_texts_of_png(tmp_path):
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Software", "Painter\u2066 3")
    texts.add_text("Author", "Ada")
    texts.add_text("parameters", "x" * 5000)
    Image.fromarray(scene()).save(tmp_path / "a.png", pnginfo=texts)
    reading = read(tmp_path / "a.png")
    found = facts(reading)
    assert found["PNG: Software"] == "Painter 3"
    assert len(found["PNG: parameters"]) == 200
    assert "Ada" not in str(reading.to_dict())
    assert reading.remarks[0] == "It names the software that wrote it: Painter 3."


def test_tags_of_tiff(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", scene(), software="Scope 1.0", metadata=None)
    found = facts(read(tmp_path / "a.tif"))
    assert found["TIFF: Software"] == "Scope 1.0"
    assert found["TIFF: compression"] == "NONE"
    long = [(700, "B", 9 << 20, bytes(9 << 20), True)]
    tifffile.imwrite(tmp_path / "b.tif", scene(), extratags=long, metadata=None)
    assert read(tmp_path / "b.tif").facts


def test_xmp_is_searched_and_not_parsed():
    packet = b"""<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>
    <rdf:Description xmp:CreatorTool="Painter 3"><xmp:ModifyDate>2024-01-01</xmp:ModifyDate>
    <rdf:li stEvt:action="saved" stEvt:softwareAgent="Painter 3"/><rdf:li stEvt:action="saved"/>
    <Iptc4xmpExt:DigitalSourceType>http://cv.iptc.org/newscodes/digitalsourcetype/\
trainedAlgorithmicMedia</Iptc4xmpExt:DigitalSourceType>"""
    found = xmp_facts(packet)
    named = dict(found.facts)
    assert named["XMP: CreatorTool"] == "Painter 3"
    assert named["XMP: ModifyDate"] == "2024-01-01"
    assert named["XMP: history"] == "saved (2 times)"
    assert "trained model" in found.remarks[0]
    assert xmp_facts(b"<" * (3 << 20)).facts == ()


def test_a_record_of_ours_is_read_and_checked(tmp_path):
    image = scene((32, 32)).astype(np.float32)
    path = _written(tmp_path, image)
    words = " ".join(read(path).remarks)
    assert "A record of this program says" in words
    assert "The values are those that the record was written for" in words
    with tifffile.TiffFile(path) as file:
        at = file.pages[0].dataoffsets[0]
    with open(path, "r+b") as file:
        file.seek(at)
        file.write(struct.pack("<f", 1.5))
    assert "The values are not those" in " ".join(read(path).remarks)


def _written(folder, image):
    """Return the file of a result that the command line wrote."""
    from napari_diffusion.cli import main

    tifffile.imwrite(folder / "in.tif", image, metadata={"axes": "YX"})
    assert (
        main(["filter", str(folder / "in.tif"), str(folder / "out.ome.tif"), "--filter", "Median"])
        == 0
    )
    return folder / "out.ome.tif"


def test_nothing_is_said_of_a_plain_file(tmp_path):
    np.save(tmp_path / "a.npy", scene())
    reading = read(tmp_path / "a.npy")
    assert reading.remarks == (NOTHING,)
    assert set(facts(reading)) == {"size", "SHA-256 of the file"}
    Image.fromarray(scene()).save(tmp_path / "a.png")
    first, hint = read(tmp_path / "a.png").remarks
    assert first == NOTHING
    assert 'pip install "napari-diffusion[c2pa]"' in hint


@pytest.mark.parametrize("ending", ["jpg", "png", "tif"])
@pytest.mark.parametrize("seed", range(8))
def test_damaged_files_are_named_and_read_on(tmp_path, ending, seed):
    image, path = scene(), tmp_path / f"a.{ending}"
    if ending == "jpg":
        jpeg(path, image, exif=exif_of(image, image[::2, ::2]), comment=b"a comment")
    elif ending == "png":
        Image.fromarray(image).save(path, exif=exif_of(image), icc_profile=b"\0" * 300)
    else:
        tifffile.imwrite(path, image, software="Scope", metadata=None)
    random, whole = np.random.default_rng(seed), bytearray(path.read_bytes())
    for place in random.integers(0, min(len(whole), 3000), 40):
        whole[place] = random.integers(256)
    path.write_bytes(whole[: random.integers(20, len(whole))])
    reading = FileRecord()(image, file=path)
    json.dumps(reading.to_dict(), allow_nan=False)
    assert reading.remarks


def test_files_that_are_gone_and_pipes_are_not_opened(tmp_path):
    with pytest.raises(ValueError, match="not there any more"):
        FileRecord()(scene(), file=tmp_path / "a.png")
    if hasattr(__import__("os"), "mkfifo"):
        __import__("os").mkfifo(tmp_path / "a.png")
        with pytest.raises(ValueError, match="pipe or a device"):
            FileRecord()(scene(), file=tmp_path / "a.png")


def test_texts_are_short_and_plain():
    assert plain_text(b"a\xff\nb\0") == "a\ufffd b"
    assert len(plain_text("y" * 10**6)) == 200
    assert len(listed("X", [(str(i), "a") for i in range(500)])) == 101


class Reader:
    """Stands for that of c2pa-python."""

    state, settings = "Valid", []

    @classmethod
    def try_create(cls, kind, stream, context=None):
        assert (kind, stream.read(4)) == ("image/png", b"\x89PNG")
        cls.settings.append(context)
        return None if cls.state is None else cls()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return None

    def get_validation_state(self):
        return self.state

    def json(self):
        action = {"action": "c2pa.created", "digitalSourceType": "http://x/trainedAlgorithmicMedia"}
        manifest = {
            "signature_info": {"issuer": "Some\x07 Maker", "time": "2024-01-01"},
            "claim_generator_info": [{"name": "Painter", "version": "3"}],
            "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [action]}}, 7],
        }
        failed = [{"code": "signingCredential.untrusted", "explanation": "untrusted"}, 7]
        return json.dumps(
            {
                "active_manifest": "urn:1",
                "manifests": {"urn:1": manifest},
                "validation_status": [] if self.state == "Trusted" else failed,
            }
        )


@pytest.fixture
def c2pa(monkeypatch):
    module = types.ModuleType("c2pa")
    module.Reader, module.Context = Reader, lambda settings: settings
    module.Settings = types.SimpleNamespace(from_dict=dict)
    monkeypatch.setitem(sys.modules, "c2pa", module)
    monkeypatch.setattr(c2pa_record, "find_spec", lambda name: module)


@pytest.mark.parametrize(
    ("state", "words"),
    [("Valid", "on no list"), ("Trusted", "who signed"), ("Invalid", "does not agree")],
)
def test_the_state_of_a_c2pa_record_never_stands_alone(tmp_path, c2pa, monkeypatch, state, words):
    monkeypatch.setattr(Reader, "state", state)
    Image.fromarray(scene()).save(tmp_path / "a.png")
    reading = read(tmp_path / "a.png")
    (remark,) = reading.remarks
    assert words in remark
    assert "signed by Some Maker" in remark
    found = facts(reading)
    assert found["C2PA: state"] == (state if state == "Trusted" else f"{state}: untrusted")
    assert found["C2PA: action"] == "c2pa.created (trainedAlgorithmicMedia)"
    assert found["C2PA: made with"] == "Painter 3"


def test_c2pa_is_read_without_the_network(tmp_path, c2pa, monkeypatch):
    monkeypatch.setattr(Reader, "state", None)
    Image.fromarray(scene()).save(tmp_path / "a.png")
    assert read(tmp_path / "a.png").remarks == (NOTHING,)
    assert Reader.settings[-1] == {"verify": {"remote_manifest_fetch": False, "ocsp_fetch": False}}
