"""A report is one HTML file that says what was done, with which numbers, and what was lost."""

from __future__ import annotations

import json
from dataclasses import dataclass
from html.parser import HTMLParser

import numpy as np
import pytest

import napari_diffusion as nd
from napari_diffusion.analysis.study_result import ResultMap, ResultTable, StudyResult
from napari_diffusion.records.provenance import record
from napari_diffusion.report import Report, report_of_steps
from napari_diffusion.report.page import page_of

SCRIPT = "<script>alert(1)</script>"
SECTIONS = [
    "summary", "before-after", "steps", "removed", "noise", "survives", "null", "methods",
    "record", "verify", "versions",
]  # fmt: skip


@dataclass(frozen=True, eq=False)
class FoundBlobs(StudyResult):
    """A study as a later version may have it."""

    title = "Blobs"
    shape: tuple[int, ...] = (40, 50)

    def sentences(self):
        return ("Of 12 blobs 9 were kept.", f"Tried on {SCRIPT}.")

    def limits(self):
        return ("Tried at one size alone.",)

    def tables(self):
        rows = ((1, 0.5, SCRIPT), (2, float("nan"), "none"))
        return (ResultTable("Blobs by size", ("radius (pixels)", "kept", "remark"), rows),)

    def maps(self):
        values = np.linspace(-2, 2, int(np.prod(self.shape))).reshape(self.shape)
        return (ResultMap("lost intensity", values, "intensity", (-2.0, 2.0), True),)

    def to_dict(self):
        return {"kept": 9, "of": SCRIPT}


@dataclass(frozen=True)
class Limit:
    kind: str
    size: float
    share: float
    contrast: float | None
    text: str


class FeatureSurvival(FoundBlobs):
    """What the heat map is drawn of."""

    title = "Feature survival"
    limits_of_detection = (
        Limit("spot", 1.0, 0.5, 3.0, "3"),
        Limit("spot", 2.0, 0.5, 1.5, "1.5"),
        Limit("spot", 1.0, 0.95, None, ">4"),
        Limit("spot", 2.0, 0.95, 2.5, "2.5"),
    )

    def kept_table(self, kind):
        return self.table(np.array([[0.11, 0.22, 0.33], [0.44, 0.55, 1.02]]))

    def lost_table(self, kind):
        return self.table(np.array([[1.0, 0.9, 0.13], [0.7, 0.1, np.nan]]))

    def table(self, values):
        return np.array([1.0, 2.0]), np.array([1.0, 2.0, 4.0]), values


class RemovedStructure(FoundBlobs):
    title = "Removed structure"


class NullTest(FoundBlobs):
    title = "Null test"


class Page(HTMLParser):
    """Collects the elements of a page and the text in each section."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.texts, self.section = [], {}, ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag == "section":
            self.section = dict(attrs)["id"]

    def handle_data(self, data):
        self.texts[self.section] = self.texts.get(self.section, "") + data

    def all(self, tag):
        return [attrs for name, attrs in self.elements if name == tag]


def noisy(shape=(40, 50), dtype=np.float32):
    values = np.random.default_rng(3).normal(100, 10, shape)
    values[..., shape[-2] // 2 :, :] += 60
    return values.astype(dtype)


def recipe(image, **options):
    made = nd.Recipe(
        num_steps=2,
        noise=None,
        starting_noise_scale=0.0,
        diffusion_filter=nd.filters.PeronaMalik(time=1.0),
    )
    return made.resolved(image, **options)


def report(image=None, name="cells.tif", studies=(), **options):
    image = noisy() if image is None else image
    options = {"axes": "yx", **options}
    made = recipe(image, **options)
    steps = [
        (record(made, step, options, name), step.image) for step in nd.steps(image, made, **options)
    ]
    return report_of_steps(image, steps, options, name, studies)


def study(kind=FoundBlobs, **options):
    return kind(recipe=recipe(noisy()), step=1, **options)


@pytest.fixture(scope="module")
def whole():
    return Page(page_of(report(studies=[study(each) for each in
                (RemovedStructure, FeatureSurvival, NullTest, FoundBlobs)])))  # fmt: skip


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


def test_what_is_missing_is_said():
    found = Page(page_of(report(noisy((6, 6)))))
    assert "Not measured" in found.texts["noise"]
    assert "This was not studied." in found.texts["survives"]
    made = report()
    alone = Report(name="a", steps=made.steps, options=made.options)
    found = Page(page_of(alone))
    assert "The source is not at hand." in found.texts["before-after"]
    assert not found.all("input")
