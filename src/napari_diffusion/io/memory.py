"""How much memory a run needs, and how much is free."""

from __future__ import annotations

import contextlib
import math
import re
from typing import TYPE_CHECKING

import numpy as np

from napari_diffusion.core.image import computing_type
from napari_diffusion.io import cgroup

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import DTypeLike

#: Images in memory beside the source and its copy in the computing type: the noisy one, the
#: filtered one, what the filter works in, and the step handed out (measured on 160³).
AT_WORK = 5

#: A limit below leaves no room for tiles of a useful size.
LEAST_LIMIT = 64 << 20

_LIMIT = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(?:(?:([kmgt])(i?))?b)?\s*", re.IGNORECASE | re.ASCII)

# Of this process, the narrowest last; every thread keeps them.
_limits: list[int] = []


def working_memory(
    shape: Sequence[int], dtype: DTypeLike, part: Sequence[int] | None = None
) -> int:
    """Return the bytes that a run on an array needs at least, the steps that are kept aside.

    Parameters
    ----------
    shape, dtype
        Of the source.
    part : sequence of int, optional
        Shape of the region that is computed; the whole image by default.
    """
    real = computing_type(dtype).itemsize
    source = math.prod(shape) * (np.dtype(dtype).itemsize + real)
    return source + math.prod(shape if part is None else part) * real * AT_WORK


def free_memory() -> int:
    """Return how many bytes of memory can be had without swapping.

    As many as the machine, the control groups of the process, its resource limits and
    `limited_memory` all leave.
    """
    import psutil

    left = [float(psutil.virtual_memory().available), cgroup.memory_left(), _below_rlimits()]
    return max(int(min(*left, *_limits)), 0)


@contextlib.contextmanager
def limited_memory(most: int | None) -> Iterator[None]:
    """Let all threads of this process take no more than so many bytes for what they work on.

    Within another limit the smaller one holds; None is no limit.
    """
    if most is None:
        yield
        return
    _limits.append(most)
    try:
        yield
    finally:
        _limits.remove(most)


def bytes_of(text: str, least: int = LEAST_LIMIT) -> int:
    """Return the number of bytes in a text such as "2GiB", "500 MiB", "1.5GB" or "4096".

    Parameters
    ----------
    text : str
        A number, and a unit from B to TB (1000 each) or to TiB (1024 each).
    least : int
        The smallest number that is of use.

    Raises
    ------
    ValueError
        If the text is nothing of the kind, or less than `least`.
    """
    found = _LIMIT.fullmatch(text)
    if found is None:
        raise ValueError(
            f"{text[:40]!r} is no amount of memory: write a number and B, kB, MB, GB or TB (KiB, "
            "MiB, GiB or TiB for powers of 1024), such as 2GiB."
        )
    number, prefix, binary = found.groups(default="")
    size = float(number) * (1024 if binary else 1000) ** " kmgt".index(prefix.lower() or " ")
    if size < least:
        raise ValueError(f"{text!r} is too little: use {least >> 20} MiB or more.")
    return int(min(size, 2.0**62))


def _below_rlimits() -> float:
    """Return the bytes that the resource limits of the process leave; infinity without any."""
    try:
        import resource
    except ImportError:  # Windows has none
        return math.inf
    import psutil

    used = psutil.Process().memory_info()
    # Only Linux counts data apart.
    taken = {resource.RLIMIT_AS: used.vms, resource.RLIMIT_DATA: getattr(used, "data", 0)}
    left = math.inf
    for kind, size in taken.items():
        limit, _ = resource.getrlimit(kind)
        if limit != resource.RLIM_INFINITY:
            left = min(left, limit - size)
    return left


def fits(shape: Sequence[int], dtype: DTypeLike) -> bool:
    """Say whether a run on an array of this shape and type fits into the free memory."""
    return working_memory(shape, dtype) <= free_memory()


def written_bytes(count: float) -> str:
    """Return a number of bytes as people read it."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 999.5:
            return f"{count:.0f} {unit}" if count >= 99.5 or unit == "B" else f"{count:.2g} {unit}"
        count /= 1000
    return f"{count:.3g} TB"
