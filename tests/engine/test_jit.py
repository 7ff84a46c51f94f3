"""Kernels compile and are cached wherever a cache can be written."""

from __future__ import annotations

import numba
import numpy as np
import pytest

from napari_diffusion.engine import jit


def doubled(x):
    return 2 * x


@pytest.fixture
def folders(monkeypatch, tmp_path):
    """Give numba no place for its cache but the one that engine/jit.py chooses."""
    monkeypatch.setattr(jit.tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr(numba.config, "CACHE_DIR", "")
    original = numba.njit
    tried = []

    def njit(cache=False, **options):
        tried.append((cache, numba.config.CACHE_DIR))
        if cache and not numba.config.CACHE_DIR.startswith(str(tmp_path)):
            raise RuntimeError("cannot cache function: no locator available")
        return original(cache=cache, **options)

    monkeypatch.setattr(jit.numba, "njit", njit)
    return tmp_path, tried


def test_cache_falls_back_to_a_private_temporary_folder(folders):
    tmp_path, tried = folders
    assert jit.kernel(doubled)(21) == 42
    assert [cache for cache, _ in tried[:2]] == [True, True]
    (folder,) = tmp_path.iterdir()
    assert tried[1][1] == str(folder)
    assert folder.stat().st_mode & 0o077 == 0
    assert any(folder.rglob("*.nbi")), "nothing was cached"


def test_without_any_cache_kernels_still_compile(folders, monkeypatch):
    _, tried = folders
    monkeypatch.setattr(jit, "_make_private", lambda folder: False)
    assert jit.kernel(doubled)(21) == 42
    assert [cache for cache, _ in tried[:2]] == [True, False]


def test_only_contraction_is_allowed():
    assert jit.OPTIONS["fastmath"] == {"contract"}
    nan = jit.kernel(lambda x: x * 0 + x)
    assert np.isnan(nan(np.float32("nan")))
