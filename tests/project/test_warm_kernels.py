"""The processes that compile the kernels before a suite share the work."""

from __future__ import annotations

import sys
import types

import pytest
import warm_kernels


@pytest.fixture
def made(monkeypatch):
    """Return the rows made so far, of a table of two filters and a store."""
    done = []
    rows = {
        "filter/Heat()/2d": "heat",
        "filter/Heat(time=2)/2d": "more heat",
        "filter/Median()/2d": "median",
        "noise/Gaussian()/2d": "noise",
        "store/grey.png/.npy": "store",
    }

    def make(row):
        done.append(row)
        if row == "heat":
            raise ValueError("what is wrong is for the tests to say")

    table = types.SimpleNamespace(rows=lambda: rows, made=make)
    monkeypatch.setitem(sys.modules, "frozen_results", table)
    return done


def test_one_process_compiles_all_that_has_kernels(made, tmp_path):
    warm_kernels.take_turns(tmp_path, 0)
    assert made == ["heat", "more heat", "median", "noise"]


def test_the_other_process_begins_at_the_end(made, tmp_path):
    warm_kernels.take_turns(tmp_path, 1)
    assert made == ["noise", "median", "heat", "more heat"]


def test_what_one_has_taken_the_other_leaves(made, tmp_path):
    (tmp_path / "filter Heat").touch()
    warm_kernels.take_turns(tmp_path, 1)
    assert made == ["noise", "median"]


def test_the_key_changes_with_what_is_compiled(monkeypatch):
    before = warm_kernels.key()
    assert warm_kernels.key() == before
    monkeypatch.setattr(warm_kernels.numba.config, "CACHE_DIR", "/elsewhere")
    assert warm_kernels.key() != before


class Config:
    """What pytest tells of a run of the whole suite in two processes."""

    def __init__(self, args=("tests",), numprocesses=2, keyword=""):
        self.args, self.kept = list(args), {}
        self.option = types.SimpleNamespace(numprocesses=numprocesses, keyword=keyword)
        self.cache = types.SimpleNamespace(get=self.kept.get, set=self.kept.__setitem__)
        reporter = types.SimpleNamespace(write_line=str)
        self.pluginmanager = types.SimpleNamespace(get_plugin=lambda name: reporter)

    def getini(self, name):
        return ["tests"]


@pytest.fixture
def begin(monkeypatch, pytestconfig):
    """Return a function that begins a session, and says in how many processes it compiles."""
    (conftest,) = (
        plugin
        for plugin in pytestconfig.pluginmanager.get_plugins()
        if getattr(plugin, "__file__", "").endswith("tests/conftest.py")
    )
    compiled = []
    monkeypatch.setattr(warm_kernels, "compile_all", compiled.append)

    def begun(config):
        compiled.clear()
        conftest.pytest_sessionstart(types.SimpleNamespace(config=config))
        return compiled

    return begun


def test_before_the_whole_suite_kernels_are_compiled_once(begin, monkeypatch):
    config = Config()
    assert begin(config) == [2]
    assert begin(config) == []
    monkeypatch.setattr(warm_kernels, "key", lambda: "edited")
    assert begin(config) == [2]


@pytest.mark.parametrize(
    "more", [{"args": ["tests/core"]}, {"numprocesses": None}, {"keyword": "heat"}]
)
def test_a_few_tests_compile_what_they_need(begin, more):
    assert begin(Config(**more)) == []


def test_a_process_that_shares_the_suite_compiles_nothing(begin):
    config = Config()
    config.workerinput = {}
    assert begin(config) == []
