"""NIfTI files are read as nibabel reads them, in our order of axes, and written back."""

from __future__ import annotations

import gzip
import re
import tracemalloc
import warnings

import nibabel
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from napari_diffusion.io import NotReadable, Source, read_image
from napari_diffusion.io.formats.nifti import read_record
from napari_diffusion.io.formats.nifti_writer import NiftiWriter
from napari_diffusion.io.step_record import sealed

#: Along z, y, x.
VOLUME = np.arange(60, dtype=np.int16).reshape(3, 4, 5)
RECORD = {"schema": 1, "step": 3, "noise_scale": 0.5, "is_final": True, "text": "σ ≤ 2"}
LENGTHS = {"z": 3.0, "y": 2.0, "x": 0.7}


def made(path, data=VOLUME, sizes=(0.7, 2, 3), offset=(0, 0, 0), units=("mm", "sec"), **fields):
    """Write data in our order of axes by nibabel; voxel sizes and offset along x, y, z."""
    affine = np.diag([*sizes, 1.0])
    affine[:3, 3] = offset
    image = nibabel.Nifti1Image(data.T, affine)
    image.header.set_xyzt_units(*units)
    image.header["pixdim"][4:5] = 1.5
    for name, value in fields.items():
        image.header[name] = value
    nibabel.save(image, path)
    return path


def edited(path, offset, value, dtype):
    content = bytearray(path.read_bytes())
    raw = np.array(value, dtype).tobytes()
    content[offset : offset + len(raw)] = raw
    path.write_bytes(content)
    return path


def write(path, source, dtype="float32"):
    writer = NiftiWriter(path, source, dtype, 1)
    writer.write(source.image, RECORD)
    writer.finish(RECORD)
    return read_image(path)


def outcome_of(path):
    try:
        return read_image(path)
    except (ValueError, OSError) as error:
        return error


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "A.NII.GZ"])
def test_volume(tmp_path, name):
    found = read_image(made(tmp_path / name, offset=(10, 20, -30)))
    assert (found.axes, found.letters) == ("zyx", "xyz")
    assert np.array_equal(found.image, VOLUME)
    assert found.image.dtype == np.int16
    assert (found.lengths, found.unit) == (LENGTHS, "millimeter")
    assert found.place == {"x": 10.0, "y": 20.0, "z": -30.0}


@pytest.mark.parametrize(
    ("shape", "axes"),
    [((4, 5), "yx"), ((1, 4, 5), "yx"), ((2, 3, 4, 5), "tzyx"), ((6, 1, 4, 5), "tyx"),
     ((3, 1, 2, 4, 5), "czyx"), ((3, 2, 2, 4, 5), "ctzyx"), ((1, 1, 3, 4, 5), "zyx"),
     ((3, 1, 1), "zyx")],
)  # fmt: skip
def test_axes(tmp_path, shape, axes):
    data = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    found = read_image(made(tmp_path / "a.nii", data))
    assert found.axes == axes
    assert np.array_equal(found.image.ravel(), data.ravel())
    assert found.lengths == {a: {**LENGTHS, "t": 1.5}[a] for a in axes if a != "c"}
    assert found.time_unit == ("second" if "t" in axes else "frame")


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "int32", "float32", "float64"])
def test_types_in_both_byte_orders(tmp_path, dtype, order):
    image = nibabel.Nifti1Image(VOLUME.astype(dtype).T, np.eye(4))
    header = image.header.as_byteswapped(order)
    nibabel.Nifti1Image(VOLUME.astype(dtype).T, np.eye(4), header).to_filename(tmp_path / "a.nii")
    found = read_image(tmp_path / "a.nii")
    assert found.image.dtype == np.dtype(dtype)
    assert found.image.dtype.isnative
    assert np.array_equal(found.image, VOLUME)


@pytest.mark.parametrize(("dtype", "real"), [("int16", "float32"), ("int32", "float64"),
                                             ("float64", "float64")])  # fmt: skip
def test_slope_and_intercept(tmp_path, dtype, real):
    path = made(tmp_path / "a.nii", VOLUME.astype(dtype))
    edited(path, 112, [0.5, -7], "f4")
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        found = read_image(path)
    assert found.image.dtype == np.dtype(real)
    assert np.array_equal(found.image, nibabel.load(path).get_fdata().T)
    said = [str(each.message) for each in seen]
    assert said == ([] if dtype == real else [
        f"a.nii stores {dtype} with slope 0.5 and intercept -7: its intensities are read as {real}."
    ])  # fmt: skip


def test_a_slope_that_is_none_is_not_applied(tmp_path):
    path = edited(made(tmp_path / "a.nii"), 112, [np.inf, 0], "f4")
    with pytest.warns(UserWarning, match="no usable slope"):
        assert np.array_equal(read_image(path).image, VOLUME)


def test_colours(tmp_path):
    colours = np.random.default_rng(0).integers(0, 256, (3, 4, 5, 3)).astype(np.uint8)
    held = colours.view([("R", "u1"), ("G", "u1"), ("B", "u1")])[..., 0]
    found = read_image(made(tmp_path / "a.nii", held))
    assert (found.axes, found.rgb) == ("zyxc", True)
    assert np.array_equal(found.image, colours)
    again = write(tmp_path / "b.nii", found, "uint8")
    assert (again.axes, again.rgb) == ("zyxc", True)
    assert np.array_equal(again.image, colours)
    with pytest.raises(TypeError, match="colours only as uint8"):
        NiftiWriter(tmp_path / "c.nii", found, "float32", 1)


@pytest.mark.parametrize(("code", "words"), [(32, "complex"), (1792, "complex"), (1, "binary"),
                                             (1536, "float128"), (77, "unknown type")])  # fmt: skip
def test_other_types_are_refused_by_name(tmp_path, code, words):
    with pytest.raises(NotReadable, match=words):
        read_image(edited(made(tmp_path / "a.nii"), 70, code, "i2"))


@pytest.mark.parametrize("value", [0, np.nan])
def test_a_voxel_size_that_is_none_is_unknown(tmp_path, value):
    path = edited(made(tmp_path / "a.nii"), 76 + 4 * 3, value, "f4")
    edited(path, 252, [0, 0], "i2")
    with pytest.warns(UserWarning, match="no usable pixel size along z"):
        found = read_image(path)
    assert found.lengths == {"y": 2.0, "x": 0.7}


def test_no_units_and_sizes_of_1_say_nothing(tmp_path):
    path = made(tmp_path / "a.nii", sizes=(1, 1, 1), units=("unknown", "unknown"))
    assert (read_image(path).lengths, read_image(path).unit) == ({}, "pixel")


@pytest.mark.parametrize(("turn", "word"), [(np.diag([-1, 1, 1]), "mirrored"),
                                            (np.array([[0, 0, 1], [1, 0, 0], [0, 1, 0]]), "turned"),
                                            (np.array([[0.8, -0.6, 0], [0.6, 0.8, 0], [0, 0, 1]]),
                                             "turned")])  # fmt: skip
def test_orientation_is_kept_and_not_applied(tmp_path, turn, word):
    affine = np.eye(4)
    affine[:3] = np.c_[turn * [0.7, 2, 3], [1, 2, 3]]
    nibabel.save(nibabel.Nifti1Image(VOLUME.T, affine), tmp_path / "a.nii")
    with pytest.warns(UserWarning, match=f"lies {word} in space"):
        found = read_image(tmp_path / "a.nii")
    assert np.array_equal(found.image, VOLUME)
    assert found.lengths == pytest.approx(LENGTHS)
    assert found.place == {}
    with pytest.warns(UserWarning, match=word):
        write(tmp_path / "b.nii", found)
    assert np.array_equal(
        nibabel.load(tmp_path / "b.nii").affine, nibabel.load(tmp_path / "a.nii").affine
    )
    # Of a region the first voxel lies elsewhere.
    region = found.replaced(image=VOLUME[1:, :, 2:], place={"z": 3.0, "y": 0.0, "x": 1.4})
    with pytest.warns(UserWarning, match=word):
        write(tmp_path / "c.nii", region)
    first = nibabel.load(tmp_path / "c.nii").affine @ [0, 0, 0, 1]
    assert np.allclose(first, affine @ [2, 0, 1, 1])


def test_sizes_of_the_affine_beside_others(tmp_path):
    path = edited(made(tmp_path / "a.nii"), 80, [5, 5, 5], "f4")
    with pytest.warns(UserWarning, match="in its affine: these are used"):
        assert read_image(path).lengths == LENGTHS


def test_a_frequency_is_no_frame_interval(tmp_path):
    data = np.zeros((2, 3, 4, 5), np.float32)
    path = made(tmp_path / "a.nii", data, units=("mm", "hz"))
    with pytest.warns(UserWarning, match="frame interval in an unknown unit, 'Hz'"):
        found = read_image(path)
    assert (found.axes, found.lengths) == ("tzyx", LENGTHS)


def test_more_axes_are_refused(tmp_path):
    path = made(tmp_path / "a.nii", np.zeros((2, 3, 2, 3, 4, 5), np.float32))
    with pytest.raises(NotReadable, match="more axes than x, y, z, t and channel"):
        read_image(path)


# Broken files


def test_cut_off_and_too_long(tmp_path):
    path = made(tmp_path / "a.nii")
    content = path.read_bytes()
    path.write_bytes(content + b"abc")
    with pytest.warns(UserWarning, match="more after its pixels"):
        assert np.array_equal(read_image(path).image, VOLUME)
    zipped = tmp_path / "a.nii.gz"
    zipped.write_bytes(gzip.compress(content + b"abc"))
    with pytest.raises(NotReadable, match="more than the 120 bytes"):
        read_image(zipped)
    zipped.write_bytes(gzip.compress(content[:-1]))
    with pytest.raises(NotReadable, match="cut off"):
        read_image(zipped)
    zipped.write_bytes(gzip.compress(content)[:-9])
    with pytest.raises(NotReadable, match="broken gzip file"):
        read_image(zipped)
    path.write_bytes(content[:-1])
    with pytest.raises(NotReadable, match="cut off: its header declares 120 bytes"):
        read_image(path)


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_sizes_beyond_the_file_allocate_nothing(tmp_path, name):
    path = made(tmp_path / "b.nii")
    content = edited(path, 42, [32767, 32767, 32767], "i2").read_bytes()
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    tracemalloc.start()
    with pytest.raises(NotReadable, match="cut off"):
        read_image(tmp_path / name)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**23


def test_a_bomb_is_not_unpacked(tmp_path):
    content = made(tmp_path / "b.nii").read_bytes()
    path = tmp_path / "a.nii.gz"
    path.write_bytes(gzip.compress(content + bytes(2**28)))
    tracemalloc.start()
    with pytest.raises(NotReadable, match="holds more than"):
        read_image(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**23


@pytest.mark.parametrize(("content", "words"), [(b"", "no NIfTI"), (b"x" * 900, "no NIfTI"),
                                                (b"\x5c\1\0\0" + bytes(900), "magic word"),
                                                (b"\x5c\1\0\0" + bytes(340) + b"ni1\0", "pair"),
])  # fmt: skip
def test_files_that_are_none(tmp_path, content, words):
    path = tmp_path / "a.nii"
    path.write_bytes(content)
    with pytest.raises(NotReadable, match=words):
        read_image(path)


# Writing


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_other_programs_read_what_is_written(tmp_path, name):
    source = Source(name="a", image=VOLUME, axes="zyx", lengths={"z": 300, "y": 200, "x": 200},
                    unit="nanometer", place={"z": 0, "y": 1000, "x": 0})  # fmt: skip
    found = write(tmp_path / name, source)
    assert (found.lengths, found.unit) == ({"z": 0.3, "y": 0.2, "x": 0.2}, "micrometer")
    assert found.place == {"z": 0.0, "y": 1.0, "x": 0.0}
    assert found.record == read_record(tmp_path / name) == sealed(RECORD)
    file = nibabel.load(tmp_path / name)
    assert np.array_equal(file.get_fdata(), VOLUME.T)
    assert file.header.get_xyzt_units()[0] == "micron"
    assert np.allclose(file.affine, [[0.2, 0, 0, 0], [0, 0.2, 0, 1], [0, 0, 0.3, 0], [0, 0, 0, 1]])
    assert bytes(file.header["descrip"]).rstrip(b"\0") == b"napari-diffusion: processed"
    assert (tmp_path / name).read_bytes()[-8:] != bytes(8)


def test_header_of_the_source_is_kept(tmp_path):
    image = nibabel.Nifti1Image(VOLUME.T, np.diag([0.7, 2, 3, 1]))
    image.header["descrip"] = b"FSL5.0"
    image.header["intent_name"] = b"tmap"
    image.header.set_qform(image.affine, 1)
    image.header.set_sform(image.affine, 4)
    for text in (b"kept", b'{"napari_diffusion": {"step": 1}}'):
        image.header.extensions.append(nibabel.nifti1.Nifti1Extension(6, text))
    nibabel.save(image, tmp_path / "a.nii")
    source = read_image(tmp_path / "a.nii")
    assert source.record == {"step": 1}
    assert write(tmp_path / "b.nii", source).record == sealed(RECORD)
    header = nibabel.load(tmp_path / "b.nii").header
    assert bytes(header["descrip"]).rstrip(b"\0") == b"FSL5.0; napari-diffusion: processed"
    assert bytes(header["intent_name"]).rstrip(b"\0") == b"tmap"
    assert (header["qform_code"], header["sform_code"]) == (1, 4)
    assert len(header.extensions) == 2
    assert header.extensions[0].get_content() == b"kept"


def test_one_size_that_is_unknown_stays_unknown(tmp_path):
    source = Source(name="a", image=VOLUME, axes="zyx", lengths={"y": 2, "x": 2}, unit="millimeter")
    with pytest.warns(UserWarning, match="no usable pixel size along z"):
        assert write(tmp_path / "a.nii", source).lengths == {"y": 2.0, "x": 2.0}
    nothing = Source(name="a", image=VOLUME, axes="zyx")
    assert write(tmp_path / "a.nii", nothing).lengths == {}


def test_more_than_32767_along_an_axis(tmp_path):
    image = np.arange(80000, dtype=np.int32).reshape(2, 40000)
    source = Source(name="a", image=image, axes="yx", lengths={"y": 2, "x": 3}, unit="millimeter")
    found = write(tmp_path / "a.nii", source, "int32")
    assert np.array_equal(found.image, image)
    assert isinstance(nibabel.load(tmp_path / "a.nii"), nibabel.Nifti2Image)
    assert (found.lengths, found.record) == ({"y": 2.0, "x": 3.0}, sealed(RECORD))


def test_what_nifti_cannot_hold_is_refused(tmp_path):
    source = Source(name="a", image=VOLUME, axes="zyx")
    with pytest.raises(ValueError, match=r"one image \(got 4 steps\): use --keep last"):
        NiftiWriter(tmp_path / "a.nii", source, "float32", 4)
    with pytest.raises(TypeError, match="does not support float16"):
        NiftiWriter(tmp_path / "a.nii", source, "float16", 1)
    assert not list(tmp_path.iterdir())


sizes = st.floats(2**-10, 2**14, width=32)


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    axes=st.sampled_from(["yx", "zyx", "tyx", "tzyx", "cyx", "tczyx", "zyxc"]),
    shape=st.tuples(*[st.integers(2, 4)] * 5),
    dtype=st.sampled_from(["int8", "uint8", "int16", "uint32", "int64", "float32", "float64"]),
    units=st.tuples(
        st.sampled_from(["micrometer", "millimeter", "meter"]),
        st.sampled_from(["second", "millisecond", "microsecond"]),
    ),
    voxel=st.tuples(*[sizes] * 4),
    place=st.tuples(*[st.floats(-(2**14), 2**14, width=32).map(lambda v: v + 0.0)] * 4),
    ending=st.sampled_from([".nii", ".nii.gz"]),
)
def test_what_is_written_is_read(tmp_path, axes, shape, dtype, units, voxel, place, ending):
    count = int(np.prod(shape[: len(axes)]))
    image = (np.arange(count).reshape(shape[: len(axes)]) % 100).astype(dtype)
    along = [axis for axis in "zyxt" if axis in axes]
    source = Source(
        name="a", image=image, axes=axes, unit=units[0],
        time_unit=units[1] if "t" in axes else "frame",
        lengths=dict(zip(along, voxel, strict=False)), place=dict(zip(along, place, strict=False)),
    )  # fmt: skip
    found = write(tmp_path / f"a{ending}", source, dtype)
    order = "".join(sorted(axes, key="ctzyx".index))
    assert found.axes == order
    assert np.array_equal(found.image, image.transpose([axes.index(axis) for axis in order]))
    assert found.image.dtype == image.dtype
    assert (found.unit, found.time_unit) == (source.unit, source.time_unit)
    assert found.lengths == pytest.approx(source.lengths, rel=1e-6)
    assert {a: found.place.get(a, 0.0) for a in along} == pytest.approx(source.place, rel=1e-6)
    # What was read is written the same.
    again = write(tmp_path / f"b{ending}", found, dtype)
    assert (tmp_path / f"b{ending}").read_bytes() == (tmp_path / f"a{ending}").read_bytes()
    assert (again.lengths, again.place) == (found.lengths, found.place)


# Files of strangers


@pytest.mark.parametrize("seed", range(200))
def test_broken_headers_are_refused_in_a_sentence(tmp_path, seed):
    rng = np.random.default_rng(seed)
    content = bytearray(made(tmp_path / "b.nii").read_bytes())
    for _ in range(rng.integers(1, 12)):
        content[rng.integers(0, 352)] = rng.integers(0, 256)
    cut = len(content) if seed % 3 else int(rng.integers(0, len(content)))
    path = tmp_path / ("a.nii.gz" if seed % 2 else "a.nii")
    path.write_bytes(gzip.compress(content[:cut]) if seed % 2 else content[:cut])
    tracemalloc.start()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        outcome = outcome_of(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**23
    if isinstance(outcome, Source):
        assert outcome.image.size <= 120
    else:
        assert re.match(r"'.*a\.nii(\.gz)?' ", str(outcome))
        assert outcome.__cause__ is None, "a fault that is not foreseen"
