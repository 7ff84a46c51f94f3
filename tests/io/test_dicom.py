"""DICOM files and series are read by their positions, with intensities as they are meant."""

from __future__ import annotations

import io
import re
import tracemalloc
import warnings
import zlib

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.data import get_testdata_file
from pydicom.encaps import encapsulate
from pydicom.uid import (
    CTImageStorage,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    RLELossless,
    generate_uid,
)
from zarr_stores import write

from napari_diffusion.io import NotReadable, Source, read_image

PLANE = np.arange(20, dtype=np.uint16).reshape(4, 5)
SERIES = generate_uid()


def dataset(values=PLANE, syntax=ExplicitVRLittleEndian, **tags):
    """Return a dataset with pixels; RGB if their last axis is 3."""
    made = pydicom.Dataset()
    made.file_meta = pydicom.dataset.FileMetaDataset()
    made.file_meta.TransferSyntaxUID = syntax
    made.SOPClassUID, made.SOPInstanceUID = CTImageStorage, generate_uid()
    made.PatientName, made.PatientID = "Doe^Jane", "12345"
    made.Modality, made.SeriesInstanceUID, made.SeriesNumber = "CT", SERIES, 3
    colours = values.shape[-1] == 3
    made.Rows, made.Columns = values.shape[-3:-1] if colours else values.shape[-2:]
    made.SamplesPerPixel = 3 if colours else 1
    made.PhotometricInterpretation = "RGB" if colours else "MONOCHROME2"
    if colours:
        made.PlanarConfiguration = 0
    if values.ndim - colours == 3:
        made.NumberOfFrames = len(values)
    made.BitsAllocated = made.BitsStored = 8 * values.dtype.itemsize
    made.HighBit = made.BitsStored - 1
    made.PixelRepresentation = int(values.dtype.kind == "i")
    made.PixelData = values.tobytes() + bytes(values.nbytes % 2)
    made["PixelData"].VR = "OW"
    for name, value in tags.items():
        setattr(made, name, value)
    return made


def save(path, made):
    little = made.file_meta.TransferSyntaxUID != ExplicitVRBigEndian
    made.save_as(path, enforce_file_format=True, implicit_vr=False, little_endian=little)
    return path


def series(folder, heights, orientation=(1, 0, 0, 0, 1, 0), **tags):
    """Write one file per height, in mixed order; pixel 0 has the height."""
    folder.mkdir()
    for number in np.random.default_rng(1).permutation(len(heights)):
        values = PLANE.astype(np.int16)
        values[0, 0] = heights[number]
        normal = np.cross(orientation[:3], orientation[3:])
        made = dataset(
            values,
            PixelSpacing=[0.5, 0.25],
            ImageOrientationPatient=list(orientation),
            ImagePositionPatient=[*(np.array([10, 20, 0]) + normal * heights[number])],
            InstanceNumber=int(len(heights) - number),
            **tags,
        )
        save(folder / f"{number}.dcm", made)
    return folder


def outcome_of(path):
    try:
        return read_image(path)
    except (ValueError, OSError) as error:
        return error


# One file


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "uint32"])
@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ExplicitVRBigEndian])
def test_one_frame(tmp_path, dtype, syntax):
    values = PLANE.astype(dtype)
    made = dataset(values, syntax, PixelSpacing=[0.5, 0.25])
    if syntax == ExplicitVRBigEndian:
        made.PixelData = values.astype(values.dtype.newbyteorder(">")).tobytes()
        made["PixelData"].VR = "OW" if dtype != "uint8" else "OB"
    found = read_image(save(tmp_path / "a.dcm", made))
    assert found.axes == "yx"
    assert found.image.dtype == np.dtype(dtype)
    assert np.array_equal(found.image, PLANE)
    assert (found.lengths, found.unit) == ({"y": 0.5, "x": 0.25}, "millimeter")


def test_nothing_identifies_the_patient(tmp_path):
    found = read_image(save(tmp_path / "a.dcm", dataset()))
    assert "Doe" not in repr(found)
    assert "12345" not in repr(found)
    assert not found.header


def test_rescaled_intensities(tmp_path):
    path = save(tmp_path / "a.dcm", dataset(RescaleSlope=2, RescaleIntercept=-1024))
    found = read_image(path)
    assert found.image.dtype == np.float32
    assert np.array_equal(found.image, PLANE * 2.0 - 1024)
    same = save(tmp_path / "a.dcm", dataset(RescaleSlope=1, RescaleIntercept=0))
    assert read_image(same).image.dtype == np.uint16
    zero = save(tmp_path / "a.dcm", dataset(RescaleSlope=0, RescaleIntercept=5))
    with pytest.warns(UserWarning, match="slope of 0"):
        assert np.array_equal(read_image(zero).image, PLANE + 5)


@pytest.mark.parametrize(("values", "bits", "total"), [(PLANE, 12, 4095),
                                                       (PLANE.astype(np.int16), 16, -1),
])  # fmt: skip
def test_monochrome1_is_inverted(tmp_path, values, bits, total):
    made = dataset(
        values, PhotometricInterpretation="MONOCHROME1", BitsStored=bits, HighBit=bits - 1
    )
    with pytest.warns(UserWarning, match="read inverted"):
        found = read_image(save(tmp_path / "a.dcm", made))
    assert np.array_equal(found.image, total - values.astype(int))


def test_colours_and_palette(tmp_path):
    colours = np.random.default_rng(0).integers(0, 256, (4, 6, 3)).astype(np.uint8)
    found = read_image(save(tmp_path / "a.dcm", dataset(colours)))
    assert (found.axes, found.rgb) == ("yxc", True)
    assert np.array_equal(found.image, colours)
    found = read_image(get_testdata_file("examples_palette.dcm"))
    assert (found.axes, found.rgb, found.image.shape[-1]) == ("yxc", True, 3)
    made = dataset(colours, PhotometricInterpretation="CIELAB")
    with pytest.raises(NotReadable, match="colours of the kind 'CIELAB'"):
        read_image(save(tmp_path / "a.dcm", made))


def test_ybr_becomes_rgb():
    found = read_image(get_testdata_file("SC_ybr_full_422_uncompressed.dcm"))
    assert (found.axes, found.rgb) == ("yxc", True)
    # The first stripe is red.
    assert found.image[5, 50].tolist() == pytest.approx([254, 0, 0], abs=2)


def compressed(kind, values, **options):
    held = io.BytesIO()
    Image.fromarray(values).save(held, kind, **options)
    return encapsulate([held.getvalue()])


def test_compressed_frames(tmp_path):
    plane = np.tile(np.arange(16, dtype=np.uint8), (16, 1))
    made = dataset(plane, JPEG2000Lossless, PixelData=compressed("JPEG2000", plane, no_jp2=True))
    made["PixelData"].is_undefined_length = True
    assert np.array_equal(read_image(save(tmp_path / "a.dcm", made)).image, plane)
    made = dataset(plane, JPEGBaseline8Bit, PixelData=compressed("JPEG", plane, quality=100))
    made["PixelData"].is_undefined_length = True
    path = save(tmp_path / "a.dcm", made)
    assert np.abs(read_image(path).image.astype(int) - plane).max() <= 2
    made = dataset(plane)
    made.compress(RLELossless)
    assert np.array_equal(read_image(save(tmp_path / "a.dcm", made)).image, plane)


def test_compressions_of_clinics():
    plain = read_image(get_testdata_file("MR_small.dcm"))
    packed = read_image(get_testdata_file("MR_small_jpeg_ls_lossless.dcm"))
    assert packed.image.dtype == np.int16
    assert np.array_equal(packed.image, plain.image)
    for name in (
        "SC_rgb_jpeg_gdcm.dcm",
        "SC_rgb_jls_lossy_line.dcm",
        "SC_rgb_jls_lossy_sample.dcm",
    ):
        # The first stripe is red.
        found = read_image(get_testdata_file(name))
        assert (found.axes, found.image.dtype) == ("yxc", np.uint8)
        assert np.abs(found.image[5, 50].astype(int) - [255, 0, 0]).max() <= 2
    twelve = read_image(get_testdata_file("JPGExtended.dcm"))
    assert (twelve.image.dtype, twelve.image.max()) == (np.uint16, 264)


def test_what_needs_another_package_is_refused(tmp_path):
    made = dataset(PLANE, HTJ2KLossless, PixelData=encapsulate([b"\xff\x4f" * 10]))
    made["PixelData"].is_undefined_length = True
    with pytest.raises(NotReadable, match=r"High-Throughput.*pip install .pylibjpeg"):
        read_image(save(tmp_path / "a.dcm", made))


def test_a_frame_that_is_larger_than_declared_is_not_unpacked(tmp_path):
    made = dataset(PLANE.astype(np.uint8), JPEGBaseline8Bit)
    made.PixelData = compressed("JPEG", np.zeros((4000, 4000), np.uint8))
    made["PixelData"].is_undefined_length = True
    with pytest.raises(NotReadable, match="declares 5 × 4 pixels, and a frame has 4000 × 4000"):
        read_image(save(tmp_path / "a.dcm", made))


def test_a_bomb_is_not_unpacked(tmp_path):
    made = dataset(PLANE, DeflatedExplicitVRLittleEndian)
    path = save(tmp_path / "a.dcm", made)
    content = path.read_bytes()
    packer = zlib.compressobj(wbits=-15)
    path.write_bytes(content[:330] + packer.compress(bytes(2**28)) + packer.flush())
    tracemalloc.start()
    with pytest.raises(NotReadable, match="compressed as a whole"):
        read_image(path)
    assert tracemalloc.get_traced_memory()[1] < 2**23
    tracemalloc.stop()


def test_cut_off_and_no_image(tmp_path):
    with pytest.raises(NotReadable, match="cut off: it declares 8192 bytes"):
        read_image(get_testdata_file("MR_truncated.dcm"))
    with pytest.raises(NotReadable, match="cut off"):
        read_image(save(tmp_path / "a.dcm", dataset(Rows=65535, Columns=65535)))
    with pytest.raises(NotReadable, match="holds no image, but RT Plan"):
        read_image(get_testdata_file("rtplan.dcm"))
    for content in (b"", b"x" * 3000):
        (tmp_path / "a.dcm").write_bytes(content)
        with pytest.raises(NotReadable, match="is no DICOM file"):
            read_image(tmp_path / "a.dcm")


def test_the_pixel_size_at_the_detector_is_warned_of(tmp_path):
    path = save(tmp_path / "a.dcm", dataset(ImagerPixelSpacing=[0.5, 0.25]))
    with pytest.warns(UserWarning, match="at its detector only: structures may be magnified"):
        assert read_image(path).lengths == {"y": 0.5, "x": 0.25}


# Several frames


def test_frames_of_a_movie(tmp_path):
    movie = np.arange(60, dtype=np.uint8).reshape(3, 4, 5)
    found = read_image(save(tmp_path / "a.dcm", dataset(movie, FrameTime=40)))
    assert (found.axes, found.lengths, found.time_unit) == ("tyx", {"t": 40.0}, "millisecond")
    assert np.array_equal(found.image, movie)


def test_frames_of_a_volume_by_their_offsets():
    path = get_testdata_file("rtdose.dcm")
    found, tags = read_image(path), pydicom.dcmread(path)
    assert (found.axes, found.lengths) == ("zyx", {"z": 5.0, "y": 10.0, "x": 10.0})
    dose = tags.pixel_array * float(tags.DoseGridScaling)
    assert np.allclose(found.image, dose)
    assert dose.max() > 0


def groups(**content):
    """Return a functional group sequence item."""
    item = pydicom.Dataset()
    for name, tags in content.items():
        inner = pydicom.Dataset()
        for key, value in tags.items():
            setattr(inner, key, value)
        setattr(item, f"{name}Sequence", [inner])
    return item


def test_frames_of_an_enhanced_file(tmp_path):
    volume = np.arange(60, dtype=np.uint8).reshape(3, 4, 5)
    shared = groups(
        PlaneOrientation={"ImageOrientationPatient": [1, 0, 0, 0, 1, 0]},
        PixelMeasures={"PixelSpacing": [0.5, 0.25]},
        PixelValueTransformation={"RescaleSlope": 2, "RescaleIntercept": 1},
    )
    heights = (4, 0, 2)
    frames = [groups(PlanePosition={"ImagePositionPatient": [7, 8, z]}) for z in heights]
    made = dataset(volume, SharedFunctionalGroupsSequence=[shared],
                   PerFrameFunctionalGroupsSequence=frames)  # fmt: skip
    found = read_image(save(tmp_path / "a.dcm", made))
    assert found.axes == "zyx"
    assert np.array_equal(found.image, volume[[1, 2, 0]] * 2.0 + 1)
    assert found.lengths == {"z": 2.0, "y": 0.5, "x": 0.25}
    assert found.place == {"x": 7.0, "y": 8.0, "z": 0.0}


# Series


def test_series_is_sorted_by_position(tmp_path):
    found = read_image(series(tmp_path / "a", [5, -10, 0, -5]))
    assert (found.axes, found.name) == ("zyx", "a")
    assert found.image[:, 0, 0].tolist() == [-10, -5, 0, 5]
    assert (found.lengths, found.unit) == ({"z": 5.0, "y": 0.5, "x": 0.25}, "millimeter")
    assert found.place == {"x": 10.0, "y": 20.0, "z": -10.0}
    assert found.remarks == ()


def test_series_without_positions_is_sorted_by_number(tmp_path):
    (tmp_path / "a").mkdir()
    for number in (10, 9, 2):
        made = dataset(np.full_like(PLANE, number), InstanceNumber=number, SpacingBetweenSlices=3)
        save(tmp_path / "a" / f"{number}.dcm", made)
    found = read_image(tmp_path / "a")
    assert found.image[:, 0, 0].tolist() == [2, 9, 10]
    assert found.lengths == {"z": 3.0}


def test_missing_slices_are_reported(tmp_path):
    folder = series(tmp_path / "a", [0, 1, 2, 5, 6, 8])
    with pytest.warns(UserWarning, match="3 of 9 slices are missing"):
        found = read_image(folder)
    assert found.lengths["z"] == 1.0
    assert len(found.image) == 6
    assert "3 of 9 slices are missing" in found.remarks[0]


def test_unequal_distances_are_reported(tmp_path):
    folder = series(tmp_path / "a", [0, 10, 20, 32])
    with pytest.warns(UserWarning, match="distances of 10 to 12 mm: 10 mm is used"):
        assert read_image(folder).lengths["z"] == 10.0


def test_slices_that_are_shifted_sideways(tmp_path):
    folder = series(tmp_path / "a", [0, 1, 2])
    for path in folder.iterdir():
        made = pydicom.dcmread(path)
        x, y, z = made.ImagePositionPatient
        made.ImagePositionPatient = [x, y + 0.3 * z, z]
        save(path, made)
    with pytest.warns(UserWarning, match="shifted sideways: the shift is not applied"):
        found = read_image(folder)
    assert found.image[:, 0, 0].tolist() == [0, 1, 2]
    assert found.lengths["z"] == 1.0


def test_series_that_lies_turned(tmp_path):
    folder = series(tmp_path / "a", [0, 2, 4], orientation=(0, 1, 0, 0, 0, -1))
    with pytest.warns(UserWarning, match="lies turned in space"):
        found = read_image(folder)
    assert found.image[:, 0, 0].tolist() == [0, 2, 4]
    assert (found.lengths["z"], found.place) == (2.0, {})


@pytest.mark.parametrize(
    "orientation",
    [(1, 0, 0, 0, 1, 0), (-1, 0, 0, 0, -1, 0), (0, 1, 0, 0, 0, -1), (1, 0, 0, 0, 0.8, 0.6)],
    ids=["axial", "prone", "sagittal", "slanted"],
)
@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.filterwarnings("ignore:a lies turned in space")
def test_a_nifti_lies_in_the_patient_where_the_series_lay(tmp_path, orientation, count):
    """By the coordinates of DICOM: x to the left, y to the back; in NIfTI both are opposite."""
    import nibabel

    along_x, along_y = np.reshape(orientation, (2, 3))
    normal, corner = np.cross(along_x, along_y), np.array([-100.0, -50.0, 20.0])
    (tmp_path / "a").mkdir()
    for k in range(count):
        position = list(corner + 2.5 * k * normal)
        made = dataset(PLANE + k, ImagePositionPatient=position, PixelSpacing=[0.5, 0.7],
                       ImageOrientationPatient=list(orientation))  # fmt: skip
        save(tmp_path / "a" / f"{k}.dcm", made)
    write(tmp_path / "a.nii", read_image(tmp_path / "a"))
    affine = nibabel.load(tmp_path / "a.nii").affine
    for i, j, k in [(0, 0, 0), (4, 0, 0), (0, 3, 0), (4, 3, count - 1)]:
        place = corner + 0.7 * i * along_x + 0.5 * j * along_y + 2.5 * k * normal
        found = affine @ [i, j, k, 1]
        np.testing.assert_allclose(found[:3], place * [-1, -1, 1], atol=1e-4)


def test_mixed_series_are_refused_by_name(tmp_path):
    folder = series(tmp_path / "a", [0, 1], SeriesDescription="Head")
    other = dataset(SeriesInstanceUID=generate_uid(), SeriesNumber=9)
    save(folder / "other.dcm", other)
    with pytest.raises(NotReadable, match=r"holds 2 series: .*3 Head CT \(2\), 9 CT \(1\)"):
        read_image(folder)


def test_slices_of_other_sizes_and_orientations_are_refused(tmp_path):
    folder = series(tmp_path / "a", [0, 1])
    save(folder / "other.dcm", dataset(np.zeros((9, 9), np.int16)))
    with pytest.raises(NotReadable, match="slices of several sizes, 5 × 4, 9 × 9"):
        read_image(folder)
    other = dataset(PLANE.astype(np.int16), ImageOrientationPatient=[1, 0, 0, 0, 0, 1],
                    ImagePositionPatient=[0, 0, 0])  # fmt: skip
    save(folder / "other.dcm", other)
    with pytest.raises(NotReadable, match="several orientations"):
        read_image(folder)


def test_several_volumes_become_times(tmp_path):
    folder = series(tmp_path / "a", [0, 1, 2])
    for path in list(folder.iterdir()):
        later = pydicom.dcmread(path)
        later.InstanceNumber += 100
        later.PixelData = (later.pixel_array + 50).astype(np.int16).tobytes()
        save(folder / f"later{path.name}", later)
    with pytest.warns(UserWarning, match="holds 2 images at each of 3 positions"):
        found = read_image(folder)
    assert found.axes == "tzyx"
    assert found.image[:, :, 0, 0].tolist() == [[0, 1, 2], [50, 51, 52]]
    (folder / "later0.dcm").unlink()
    with pytest.raises(NotReadable, match="holds 1 to 2 images at each of 3 positions"):
        read_image(folder)


def test_slopes_of_their_own(tmp_path):
    folder = series(tmp_path / "a", [1, 2, 3], RescaleIntercept=0)
    for path in folder.iterdir():
        made = pydicom.dcmread(path)
        made.RescaleSlope = float(made.pixel_array[0, 0])
        save(path, made)
    assert read_image(folder).image[:, 0, 0].tolist() == [1, 4, 9]


def test_files_in_a_series_that_are_none(tmp_path):
    folder = series(tmp_path / "a", [0, 1])
    (folder / "notes.dcm").write_text("no image")
    with pytest.warns(UserWarning, match="holds 1 files that are not read"):
        assert read_image(folder).image.shape == (2, 4, 5)


# Files of strangers


@pytest.mark.parametrize("seed", range(200))
def test_broken_files_are_refused_in_a_sentence(tmp_path, seed):
    rng = np.random.default_rng(seed)
    made = dataset(PLANE, PixelSpacing=[0.5, 0.25], ImagePositionPatient=[1, 2, 3])
    if seed % 4 == 1:
        made.compress(RLELossless)
    path = save(tmp_path / "a.dcm", made)
    content = bytearray(path.read_bytes())
    for _ in range(rng.integers(1, 12)):
        content[rng.integers(132, len(content))] = rng.integers(0, 256)
    cut = len(content) if seed % 3 else int(rng.integers(0, len(content)))
    path.write_bytes(content[:cut])
    tracemalloc.start()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        outcome = outcome_of(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**24
    if not isinstance(outcome, Source):
        assert re.match(r"'.*a\.dcm' ", str(outcome))
        assert "\n" not in str(outcome)
