"""The command line says that it compiles, where somebody waits for it."""

from __future__ import annotations

import contextlib

import pytest

from napari_diffusion.cli.compiling_note import compiling_note
from napari_diffusion.engine import compiling


@pytest.fixture
def told(monkeypatch, capsys):
    """Return a function that compiles kernels at some seconds, and returns what is written."""

    def told(seconds, quiet=False):
        @contextlib.contextmanager
        def watched(watcher):
            for each in seconds:
                watcher(each)
            yield

        monkeypatch.setattr(compiling, "watched", watched)
        with compiling_note(quiet):
            pass
        out, err = capsys.readouterr()
        assert out == ""
        return err.splitlines()

    return told


def test_a_long_first_run_says_why_once(told):
    assert told([0.0, 0.5, 1.2, 3.0]) == [
        "Compiling (first run only) …",
        "Compiled 4 kernels; the next run starts at once.",
    ]


def test_nothing_is_said_of_a_moment(told):
    assert told([]) == []
    assert told([0.0, 0.9]) == []


def test_quiet_is_quiet(told):
    assert told([0.0, 5.0], quiet=True) == []
