"""Runs as napari knows them: its task manager, its activity area, its closing window."""

from __future__ import annotations

import gc
import threading
import weakref

import numpy as np
import pytest

pytest.importorskip("napari")

from dock_driver import click_run, face, made, wait
from napari._qt.qt_main_window import _QtMainWindow
from napari.utils.progress import progress
from qtpy.QtCore import QCoreApplication, QEvent, QObject, QThreadPool
from qtpy.QtGui import QCloseEvent
from qtpy.QtWidgets import QDialog

from napari_diffusion.widgets.run.activity import Activity
from napari_diffusion.widgets.run.background import Background
from napari_diffusion.widgets.run.worker import Worker


@pytest.fixture(autouse=True)
def _no_bar_is_left():
    yield
    assert not progress._all_instances


def manager(viewer):
    return viewer.window._task_status_manager


def descriptions():
    return [bar.desc.removesuffix(": ") for bar in progress._all_instances]


def mid_run(viewer, loop, qtbot, gate):
    click_run(loop)
    gate.let(2)
    qtbot.waitUntil(lambda: len(made(viewer)) == 2)
    qtbot.waitUntil(lambda: len(progress._all_instances) == 1)


class SpontaneousClose(QCloseEvent):
    """A click on the window's own close button."""

    def spontaneous(self):
        return True


def click_close(viewer, monkeypatch, answer):
    """Close the window as its user would, and return what napari asked."""
    asked = []

    class Dialog:
        def __init__(self, parent, extra_info="", **options):
            asked.append(extra_info)

        def exec_(self):
            return answer

    monkeypatch.setattr("napari._qt.qt_main_window.ConfirmCloseDialog", Dialog)
    event = SpontaneousClose()
    _QtMainWindow.closeEvent(viewer.window._qt_window, event)
    return asked, event.isAccepted()


def test_the_task_manager_is_busy_in_mid_run_and_free_after(open_loop, qtbot, gate):
    viewer, loop = open_loop(face())
    assert not manager(viewer).is_busy()
    mid_run(viewer, loop, qtbot, gate)
    assert manager(viewer).is_busy()
    assert manager(viewer).get_status() == ["napari-worker: Executing Diffusion loop on 'face'"]
    gate.let(3)
    wait(loop, qtbot)
    qtbot.waitUntil(lambda: not manager(viewer).is_busy())


@pytest.mark.parametrize("agrees", [True, False])
def test_closing_the_window_in_mid_run_asks(open_loop, qtbot, gate, monkeypatch, agrees):
    viewer, loop = open_loop(face(), show=True)
    mid_run(viewer, loop, qtbot, gate)
    answer = QDialog.DialogCode.Accepted if agrees else QDialog.DialogCode.Rejected
    asked, closes = click_close(viewer, monkeypatch, answer)
    # napari may ask for the layers too, as it is set.
    assert "Executing" in asked[0]
    assert closes is agrees
    if agrees:
        assert loop.runner.worker.join(10)
        viewer.close()
    else:
        gate.let(3)
        wait(loop, qtbot)
        assert len(made(viewer)) == 5


def test_closing_an_idle_window_asks_nothing_of_a_run(open_loop, qtbot, monkeypatch):
    viewer, loop = open_loop(face(), show=True)
    click_run(loop)
    wait(loop, qtbot)
    qtbot.waitUntil(lambda: not manager(viewer).is_busy())
    asked, _ = click_close(viewer, monkeypatch, QDialog.DialogCode.Rejected)
    # napari's own setting may ask for the layers; of a run there is nothing to say.
    assert not any(asked)


def test_the_bar_says_how_far_the_run_is_and_goes(open_loop, qtbot, gate):
    viewer, loop = open_loop(face())
    mid_run(viewer, loop, qtbot, gate)
    (bar,) = progress._all_instances
    assert bar.total == 5
    qtbot.waitUntil(lambda: bar.n == 2)
    assert descriptions() == ["Diffusion loop on 'face': step 2 of 5"]
    gate.let(3)
    wait(loop, qtbot)
    assert not progress._all_instances


def test_short_work_shows_no_bar(make_napari_viewer, qtbot):
    make_napari_viewer()
    parent, activity = QObject(), Activity("face", 3, "step", lambda: None)
    worker = Worker(lambda worker: None, parent, "face", activity)
    worker.ended.connect(lambda error: activity.show(3))
    worker.start()
    qtbot.wait(600)
    assert not worker.is_running
    assert not progress._all_instances


def test_a_bar_that_is_drawn_slowly_is_drawn_once(make_napari_viewer, qtbot, monkeypatch):
    make_napari_viewer()
    parent, activity = QObject(), Activity("face", 3, "step", lambda: None)

    def slowly(event):
        # As napari does: whatever is due is done while a bar appears.
        activity.show(1)
        qtbot.wait(700)

    progress._all_instances.events.changed.connect(slowly)
    try:
        activity.open(parent)
        qtbot.wait(900)
    finally:
        progress._all_instances.events.changed.disconnect(slowly)
    qtbot.waitUntil(lambda: len(progress._all_instances) == 1)
    activity.close()


def test_cancel_in_the_activity_area_cancels_the_run(open_loop, qtbot, gate):
    viewer, loop = open_loop(face())
    mid_run(viewer, loop, qtbot, gate)
    (bar,) = progress._all_instances
    bar.cancel()
    wait(loop, qtbot)
    assert "Cancelled: 2 steps kept" in loop.controls.message.sentence
    assert loop.runner.worker.join(10)


def test_a_failed_run_leaves_neither_bar_nor_task(open_loop, qtbot, monkeypatch):
    def broken(*args, **options):
        raise ZeroDivisionError

    monkeypatch.setattr("napari_diffusion.widgets.run.loop_run.steps", broken)
    viewer, loop = open_loop(face())
    click_run(loop)
    wait(loop, qtbot)
    assert "ZeroDivisionError" in loop.controls.message.sentence
    qtbot.waitUntil(lambda: not manager(viewer).is_busy())


@pytest.mark.parametrize("how", ["dock", "window"])
def test_what_is_closed_in_mid_run_leaves_no_bar(open_loop, qtbot, gate, how):
    viewer, loop = open_loop(face(), show=True)
    mid_run(viewer, loop, qtbot, gate)
    worker = loop.runner.worker
    if how == "dock":
        viewer.window.remove_dock_widget(loop.native)
    else:
        viewer.close()
    assert not progress._all_instances
    assert worker.join(10)


def test_the_preview_closes_without_a_question(make_napari_viewer, qtbot):
    viewer = make_napari_viewer()
    parent, entered = QObject(), threading.Event()

    def work(worker):
        entered.set()
        worker.stop.wait(10)

    worker = Worker(work, parent)
    worker.start()
    assert entered.wait(10)
    assert not manager(viewer).is_busy()
    worker.drop()
    assert worker.join(10)


def test_the_task_manager_keeps_nothing_of_what_a_run_read(make_napari_viewer, qtbot):
    viewer = make_napari_viewer()
    parent = QObject()

    class Values:
        pass

    values = Values()
    kept = weakref.ref(values)

    def work(worker, values=values):
        worker.post(values is not None)

    worker = Worker(work, parent, "face")
    ends = []
    worker.ended.connect(ends.append)
    worker.start()
    qtbot.waitUntil(lambda: ends == [None])
    del worker, work, values
    qtbot.waitUntil(lambda: not manager(viewer).is_busy())
    gc.collect()
    assert kept() is None


def test_work_that_waits_takes_no_thread_from_others(make_napari_viewer, qtbot):
    make_napari_viewer()
    parent, gate, entered = QObject(), threading.Event(), []
    count = QThreadPool.globalInstance().maxThreadCount() + 3

    def work(worker):
        entered.append(1)
        gate.wait(30)

    workers = [Worker(work, parent, "waits") for _ in range(count)]
    for worker in workers:
        worker.start()
    try:
        qtbot.waitUntil(lambda: len(entered) == count, timeout=10_000)
    finally:
        gate.set()
    qtbot.waitUntil(lambda: not any(worker.is_running for worker in workers))
    assert all(worker.join(10) for worker in workers)


def test_a_parent_that_goes_frees_work_that_awaits_its_turn(make_napari_viewer, qtbot):
    make_napari_viewer()
    owner = QObject()
    activity = Activity("face", 0, "step", lambda: None)
    shown = threading.Event()

    def work(worker):
        shown.wait(10)
        worker.post(1, in_turn=True)

    worker = Worker(work, owner, "face", activity)
    worker.posted.connect(lambda news: pytest.fail("delivered to what is gone"))
    worker.start()
    qtbot.waitUntil(lambda: len(progress._all_instances) == 1)
    shown.set()
    assert not worker.join(0.1)
    owner.deleteLater()
    QCoreApplication.sendPostedEvents(owner, QEvent.Type.DeferredDelete)
    assert worker.stop.is_set()
    assert worker.join(10)
    worker.drop()
    worker.cancel()


def test_a_warning_in_a_thread_leaves_the_filters_as_they_are(make_napari_viewer, qtbot):
    import warnings

    make_napari_viewer()
    before, shown = list(warnings.filters), warnings.showwarning
    parent, seen = QObject(), []
    worker = Worker(lambda worker: seen.append(list(warnings.filters)), parent, "face")
    worker.start()
    qtbot.waitUntil(lambda: not worker.is_running)
    assert seen == [before]
    assert list(warnings.filters) == before
    assert warnings.showwarning is shown


def test_a_dock_that_goes_while_it_measures_leaves_no_word(make_napari_viewer, qtbot, capfd):
    viewer = make_napari_viewer()
    owner, heard, entered = QObject(), [], threading.Event()
    background = Background(lambda *what: heard.append(what), lambda: None, owner)

    def work(token):
        yield 1
        entered.set()
        token.wait(10)
        yield 2

    background.start(work, lambda each: None, lambda result: None)
    assert manager(viewer).is_busy()
    assert entered.wait(10)
    background.drop()
    owner.deleteLater()
    owner = None
    viewer.close()
    qtbot.wait(50)
    background.wait(10)
    assert heard == []
    assert "aborted thread" not in capfd.readouterr().err


def test_stopped_work_of_a_dock_says_so(make_napari_viewer, qtbot):
    make_napari_viewer()
    owner, heard = QObject(), []
    background = Background(lambda *what: heard.append(what), lambda: None, owner)

    def work(token):
        for place in range(1000):
            yield place
            token.wait(0.01)
            if token.is_set():
                return np.zeros(1)
        return None

    background.start(work, lambda each: None, lambda result: heard.append("done"), total=1000)
    qtbot.waitUntil(lambda: any("step" in each for each in descriptions()))
    background.stop()
    qtbot.waitUntil(lambda: not background.is_running)
    assert heard == [("Stopped.", False)]
    background.wait(10)
