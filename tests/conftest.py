"""Fixtures that several test files share."""

from __future__ import annotations

import functools
import sys
import threading

import pytest
import warm_kernels

import napari_diffusion as nd


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session):
    """Compile the kernels once, before the processes begin that share the whole suite."""
    config = session.config
    processes = getattr(config.option, "numprocesses", None)
    selected = config.option.keyword or set(config.args) != set(config.getini("testpaths"))
    if not processes or hasattr(config, "workerinput") or selected:
        return
    key = warm_kernels.key()
    if config.cache.get("napari-diffusion/kernels", None) != key:
        reporter = config.pluginmanager.get_plugin("terminalreporter")
        reporter.write_line("compiling the kernels")
        warm_kernels.compile_all(processes)
        config.cache.set("napari-diffusion/kernels", key)


@pytest.fixture(autouse=True)
def _own_settings(monkeypatch, tmp_path):
    """Keep the tests away from the recipes and the preferences that the user has saved."""
    monkeypatch.setenv("NAPARI_DIFFUSION_CONFIG", str(tmp_path / "recipes"))
    # The processors belong to the tests: docks compile nothing ahead unless one asks for it.
    monkeypatch.setenv("NAPARI_DIFFUSION_WARMING", "0")
    if settings := sys.modules.get("napari.settings"):
        monkeypatch.setattr(settings, "_CFG_PATH", str(tmp_path / "settings.yaml"))


@pytest.fixture
def qtbot(qtbot):
    """Return pytest-qt's robot, patient: the first run of all compiles its kernels."""
    qtbot.waitUntil = functools.partial(qtbot.waitUntil, timeout=60_000)
    return qtbot


@pytest.fixture
def open_dock(make_napari_viewer, qtbot):
    """Return a function that opens a viewer with some layers and a dock, by its title."""

    def opened(title, *layers, show=False):
        viewer = make_napari_viewer(show=show)
        for layer in layers:
            viewer.add_layer(layer)
        _, dock = viewer.window.add_plugin_dock_widget("napari-diffusion", title)
        docks.append(dock)
        return viewer, dock

    docks = []
    yield opened
    for dock in docks:
        dock.runner.drop()
        if dock.runner.worker is not None:
            assert dock.runner.worker.join(30), "the thread of a run has not ended"


@pytest.fixture
def open_loop(open_dock):
    """Return a function that opens a viewer with some layers and the dock, as a user would."""
    return functools.partial(open_dock, "Diffusion loop")


@pytest.fixture
def open_steps(make_napari_viewer, qtbot):
    """Return a function that opens a viewer with some layers and the dock *Steps*."""
    docks = []

    def opened(*layers, show=False):
        from napari_diffusion.widgets.steps.steps import Steps

        viewer = make_napari_viewer(show=show)
        for layer in layers:
            viewer.add_layer(layer)
        dock = Steps(viewer)
        viewer.window.add_dock_widget(dock, name="Steps")
        docks.append(dock)
        return viewer, dock

    yield opened
    for dock in docks:
        dock.let_go(closed=True)
        dock.wait(30)


class Gate:
    """Lets the steps of a run pass one by one."""

    def __init__(self):
        self._passes = threading.Semaphore(0)

    def let(self, count):
        """Let so many more steps pass."""
        for _ in range(count):
            self._passes.release()

    def steps(self, image, recipe, *, first_step=0, stop=None, **options):
        """Yield the loop's steps, each computed when it is let pass."""
        made = nd.steps(image, recipe, first_step=first_step, stop=stop, **options)
        if stop is None:  # the scrap that warms the kernels
            yield from made
            return
        for _ in range(first_step, recipe.total_steps + 1):
            while not self._passes.acquire(timeout=0.01):
                if stop.is_set():
                    raise nd.Stopped
            yield next(made)


@pytest.fixture
def gate(monkeypatch):
    """Return the gate that every run of the test goes through."""
    gate = Gate()
    monkeypatch.setattr("napari_diffusion.widgets.run.loop_run.steps", gate.steps)
    return gate


@pytest.fixture
def said(monkeypatch):
    """Return what napari's notifications have said, as it grows."""
    sentences = []
    for kind in ("error", "warning"):
        monkeypatch.setattr(f"napari.utils.notifications.show_{kind}", sentences.append)
    return sentences
