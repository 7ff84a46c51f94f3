"""Arrays that a recipe from elsewhere holds or names."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
import tifffile

from napari_diffusion import Recipe
from napari_diffusion.core.array_parameter import ArrayParameter


def recipe(gain):
    noise = {"type": "PoissonGaussian", "gain": gain}
    return Recipe.from_dict({"num_steps": 1, "starting_noise_scale": None, "noise": noise})


@pytest.mark.parametrize(
    "dtype", ["U100000000", "(9,)f8", "V99", "O", ["f8"], {"a": 1}, "datetime64"]
)
def test_only_types_of_numbers_are_made(dtype):
    with pytest.raises(ValueError, match="has one of the types float32"):
        recipe({"values": [[1]], "dtype": dtype})


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_is_written_is_read(dtype):
    made = ArrayParameter(np.array([[1, 2.5]], dtype))
    assert ArrayParameter.from_dict(made.to_dict()) == made


def test_a_broken_tiff_raises_what_a_command_prints(tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, np.ones((4, 4), np.float32))
    raw = bytearray(path.read_bytes())
    for place in range(8, 160, 3):
        path.write_bytes(raw[:place] + b"\xff" + raw[place + 1 :])
        with contextlib.suppress(OSError, ValueError, TypeError):
            ArrayParameter(path)


def test_a_set_is_not_followed(tmp_path):
    """The other file of a set could be any file of this computer."""
    values = np.ones((2, 4, 4), np.float32)
    tifffile.imwrite(
        tmp_path / "b.ome.tif", values, photometric="minisblack", metadata={"axes": "ZYX"}
    )
    with tifffile.TiffFile(tmp_path / "b.ome.tif") as file:
        xml = file.ome_metadata
    data = "".join(
        f'<TiffData FirstZ="{n}" IFD="{n}" PlaneCount="1"><UUID FileName="b.ome.tif">urn:uuid:1'
        "</UUID></TiffData>"
        for n in range(2)
    )
    start, end = xml.index("<TiffData"), xml.index("</Pixels>")
    xml = xml[:start] + data + xml[end:]
    tifffile.imwrite(tmp_path / "a.ome.tif", values[0], description=xml.encode(), metadata=None)
    assert ArrayParameter(tmp_path / "a.ome.tif").values.shape == (4, 4)
