"""A report is one HTML file that says what was done, with which numbers, and what was lost."""

from __future__ import annotations

import json

import pytest
from report_cases import SCRIPT, Page, noisy, report, whole_report

from napari_diffusion.report import Report, ReportStep
from napari_diffusion.report.page import page_of

SECTIONS = [
    "summary", "before-after", "steps", "removed", "noise", "survives", "null", "traces",
    "methods", "record", "verify", "versions",
]  # fmt: skip


@pytest.fixture(scope="module")
def whole():
    return Page(page_of(whole_report()))


def test_all_sections_are_there_in_order_and_in_the_contents(whole):
    found = [each["id"] for each in whole.all("section")]
    assert [each for each in found if each in SECTIONS] == SECTIONS
    assert found.index("null") < found.index("study-0-blobs") < found.index("methods")
    assert [each["href"] for each in whole.all("a")] == [f"#{each}" for each in found]


def test_nothing_is_fetched_and_one_script_runs(whole):
    for tag, attrs in whole.elements:
        assert tag not in ("link", "iframe", "object", "embed", "form", "base")
        if tag == "img":
            assert attrs["src"].startswith("data:image/png;base64,")
        assert attrs.get("href", "#").startswith("#")
        assert not any(name.startswith("on") for name in attrs)
    assert len(whole.all("script")) == 1
    policy = next(each for each in whole.all("meta") if "http-equiv" in each)["content"]
    assert policy.startswith("default-src 'none'; img-src data:;")


@pytest.mark.parametrize(
    "name", [SCRIPT, '"><img src=x onerror=alert(1)>', "</pre></details>{{1}}"]
)
def test_a_name_is_text_wherever_it_stands(name):
    plain, found = Page(page_of(report())), Page(page_of(report(name=name)))
    assert [tag for tag, _ in found.elements] == [tag for tag, _ in plain.elements]
    for section in ("summary", "methods", "record"):
        assert name[:30] in found.texts[section].replace('\\"', '"')


def test_a_study_is_text_too(whole):
    assert len(whole.all("script")) == 1
    assert whole.texts["study-0-blobs"].count(SCRIPT) == 3  # sentence, table, values


def test_any_study_comes_with_sentences_limits_tables_and_maps(whole):
    said = whole.texts["study-0-blobs"]
    for words in ("Of 12 blobs 9 were kept.", "Tried at one size alone.", "with what limits",
                  "radius (pixels)", "lost intensity (intensity)", "≤ −2", "–"):  # fmt: skip
        assert words in said


def test_survival_is_drawn_with_its_limits_of_detection(whole):
    said = whole.texts["survives"]
    for words in ("0.11", "1.02", "0.87", "radius (pixels)", "contrast (× noise σ)",
                  "found in 50 %", "95 %: >4"):  # fmt: skip
        assert words in said
    drawn = [each for each in whole.all("polyline") if each.get("class") == "halo"]
    assert [len(each["points"].split()) for each in drawn] == [2, 1] * 2


def test_the_record_is_whole_and_readable(whole):
    text = whole.texts["record"]
    found = json.loads(text[text.index("{") :])
    assert found["recipe"]["num_steps"] == 2
    assert found["source"] == "cells.tif"


def test_the_methods_paragraph_and_references_stand_in_it(whole):
    assert "'cells.tif' was processed with napari-diffusion" in whole.texts["methods"]
    assert "Scale-space and edge detection" in whole.texts["methods"]
    assert "napari-diffusion verify" in whole.texts["verify"]


def test_what_was_removed_is_source_minus_result():
    source = noisy().round()
    steps = (ReportStep(report().result.record, source - 3),)
    made = Report(name="a", steps=steps, options={"axes": "yx"}, source=source)
    removed = Page(page_of(made)).texts["removed"]
    assert "all3033–" in removed.replace("\n", "")  # mean, deviation, minimum, maximum
    assert "≤ −3" in removed


def test_what_is_missing_is_said():
    found = Page(page_of(report(noisy((6, 6)))))
    assert "Not measured" in found.texts["noise"]
    assert "This was not studied." in found.texts["survives"]
    made = report()
    alone = Report(name="a", steps=made.steps, options=made.options)
    found = Page(page_of(alone))
    assert "The source is not at hand." in found.texts["before-after"]
    assert not found.all("input")
