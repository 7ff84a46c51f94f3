"""Names of files in any bytes."""

import json
import os
from xml.etree import ElementTree

import pytest
import tifffile

from napari_diffusion.core.readable_name import readable_name


@pytest.mark.parametrize(
    ("name", "readable"),
    [
        ("cells.tif", "cells.tif"),
        ("Zellen ä 細胞 😀.tif", "Zellen ä 細胞 😀.tif"),
        (os.fsdecode(b"caf\xc3\xa9.npy"), "café.npy"),
        ("caf\udce9.npy", "caf\ufffd.npy"),
        ("\ud83d\udce9", "\ufffd\ufffd"),
        ("a\nb\tc\x00d\x1b[31m\x7f\x85.npy", "a b c d [31m  .npy"),
        ("\ufffe\uffff", "\ufffd\ufffd"),
        ("", ""),
    ],
)
def test_what_is_no_text_is_replaced(name, readable):
    assert readable_name(name) == readable
    assert readable_name(readable) == readable


def test_every_byte_can_be_written_as_xml_and_json():
    name = readable_name(
        "".join(map(chr, range(256))) + bytes(range(256)).decode("utf-8", "surrogateescape")
    )
    xml = tifffile.OmeXml()
    xml.addimage("uint8", (4, 5), (1, 1, 1, 4, 5, 1), axes="YX", Name=name)
    root = ElementTree.fromstring(xml.tostring(declaration=True).encode())
    assert next(each for each in root if each.tag.endswith("Image")).get("Name") == name
    assert json.loads(json.dumps(name).encode()) == name
    assert json.dumps(name, ensure_ascii=False).encode().decode() == json.dumps(
        name, ensure_ascii=False
    )
