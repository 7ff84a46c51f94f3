"""The preferences: each takes effect at the next run."""

from __future__ import annotations

import importlib.util

import pytest

pytest.importorskip("napari")

from napari.settings import get_plugin_settings
from npe2 import PluginManifest
from qtpy.QtCore import QObject

from napari_diffusion.engine.jit import kernel
from napari_diffusion.engine.kernel_folder import keep_kernels_in
from napari_diffusion.engine.threads import Threads, use_threads
from napari_diffusion.io import memory as machine
from napari_diffusion.widgets.run import memory, preferences
from napari_diffusion.widgets.run.preferences import DEFAULTS, PLUGIN
from napari_diffusion.widgets.run.worker import Worker


@pytest.fixture
def manifest():
    return PluginManifest.from_distribution(PLUGIN)


@pytest.fixture(autouse=True)
def settings(plugin_settings, npe2pm, manifest, monkeypatch):
    """Register the plugin, and return the path of its settings."""
    npe2pm.register(manifest)
    monkeypatch.setattr(preferences, "_SAID", set())
    yield
    use_threads(None)
    keep_kernels_in("")


def runs():
    return get_plugin_settings(PLUGIN).runs


def in_a_run(function, qtbot):
    """Return what a function returns that is called by the work of a run."""
    found = []
    parent = QObject()
    worker = Worker(lambda worker: found.append(function()), parent)
    worker.start()
    qtbot.waitUntil(lambda: not worker.is_running)
    return found[0]


def write(tmp_path, text):
    (tmp_path / f"{PLUGIN}.yaml").write_text(text)


def test_the_defaults_are_those_of_the_manifest(manifest, said):
    properties = manifest.contributions.configurations["runs"].properties
    assert {name: each.default for name, each in properties.items()} == vars(DEFAULTS)
    for each in properties.values():
        assert each.title
        assert each.description.endswith(".")
        assert each.type == "string" or each.minimum is not each.maximum is not None
    assert preferences.preferences() == DEFAULTS
    assert not said


def test_threads(qtbot):
    usual = in_a_run(lambda: Threads().count, qtbot)
    runs().threads = usual + 3
    assert in_a_run(lambda: Threads().count, qtbot) == usual + 3
    runs().threads = 0
    assert in_a_run(lambda: Threads().count, qtbot) == usual


def test_the_memory_limit(monkeypatch):
    monkeypatch.setattr(machine, "free_memory", lambda: 8_000_000_000)
    assert memory.free_memory() == 8_000_000_000
    runs().memory_limit = 0.5
    assert memory.free_memory() == 500_000_000
    runs().memory_limit = 16
    assert memory.free_memory() == 8_000_000_000


def test_most_layers():
    assert memory.chosen_result("auto", 30) == "layers"
    runs().most_layers = 4
    assert memory.chosen_result("auto", 4) == "layers"
    assert memory.chosen_result("auto", 5) == "stack"


def module_with_a_kernel(folder, name):
    path = folder / f"{name}.py"
    path.write_text("def doubled(x):\n    return 2 * x\n")
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return kernel(module.doubled)


def test_the_cache_folder(qtbot, tmp_path, said):
    before, after = tmp_path / "before", tmp_path / "after"
    before.mkdir()
    doubled = module_with_a_kernel(before, "some_kernels")
    runs().cache_folder = str(after)
    # A kernel that was there before goes to the new folder too, once it is compiled.
    assert in_a_run(lambda: doubled(2.0), qtbot) == 4.0
    assert list(after.rglob("*.nbc"))
    assert not list(before.rglob("*.nbc"))
    runs().cache_folder = ""
    assert in_a_run(lambda: doubled(2), qtbot) == 4
    assert list(before.rglob("*.nbc"))
    assert not said


def test_a_cache_folder_that_cannot_be_written(qtbot, tmp_path, said):
    (tmp_path / "file").write_text("")
    runs().cache_folder = str(tmp_path / "file")
    before = tmp_path / "before"
    before.mkdir()
    for number in range(2):
        assert in_a_run(lambda: module_with_a_kernel(before, "more_kernels")(1), qtbot) == 2, number
    (sentence,) = said
    assert str(tmp_path / "file") in sentence
    assert "cannot be written" in sentence


@pytest.mark.parametrize(
    ("written", "said_of_it"),
    [
        ("threads: 5000", "'Threads' cannot be 5000: its default, 0,"),
        ("most_layers: many", "'Most layers of a run' cannot be 'many': its default, 30,"),
        ("memory_limit: -1", "'Memory limit in GB' cannot be -1: its default, 0.0,"),
    ],
)
def test_a_value_out_of_range_is_said_once(tmp_path, said, written, said_of_it):
    write(tmp_path, f"runs:\n  {written}\n")
    assert preferences.preferences() == preferences.preferences() == DEFAULTS
    (sentence,) = said
    assert said_of_it in sentence


def test_preferences_that_cannot_be_read_are_said_once(tmp_path, said):
    write(tmp_path, "runs: [")
    assert preferences.preferences() == preferences.preferences() == DEFAULTS
    (sentence,) = said
    assert "cannot be read" in sentence


def test_one_value_that_is_right_is_kept_beside_one_that_is_wrong(tmp_path, said):
    write(tmp_path, "runs:\n  threads: 2\n  most_layers: 0\n")
    assert preferences.preferences() == preferences.Preferences(threads=2)
    assert len(said) == 1


def test_without_the_plugin_the_defaults_hold(npe2pm):
    npe2pm.unregister(PLUGIN)
    assert preferences.preferences() == DEFAULTS
