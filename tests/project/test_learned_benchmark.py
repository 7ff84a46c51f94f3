"""The benchmark of restorations: what it measures, and on what."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks import images
from benchmarks.learned import restoration

import napari_diffusion as nd


@pytest.fixture(scope="module")
def tasks():
    y, x = np.mgrid[:128, :128] / 128
    return restoration.tasks(0.5 + 0.4 * np.sin(9 * x) * y)


def test_every_task_has_a_target_a_preset_and_a_simple_method(tasks):
    assert set(tasks) == set(restoration.TARGETS)
    for task in tasks.values():
        preset = nd.PRESETS[task.preset]
        assert type(preset.measurement) is type(task.measurement)
        assert task.scored.any()
    assert tasks["4 ×"].simple(tasks["4 ×"].source).shape == (128, 128)
    assert tasks["blur"].simple(tasks["blur"].source).shape == (128, 128)


def test_every_image_is_for_reporting():
    report = {each.name for each in images.photographs("report")}
    assert set(restoration.names()) <= report


def test_the_page_has_the_gains_of_every_task():
    rows = [["a", kind, 20.0, 20.5, 21.0] for kind in restoration.TARGETS]
    rows += [["b", kind, 20.0, 20.5, 23.0] for kind in restoration.TARGETS]
    text = "\n".join(restoration.lines({"rows": rows, "seeds": 4, "seconds": 12.3}))
    assert "2 images" in text
    assert text.count("+2.00 | +1.00") == len(restoration.TARGETS)
    assert "12 s" in text
