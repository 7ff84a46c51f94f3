"""States of a training from anyone: nothing is run, and what does not fit is refused."""

from __future__ import annotations

import dataclasses
import io
import zipfile

import numpy as np
import pytest

from napari_diffusion.filters.learned.archive import archived
from napari_diffusion.learning.free_weights import FreeWeights
from napari_diffusion.learning.score import Score
from napari_diffusion.learning.training_state import TrainingState, read_state

START = FreeWeights.random((1, 1), 3, 11, 8.0, ((0.0, 1.0),) * 4)


def state(**changed):
    arrays = [each + 0.01 for each in START.arrays]
    whole = TrainingState(
        weights=arrays,
        average=arrays,
        means=arrays,
        squares=[np.abs(each) for each in arrays],
        best=START.arrays,
        errors=[np.ones(5), np.zeros(5)],
        scores=[Score(0.0, 0, np.nan, 1.0), Score(1.5, 7, 0.5, 0.25)],
        mean=0.5,
        used=1.75,
        steps=8,
        about={"kind": "noisy", "seed": 0},
    )
    return dataclasses.replace(whole, **changed)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state.npz"


def test_a_file_holds_all_of_it(path):
    path.write_bytes(state().in_bytes())
    found = read_state(path)
    for name in ("weights", "average", "means", "squares", "best", "errors"):
        pairs = zip(getattr(found, name), getattr(state(), name), strict=True)
        assert all(np.array_equal(a, b) for a, b in pairs)
    assert found.scores[1:] == state().scores[1:]
    assert np.isnan(found.scores[0].error)
    assert (found.mean, found.used, found.steps) == (0.5, 1.75, 8)
    found.check(START, 5, {"kind": "noisy", "seed": 0})


@pytest.mark.parametrize(
    ("changed", "held", "about", "words"),
    [
        ({}, 6, {}, "other weights or images"),
        ({"weights": START.arrays[:3]}, 5, {}, "other weights or images"),
        ({}, 5, {"seed": 1}, "differs in seed"),
        ({"squares": [-np.ones_like(each) for each in START.arrays]}, 5, {}, "no training has"),
        ({"best": [each * np.nan for each in START.arrays]}, 5, {}, "no training has"),
        (
            {"best": [*START.arrays[:2], np.full(1, 7.0), *START.arrays[3:]]},
            5,
            {},
            "holds no weigh",
        ),
    ],
)
def test_a_state_that_does_not_fit_is_refused(changed, held, about, words):
    with pytest.raises(ValueError, match=words):
        state(**changed).check(START, held, about)


def _without(name):
    stream = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(state().in_bytes())) as old,
        zipfile.ZipFile(stream, "w") as new,
    ):
        for each in old.namelist():
            if not each.startswith(name):
                new.writestr(each, old.read(each))
    return stream.getvalue()


def _with(about, **arrays):
    whole = {"scores": np.ones((1, 4)), "errors": np.ones((2, 5)), **arrays}
    return archived(whole, {"training": {}, "mean": 0.0, "used": 0.0, "steps": 0, **about})


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no archive",
        state().in_bytes()[:-400],
        _without("about"),
        _without("scores"),
        _without("best_2"),
        _with({"steps": 1e300}),
        _with({"steps": "8"}),
        _with({"used": float("nan")}),
        _with({"training": [1]}),
        _with({}, scores=np.ones((1, 3))),
        _with({}, scores=np.full((1, 4), np.inf)),
        _with({}, errors=np.ones(5)),
        _with({}, errors=np.ones((2, 5), np.float32)),
        _with({}, weights_0=np.array(["text"])),
    ],
)
def test_files_of_anything_else_are_refused(path, data):
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"state\.npz"):
        read_state(path)
