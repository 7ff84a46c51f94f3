"""Kernels compile, are cached wherever a cache can be written, and are fresh after every edit."""

from __future__ import annotations

import ast
import errno
import gc
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numba
import numpy as np
import pytest

import napari_diffusion
from napari_diffusion.engine import compiling, file_lock, jit, kernel_cache
from napari_diffusion.engine.file_lock import FileLock

PACKAGE = Path(napari_diffusion.__file__).parent


def doubled(x):
    return 2 * x


@pytest.fixture
def folder(monkeypatch, tmp_path):
    """Return the only folder that numba has for its cache."""
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    return tmp_path


def files(folder, ending):
    return sorted(folder.rglob(f"*.{ending}"))


def hits(compiled):
    return sum(compiled.stats.cache_hits.values())


@pytest.fixture
def unwritable(monkeypatch, tmp_path):
    """Leave the temporary folder as the only place that can be written."""
    monkeypatch.setattr(jit.tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr(numba.config, "CACHE_DIR", "")
    original = kernel_cache.FunctionCache.__init__

    def init(cache, function):
        if not numba.config.CACHE_DIR.startswith(str(tmp_path)):
            raise RuntimeError("cannot cache function: no locator available")
        original(cache, function)

    monkeypatch.setattr(kernel_cache.FunctionCache, "__init__", init)
    return tmp_path


def test_cache_falls_back_to_a_private_temporary_folder(unwritable):
    assert jit.kernel(doubled)(21) == 42
    (folder,) = unwritable.iterdir()
    assert folder.stat().st_mode & 0o077 == 0
    assert files(folder, "nbi"), "nothing was cached"


def test_without_any_cache_kernels_still_compile(unwritable, monkeypatch):
    monkeypatch.setattr(jit, "_make_private", lambda folder: False)
    assert jit.kernel(doubled)(21) == 42
    assert not files(unwritable, "nbi")


def test_a_second_process_compiles_nothing(folder):
    assert jit.kernel(doubled)(21) == 42
    again = jit.kernel(doubled)
    assert again(21) == 42
    assert hits(again) == 1


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES])
def test_a_cache_that_cannot_be_written_fails_nothing(folder, monkeypatch, code):
    def refused(*args):
        raise OSError(code, os.strerror(code))

    compiled = jit.kernel(doubled)
    monkeypatch.setattr(os, "replace", refused)
    assert compiled(21) == 42
    assert compiled(1.5) == 3
    assert not files(folder, "nbi")


def test_a_folder_that_becomes_read_only_fails_nothing(folder, monkeypatch):
    compiled = jit.kernel(doubled)

    def refused(*args, **options):
        raise PermissionError(errno.EACCES, "Permission denied")

    # A real folder is writable for the superuser, whatever its mode.
    monkeypatch.setattr("numba.core.caching.tempfile.TemporaryFile", refused)
    monkeypatch.setattr("builtins.open", refused)
    assert compiled(21) == 42


@pytest.mark.parametrize("ending", ["nbi", "nbc"])
@pytest.mark.parametrize("left", [0, 10, 0.5])
def test_truncated_files_are_written_anew(folder, ending, left):
    jit.kernel(doubled)(21)
    (file,) = files(folder, ending)
    content = file.read_bytes()
    file.write_bytes(content[: int(left * len(content)) if left < 1 else left])
    compiled = jit.kernel(doubled)
    assert compiled(21) == 42
    assert hits(compiled) == 0
    again = jit.kernel(doubled)
    assert again(21) == 42
    assert hits(again) == 1


def test_a_compiled_form_for_other_types_is_refused(folder):
    compiled = jit.kernel(doubled)
    compiled(21)
    compiled(1.5)
    of_int, of_float = files(folder, "nbc")
    of_int.write_bytes(of_float.read_bytes())
    again = jit.kernel(doubled)
    assert again(21) == 42
    assert hits(again) == 0


TOP = """
from kernels_of_a_test.engine.middle import (
    twice,
)
from napari_diffusion.engine.jit import kernel

@kernel
def top(x):
    return twice(x)
"""
MIDDLE = """
from typing import TYPE_CHECKING
from kernels_of_a_test.engine import factor
from napari_diffusion.engine.jit import inline_kernel
if TYPE_CHECKING:
    from kernels_of_a_test.types import Number

@inline_kernel
def twice(x):
    return factor.FACTOR * x
"""
RUN = """
from kernels_of_a_test.engine.top import top
print(top(21), sum(top.stats.cache_hits.values()))
"""


@pytest.fixture
def package(tmp_path):
    """Return a package of three files, and a function that runs its kernel in a new process."""
    root = tmp_path / "kernels_of_a_test"
    texts = {
        "__init__": "",
        "types": "Number = float",
        "engine/__init__": "",
        "engine/top": TOP,
        "engine/middle": MIDDLE,
        "engine/factor": "FACTOR = 2",
    }
    for name, text in texts.items():
        (root / f"{name}.py").parent.mkdir(exist_ok=True, parents=True)
        (root / f"{name}.py").write_text(text)

    def run(folder=tmp_path):
        path = os.pathsep.join([str(folder), str(PACKAGE.parent)])
        # Python's own files stamp by the second, and a test edits twice in one.
        environment = {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
        environment["NUMBA_CACHE_DIR"] = str(tmp_path / "cache")
        command = [sys.executable, "-c", RUN]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        value, cached = done.stdout.split()
        return int(value), bool(int(cached))

    return root, run


def test_an_edit_takes_effect_at_the_next_start(package):
    root, run = package
    assert run() == (42, False)
    assert run() == (42, True)
    (root / "engine/factor.py").write_text("FACTOR = 3")
    assert run() == (63, False)
    (root / "engine/middle.py").write_text(MIDDLE.replace("* x", "* x + 1"))
    assert run() == (64, False)


def test_what_a_kernel_does_not_use_leaves_its_cache(package):
    root, run = package
    run()
    (root / "types.py").write_text("Number = int")
    (root / "engine/__init__.py").write_text("# edited")
    os.utime(root / "engine/factor.py", (1, 1))
    assert run() == (42, True)


def test_what_one_process_compiles_another_waits_for(package):
    _, run = package
    with ThreadPoolExecutor() as pool:
        results = list(pool.map(lambda _: run(), range(2)))
    assert sorted(results) == [(42, False), (42, True)]


def test_a_kernel_that_does_not_compile_keeps_nobody_waiting(folder):
    @jit.kernel
    def wrong(x):
        return x + "1"

    with pytest.raises(numba.TypingError):
        wrong(1)
    (path,) = files(folder, "lock")
    assert FileLock(str(path)).acquire()


def test_nobody_waits_for_a_process_that_hangs(folder, monkeypatch):
    monkeypatch.setattr(file_lock, "PATIENCE", 0.1)
    compiled = jit.kernel(doubled)
    other = FileLock(compiled._cache._lock.path)
    assert other.acquire()
    assert compiled(21) == 42


def test_while_a_kernel_compiles_no_garbage_is_looked_for(folder):
    states = []
    with compiling.watched(lambda seconds: states.append(gc.isenabled())):

        @numba.njit
        def ours(x):
            return x

        ours.py_func.__module__ = "napari_diffusion.somewhere"
        ours(1)
        jit.kernel(doubled)(21)
    assert states == [False]
    assert gc.isenabled()


def kernel_files():
    return [f for f in PACKAGE.rglob("*.py") if "kernel\n" in f.read_text(encoding="utf-8")]


def at_module_level(file):
    """Return the modules that a file imports where TYPE_CHECKING is false, as Python reads it."""
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom):
            yield node.module
            yield from (f"{node.module}.{each.name}" for each in node.names)
        elif isinstance(node, ast.Import):
            yield from (each.name for each in node.names)


def test_imports_are_read_as_python_reads_them():
    assert len(kernel_files()) > 30
    for file in kernel_files():
        ours = set(kernel_cache._imported(file.read_text(encoding="utf-8")))
        assert ours >= set(at_module_level(file)), file
        relative = {path.relative_to(PACKAGE.parent) for path in _closure(file)}
        assert Path("napari_diffusion/engine/jit.py") in relative, file


def _closure(file):
    return kernel_cache._with_imports(file, PACKAGE.parent)


def test_only_contraction_is_allowed():
    assert jit.OPTIONS["fastmath"] == {"contract"}
    nan = jit.kernel(lambda x: x * 0 + x)
    assert np.isnan(nan(np.float32("nan")))
