"""Compiles the kernels with numba: one set of options, and a cache wherever one can be written."""

from __future__ import annotations

import os
import tempfile
from typing import TYPE_CHECKING, Any

import numba

from napari_diffusion.engine import compiling  # noqa: F401  for what it does meanwhile
from napari_diffusion.engine.kernel_cache import KernelCache

if TYPE_CHECKING:
    from collections.abc import Callable

# Without the GIL kernels run beside each other and beside a window. Of fast arithmetic only fused
# multiply-add is allowed: anything more makes a result depend on where in a tile a pixel lies.
OPTIONS: dict[str, Any] = {
    "nogil": True,
    "fastmath": {"contract"},
    "error_model": "numpy",
    # Nothing calls them as functions of C, and to prepare for it takes time at each first call.
    "no_cfunc_wrapper": True,
    # Arrays belong to Python. Counting who else holds them takes a tenth of the compiling.
    "_nrt": False,
}
ALLOCATING: dict[str, Any] = {**OPTIONS, "_nrt": True}
# What is compiled into loops is never called by Python either.
INNER: dict[str, Any] = {**OPTIONS, "no_cpython_wrapper": True}
INLINE: dict[str, Any] = {**INNER, "forceinline": True}
# Every product and sum is rounded by itself.
EXACT: dict[str, Any] = {"fastmath": False}


def kernel(function: Callable[..., Any]) -> Any:
    """Compile a function for tiles of arrays, cached between processes.

    It makes no array, and returns none.
    """
    return _cached(function, **OPTIONS)


def allocating_kernel(function: Callable[..., Any]) -> Any:
    """Compile a function for tiles of arrays that makes arrays of its own."""
    return _cached(function, **ALLOCATING)


def inner_kernel(function: Callable[..., Any]) -> Any:
    """Compile a function for tiles of arrays that only kernels call."""
    return _cached(function, **INNER)


def inline_kernel(function: Callable[..., Any]) -> Any:
    """Compile a function of single numbers into the loops that call it.

    Left to itself the compiler keeps calls to such functions, and a loop with a call is not
    vectorised.
    """
    return _cached(function, **INLINE)


def exact_kernel(function: Callable[..., Any]) -> Any:
    """Compile as `kernel` does, where every product and sum is rounded by itself."""
    return _cached(function, **{**OPTIONS, **EXACT})


def exact_allocating_kernel(function: Callable[..., Any]) -> Any:
    """Compile as `allocating_kernel` does, where every product and sum is rounded by itself."""
    return _cached(function, **{**ALLOCATING, **EXACT})


def exact_inner_kernel(function: Callable[..., Any]) -> Any:
    """Compile as `inner_kernel` does, where every product and sum is rounded by itself."""
    return _cached(function, **{**INNER, **EXACT})


def exact_inline_kernel(function: Callable[..., Any]) -> Any:
    """Compile a function into the loops that call it, where its products still round by themselves.

    A flux that one side takes from a buffer and the other fuses into a sum would be two numbers.
    """
    return _cached(function, **{**INLINE, **EXACT})


def _cached(function: Callable[..., Any], **options: Any) -> Any:
    compiled = numba.njit(**options)(function)
    cache = _cache(function)
    if cache is not None:
        compiled._cache = cache
    return compiled


def _cache(function: Callable[..., Any]) -> KernelCache | None:
    try:
        return KernelCache(function)
    except RuntimeError:
        # Neither the package's folder nor the user's cache can be written.
        folder = os.path.join(tempfile.gettempdir(), f"napari-diffusion-{_user()}")
        if _make_private(folder) and folder != numba.config.CACHE_DIR:
            numba.config.CACHE_DIR = folder
            return _cache(function)
        return None


def _user() -> str:
    return str(os.getuid()) if hasattr(os, "getuid") else os.environ.get("USERNAME", "user")


def _make_private(folder: str) -> bool:
    """Make a folder that only this user can write, and say whether it is one."""
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        mine = not hasattr(os, "getuid") or os.stat(folder).st_uid == os.getuid()
        return mine and os.access(folder, os.W_OK)
    except OSError:
        return False
