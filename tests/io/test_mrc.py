"""MRC files are read as they say, and written so that other programs read them."""

from __future__ import annotations

import json
import re
import tracemalloc
import warnings

import mrcfile
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from napari_diffusion.io import NotReadable, Source, read_image
from napari_diffusion.io.formats.mrc_writer import MrcWriter
from napari_diffusion.io.step_record import sealed

VOLUME = np.arange(60, dtype=np.float32).reshape(3, 4, 5)
RECORD = {"schema": 1, "step": 3, "noise_scale": 0.5, "is_final": True}


def made(path, data=VOLUME, voxel=(2.0, 3.0, 4.0), **fields):
    """Write a file by mrcfile; voxel sizes along x, y, z."""
    with mrcfile.new(path, overwrite=True) as file:
        file.set_data(data)
        file.voxel_size = voxel
        for name, value in fields.items():
            file.header[name] = value
    return path


def edited(path, offset, raw):
    content = bytearray(path.read_bytes())
    content[offset : offset + len(raw)] = raw
    path.write_bytes(bytes(content))
    return path


def write(path, source, dtype="float32"):
    writer = MrcWriter(path, source, dtype, 1)
    writer.write(source.image, RECORD)
    writer.finish(RECORD)
    return read_image(path)


def test_volume(tmp_path):
    found = read_image(made(tmp_path / "a.mrc", origin=(10, 20, 30)))
    assert found.axes == "zyx"
    assert np.array_equal(found.image, VOLUME)
    assert found.lengths == {"z": 4.0, "y": 3.0, "x": 2.0}
    assert (found.unit, found.place) == ("angstrom", {"z": 30.0, "y": 20.0, "x": 10.0})


@pytest.mark.parametrize(
    ("name", "shape", "fields", "axes"),
    [
        ("a.mrc", (4, 5), {}, "yx"),
        ("a.mrc", (1, 4, 5), {"ispg": 1}, "yx"),
        ("a.mrc", (3, 4, 5), {"ispg": 0, "mz": 1}, "tyx"),
        ("a.mrc", (3, 4, 5), {"ispg": 0, "mz": 3}, "zyx"),
        ("a.mrcs", (3, 4, 5), {"ispg": 1, "mz": 3}, "tyx"),
        ("a.st", (3, 4, 5), {"ispg": 0, "mz": 3}, "tyx"),
        ("a.rec", (3, 4, 5), {"ispg": 0, "mz": 3}, "zyx"),
        ("a.map", (6, 4, 5), {"ispg": 401, "mz": 3}, "tzyx"),
    ],
)
def test_axes(tmp_path, name, shape, fields, axes):
    data = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    found = read_image(made(tmp_path / name, data, **fields))
    assert found.axes == axes
    assert np.array_equal(found.image.ravel(), data.ravel())
    assert "z" not in found.lengths or "z" in axes


@pytest.mark.parametrize("dtype", ["int8", "int16", "uint16", "float16", "float32"])
@pytest.mark.parametrize("order", "<>")
def test_types_in_both_byte_orders(tmp_path, dtype, order):
    data = (VOLUME - 7 * (dtype != "uint16")).astype(np.dtype(dtype).newbyteorder(order))
    found = read_image(made(tmp_path / "a.mrc", data))
    assert found.image.dtype == np.dtype(dtype)
    assert found.image.dtype.isnative
    assert np.array_equal(found.image, data)


def test_lazy_values(tmp_path):
    found = read_image(made(tmp_path / "a.mrc", VOLUME.astype(">i2")), lazy=True)
    assert not isinstance(found.image, np.ndarray)
    assert np.array_equal(found.image.compute(), VOLUME)


def test_turned_axes_are_put_in_order(tmp_path):
    # The file's columns are z, its rows x, its sections y.
    turned = VOLUME.transpose(1, 2, 0)
    path = made(tmp_path / "a.mrc", turned, mapc=3, mapr=1, maps=2, nxstart=1, nystart=2, nzstart=3)
    edited(path, 28, np.array([5, 4, 3], "i4").tobytes())
    edited(path, 40, np.array([10, 12, 12], "f4").tobytes())
    found = read_image(path)
    assert (found.axes, found.letters) == ("zyx", "yxz")
    assert np.array_equal(found.image, VOLUME)
    assert found.lengths == {"z": 4.0, "y": 3.0, "x": 2.0}
    assert found.place == {"z": 4.0, "y": 9.0, "x": 4.0}
    again = write(tmp_path / "b.mrc", found)
    assert np.array_equal(again.image, VOLUME)
    assert (again.letters, again.place, again.lengths) == ("zyx", found.place, found.lengths)


def test_axes_that_are_no_order(tmp_path):
    path = made(tmp_path / "a.mrc", mapc=1, mapr=1, maps=3)
    with pytest.warns(UserWarning, match=r"names its axes \[1, 1, 3\] .*: read as x, y, z"):
        assert np.array_equal(read_image(path).image, VOLUME)
    made(path, mapc=0, mapr=0, maps=0)
    assert read_image(path).letters == "zyx"


def test_volumes_with_turned_axes_are_refused(tmp_path):
    path = made(tmp_path / "a.mrc", ispg=401, mz=1, mapc=3, mapr=1, maps=2)
    with pytest.raises(NotReadable, match="stack of volumes with turned axes"):
        read_image(path)


def test_place_by_the_start_and_by_the_origin(tmp_path):
    path = made(tmp_path / "a.mrc", nxstart=5, nystart=-2)
    assert read_image(path).place == {"z": 0.0, "y": -6.0, "x": 10.0}
    made(path, nxstart=5, origin=(1, 0, 0))
    with pytest.warns(UserWarning, match="only the origin is used"):
        assert read_image(path).place == {"z": 0.0, "y": 0.0, "x": 1.0}


@pytest.mark.parametrize("cell", [0.0, np.nan, np.inf])
def test_a_voxel_size_that_is_none_is_unknown(tmp_path, cell):
    path = edited(made(tmp_path / "a.mrc"), 40, np.array([cell] * 3, "f4").tobytes())
    with pytest.warns(UserWarning, match="no (voxel size|usable pixel size)"):
        found = read_image(path)
    assert (found.lengths, found.unit) == ({}, "pixel")


def test_bytes_without_a_sign(tmp_path):
    data = np.array([[0, 200]], np.uint8)
    path = made(tmp_path / "a.mrc", data.view(np.int8), dmin=0, dmax=200)
    with pytest.warns(UserWarning, match="without a sign"):
        assert np.array_equal(read_image(path).image, data)
    edited(path, 152, np.array([1146047817, 0], "i4").tobytes())
    found = read_image(path)
    assert np.array_equal(found.image, data)
    # Written back as int8 the file says that its bytes have a sign.
    signed = found.replaced(image=np.array([[-3, 100]], np.int8))
    assert np.array_equal(write(tmp_path / "b.mrc", signed, "int8").image, signed.image)


@pytest.mark.parametrize(("mode", "words"), [(3, "complex"), (4, "complex"), (16, "RGB"),
                                             (101, "4 bits"), (77, "unknown mode")])  # fmt: skip
def test_other_modes_are_refused_by_name(tmp_path, mode, words):
    with pytest.raises(NotReadable, match=words):
        read_image(made(tmp_path / "a.mrc", mode=mode))


def test_cut_off_and_too_long(tmp_path):
    path = made(tmp_path / "a.mrc")
    content = path.read_bytes()
    path.write_bytes(content[:-1])
    with pytest.raises(NotReadable, match="cut off: its header declares 240 bytes"):
        read_image(path)
    path.write_bytes(content + b"abc")
    with pytest.warns(UserWarning, match="3 bytes after its pixels"):
        assert np.array_equal(read_image(path).image, VOLUME)
    path.write_bytes(content[:900])
    with pytest.raises(NotReadable, match="no MRC file"):
        read_image(path)


@pytest.mark.parametrize(("offset", "value"), [(0, 2**31 - 1), (92, 2**31 - 1), (92, -5), (8, -1)])
def test_sizes_beyond_the_file_allocate_nothing(tmp_path, offset, value):
    path = edited(made(tmp_path / "a.mrc"), offset, np.array([value], "i4").tobytes())
    tracemalloc.start()
    with pytest.raises(NotReadable):
        read_image(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**23


def test_a_map_that_is_none(tmp_path):
    path = tmp_path / "a.map"
    path.write_text("{}" * 2000)
    with pytest.raises(NotReadable, match="no MRC file: it has no word MAP"):
        read_image(path)


def test_old_file_without_the_word(tmp_path):
    path = edited(made(tmp_path / "a.mrc"), 208, bytes(8))
    with pytest.warns(UserWarning, match="no word MAP"):
        assert np.array_equal(read_image(path).image, VOLUME)


def test_wrong_machine_stamp(tmp_path):
    path = edited(made(tmp_path / "a.mrc"), 212, b"\x11\x11")
    with pytest.warns(UserWarning, match="wrong machine stamp: it is read as little-endian"):
        assert np.array_equal(read_image(path).image, VOLUME)


def test_angles_of_a_crystal(tmp_path):
    with pytest.warns(UserWarning, match="angles 90, 110, 90"):
        read_image(made(tmp_path / "a.mrc", cellb=(90, 110, 90)))


# Writing


def test_other_programs_read_what_is_written(tmp_path):
    source = Source(name="a", image=VOLUME, axes="zyx", lengths={"z": 3, "y": 2, "x": 2},
                    unit="nanometer", place={"z": 0, "y": 1, "x": 0})  # fmt: skip
    found = write(tmp_path / "a.mrc", source)
    assert found.lengths == {"z": 30.0, "y": 20.0, "x": 20.0}
    assert found.place == {"z": 0.0, "y": 10.0, "x": 0.0}
    assert found.record == sealed(RECORD)
    assert mrcfile.validate(tmp_path / "a.mrc")
    with mrcfile.open(tmp_path / "a.mrc") as file:
        assert np.array_equal(file.data, VOLUME)
        assert file.voxel_size.item() == (20, 20, 30)
        assert file.is_volume()
        assert file.header.dmax == 59
        assert file.header.rms == pytest.approx(VOLUME.std())
        assert [label.strip() for label in file.get_labels()] == ["napari-diffusion: processed"]


def test_header_of_the_source_is_kept(tmp_path):
    path = made(tmp_path / "a.mrc", VOLUME.astype(">i2"), nxstart=4, ispg=19)
    with mrcfile.open(path, "r+") as file:
        file.set_extended_header(np.frombuffer(b"symmetry" * 10, "V1"))
        file.header.exttyp = b"CCP4"
    source = read_image(path)
    write(tmp_path / "b.mrc", source)
    with mrcfile.open(tmp_path / "b.mrc") as file:
        header = file.header
        assert file.extended_header.tobytes() == b"symmetry" * 10
        assert (bytes(header.exttyp), header.nxstart, header.ispg) == (b"CCP4", 4, 19)
        assert len(file.get_labels()) == 2
        assert header.mode == 2
        assert header.nx.dtype.byteorder in ">" or header.machst[0] == 0x11
        assert np.array_equal(file.data, VOLUME)
    # Sections are gone: what the extended header says of each of them is wrong.
    write(tmp_path / "c.mrc", source.replaced(image=VOLUME[:2]))
    with mrcfile.open(tmp_path / "c.mrc") as file:
        assert file.extended_header.size == 0
        assert file.voxel_size.item() == (2, 3, 4)


def test_the_record_stands_beside(tmp_path):
    sizes = dict.fromkeys("zyx", 1.5)
    source = Source(name="a", image=VOLUME, axes="zyx", lengths=sizes, unit="angstrom")
    assert write(tmp_path / "a.mrc", source).record == sealed(RECORD)
    beside = tmp_path / "a.mrc.recipe.json"
    assert json.loads(beside.read_text()) == sealed(RECORD)
    beside.write_text("{")
    with pytest.warns(UserWarning, match="record that cannot be read"):
        assert read_image(tmp_path / "a.mrc").record is None


def test_an_unknown_voxel_size_stays_unknown(tmp_path):
    with pytest.warns(UserWarning, match="no voxel size"):
        found = write(tmp_path / "a.mrc", Source(name="a", image=VOLUME, axes="zyx"))
    assert (found.lengths, found.unit) == ({}, "pixel")


def test_what_mrc_cannot_hold_is_refused(tmp_path):
    source = Source(name="a", image=VOLUME, axes="zyx")
    with pytest.raises(ValueError, match=r"one image \(got 4 steps\): use --keep last"):
        MrcWriter(tmp_path / "a.mrc", source, "float32", 4)
    with pytest.raises(TypeError, match="does not support float64"):
        MrcWriter(tmp_path / "a.mrc", source, "float64", 1)
    with pytest.raises(ValueError, match="no channels"):
        MrcWriter(tmp_path / "a.mrc", source.replaced(axes="cyx"), "float32", 1)
    assert not list(tmp_path.iterdir())


sizes = st.floats(2**-10, 2**14, width=32)
# Positions that matter beside such voxels.
positions = st.one_of(st.just(0.0), sizes, sizes.map(lambda size: -size))


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    axes=st.sampled_from(["yx", "zyx", "tyx", "tzyx"]),
    shape=st.tuples(*[st.integers(2, 5)] * 4),
    dtype=st.sampled_from(["int8", "uint8", "int16", "uint16", "float16", "float32"]),
    voxel=st.tuples(sizes, sizes, sizes),
    place=st.tuples(*[positions] * 3),
    seed=st.integers(0, 99),
)
def test_what_is_written_is_read(tmp_path, axes, shape, dtype, voxel, place, seed):
    values = np.random.default_rng(seed).normal(0, 50, shape[: len(axes)])
    image = (np.abs(values) if dtype[0] == "u" else values).astype(dtype)
    along = [axis for axis in "zyx" if axis in axes]
    source = Source(
        name="a", image=image, axes=axes, unit="angstrom",
        lengths=dict(zip(along, voxel, strict=False)), place=dict(zip(along, place, strict=False)),
    )  # fmt: skip
    found = write(tmp_path / "a.mrc", source, dtype)
    assert np.array_equal(found.image, image)
    assert (found.axes, found.unit) == (axes, "angstrom")
    assert found.lengths == pytest.approx(source.lengths, rel=1e-6)
    assert found.place == pytest.approx(source.place if any(place[: len(along)]) else {}, rel=1e-6)
    # What was read is written the same, but for the label that says so, and the last bit of the
    # size of the cell, which is the size of a voxel times their number.
    again = write(tmp_path / "b.mrc", found, found.image.dtype)
    kept, before = again.header["mrc"], found.header["mrc"]
    assert (kept[:40], kept[52:208]) == (before[:40], before[52:208])
    assert (again.lengths, again.place) == (found.lengths, found.place)


# Files of strangers


def outcome_of(path):
    try:
        return read_image(path)
    except (ValueError, OSError) as error:
        return error


@pytest.mark.parametrize("seed", range(200))
def test_broken_headers_are_refused_in_a_sentence(tmp_path, seed):
    rng = np.random.default_rng(seed)
    content = bytearray(made(tmp_path / "a.mrc").read_bytes())
    for _ in range(rng.integers(1, 12)):
        content[rng.integers(0, 224)] = rng.integers(0, 256)
    cut = len(content) if seed % 3 else int(rng.integers(0, len(content)))
    (tmp_path / "a.mrc").write_bytes(content[:cut])
    tracemalloc.start()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        outcome = outcome_of(tmp_path / "a.mrc")
    if isinstance(outcome, Source):
        assert outcome.image.size <= 240
    else:
        assert re.match(r"'.*a\.mrc' ", str(outcome))
        assert outcome.__cause__ is None, "a fault that is not foreseen"
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**23
