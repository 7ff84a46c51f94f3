"""Kernels that are compiled ahead, and what is said while a run compiles."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import numpy as np
import pytest

pytest.importorskip("napari")

from dock_driver import click_run, face, wait
from qtpy.QtCore import QCoreApplication, QEvent, QObject

import napari_diffusion as nd
from napari_diffusion.denoising import kernel_warming
from napari_diffusion.denoising.kernel_warming import Part, warmed
from napari_diffusion.engine import compiling
from napari_diffusion.widgets.run import kernel_warming as ahead
from napari_diffusion.widgets.run.compiling_note import CompilingNote, compiling_words
from napari_diffusion.widgets.run.kernel_warming import KernelWarming

RECIPE = nd.Recipe(num_steps=3, starting_noise_scale=0.1, final_filter=nd.filters.Heat(time=0.5))


def test_the_parts_of_a_recipe():
    parts = list(warmed(np.eye(8), RECIPE, axes="yx"))
    names = ["measuring", "noise", "diffusion filter", "final filter"]
    assert parts == [Part(name, place, 4) for place, name in enumerate(names, 1)]
    quiet = RECIPE.replaced(noise=None, final_filter=None)
    assert [part.name for part in warmed(np.eye(8), quiet)] == ["measuring", "diffusion filter"]


@pytest.mark.parametrize("name", sorted(nd.PRESETS))
@pytest.mark.parametrize(
    ("axes", "dtype", "rgb"), [("yx", "uint8", False), ("yxc", "uint8", True), ("zyx", "f4", False)]
)
def test_every_preset_has_kernels_to_compile(name, axes, dtype, rgb, monkeypatch):
    parts = []

    def listened(*args, **options):
        for part in warmed(*args, **options):
            parts.append(part)
            yield part

    monkeypatch.setattr(kernel_warming, "warmed", listened)
    request = kernel_warming.request_of(nd.PRESETS[name], axes, dtype, {"rgb": rgb})
    kernel_warming.compile_requested(request)
    assert parts[-1].place == parts[-1].of


def test_what_is_said_of_a_kernel():
    assert compiling_words(None, 3) == "Compiling, first run only: kernel 3 …"
    words = compiling_words(Part("noise", 2, 4), 7)
    assert words == "Compiling, first run only: part 2 of 4, noise, kernel 7 …"


def test_every_kernel_that_is_compiled_is_said():
    said = []
    with CompilingNote(said.append) as note:
        note.part = Part("noise", 2, 4)
        for watcher in compiling._COMPILATIONS.watchers:
            watcher(0.5)
    assert [message.words for message in said] == [compiling_words(note.part, 1)]
    assert not compiling._COMPILATIONS.watchers


def test_a_run_that_compiles_says_so(open_loop, qtbot, monkeypatch):
    def compiled(*args, **options):
        for part in warmed(*args, **options):
            for watcher in compiling._COMPILATIONS.watchers:
                watcher(0.5)
            yield part

    # Whatever ran before in this process left its kernels warm, and warm kernels say nothing.
    monkeypatch.setattr("napari_diffusion.widgets.run.compiling_note._WARM", set())
    monkeypatch.setattr("napari_diffusion.widgets.run.compiling_note.warmed", compiled)
    _, loop = open_loop(face())
    said = []
    monkeypatch.setattr(
        type(loop.controls), "say", lambda self, words, bad=False: said.append(words)
    )
    click_run(loop)
    wait(loop, qtbot)
    assert any("part 2 of 4" in words for words in said)


# --- ahead of a run ---


@pytest.fixture
def warming(qapp, monkeypatch, tmp_path):
    """Return a function that has kernels compiled into a folder of their own."""
    monkeypatch.setenv("NAPARI_DIFFUSION_WARMING", "1")
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "kernels"))
    monkeypatch.setattr(ahead, "_SETTLED", 0)
    monkeypatch.setattr(ahead, "_DONE", set())
    owner = QObject()
    warming = KernelWarming(owner)
    yield warming, owner
    warming.stop()


def kernels(tmp_path):
    return list((tmp_path / "kernels").rglob("*.nbc"))


def test_off_in_tests_unless_asked(qapp):
    owner = QObject()
    warming = KernelWarming(owner)
    warming.follow(RECIPE, "yx", np.float32)
    assert not warming.is_running


def test_it_compiles_into_the_cache_while_the_window_answers(warming, qtbot, tmp_path):
    warming, _ = warming
    quick = RECIPE.replaced(diffusion_filter=nd.filters.Heat(time=0.2), noise=None)
    warming.follow(quick, "yx", np.float32)
    assert warming.is_running
    last, longest = time.perf_counter(), 0.0
    while warming.is_running:
        qtbot.wait(1)
        now = time.perf_counter()
        last, longest = now, max(longest, now - last)
    assert kernels(tmp_path)
    assert longest < 0.1
    # The same kinds of parts need nothing more.
    warming.stop()
    other = QObject()
    again = KernelWarming(other)
    again.follow(quick.replaced(num_steps=9), "yx", np.float32)
    assert not again.is_running
    again.follow(quick, "yx", np.float64)
    assert again.is_running
    again.stop()


@pytest.mark.parametrize("how", ["stop", "destroyed"])
def test_it_ends_with_its_dock(warming, qtbot, how):
    warming, owner = warming
    warming.follow(RECIPE, "yx", np.float32)
    qtbot.waitUntil(lambda: warming._process is not None)
    process = warming._process
    assert process.poll() is None
    if how == "stop":
        warming.stop()
    else:
        owner.deleteLater()
        QCoreApplication.sendPostedEvents(owner, QEvent.Type.DeferredDelete)
    assert process.poll() is not None
    warming.follow(nd.PRESETS["denoise"], "yx", np.float32) if how == "stop" else None
    assert how != "stop" or not warming.is_running


def test_it_ends_with_the_process_that_began_it(tmp_path):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(each for each in sys.path if each),
                   "NUMBA_CACHE_DIR": str(tmp_path)}  # fmt: skip
    process = subprocess.Popen([sys.executable, "-P", "-m", kernel_warming.__name__],
                               stdin=subprocess.PIPE, env=environment, text=True)  # fmt: skip
    process.stdin.write(
        kernel_warming.request_of(nd.PRESETS["denoise"], "zyx", "float32", {}) + "\n"
    )
    process.stdin.flush()
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(1)
    process.stdin.close()
    assert process.wait(30) == 0
