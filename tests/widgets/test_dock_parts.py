"""The parts of the dock that can be had without a viewer."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

pytest.importorskip("napari")

from napari.layers import Image
from qtpy.QtCore import QObject

import napari_diffusion as nd
from napari_diffusion.io.cast import Cast
from napari_diffusion.io.memory import AT_WORK
from napari_diffusion.widgets.layers.layer_axes import Fold, along_of, axes_of, spacing_of, unit_of
from napari_diffusion.widgets.layers.layer_names import step_name
from napari_diffusion.widgets.results.extract_steps import places_named
from napari_diffusion.widgets.run import memory, memory_check
from napari_diffusion.widgets.run.memory import Need, chosen_result, ordinal, written_bytes
from napari_diffusion.widgets.run.result_choice import ResultChoice, need_words
from napari_diffusion.widgets.run.run_controls import Clock, RunControls, written_seconds
from napari_diffusion.widgets.run.run_request import Job
from napari_diffusion.widgets.run.worker import Worker

RANDOM = np.random.default_rng(5)


# --- axes ---


@pytest.mark.parametrize(
    ("shape", "options", "axes"),
    [
        ((5, 6), {}, "yx"),
        ((4, 5, 6), {}, "zyx"),
        ((3, 4, 5, 6), {}, "tzyx"),
        ((2, 3, 4, 5, 6), {}, "tczyx"),
        ((2, 2, 3, 4, 5, 6), {}, "?tczyx"),
        ((5, 6, 3), {"rgb": True}, "yxc"),
        ((4, 5, 6, 3), {"rgb": True}, "zyxc"),
        ((2, 2, 4, 5, 6, 4), {"rgb": True}, "?tzyxc"),
        ((4, 5, 6), {"axis_labels": ("time", "Y", "x")}, "tyx"),
        ((4, 5, 6), {"axis_labels": ("Channel", "row", "col")}, "cyx"),
        ((4, 5, 6), {"axis_labels": ("step", "y", "x")}, "?yx"),
        ((4, 5, 6), {"axis_labels": ("y", "y", "x")}, "?yx"),
        ((4, 5, 6), {"axis_labels": ("Z [um]", "lat", "lon")}, "zyx"),
        ((4, 5, 6), {"axis_labels": ("dim_0", "dim_1", "dim_2")}, "zyx"),
        ((4, 5, 6, 3), {"axis_labels": ("c", "y", "x"), "rgb": True}, "?yxc"),
        ((4, 5, 6), {"axis_labels": ("x", "y", "z")}, "xyz"),
    ],
)
def test_axes_are_read_from_labels_or_from_their_number(shape, options, axes):
    assert axes_of(Image(np.zeros(shape, np.uint8), **options)) == axes


def test_lengths_are_in_the_unit_of_the_last_axis():
    layer = Image(np.zeros((4, 5, 6)), scale=(2, 500, 500), units=("um", "nm", "nm"))
    assert spacing_of(layer, "zyx", "zyx") == (2000.0, 500.0, 500.0)
    assert unit_of(layer, "zyx", "zyx") == "nm"
    # An axis that is not a length keeps its own number.
    movie = Image(np.zeros((4, 5, 6)), scale=(3, 0.1, 0.1), units=("s", "um", "um"))
    assert spacing_of(movie, "tyx", "tyx") == (3.0, 0.1, 0.1)
    assert spacing_of(movie, "tyx", "yx") == (0.1, 0.1)


def test_lengths_are_positive_and_count_the_affine():
    flipped = Image(np.zeros((5, 6)), scale=(-0.1, 0.3))
    assert spacing_of(flipped, "yx", "yx") == (0.1, 0.3)
    affine = np.diag([2.0, 4.0, 1.0])
    enlarged = Image(np.zeros((5, 6)), scale=(0.5, 0.25), affine=affine)
    np.testing.assert_allclose(spacing_of(enlarged, "yx", "yx"), (1.0, 1.0))
    rotated = Image(np.zeros((5, 6)), scale=(0.5, 0.25), rotate=90)
    assert spacing_of(rotated, "yx", "yx") == (0.5, 0.25)


@pytest.mark.parametrize("letters", ["yx", "?yx", "??zyx", "?t?cyx", "c?tyx", "t?yxc"])
def test_folding_and_back_gives_the_same_array(letters):
    array = RANDOM.random(tuple(range(2, 2 + len(letters))))
    fold = Fold(letters, array.shape)
    folded = fold.folded(array)
    assert len(fold.axes) == folded.ndim
    assert set(fold.axes) <= set("tczyx")
    np.testing.assert_array_equal(fold.unfolded(folded), array)


def test_a_folded_image_is_one_of_the_images_that_were_there():
    array = RANDOM.random((2, 3, 4, 5))
    fold = Fold("?tyx", array.shape)
    np.testing.assert_array_equal(fold.folded(array)[1 * 3 + 2], array[1, 2])
    part = (slice(1, 2), slice(2, 3), slice(1, 4), slice(0, 2))
    np.testing.assert_array_equal(fold.unfolded(fold.folded(array)[fold.region(part)]), array[part])


def test_what_diffuses_by_default_is_space():
    assert along_of("tczyx") == "zyx"
    assert along_of("tyxc") == "yx"


# --- casts ---


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [
        (np.uint8, [0, 0, 2, 2, 255]),
        (np.uint16, [0, 0, 2, 2, 300]),
        (np.int16, [-5, 0, 2, 2, 300]),
        (np.float32, [0.0, 0.0, 1.0, 1.0, 1.0]),
    ],
)
def test_values_are_clipped_and_rounded_half_to_even(dtype, expected):
    cast = Cast.to_colours(np.zeros(3, dtype))
    out = cast(np.array([-5.0, 0.0, 1.5, 2.5, 300.0], np.float32))
    assert out.dtype == dtype
    np.testing.assert_array_equal(out, np.array(expected, dtype))


def test_float_colours_that_go_beyond_one_are_not_clipped():
    cast = Cast.to_colours(np.array([0.0, 200.0]))
    np.testing.assert_array_equal(cast(np.array([-1.0, 255.5])), [-1.0, 255.5])
    assert cast.record() == {"dtype": "float64", "clipped": None, "rounded": False}
    assert Cast.recorded(cast.record()) == cast
    whole = Cast.to_colours(np.zeros(1, np.uint8))
    assert Cast.recorded(whole.record()) == whole


def test_a_cast_leaves_its_input_alone():
    values = np.array([-5.0, 300.7])
    Cast.to_colours(np.zeros(1, np.uint8))(values)
    np.testing.assert_array_equal(values, [-5.0, 300.7])


# --- memory ---


def job(num_steps=100, shape=(100, 100), dtype=np.float32, **options):
    return Job(
        data=np.zeros(shape, dtype),
        fold=Fold("yx", shape),
        options={"axes": "yx"},
        recipe=nd.Recipe(num_steps=num_steps, starting_noise_scale=0.1),
        source_name="face",
        **options,
    )


def test_the_need_counts_source_work_and_steps():
    need = memory_check.need_of(job(), "stack")
    assert need.step_bytes == 40_000
    assert need.work_bytes == 40_000 * (2 + AT_WORK)
    assert need.memory == need.work_bytes + 100 * 40_000
    wide = memory_check.need_of(job(dtype=np.float64), "stack")
    assert wide.memory == 2 * need.memory
    small = memory_check.need_of(job(region=(slice(0, 10), slice(None))), "stack")
    assert small.step_bytes == 4_000


def test_a_stack_on_disk_needs_memory_for_the_work_alone():
    need = memory_check.need_of(job(), "stack on disk")
    assert (need.memory, need.disk) == (need.work_bytes, 100 * 40_000)
    assert memory_check.need_of(job(), "auto").disk == 0


def test_fewer_steps_fit_and_leave_room():
    need = Need(step_bytes=10, work_bytes=100, num_kept=50, on_disk=False)
    assert need.steps_that_fit(1000) == 70
    assert need.steps_that_fit(100) == 0


def test_what_would_fit_is_offered(monkeypatch):
    taken = []
    show, fewer = (lambda *kept: taken.append(kept)), taken.append
    monkeypatch.setattr(memory, "free_memory", lambda: 2_000_000)
    made = memory_check.offers(job(), "stack", show, fewer)
    assert [offer.text for offer in made] == ["Stack on disk", "Every 4th step", "33 steps"]
    for offer in made:
        offer.take()
    assert taken == [("stack on disk", 1), ("stack", 4), 33]


def test_nothing_is_offered_where_nothing_fits(monkeypatch):
    monkeypatch.setattr(memory, "free_memory", lambda: 1000)
    assert memory_check.offers(job(), "stack", lambda *_: None, lambda *_: None) == []


def test_auto_is_layers_up_to_thirty():
    assert chosen_result("auto", 30) == "layers"
    assert chosen_result("auto", 31) == "stack"
    assert chosen_result("layers", 200) == "layers"


def test_free_memory_and_disk_are_numbers_of_this_machine():
    assert memory.free_memory() > 10_000_000
    assert memory.free_disk() > 0


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1 kB"), (2_340_000, "2.3 MB"), (141e9, "141 GB")],
)
def test_bytes_in_words(count, text):
    assert written_bytes(count) == text


@pytest.mark.parametrize(
    ("number", "text"), [(1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (22, "22nd")]
)
def test_ordinals(number, text):
    assert ordinal(number) == text


# --- which steps ---


def test_steps_are_named_by_their_number_in_the_run():
    records = [{"step": step} for step in (0, 5, 10, 11)]
    assert places_named("5, 10-11", records) == [1, 2, 3]
    assert places_named("10–20", records) == [2, 3]
    assert places_named("11, 0, 0", records) == [0, 3]
    assert places_named(" all ", records) == [0, 1, 2, 3]
    with pytest.raises(ValueError, match="no step 7; it has 0 to 11"):
        places_named("7", records)
    with pytest.raises(ValueError, match=r"such as 0-9, 20 \(got 'x'\)"):
        places_named("0, x", records)


@pytest.mark.parametrize(
    ("scale", "num_steps", "name"),
    [
        (0.0312, 10, "07 · σ=0.031"),
        (0.0312, 101, "007 · σ=0.031"),
        (1234.4, 10, "07 · σ=1234"),
        ((0.1, 0.25), 10, "07 · σ=0.1/0.25"),
    ],
)
def test_a_step_is_called_by_its_number_and_noise(scale, num_steps, name):
    step = nd.Step(7, scale, np.zeros(1), is_final=False)
    assert step_name(step, num_steps, {"recipe": {"noise": {"type": "Gaussian"}}}) == name


def test_without_noise_the_name_speaks_of_none():
    step = nd.Step(7, 0.0, np.zeros(1), is_final=False)
    assert step_name(step, 10, {"recipe": {"noise": None}}) == "07"


# --- small widgets ---


@pytest.fixture
def result(qtbot):
    result = ResultChoice()
    qtbot.addWidget(result.native)
    return result


@pytest.mark.parametrize("kind", memory.RESULTS)
def test_the_result_comes_back_as_it_was_set(result, kind):
    heard = []
    result.changed.connect(heard.append)
    result.value = kind, 7
    assert result.value == (kind, 7)
    assert heard


def test_which_steps_are_kept_is_said_in_words(result):
    assert result.keep_every.note.value == "all steps"
    result.keep_every.editor.native.setText("3")
    assert result.keep_every.note.value == "every 3rd step"
    result.keep_every.editor.native.setText("0")
    with pytest.raises(ValueError, match="keep every must be"):
        result.value  # noqa: B018


def test_what_a_run_takes_is_said_in_words():
    need = Need(step_bytes=10**6, work_bytes=10**6, num_kept=10, on_disk=False)
    assert need_words(need, "layers", 2) == "20 layers, 11 MB of memory"
    need = Need(step_bytes=10**6, work_bytes=10**6, num_kept=40, on_disk=True)
    assert need_words(need, "stack") == "1 stack of 40, 1 MB of memory, 40 MB on disk"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "1 s"), (59.4, "59 s"), (61, "1 min 1 s"), (3660, "1 h 1 min")],
)
def test_seconds_in_words(seconds, text):
    assert written_seconds(seconds) == text


def test_the_clock_stops_while_paused(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    clock = Clock()
    now[0] = 103.0
    clock.pause(True)
    now[0] = 150.0
    assert clock.seconds == 3.0
    clock.pause(False)
    now[0] = 152.0
    assert clock.seconds == 5.0


def test_the_time_left_follows_from_the_steps_done(qtbot, monkeypatch):
    controls = RunControls("Run", "", many=True)
    qtbot.addWidget(controls.native)
    controls.start(10)
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 8.0)
    controls.show_progress(4)
    qtbot.waitUntil(lambda: controls.bar.value == 4)
    assert controls.message.sentence == "Running, 12 s left"


# --- the worker ---


@pytest.fixture
def parent(qtbot):
    from qtpy.QtWidgets import QWidget

    widget = QWidget()
    qtbot.addWidget(widget)
    return widget


def started(work, parent):
    worker = Worker(work, parent)
    heard = []
    worker.posted.connect(heard.append)
    ends = []
    worker.ended.connect(ends.append)
    worker.start()
    return worker, heard, ends


def test_news_arrive_in_order_in_the_thread_of_the_window(qtbot, parent):
    threads = []

    def work(worker):
        threads.append(threading.get_ident())
        for number in range(20):
            worker.post(number, in_turn=number % 2 == 0)

    worker, heard, ends = started(work, parent)
    worker.posted.connect(lambda _: threads.append(threading.get_ident()))
    qtbot.waitUntil(lambda: len(ends) == 1)
    assert heard == list(range(20))
    assert ends == [None]
    assert set(threads[1:]) == {threading.get_ident()}
    assert threads[0] != threading.get_ident()


def test_work_in_turn_never_runs_ahead(qtbot, parent):
    posted, seen = [], []

    def work(worker):
        for number in range(5):
            posted.append(number)
            worker.post(number, in_turn=True)

    worker, heard, ends = started(work, parent)
    worker.posted.connect(lambda number: seen.append(posted[-1] == number))
    time.sleep(0.2)
    assert posted == [0]
    qtbot.waitUntil(lambda: len(ends) == 1)
    assert heard == [0, 1, 2, 3, 4]
    assert seen == [True] * 5


def test_an_error_ends_the_work_and_is_told(qtbot, parent):
    def work(worker):
        worker.post(1)
        raise ZeroDivisionError

    _, heard, ends = started(work, parent)
    qtbot.waitUntil(lambda: len(ends) == 1)
    assert heard == [1]
    assert isinstance(ends[0], ZeroDivisionError)


def test_a_listener_that_fails_ends_the_work(qtbot, parent):
    def work(worker):
        worker.post(1)
        worker.stop.wait(10)

    def broken(news):
        raise ZeroDivisionError(news)

    worker = Worker(work, parent)
    worker.posted.connect(broken)
    ends = []
    worker.ended.connect(ends.append)
    worker.start()
    qtbot.waitUntil(lambda: len(ends) == 1)
    assert isinstance(ends[0], ZeroDivisionError)
    assert not worker.is_running
    assert worker.join(10)


def test_cancel_delivers_what_was_posted_and_does_not_wait(qtbot, parent):
    release, posted = threading.Event(), threading.Event()

    def work(worker):
        worker.post(1)
        posted.set()
        release.wait(10)
        worker.post(2)

    worker, heard, ends = started(work, parent)
    posted.wait(10)
    worker.cancel()
    qtbot.waitUntil(lambda: not worker.is_running)
    assert (heard, ends) == ([1], [None])
    release.set()
    assert worker.join(10)
    qtbot.wait(50)
    assert (heard, ends) == ([1], [None])


def test_what_is_dropped_is_heard_no_more(qtbot, parent):
    posted = threading.Event()

    def work(worker):
        worker.post(1)
        posted.set()

    worker, heard, ends = started(work, parent)
    posted.wait(10)
    worker.drop()
    qtbot.wait(50)
    assert (heard, ends) == ([], [])


def test_the_work_stops_when_its_parent_goes(qtbot):
    owner = QObject()

    def work(worker):
        worker.stop.wait(10)

    worker, _, _ = started(work, owner)
    owner.deleteLater()
    qtbot.waitUntil(worker.stop.is_set)
    assert worker.join(10)


def test_paused_work_waits_and_cancel_frees_it(parent):
    passed = threading.Event()

    def work(worker):
        worker.hold()
        passed.set()

    worker = Worker(work, parent)
    worker.pause(True)
    worker.start()
    assert not passed.wait(0.1)
    assert worker.is_paused
    worker.cancel()
    assert passed.wait(10)
