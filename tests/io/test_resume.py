"""A run that was killed, or found the disk full, goes on behind its last whole step."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
import tifffile
from killed_runs import FORMATS, STEPS, made_from, ran, source

from napari_diffusion.io import read_image, read_record, step_paths

KINDS = list(FORMATS)
UUID = re.compile(rb"urn:uuid:[0-9a-f-]{36}")


def content(path):
    """Return every file of an output; those of JSON by what they say."""
    files = [path] if path.is_file() else sorted(each for each in path.rglob("*") if each.is_file())
    found = {}
    for file in files:
        text = UUID.sub(b"", file.read_bytes())
        key = file.relative_to(path).as_posix()
        found[key] = json.loads(text) if file.suffix == ".json" else text
    return found


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    """Return what an unbroken run leaves, and how much it does to its files, for each format."""
    found = {}
    for kind, (name, _) in FORMATS.items():
        folder = tmp_path_factory.mktemp(kind)
        said = ran(folder, kind, tmp_path_factory.mktemp("said") / "said")
        assert said[-1][0] == "done"
        found[kind] = (content(folder), said[-1][1], folder / name)
    return found


def made(said):
    return [value for what, value in said if what == "made"]


def check_going_on(folder, kind, before, unbroken, said):
    """Go on with a run that said something; it must make no step again, and end the same."""
    name, _ = FORMATS[kind]
    expected, *_ = unbroken[kind]
    if (folder / name).exists():  # it ended after it had been given its name
        assert len(made(before)) == STEPS or before[0][1]
        return
    after = ran(folder, kind, said, resume=True)
    (_, whole), *_, (how, _) = after
    assert how == "done"
    # What a run has seen come back from writing is whole.
    assert whole == list(range(len(whole)))
    assert set(made(before)) <= set(whole)
    assert made(after) == list(range(len(whole), STEPS))
    assert content(folder) == expected


@pytest.mark.parametrize("kind", KINDS)
def test_an_unbroken_run_is_what_it_should_be(unbroken, kind):
    path, images, image = unbroken[kind][2], [], source().image
    for step in range(STEPS):
        image = made_from(image, step)
        images.append(image)
    if kind in ("run", "folder"):
        found = [read_image(each).image for each in step_paths(path)]
    elif kind == "npy":
        found = np.load(path)
    elif kind == "stack":
        found = read_image(path).image
    else:
        found = tifffile.imread(path)
    np.testing.assert_array_equal(found, images)
    if kind != "folder":
        assert [step["step"] for step in read_record(path)["steps"]] == list(range(STEPS))


def points(count, many):
    """Return so many numbers of 1 … count, at equal distances."""
    return sorted(set(np.linspace(0, count, many + 2)[1:-1].astype(int).tolist()))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("how", ["kill", "full"])
def test_no_step_is_lost(tmp_path, unbroken, kind, how):
    for at in points(unbroken[kind][1], 2 if how == "kill" else 1):
        check_broken_at(tmp_path, unbroken, kind, how, at)


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("how", ["kill", "full"])
def test_no_step_is_lost_wherever_a_run_ends(tmp_path, unbroken, kind, how):
    for at in range(1, unbroken[kind][1] + 1):
        check_broken_at(tmp_path, unbroken, kind, how, at)


def check_broken_at(tmp_path, unbroken, kind, how, at):
    folder, said = tmp_path / f"{at}", tmp_path / "said"
    folder.mkdir()
    before = ran(folder, kind, said, at=at, how=how)
    check_going_on(folder, kind, before, unbroken, said)


@pytest.mark.parametrize("kind", ["run", "tiff"])
def test_one_run_can_be_killed_many_times(tmp_path, unbroken, kind):
    (tmp_path / "a").mkdir()
    before = ran(tmp_path / "a", kind, tmp_path / "said", at=unbroken[kind][1] // 2)
    for at in (3, 10, 20):
        said = ran(tmp_path / "a", kind, tmp_path / "said", resume=True, at=at)
        before = [*before, *said]
    check_going_on(tmp_path / "a", kind, before, unbroken, tmp_path / "said")
