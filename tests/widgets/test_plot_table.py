"""Tables of what a plot shows: any name of a layer is the heading of one column, no formula."""

from __future__ import annotations

import csv

import pytest

pytest.importorskip("napari")

from napari_diffusion.widgets.plots.curve_plot import CurvePlot

NAMES = ["step", "=HYPERLINK(1)", "+1", "-1", "@x", 'a "b", c', "two\nlines", "face"]


def test_names_of_layers_are_headings(qtbot, tmp_path, monkeypatch):
    plot = CurvePlot()
    qtbot.addWidget(plot)
    columns = [[-1.25, float("nan")]] * len(NAMES)
    monkeypatch.setattr(plot, "table", lambda: (NAMES, columns))
    plot.write(tmp_path / "a.csv")
    with (tmp_path / "a.csv").open(encoding="utf-8", newline="") as file:
        names, *rows = list(csv.reader(file))
    assert [name.removeprefix("'") for name in names] == NAMES
    assert not any(name.startswith(("=", "+", "-", "@")) for name in names)
    assert rows == [["-1.25"] * len(NAMES), ["nan"] * len(NAMES)]
