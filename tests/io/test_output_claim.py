"""An unfinished output is gone on with by its own plan only, and never removed in silence."""

from __future__ import annotations

import json
import os

import pytest

from napari_diffusion.io.output_claim import OutputClaim, OutputInUse, PlanDiffers
from napari_diffusion.io.record_reader import beside

PLAN = {
    "recipe": {"diffusion_filter": {"time": 2, "smoothing": 0.5}, "seed": 1},
    "kept": (0, 2),
    "versions": {"napari-diffusion": "1"},
}


def claimed(folder, **options):
    return OutputClaim(folder / "a.zarr", folder / "a.partial.zarr", **options)


def left_unfinished(folder, plan=PLAN, notes=()):
    """Leave what a run leaves that was killed after it had noted something."""
    with claimed(folder, plan=plan) as claim:
        claim.partial.mkdir()
        (claim.partial / "zarr.json").write_text("{}")
        for note in notes:
            claim.note(note)
    return claim.partial


def content(folder):
    return {
        path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def names(folder):
    return sorted(path.name for path in folder.iterdir())


# Plans


def test_the_plan_stands_before_anything_is_written(tmp_path):
    with claimed(tmp_path, plan=PLAN) as claim:
        assert names(tmp_path) == [".a.partial.zarr.lock", "a.partial.zarr.plan.jsonl"]
        assert claim.standing_plan() is None
        claim.partial.mkdir()
        assert claim.standing_plan() == json.loads(json.dumps(PLAN))
        claim.publish()
    assert names(tmp_path) == ["a.zarr"]


def test_the_same_plan_goes_on_with_what_was_noted(tmp_path):
    left_unfinished(tmp_path, notes=[{"step": 0}, {"step": 2, "scale": [0.1, 1e-300]}])
    with claimed(tmp_path, plan=PLAN, resume=True) as claim:
        assert claim.resumed
        assert claim.notes == [{"step": 0}, {"step": 2, "scale": [0.1, 1e-300]}]
        claim.keep(1)
        claim.note({"step": 3})
    assert claimed(tmp_path, resume=True).standing_plan() == json.loads(json.dumps(PLAN))
    with claimed(tmp_path, plan=PLAN, resume=True) as claim:
        assert claim.notes == [{"step": 0}, {"step": 3}]


def test_without_anything_unfinished_it_simply_starts(tmp_path):
    with claimed(tmp_path, plan=PLAN, resume=True) as claim:
        assert not claim.resumed
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (
            {"recipe": {"diffusion_filter": {"time": 3, "smoothing": 0.5}, "seed": 1}},
            r"recipe\.diffusion_filter\.time is 2 in the unfinished run and 3 now: run it as",
        ),
        (
            {"recipe": {"diffusion_filter": {"time": 2}, "seed": 1}},
            r"recipe\.diffusion_filter\.smoothing is 0\.5 in the unfinished run and null now",
        ),
        ({"kept": (0, 3)}, r"kept\[1\] is 2 in the unfinished run and 3 now"),
        ({"kept": (0,)}, r"kept is \[0, 2\] in the unfinished run and \[0\] now"),
        ({"kept": (False, 2)}, r"kept\[0\] is 0 in the unfinished run and false now"),
        ({"more": "x"}, r'more is null in the unfinished run and "x" now'),
        ({"kept": (0, 3), "versions": {}}, r"kept\[1\] is 2 .* and 3 now \(1 more differ\)"),
        ({"kept": "a" * 1000}, r'and "a{79}… now'),
    ],
)
def test_the_first_difference_is_named_by_its_path(tmp_path, changed, words):
    left_unfinished(tmp_path, notes=[{"step": 0}])
    before = content(tmp_path)
    claim = claimed(tmp_path, plan=PLAN | changed, resume=True)
    for refused in (claim.check, claim.__enter__):
        with pytest.raises(PlanDiffers, match=words):
            refused()
    assert content(tmp_path) == before


def test_no_plan_goes_on_with_nothing(tmp_path):
    left_unfinished(tmp_path)
    before = content(tmp_path)
    with (
        pytest.raises(ValueError, match="takes the plan of the run"),
        claimed(tmp_path, resume=True),
    ):
        pass
    assert content(tmp_path) == before


# What is there already


def test_whole_steps_are_not_removed_unless_asked(tmp_path):
    partial = left_unfinished(tmp_path, notes=[{"step": 0}, {"step": 1}])
    before = content(tmp_path)
    words = "of which 2 steps are whole: --resume goes on with it, --overwrite starts again"
    for plan in (PLAN, None):
        claim = claimed(tmp_path, plan=plan)
        for refused in (claim.check, claim.__enter__):
            with pytest.raises(FileExistsError, match=words):
                refused()
    assert content(tmp_path) == before
    with claimed(tmp_path, plan=PLAN, overwrite=True) as claim:
        assert not partial.exists()
        assert claim.notes == []
    assert names(tmp_path) == []


def test_the_caller_says_what_is_whole(tmp_path):
    left_unfinished(tmp_path)
    with pytest.raises(FileExistsError, match="of which 137 chunks are whole"):
        claimed(tmp_path, plan=PLAN, whole=lambda: "137 chunks are").check()


def test_where_nothing_is_whole_nothing_is_asked(tmp_path):
    partial = left_unfinished(tmp_path)
    with claimed(tmp_path, plan=PLAN | {"kept": [1]}):
        assert not partial.exists()


def test_what_has_no_plan_is_replaced_on_request_only(tmp_path):
    partial = left_unfinished(tmp_path, plan=None)
    with pytest.raises(FileExistsError, match=r"partial\.zarr' exists; --overwrite"):
        claimed(tmp_path, plan=PLAN).check()
    with pytest.raises(FileExistsError, match="has no plan that can be read"):
        claimed(tmp_path, plan=PLAN, resume=True).check()
    with claimed(tmp_path, plan=PLAN, resume=True, overwrite=True) as claim:
        assert not claim.resumed
        assert not partial.exists()


def test_to_go_on_and_overwrite_replaces_the_old_output_at_the_end(tmp_path):
    left_unfinished(tmp_path)
    old = tmp_path / "a.zarr"
    old.mkdir()
    (old / "zarr.json").write_text("old")
    with pytest.raises(FileExistsError, match=r"a\.zarr' exists"):
        claimed(tmp_path, plan=PLAN, resume=True).check()
    with claimed(tmp_path, plan=PLAN, resume=True, overwrite=True) as claim:
        assert claim.resumed
        assert (old / "zarr.json").read_text() == "old"
        claim.publish()
    assert (old / "zarr.json").read_text() == "{}"
    assert names(tmp_path) == ["a.zarr"]


def test_a_second_run_harms_nothing(tmp_path):
    with claimed(tmp_path, plan=PLAN) as claim:
        claim.partial.mkdir()
        claim.note({"step": 0})
        before = content(tmp_path)
        for options in ({}, {"overwrite": True}, {"plan": PLAN, "resume": True}):
            with pytest.raises(OutputInUse, match=f"process {os.getpid()} on"):
                claimed(tmp_path, **options).check()
            with pytest.raises(OutputInUse), claimed(tmp_path, **options):
                pass
        assert content(tmp_path) == before


def test_an_error_releases_the_lock(tmp_path):
    with pytest.raises(KeyboardInterrupt), claimed(tmp_path, plan=PLAN):
        raise KeyboardInterrupt
    assert names(tmp_path) == []


def test_a_run_that_ends_between_two_names_goes_on(tmp_path):
    path, partial = tmp_path / "a.npy", tmp_path / "a.partial.npy"

    def claimed(**options):
        return OutputClaim(path, partial, apart=True, plan=PLAN, **options)

    with claimed() as claim:
        partial.write_text("image")
        beside(partial).write_text("record")
        claim.note({"step": 0})
        partial.rename(tmp_path / "away")
        with pytest.raises(FileNotFoundError):
            claim.publish()
        (tmp_path / "away").rename(partial)
    with pytest.raises(FileExistsError, match="1 step is whole"):
        claimed().check()
    with claimed(resume=True) as claim:
        assert claim.notes == [{"step": 0}]
        claim.publish()
    assert names(tmp_path) == ["a.npy", "a.npy.recipe.json"]
    assert beside(path).read_text() == "record"


# From strangers


BROKEN = {
    "empty": b"",
    "no JSON": b"{\n",
    "no plan": b'{"a": 1}\n',
    "a list": b'{"plan": [1]}\n',
    "not ended": b'{"plan": {}}',
    "deep": b'{"plan": ' + b"[" * 100_000 + b"\n",
    "digits": b'{"plan": {"a": ' + b"9" * 10_000 + b"}}\n",
    "no text": b"\xff\xfe\0\n",
    "zeros": bytes(5000),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_plan_that_cannot_be_read_is_none(tmp_path, name):
    left_unfinished(tmp_path)
    path = tmp_path / "a.partial.zarr.plan.jsonl"
    path.write_bytes(BROKEN[name])
    with pytest.raises(FileExistsError, match="exists; --overwrite replaces it"):
        claimed(tmp_path, plan=PLAN, resume=True).check()
    assert path.read_bytes() == BROKEN[name]
    with claimed(tmp_path, plan=PLAN, overwrite=True) as claim:
        claim.note({"step": 1})
    assert names(tmp_path) == []


def test_a_plan_without_an_end_is_not_read(tmp_path):
    left_unfinished(tmp_path)
    path = tmp_path / "a.partial.zarr.plan.jsonl"
    with path.open("r+b") as file:
        file.truncate(1 << 40)
    with pytest.raises(FileExistsError, match="jsonl' exists"):
        claimed(tmp_path, plan=PLAN, resume=True).check()


@pytest.mark.parametrize(
    "tail", [b'{"note": {"step"', b'{"note": 3}\n', b"\0\0\n", b'{"n": 1}\n{}\n']
)
def test_a_note_that_was_not_written_whole_does_not_count(tmp_path, tail):
    left_unfinished(tmp_path, notes=[{"step": 0}])
    path = tmp_path / "a.partial.zarr.plan.jsonl"
    with path.open("ab") as file:
        file.write(tail)
    with claimed(tmp_path, plan=PLAN, resume=True) as claim:
        assert claim.notes == [{"step": 0}]
        claim.note({"step": 1})
    with claimed(tmp_path, plan=PLAN, resume=True) as claim:
        assert claim.notes == [{"step": 0}, {"step": 1}]


@pytest.mark.skipif(os.name == "nt", reason="needs links")
@pytest.mark.parametrize(
    "name", ["a.partial.zarr.plan.jsonl", "a.partial.zarr.plan.jsonl.unfinished"]
)
def test_nothing_is_written_through_a_link(tmp_path, name):
    target = tmp_path / "mine.txt"
    target.write_text('{"plan": {}}\n')
    (tmp_path / name).symlink_to(target)
    with claimed(tmp_path, plan=PLAN, overwrite=True) as claim:
        claim.note({"step": 0})
    assert target.read_text() == '{"plan": {}}\n'


@pytest.mark.skipif(os.name == "nt", reason="needs links")
@pytest.mark.parametrize("where", ["", "steps", "steps/0000"])
def test_an_unfinished_output_that_leads_elsewhere_is_refused(tmp_path, where):
    partial = left_unfinished(tmp_path)
    elsewhere = tmp_path / "mine"
    if where:
        elsewhere.mkdir()
        (partial / where).parent.mkdir(exist_ok=True)
    else:
        partial.rename(elsewhere)
    (partial / where).symlink_to(elsewhere)
    with pytest.raises(FileExistsError, match="is a link, which no output holds"):
        claimed(tmp_path, plan=PLAN, resume=True).check()


def test_control_characters_of_a_plan_are_not_shown(tmp_path):
    left_unfinished(tmp_path, plan={"\x1b[2J": "\x1b]0;a\x07", "deep": 1})
    with pytest.raises(PlanDiffers) as caught:
        claimed(tmp_path, plan={"deep": 1}, resume=True).check()
    assert "\x1b" not in str(caught.value)
