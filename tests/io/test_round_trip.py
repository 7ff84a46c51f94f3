"""What an image says of itself comes back from the file it is written to."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from zarr_stores import write

from napari_diffusion.io import Source, read_image
from napari_diffusion.io.file_image import Channel

AXES = ["yx", "zyx", "cyx", "czyx", "tyx", "tczyx", "tzyx"]
LENGTHS = st.floats(1e-3, 1e3).filter(lambda length: length != 1)
PLACES = st.floats(-1e4, 1e4).filter(lambda place: place != 0)
NAMES = st.text(st.characters(blacklist_categories=["Cc", "Cs", "Cn"]), min_size=1, max_size=8)
UNITS = ["micrometer", "nanometer", "angstrom", "millimeter", "meter", "pixel"]


@st.composite
def sources(draw, least):
    """Draw an image with all that both formats can say of it."""
    axes = draw(st.sampled_from(AXES))
    shape = [draw(st.integers(least, 6)) for _ in axes]
    dtype = draw(st.sampled_from(["uint8", "int16", "uint16", "int32", "float32", "float64"]))
    values = np.random.default_rng(draw(st.integers(0, 9))).integers(0, 99, shape)
    unit = draw(st.sampled_from(UNITS))
    along = [axis for axis in axes if axis in "zyx"]
    described = axes.count("c") and draw(st.booleans())
    colours = st.from_regex(r"\A[0-9A-F]{6}\Z")
    return Source(
        name="a",
        image=values.astype(dtype),
        axes=axes,
        lengths={axis: draw(LENGTHS) for axis in along}
        | ({"t": draw(LENGTHS)} if "t" in axes else {}),
        place={axis: draw(PLACES) for axis in along} if draw(st.booleans()) else {},
        unit=unit,
        time_unit="second" if "t" in axes else "frame",
        channels=tuple(Channel(draw(NAMES), draw(colours)) for _ in range(shape[axes.index("c")]))
        if described
        else (),
    )


@pytest.mark.parametrize("ending", [".ome.zarr", ".ome.tif"])
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_what_is_written_is_read(tmp_path_factory, ending, data):
    # OME-XML does not say which axes of length 1 there are.
    source = data.draw(sources(1 if ending == ".ome.zarr" else 2))
    found = read_image(write(tmp_path_factory.mktemp("any") / f"a{ending}", source))
    np.testing.assert_array_equal(found.image, source.image)
    assert found.image.dtype == source.image.dtype
    assert found.axes == source.axes
    assert (found.unit, found.time_unit) == (source.unit, source.time_unit)
    assert found.lengths == pytest.approx(dict(source.lengths), rel=1e-12)
    assert found.place == pytest.approx(dict(source.place), rel=1e-12)
    assert [(each.name, each.colour) for each in found.channels] == [
        (each.name, each.colour) for each in source.channels
    ]


@pytest.mark.parametrize(
    ("ending", "units", "words"),
    [
        (".ome.tif", ("furlong", "second"), "pixel sizes in 'furlong'"),
        (".nii", ("furlong", "second"), "pixel sizes in 'furlong'"),
        (".mrc", ("furlong", "second"), "pixel sizes in 'furlong'"),
        (".mrc", ("pixel", "second"), "pixel sizes in 'pixel'"),
        (".mrc", ("micrometer", "second"), "a frame interval in 'second'"),
        (".ome.tif", ("micrometer", "frame"), "a frame interval in 'frame'"),
        (".ome.tif", ("pixel", "second"), None),
        (".nii", ("pixel", "frame"), None),
        (".ome.zarr", ("furlong", "frame"), None),
    ],
)
def test_sizes_that_a_format_cannot_say_are_warned_of(tmp_path, recwarn, ending, units, words):
    made = Source(
        name="a",
        image=np.ones((3, 6, 5), np.float32),
        axes="tyx",
        lengths={"t": 3.0, "y": 2.0, "x": 2.0},
        unit=units[0],
        time_unit=units[1],
    )
    write(tmp_path / f"a{ending}", made)
    said = [str(each.message) for each in recwarn if "cannot hold" in str(each.message)]
    assert (words is None) == (not said)
    assert words is None or f"a{ending} cannot hold {words}: write .ome.zarr to keep it" in said[0]
