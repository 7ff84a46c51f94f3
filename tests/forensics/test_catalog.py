"""Traces by their names, those of other packages too."""

from __future__ import annotations

import functools
import sys

import pytest

from napari_diffusion.forensics import TRACES, Levels, Trace
from napari_diffusion.forensics.catalog import chosen_traces, trace_class, traces
from napari_diffusion.loop import registry

CODE = '''
from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from napari_diffusion.forensics import Reading, Trace


@dataclass(frozen=True)
class Watermark(Trace):
    """Look for a mark.

    Parameters
    ----------
    least : int
        How much is needed.
    """

    least: Annotated[int, {"min": 1, "tooltip": "How much is needed."}] = 2

    def read(self, evidence):
        return Reading(self, remarks=("Nothing that this method can see.",))
'''


@pytest.fixture
def watermark(tmp_path, monkeypatch):
    """Install a package with a trace for the time of a test."""
    (tmp_path / "elsewhere_traces.py").write_text(CODE, "utf-8")
    info = tmp_path / "elsewhere_traces-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: elsewhere-traces\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        f"[{registry.GROUP}]\nwatermark = elsewhere_traces:Watermark\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    fresh = functools.cache(registry._components.__wrapped__)
    monkeypatch.setattr(registry, "_components", fresh)
    yield
    sys.modules.pop("elsewhere_traces", None)


def test_all_are_ours_in_their_order_by_default():
    assert traces()[: len(TRACES)] == TRACES
    assert [type(each) for each in chosen_traces("all")][: len(TRACES)] == list(TRACES)


def test_a_name_may_be_typed_in_small_letters():
    assert trace_class("levels") is Levels
    assert chosen_traces("Levels, LEVELS") == (Levels(),)


def test_a_trace_of_another_package_comes_after_ours(watermark):
    assert [cls.__name__ for cls in traces()] == [*(cls.__name__ for cls in TRACES), "Watermark"]
    assert issubclass(trace_class("watermark"), Trace)


def test_parameters_are_set_by_trace_and_name(watermark):
    levels, mark = chosen_traces("levels,watermark", [("watermark.least", 5)])
    assert (levels, mark.least) == (Levels(), 5)


@pytest.mark.parametrize(
    ("names", "setting", "words"),
    [
        ("levles", None, r"no trace 'levles': use some of .*Levels.* or all"),
        ("levels", ("watermark", 1), "'watermark' is not a setting: it must be TRACE.PARAMETER"),
        ("levels", ("watermark.least", 1), "is a setting of a trace that is not asked for"),
        ("watermark", ("watermark.most", 1), "Watermark has no parameter 'most'; it has least"),
        ("watermark", ("watermark.least", 0), "least must be .*at least 1.*got 0"),
    ],
)
def test_what_is_wrong_is_said_with_what_there_is(watermark, names, setting, words):
    with pytest.raises(ValueError, match=words):
        chosen_traces(names, [setting] if setting else [])
