"""What kind of noise an image has: each kind is recognised, and named."""

from __future__ import annotations

import io
from typing import get_args

import numpy as np
import pytest
from noise_scenes import recorded, scene
from PIL import Image
from scipy import ndimage
from skimage import data

from napari_diffusion.estimate import Finding, finding_text, noise_model, warning_text
from napari_diffusion.estimate.finding import FindingName, serious
from napari_diffusion.estimate.jpeg import position_of_blocks
from napari_diffusion.estimate.measured_text import measured_text
from napari_diffusion.noise import Stripes

SHAPE = (300, 340)


def names(model):
    return {found.name for found in model.findings}


class TestKind:
    clean = 30 + 150 * scene(SHAPE)

    @pytest.mark.parametrize(
        ("image", "kind", "expected"),
        [
            (recorded(clean, read=5.0), "gaussian", set()),
            (recorded(clean, 1.0), "poisson", {"uneven"}),
            (recorded(clean, 1.0, 8.0), "poisson-gaussian", {"uneven"}),
            (
                ndimage.gaussian_filter(recorded(clean, read=5.0), 0.7),
                "correlated",
                {"correlated", "texture"},
            ),
            (recorded(Stripes("rows")(clean, 3.0), read=5.0), "gaussian", {"rows"}),
            (recorded(Stripes("columns")(clean, 3.0), read=5.0), "gaussian", {"columns"}),
            (np.minimum(recorded(clean, read=5.0), 120.0), "gaussian", {"clipped"}),
        ],
        ids=["gaussian", "poisson", "mixed", "smoothed", "rows", "columns", "clipped"],
    )
    def test_is_recognised(self, image, kind, expected):
        model = noise_model(image)
        assert (model.kind, names(model)) == (kind, expected)
        assert model.is_white == (not expected & {"uneven", "correlated"})

    def test_of_sharpened_images(self):
        image = recorded(self.clean, read=5.0)
        model = noise_model(2 * image - ndimage.gaussian_filter(image, 1))
        assert model.kind == "processed"
        assert model.finding("sharpened").amount > 1.1
        assert not model.is_white

    def test_the_share_of_clipped_samples_is_counted(self):
        image = recorded(self.clean, read=5.0)
        found = noise_model(np.clip(image, 40.0, 120.0)).finding("clipped")
        assert found.amount == pytest.approx(np.mean((image <= 40) | (image >= 120)))
        assert (found.unit, found.values) == ("share", (40.0, 120.0))
        said = finding_text(found)
        assert said.startswith(f"{found.amount:.1%} of the pixels are exactly 40 and 120")
        assert noise_model(image).finding("clipped") is None

    def test_stripes_are_no_warning(self):
        model = noise_model(recorded(Stripes("rows")(self.clean, 3.0), read=5.0))
        assert model.finding("rows").amount == model.row_noise
        assert model.warnings == ()


@pytest.mark.parametrize("name", get_args(FindingName))
def test_every_finding_has_its_sentence(name):
    finding = Finding(name, 0.5, (3.0, 4.0))
    said = finding_text(finding)
    assert said[0].isupper() or said[0].isdigit()
    assert said.endswith(".")
    assert "{" not in said
    if finding.unit == "":
        assert said == finding_text(Finding(name, 7.0, (3.0, 4.0)))


@pytest.mark.parametrize("name", get_args(FindingName))
def test_a_warning_is_one_short_sentence(name):
    if name in ("uneven",):
        return
    said = warning_text(Finding(name, 0.5, (3.0, 4.0)))
    assert len(said) <= 100
    assert said.endswith(".")
    assert ". " not in said


def test_one_cause_stands_for_all_traces_of_processing():
    findings = [Finding(n) for n in ("texture", "rows", "clipped", "correlated", "compressed")]
    assert [each.name for each in serious(findings, ())] == ["compressed", "clipped", "rows"]
    assert [each.name for each in serious(findings, ("rows",))] == ["compressed", "clipped"]
    assert serious([Finding("falling")], ()) == ()


@pytest.mark.parametrize(
    ("offset", "read", "given", "words"),
    [
        (100, 15, None, "read noise not separable from the offset."),
        (100, 3, None, "read noise not separable from the offset (no variance at intensity 96"),
        (100, 15, 100, "offset 100, read noise 15.2."),
        (100, 0, 100, "offset 100, read noise too weak to measure."),
    ],
)
def test_no_digit_is_told_that_was_not_measured(offset, read, given, words):
    random = np.random.default_rng(0)
    light = 2.2 * random.poisson(40 * (data.camera() / 255) + 1)
    image = offset + light + read * random.normal(size=light.shape)
    assert words in noise_model(image, offset=given).in_words()


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (2.2034, 0.0, "2.2"),
        (2.2034, 0.02, "2.20"),
        (2.2034, 0.2, "2.2"),
        (2.2034, 3.0, ""),
        (1234.5, 20.0, "1230"),
        (123456.7, 1e-9, "123500"),
        (1.23456e7, 2e4, "1.235e+07"),
        (1.23e-7, 1e-8, "1.2e-07"),
        (0.0, 0.1, "0"),
    ],
)
def test_digits_follow_the_uncertainty(value, error, text):
    assert measured_text(value, error) == text


def test_a_finding_says_how_to_measure_a_noise_that_is_underestimated():
    assert "repeated frames" in finding_text(Finding("correlated", 0.5, underestimated=True))
    assert "repeated frames" not in finding_text(Finding("correlated", 0.5))


def test_frames_that_differ_more_than_others_alternate():
    assert "alternates" in finding_text(Finding("moving", 1.2))
    assert "drifts" in finding_text(Finding("moving", 0.8))


def jpeg(values, quality):
    file = io.BytesIO()
    Image.fromarray(values).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))


class TestOfJpegs:
    """Natural images with white noise, rounded: not a word of compression until they were."""

    @pytest.mark.parametrize("name", ["camera", "coins", "moon", "brick"])
    @pytest.mark.parametrize("sigma", [6.0, 20.0])
    @pytest.mark.parametrize("quality", [50, 80, 95])
    def test_are_recognised_by_their_blocks(self, name, sigma, quality):
        clean = getattr(data, name)()[:256, :256]
        random = np.random.default_rng(0)
        image = np.clip(np.rint(clean + sigma * random.normal(size=clean.shape)), 0, 255)
        image = image.astype(np.uint8)
        assert position_of_blocks(image[None]) is None
        made = jpeg(image, quality)
        assert position_of_blocks(made[None, 3:, 6:]) == (5, 2)
        assert position_of_blocks(made[None] / np.float32(255)) == (0, 0)

    def test_of_colours_are_processed(self):
        colours = data.astronaut()[100:356, 100:356]
        noisy = colours + 10 * np.random.default_rng(0).normal(size=colours.shape)
        image = np.clip(np.rint(noisy), 0, 255).astype(np.uint8)
        model = noise_model(jpeg(image, 90), axes="yxc", rgb=True)
        assert model.kind == "processed"
        assert model.finding("compressed").values == (0, 0)
        assert "start at row 0 and column 0" in finding_text(model.finding("compressed"))
        assert noise_model(image, axes="yxc", rgb=True).finding("compressed") is None

    def test_too_few_blocks_do_not_tell(self):
        assert position_of_blocks(jpeg(data.camera()[:64, :64], 80)[None]) is None
        assert position_of_blocks(np.random.default_rng(0).random((1, 256, 256))) is None
