"""The section of traces, and the report of images without a run."""

from __future__ import annotations

import base64
import dataclasses
import io
import re

import numpy as np
import pytest
from PIL import Image
from report_cases import Page, report
from trace_cases import SCRIPT, Blocks, FromFile, inspection

from napari_diffusion.core.results import ResultTable
from napari_diffusion.forensics import Curve, Place
from napari_diffusion.forensics.copying.panels import SharedPart
from napari_diffusion.forensics.inspection import ASK
from napari_diffusion.forensics.reading import NOTHING
from napari_diffusion.report import InspectionReport, result_traces, write_report
from napari_diffusion.report import page as page_module
from napari_diffusion.report.page import page_of
from napari_diffusion.report.result_traces import with_traces


def images(text):
    found = re.findall(r'src="data:image/png;base64,([^"]+)"', text)
    return [
        np.asarray(Image.open(io.BytesIO(base64.b64decode(each))).convert("RGB")) for each in found
    ]


@pytest.fixture(scope="module")
def whole():
    return page_of(InspectionReport((inspection(name=SCRIPT),)))


def test_a_page_of_an_image_says_what_was_read_with_its_limits(whole):
    page = Page(whole)
    assert [each["id"] for each in page.all("section")] == [
        "summary", "traces-0", "hashes", "versions",
    ]  # fmt: skip
    said = page.texts["traces-0"]
    for words in ("Two blocks are equal", "period (pixels)", "8.5", "untouched images have none",
                  "−4.5", "Compared with chance", "Assumed: Blocks are blocks",
                  "How often untouched images show the same",
                  "What else looks the same: Tiled scans", "What else looks the same: Montages",
                  "It is read from the file", '"side": 8', "≤ −2"):  # fmt: skip
        assert words in said, words
    assert ASK in page.texts["summary"]


def test_names_and_words_are_text_and_one_script_runs(whole):
    page = Page(whole)
    assert len(page.all("script")) == 1
    assert SCRIPT in page.texts["hashes"]
    assert page.texts["traces-0"].count(SCRIPT) >= 5


def test_curves_with_equal_labels_share_a_chart_and_chance_is_dashed(whole):
    page = Page(whole)
    assert len([each for each in page.all("figure") if each.get("class") == "chart"]) == 2
    lines = [each["class"] for each in page.all("polyline") if "28,5" not in each["points"]]
    assert lines == ["colour-0 line", "colour-1 dashed", "colour-0 line"]


def test_the_hash_is_that_of_what_was_inspected(whole):
    found = inspection()
    assert found.inspected.sha256 in Page(whole).texts["hashes"]


def test_places_are_drawn_where_they_are():
    grey = np.full((64, 64), 100.0, np.float32)
    grey[0, 0], grey[0, 1] = 0, 200
    # The image, the places, the map.
    _, drawn, _ = images(page_of(InspectionReport((inspection(grey),))))
    coloured = np.argwhere(drawn[..., 0] != drawn[..., 2])
    assert coloured.min(axis=0).tolist() == [2, 2]
    assert coloured.max(axis=0).tolist() == [28, 28]


def test_the_plane_with_the_first_place_is_shown():
    stack = np.zeros((3, 30, 40), np.float32)
    stack[2] += 7  # its own levels are those of the plane with the place
    page = Page(page_of(InspectionReport((inspection(stack, axes="tyx"),))))
    assert "Shown is frame 1 of 3" in page.texts["traces-0"]
    assert "1 of 1 places" in page.texts["traces-0"]


def test_colours_and_channels_are_shown():
    rgb = np.random.default_rng(1).integers(0, 255, (30, 40, 3)).astype(np.uint8)
    shown = images(page_of(InspectionReport((inspection(rgb, axes="yxc", rgb=True),))))
    np.testing.assert_array_equal(shown[0], rgb)
    channels = np.random.default_rng(1).normal(size=(2, 30, 40))
    page = Page(page_of(InspectionReport((inspection(channels, axes="cyx"),))))
    assert "Channel 1." in page.texts["traces-0"]


def test_several_images_have_a_section_each_and_pairs_a_table():
    pairs = ResultTable("Pairs", ("first", "second"), (("a.tif", "b.tif"),))
    made = InspectionReport((inspection(name="a.tif"), inspection(name="b.tif")), pairs)
    page = Page(page_of(made))
    assert [each["id"] for each in page.all("section")][1:4] == ["pairs", "traces-0", "traces-1"]
    assert "b.tif" in page.texts["pairs"]
    assert made.title == "Traces in a.tif, b.tif"
    with pytest.raises(ValueError, match="at least one image"):
        InspectionReport(())


def test_what_was_inspected_and_channels_that_are_not_shown_are_said():
    channels = np.random.default_rng(1).normal(size=(6, 2, 30, 40)).astype(np.float32)
    made = inspection(channels, axes="czyx")
    said = Page(page_of(InspectionReport((made,)))).texts["traces-0"]
    assert "6 channels × 2 planes of 30 × 40 pixels, float32." in said
    assert "Shown is plane 1 of 2" in said
    assert "2 further channels are not shown." in said
    assert "Channel 3." in said
    assert "Channel 4." not in said


def test_the_summary_has_one_row_for_all_that_saw_nothing():
    found = inspection(name="a.tif")
    nothing = (dataclasses.replace(found.readings[0], remarks=(NOTHING,)),)
    long = f"A region differs: {'b' * 200}. This also happens with {'c' * 200}."
    something = (dataclasses.replace(found.readings[0], remarks=(long,)),)
    two = tuple(dataclasses.replace(found, readings=each) for each in (2 * nothing, something))
    said = [Page(page_of(InspectionReport((each,)))).texts["summary"] for each in two]
    assert said[0].count(NOTHING) == 1
    assert "a.tif" not in said[0]
    assert long in said[1]
    assert "a.tif" in Page(page_of(InspectionReport(two))).texts["summary"]


def test_of_very_many_remarks_and_lines_the_first_are_shown():
    found = inspection()
    many = tuple(f"Plane {k} is seen." for k in range(30))
    curves = tuple(Curve(f"plane {k}", "x", "y", (0.0, 1.0), (0.0, float(k))) for k in range(30))
    reading = dataclasses.replace(found.readings[0], remarks=many, curves=curves)
    text = page_of(InspectionReport((dataclasses.replace(found, readings=(reading,)),)))
    said = re.sub(r"<details.*?</details>", "", text, flags=re.DOTALL)
    assert "Plane 7 is seen." in said
    assert "Plane 8 is seen." not in said
    assert "And 22 more, in the JSON." in said
    assert "Plane 29 is seen." in text
    assert "the first 8 lines" in said
    assert len(Page(text).all("polyline")) == 2 * 8  # each in the legend too


def test_the_part_that_two_images_share_is_drawn_in_both():
    square = np.array([[2, 2], [2, 9], [9, 9], [9, 2]], float)
    place = Place(square, (), -9.0, "moved", square + 20, "second")
    grey = np.full((40, 50), 100.0, np.float32)
    grey[0, 0], grey[0, 1] = 0, 200
    both = inspection(grey, name="a.tif"), inspection(grey, name="b.tif")
    shared = (SharedPart("a.tif", "b.tif", place),)
    table = ResultTable("Pairs", ("first", "second"), (("a.tif", "b.tif"),))
    drawn = images(page_of(InspectionReport(both, table, shared)))[:2]
    for image, first, last in zip(drawn, (2, 22), (9, 29), strict=True):
        coloured = np.argwhere(image[..., 0] != image[..., 2])
        assert coloured.min(axis=0).tolist() == [first] * 2
        assert coloured.max(axis=0).tolist() == [last] * 2
    alike = (both[0], dataclasses.replace(both[1], inspected=both[0].inspected))
    assert "moved" not in Page(page_of(InspectionReport(alike, table, shared))).texts["pairs"]


def test_images_shrink_until_the_file_is_small_enough(monkeypatch):
    image = np.random.default_rng(2).normal(size=(300, 300))
    made = InspectionReport((inspection(image),))
    size = len(page_of(made))
    monkeypatch.setattr(page_module, "MOST_BYTES", size // 2)
    monkeypatch.setattr(page_module, "LONGEST_SIDE", 300)
    assert len(page_of(made)) <= size // 2


def test_a_report_of_a_run_has_the_section(tmp_path):
    plain = Page(page_of(report()))
    assert "No traces were read: report --trace all" in plain.texts["traces"]
    made = dataclasses.replace(report(), inspections=(inspection(name="source.tif"),))
    write_report(tmp_path / "a.html", made)
    page = Page((tmp_path / "a.html").read_text("utf-8"))
    said = page.texts["traces"]
    for words in ("Read from source.tif.", "Two blocks are equal", ASK, "Compared with chance"):
        assert words in said
    assert made.inspections[0].inspected.sha256 in said


def test_traces_of_a_run_are_those_of_its_source_and_its_result(monkeypatch):
    made = with_traces(report(), (Blocks(), FromFile()))
    source, result = made.inspections
    assert (source.name, result.name) == ("cells.tif, the source", "cells.tif, the result")
    np.testing.assert_array_equal(source.values, made.source)
    assert result.reference.sha256 == source.inspected.sha256
    monkeypatch.setattr(result_traces, "_MOST_PIXELS", 1000)
    source, _ = with_traces(made, (Blocks(),)).inspections
    assert source.values.size <= 1000
    alone = dataclasses.replace(made, source=None)
    assert len(with_traces(alone, (Blocks(),)).inspections) == 1


def test_the_page_speaks_of_no_verdict(whole):
    words = r"fake|forge|manipulat|authentic|genuine|probability of|suspicious|verdict|score"
    assert not re.findall(words, "".join(Page(whole).texts.values()), re.IGNORECASE)
