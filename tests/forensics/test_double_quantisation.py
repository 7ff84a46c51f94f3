"""Blocks of a JPEG file that were compressed once among those compressed twice."""

from __future__ import annotations

import io

import jpeg_scenes
import numpy as np
import pytest
from PIL import Image

from napari_diffusion.forensics import DoubleQuantisation
from napari_diffusion.forensics.jpeg.blocks import coefficients
from napari_diffusion.forensics.jpeg.file import read_jpeg
from napari_diffusion.forensics.jpeg.quality import QUALITIES, quality_of, steps_at
from napari_diffusion.io.file_image import NotReadable

MASK = np.zeros((256, 320), bool)
MASK[72:184, 88:200] = True
NOTHING = "Nothing that this method can see"


def scene(seed=0):
    return jpeg_scenes.scene(MASK.shape, seed)


def saved(path, values, quality, **options):
    Image.fromarray(values).save(path, "JPEG", quality=quality, **options)
    return np.asarray(Image.open(path))


def again(values, quality):
    return saved(io.BytesIO(), values, quality)


def around(quality):
    """Return an image that was a JPEG, but for one region."""
    return np.where(MASK, scene(), again(scene(), quality))


def read(path, values, quality, **options):
    return DoubleQuantisation()(saved(path, values, quality, **options), file=path)


@pytest.mark.parametrize("quality", [85, 95])
def test_a_region_compressed_once_is_found(tmp_path, quality):
    reading = read(tmp_path / "a.jpg", around(75), quality)
    values = reading.maps[0].values
    assert values.shape == MASK.shape
    assert (values > 0)[MASK].mean() > 0.95
    assert (values < 0)[~MASK].mean() > 0.95
    steps = {n.name: n.value for n in reading.numbers if n.name.startswith("earlier")}
    assert steps["earlier step of coefficient (0, 1)"] == steps_at(75)[0, 1]
    assert steps["earlier step of coefficient (1, 0)"] == steps_at(75)[1, 0]
    assert reading.numbers[1].value == quality


def test_a_region_in_a_dark_image_is_found(tmp_path):
    rng = np.random.default_rng(5)
    bright = np.maximum(scene(5) - 130.0, 0) / 3
    dark = np.rint(20 + bright + rng.normal(0, 0.6, MASK.shape)).astype(np.uint8)
    reading = read(tmp_path / "a.jpg", np.where(MASK, dark, again(dark, 75)), 95)
    values = reading.maps[0].values
    assert (values > 0)[MASK].mean() > 0.95
    assert (values > 0)[~MASK].mean() < 0.15


def test_flat_blocks_say_nothing(tmp_path):
    image = around(75)
    image[200:, 200:] = 90
    values = read(tmp_path / "a.jpg", image, 85).maps[0].values
    assert np.abs(values[216:, 216:]).max() < 1e-6


def test_equal_steps_cannot_be_seen(tmp_path):
    reading = read(tmp_path / "a.jpg", around(80), 80)
    assert not reading.maps
    assert reading.remarks[0].startswith(NOTHING)
    assert "the same steps" in reading.remarks[0]


@pytest.mark.parametrize("quality", [50, 75, 95])
def test_one_compression_is_no_second_one(tmp_path, quality):
    assert read(tmp_path / "a.jpg", scene(1), quality).remarks[0].startswith(NOTHING)


def test_coarser_last_steps_say_little(tmp_path):
    reading = read(tmp_path / "a.jpg", around(90), 60)
    assert reading.remarks[0].startswith(NOTHING) or "hardly" in reading.remarks[1]


def test_a_turned_photo_has_its_map_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    stored = saved(tmp_path / "a.jpg", around(75), 92, exif=exif)
    image = np.rot90(stored, -1)
    reading = DoubleQuantisation()(image, file=tmp_path / "a.jpg")
    assert (reading.maps[0].values > 0)[np.rot90(MASK, -1)].mean() > 0.95
    assert len(reading.remarks) == 1
    other = DoubleQuantisation()(255 - image, file=tmp_path / "a.jpg")
    assert "not what the file holds" in other.remarks[-1]


def test_colours_are_read_as_brightness(tmp_path):
    colours = np.stack([around(75)] * 3, axis=-1)
    image = saved(tmp_path / "a.jpg", colours, 92)
    reading = DoubleQuantisation()(image, file=tmp_path / "a.jpg", axes="yxc", rgb=True)
    assert (reading.maps[0].values > 0)[MASK].mean() > 0.95


def test_the_stored_coefficients_are_those_of_the_table(tmp_path):
    saved(tmp_path / "a.jpg", scene(), 70)
    stored = read_jpeg(tmp_path / "a.jpg")
    np.testing.assert_array_equal(stored.steps, steps_at(70))
    levels = coefficients(stored.brightness - 128)[..., 0, 1] / stored.steps[0, 1]
    assert np.abs(levels - np.rint(levels)).mean() < 0.1


def test_tables_of_pillow_are_known():
    for quality in QUALITIES:
        stream = io.BytesIO()
        saved(stream, np.zeros((8, 8), np.uint8), quality)
        table = np.reshape(Image.open(stream).quantization[0], (8, 8))
        np.testing.assert_array_equal(table, steps_at(quality))
    assert quality_of(steps_at(75)) == 75
    assert quality_of(steps_at(75) + 1) is None


def refusal(image, **options):
    with pytest.raises(ValueError, match=r"cannot be read|damaged") as caught:
        DoubleQuantisation()(image, **options)
    return str(caught.value)


def test_other_files_are_refused_with_a_reason(tmp_path):
    image, path = scene(), tmp_path / "a.png"
    assert "file of this image is not known" in refusal(image)
    Image.fromarray(image).save(path)
    assert "not a JPEG" in refusal(image, file=path)
    assert "cannot be opened" in refusal(image, file=tmp_path / "none.jpg")
    saved(tmp_path / "a.jpg", image, 90)
    assert "256 × 320 pixels, the image 128 × 128" in refusal(
        image[:128, :128], file=tmp_path / "a.jpg"
    )
    Image.fromarray(np.stack([image] * 4, -1), "CMYK").save(tmp_path / "c.jpg")
    assert "brightness" in refusal(image, file=tmp_path / "c.jpg")
    flat = saved(tmp_path / "f.jpg", np.full_like(image, 90), 90)
    assert "constant" in refusal(flat, file=tmp_path / "f.jpg")


def test_damaged_files_end_in_a_sentence(tmp_path):
    path = tmp_path / "a.jpg"
    image = saved(path, scene(), 90)
    whole = path.read_bytes()
    for kept in (b"\xff\xd8", whole[:100], whole[: len(whole) // 2]):
        path.write_bytes(kept)
        assert "\n" not in refusal(image, file=path)
    path.write_bytes(whole + b"\xff\xda" * 200)
    with pytest.raises(NotReadable, match="scans"):
        DoubleQuantisation()(image, file=path)
    at = whole.index(b"\xff\xc0") + 5
    path.write_bytes(whole[:at] + b"\xff\xff\xff\xff" + whole[at + 4 :])
    assert "too many pixels" in refusal(image, file=path)
