"""The package says of each trace what the benchmark measured, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from benchmarks.traces import compression, copies, enlarged, ghost, grid, noise, whole
from benchmarks.traces.package_table import TABLE, VALUES, table_of, text_of

import napari_diffusion as nd

ROOT = Path(__file__).parents[2]

NAMES = ("chelsea", "coffee")


def test_the_table_is_what_was_measured():
    """`python -m benchmarks.traces.package_table` writes it again."""
    found = json.loads((ROOT / VALUES).read_text("utf-8"))
    assert (ROOT / TABLE).read_text("utf-8") == text_of(found)


def mapped(rows):
    """Return AUCs of 1 for the first photograph, of ½ for the second."""
    values = dict(zip(NAMES, (1.0, 0.5), strict=True))
    return [[k, name, values[name], "", 1.0, 0.1] for k in range(len(rows)) for name in NAMES]


def untouched(*kept):
    """Return an alarm in the first of two photographs."""
    return {each: [[f"{n} 0,0", n, n == NAMES[0], ""] for n in NAMES] for each in kept}


def whole_rows():
    """Return times of 0 for untouched images, of 1 for the others; one is said to miss detail."""
    changes = ("untouched", *whole.WHOLE)
    return [[kept, name, change, float(change != "untouched"), None, None, name == NAMES[0], ""]
            for kept in ("PNG", "JPEG-85") for name in NAMES for change in changes]  # fmt: skip


def copied(rows):
    return {"rows": [[k, n, 0.9 * (n == NAMES[0]), ""] for k in range(len(rows)) for n in NAMES],
            "untouched": untouched("PNG", "JPEG-85"), "cloned": {}}  # fmt: skip


def said_rows():
    return [[trace, case, kept, name, not case.startswith("untouched"), ""]
            for trace, cases in enlarged.CASES.items() for case in cases
            for kept in ("PNG", "JPEG-85") for name in NAMES]  # fmt: skip


VALUES_OF = {
    "grid": {"rows": mapped(grid.ROWS), "untouched": untouched("PNG", "JPEG-85")},
    "copies": copied(copies.ROWS),
    "panels": {
        "rows": [[name, "moved", "PNG", True, -9.0] for name in NAMES],
        "folder": {"PNG": {"panels": 10, "listed": [["a", "b"]]}},
    },
    "diffused": {"rows": whole_rows()},
    "compression": {"rows": mapped(compression.ROWS), "untouched": untouched("PNG")["PNG"]},
    "enlarged": {"rows": said_rows()},
    "frames": {"rows": [[n, q, 8, 1, 71, 0.1, 0.9] for n in NAMES for q in (None, 23)]},
    "ghost": {"rows": mapped(ghost.ROWS), "untouched": untouched("PNG")},
    "noise": {
        "rows": mapped(noise.ROWS),
        "untouched": {"PNG": [["a", n, -3.0, 2.0] for n in NAMES]},
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def table():
    parts = {part: {"values": each, "version": "9.9"} for part, each in VALUES_OF.items()}
    return table_of(parts)


def figures(table, trace, kind):
    return [
        (f["what"], f["saved"], f.get("value", (f.get("found"), f.get("of"))))
        for f in table[trace][kind]
    ]


def test_every_trace_with_a_null_is_measured_by_some_part(table):
    with_null = {cls.__name__ for cls in nd.forensics.TRACES if cls.null != "none"}
    # A difference is what it is.
    assert set(table) | {"ExactCopies"} == with_null - {"Difference"}
    for each in table.values():
        for figure in (*each["untouched"], *each["changed"]):
            assert figure["version"] == "9.9"
            assert figure["low"] <= figure["high"]
            assert figure["what"][0].isupper()


def test_false_alarms_are_counted_with_their_interval(table):
    listed = "Crops with a region listed"
    assert figures(table, "BlockGrid", "untouched") == [
        (listed, "PNG", (1, 2)), (listed, "JPEG-85", (1, 2)),
    ]  # fmt: skip
    first = table["BlockGrid"]["untouched"][0]
    assert (first["low"], first["high"]) == (0.013, 0.987)
    assert first["photographs"] == 2
    assert ("Pairs listed among unrelated panels", "PNG", (1, 45)) in figures(
        table, "Copies", "untouched"
    )
    assert figures(table, "Enlarged", "untouched")[0][2] == (0, 2)
    combs = ("Crops said to have a comb", "PNG", (0, 2))
    assert combs in figures(table, "Levels", "untouched")
    assert figures(table, "Frames", "untouched")[0][2] == 100
    assert figures(table, "LocalNoise", "untouched")[0][2] == -3


def test_what_is_seen_is_the_mean_of_the_page(table):
    assert figures(table, "BlockGrid", "changed")[0][2] == 0.75
    assert [each[2] for each in figures(table, "LocalNoise", "changed")] == [0.75] * 4
    assert figures(table, "Diffused", "changed")[0][2] == 1
    found = {(w, s): v for w, s, v in figures(table, "Copies", "changed")}
    assert found["Copies found", "JPEG-85"] == (3, 6)
    assert figures(table, "Enlarged", "changed")[0] == ("Crops seen, × 2", "PNG", (6, 6))
    assert all(f["of"] for trace in table.values() for f in trace["changed"] if "of" in f)
