"""The lock of an output: a file beside it that says which process writes."""

from __future__ import annotations

import contextlib
import glob
import json
import os
import platform
import stat
import sys
import time
import uuid
import zlib
from typing import TYPE_CHECKING

from napari_diffusion.core.json_text import json_object
from napari_diffusion.core.readable_name import readable_name

if TYPE_CHECKING:
    from pathlib import Path

    from pydantic import JsonValue

    Owner = dict[str, JsonValue]

# A lock of ours has some hundred bytes.
_MOST_BYTES, _MOST_COMMAND = 1 << 16, 1000

# Each time another run was faster; so many in a row are a fault.
_TRIES = 1000

# Clocks are read at different moments, and rounded.
_SAME_SECONDS = 1.0


class OutputInUse(FileExistsError):  # noqa: N818 - it describes the output
    """Another run owns the output."""


class OutputLock:
    """The lock of an output, made for one run.

    A process that has ended on this machine owns nothing: its lock is taken over.

    Parameters
    ----------
    path : path
        The lock file.
    output : path
        The name that messages give.
    take_over : bool
        Whether a lock is taken over whose owner cannot be asked, as it is on another host.
    """

    def __init__(self, path: Path, output: Path, *, take_over: bool = False) -> None:
        self._path, self._output, self._take_over = path, output, take_over
        self._content, self._token = b"", uuid.uuid4().hex[:8]

    def check(self) -> None:
        """Refuse an output that another run owns; nothing is changed."""
        held = self._held()
        if held is not None:
            self._check_free(held)

    def acquire(self) -> None:
        """Take the lock, or refuse.

        Raises
        ------
        OutputInUse
            If another run owns the output, or may own it.
        OSError
            If no file can be made there.
        """
        self._content = json.dumps({**_this_process(), "token": self._token}).encode()
        for _ in range(_TRIES):
            if self._made(self._path):
                return
            held = self._held()
            if held is None:
                continue  # released meanwhile
            self._check_free(held)
            if self._taken(held):
                return
        raise OutputInUse(f"The lock {str(self._path)!r} changes all the time: try again.")

    def release(self) -> None:
        """Remove the lock, unless another run has taken it over."""
        with contextlib.suppress(OSError):
            if self._held() == self._content:
                self._path.unlink()
            # What runs have left that were killed while they took the lock.
            for left in self._path.parent.glob(f"{glob.escape(self._path.name)}.????????"):
                owner = _owner(_content(left) or b"")
                if owner and _is_here(owner) and not _is_alive(owner):
                    left.unlink()

    def _made(self, path: Path) -> bool:
        """Make a file with our name in it, never without; return False if there is one."""
        aside = path.with_name(f"{path.name}.{self._token}")
        try:
            with aside.open("xb") as file:
                file.write(self._content)
            return _linked(aside, path)
        except OSError as error:
            raise _unlockable(path, error) from error
        finally:
            with contextlib.suppress(OSError):
                aside.unlink()

    def _taken(self, held: bytes) -> bool:
        """Put our lock in the place of another; of several runs that try, one succeeds.

        Who makes a file named after the lock that is to go may replace it, by that file.
        """
        claim = self._path.with_name(f"{self._path.name}.{zlib.crc32(held):08x}")
        if not self._made(claim):
            other = _content(claim)
            if other is not None:
                self._check_free(other)
                claim.unlink(missing_ok=True)
            return False
        try:
            if self._held() == held:
                os.replace(claim, self._path)
        except FileNotFoundError:
            pass  # another run took it for left behind
        finally:
            claim.unlink(missing_ok=True)
        return self._held() == self._content

    def _held(self) -> bytes | None:
        """Return what the lock says; None if there is none."""
        try:
            return _content(self._path)
        except OSError as error:
            raise _unlockable(self._path, error) from error

    def _check_free(self, held: bytes) -> None:
        """Refuse a lock unless its owner has ended, or it may be taken over."""
        owner = _owner(held)
        if owner is None:
            if not self._take_over:
                raise OutputInUse(
                    f"The lock {str(self._path)!r} does not say who writes {str(self._output)!r}: "
                    "if no run does, --take-over goes on."
                )
            return
        who = f"process {owner['pid']} on {readable_name(str(owner['host']))}"
        since = readable_name(str(owner.get("since", "an unknown time")))
        if not _is_here(owner):
            if not self._take_over:
                raise OutputInUse(
                    f"{str(self._output)!r} is written by {who} since {since}, which cannot be "
                    "asked from here: wait for it, or if it has ended, --take-over goes on."
                )
        elif _is_alive(owner):
            raise OutputInUse(
                f"{str(self._output)!r} is written by {who} since {since}: wait for it, or choose "
                "another name."
            )


def _linked(aside: Path, path: Path) -> bool:
    """Give a file another name, unless that is taken."""
    try:
        os.link(aside, path)
    except FileExistsError:
        return False
    except OSError:  # a file system without second names
        try:
            file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
        except FileExistsError:
            return False
        with os.fdopen(file, "wb") as made:
            made.write(aside.read_bytes())
    return True


def _content(path: Path) -> bytes | None:
    try:
        mode = path.lstat().st_mode
        if not stat.S_ISREG(mode):
            raise OutputInUse(
                f"{str(path)!r} is no file, and so no lock: remove it if no run writes there."
            )
        with path.open("rb") as file:
            return file.read(_MOST_BYTES)
    except FileNotFoundError:
        return None


def _owner(held: bytes) -> Owner | None:
    """Return who a lock says that owns it; None if it does not say so."""
    try:
        owner = json_object(held.decode(), "lock")
    except ValueError:
        return None
    texts = all(isinstance(owner.get(name), str) for name in ("host", "namespace"))
    numbers = isinstance(owner.get("pid"), int) and isinstance(owner.get("started"), int | float)
    return owner if texts and numbers and 0 < owner["pid"] < 2**31 else None


def _this_process() -> Owner:
    import psutil

    return {
        **_place(),
        "pid": os.getpid(),
        "started": psutil.Process().create_time(),
        "booted": psutil.boot_time(),
        "command": readable_name(" ".join(sys.argv))[:_MOST_COMMAND],
        "since": time.strftime("%Y-%m-%d %H:%M:%S"),
    }


def _place() -> dict[str, JsonValue]:
    """Return where processes have the same numbers: the host, and its container."""
    try:
        namespace = os.readlink("/proc/self/ns/pid")
    except OSError:
        namespace = ""
    return {"host": platform.node(), "namespace": namespace}


def _is_here(owner: Owner) -> bool:
    return all(owner[name] == value for name, value in _place().items())


def _is_alive(owner: Owner) -> bool:
    """Return whether the process that a lock names still runs, and is not another one since."""
    import psutil

    try:
        process = psutil.Process(int(str(owner["pid"])))
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        started = process.create_time()
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True
    then, booted = float(str(owner["started"])), float(str(owner.get("booted", 0.0)))
    # On some systems times count from the start of the system, which moves when its clock is set.
    moved = (started - psutil.boot_time()) - (then - booted)
    return min(abs(started - then), abs(moved)) <= _SAME_SECONDS


def _unlockable(path: Path, error: OSError) -> OSError:
    """Return an error that says why no lock can be made."""
    made = type(error)(
        f"No lock can be made in {str(path.parent)!r}: {error.strerror or error}. Choose a folder "
        "that can be written."
    )
    made.errno = error.errno
    return made
