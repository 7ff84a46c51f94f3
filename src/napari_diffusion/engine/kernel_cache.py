"""The cache of compiled kernels on disk: fresh after every edit that matters, and never in the way.

numba keys a kernel's cache by the kernel's own file. But what it calls is compiled into it, so here
every file counts that its file imports, and those that they import.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import inspect
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numba.core import sigutils
from numba.core.caching import CompileResultCacheImpl, FunctionCache, UserProvidedCacheLocator

from napari_diffusion.engine.file_lock import FileLock
from napari_diffusion.engine.kernel_folder import kernel_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# An import at module level; those of TYPE_CHECKING and of functions stand further right.
_IMPORT = re.compile(
    r"^from +([\w.]+) +import +(\([^)]*\)|[^(\n]*)|^import +([\w.]+)", re.MULTILINE
)


class _ChosenFolder(UserProvidedCacheLocator):
    """Points to the folder that the user has chosen; it is ours alone, unlike numba's setting."""

    def __init__(self, function: Callable[..., Any], file: str) -> None:
        super().__init__(function, file)
        self._cache_path = os.path.join(kernel_folder(), self.get_suitable_cache_subpath(file))

    @classmethod
    def from_function(cls, function: Callable[..., Any], file: str) -> Any:
        """Return where to keep a kernel, None where no folder was chosen or it is read-only."""
        if not kernel_folder():
            return None
        return super(UserProvidedCacheLocator, cls).from_function(function, file)


class _Implementation(CompileResultCacheImpl):
    _locator_classes = (_ChosenFolder, *CompileResultCacheImpl._locator_classes)


class KernelCache(FunctionCache):
    """Where the compiled forms of a kernel are kept from one process to the next.

    It never fails a computation: what cannot be read is compiled, what cannot be written is
    compiled again by the next process.

    Raises
    ------
    RuntimeError
        When made, if there is no folder that can be written.
    """

    _impl_class = _Implementation

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)
        self._folder = kernel_folder()
        self._cache_file._source_stamp = source_hash(function)
        self._lock = FileLock(f"{self._cache_file._index_path}.lock")

    def load_overload(self, signature: Any, target: Any) -> Any:
        """Return the compiled form for these types, or None where the caller is to compile it.

        While another process compiles this kernel, what it makes is waited for.
        """
        if self._folder != kernel_folder():
            with contextlib.suppress(RuntimeError):
                self.__init__(self._py_func)  # type: ignore[misc]
        found = self._found(signature, target)
        if found is None and self._lock.acquire():
            found = self._found(signature, target)
            if found is not None:
                self._lock.release()
        return found

    def save_overload(self, signature: Any, compiled: Any) -> None:
        """Keep a compiled form."""
        with contextlib.suppress(Exception):  # a full disk, a quota, a folder now read-only
            super().save_overload(signature, compiled)
        self.given_up()

    def given_up(self) -> None:
        """Let others compile the kernel."""
        self._lock.release()

    def _found(self, signature: Any, target: Any) -> Any:
        try:
            found = super().load_overload(signature, target)
        except Exception:  # whatever a truncated file makes of pickle or of LLVM
            with contextlib.suppress(OSError):
                self.flush()
            return None
        # Two processes that write at once can mistake each other's files.
        wanted = sigutils.normalize_signature(signature)[0]
        return found if found is None or tuple(found.signature.args) == wanted else None


def source_hash(function: Callable[..., Any]) -> str:
    """Return a hash of the file of a function and of all that it imports from its package."""
    file = Path(inspect.getfile(function))
    return _hash(file, file.parents[function.__module__.count(".")])


@functools.cache
def _hash(file: Path, root: Path) -> str:
    """Return the hash of a file and of what it imports, once for all kernels of the file."""
    total = hashlib.sha256()
    for each in sorted(_with_imports(file, root)):
        total.update(each.relative_to(root).as_posix().encode())
        total.update(_content(each).encode())
    return total.hexdigest()


def _with_imports(file: Path, root: Path) -> set[Path]:
    found, left = {file}, [file]
    while left:
        new = set(_imports(left.pop(), root)) - found
        found |= new
        left.extend(new)
    return found


@functools.cache
def _imports(file: Path, root: Path) -> tuple[Path, ...]:
    """Return the files of the package that a file imports at module level."""
    package = file.relative_to(root).parts[0]
    names = {name for name in _imported(_content(file)) if name.partition(".")[0] == package}
    files = (root / f"{name.replace('.', '/')}.py" for name in names)
    return tuple(file for file in files if file.is_file())


def _imported(source: str) -> Iterator[str]:
    """Yield the names of modules, and of what may be one, that a text imports."""
    for module, names, plain in _IMPORT.findall(source):
        yield module or plain
        for name in re.findall(r"(?:^|[(,])\s*(\w+)", names):
            yield f"{module}.{name}"


@functools.cache
def _content(file: Path) -> str:
    return file.read_text(encoding="utf-8")
