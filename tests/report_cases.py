"""Reports of small runs, with studies of every kind."""

from __future__ import annotations

from dataclasses import dataclass
from html.parser import HTMLParser

import numpy as np

import napari_diffusion as nd
from napari_diffusion.analysis.study_result import StudyResult
from napari_diffusion.core.results import ResultMap, ResultTable
from napari_diffusion.records.provenance import record
from napari_diffusion.report import report_of_steps

SCRIPT = "<script>alert(1)</script>"


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


def whole_report(**options):
    """Return a report with every kind of study."""
    kinds = (RemovedStructure, FeatureSurvival, NullTest, FoundBlobs)
    return report(studies=[study(each) for each in kinds], **options)
