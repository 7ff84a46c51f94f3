"""A lock between processes, which ends with the one that holds it."""

from __future__ import annotations

import os
import sys
import time

if sys.platform != "win32":  # there every process compiles for itself
    import fcntl

# Seconds: longer than any kernel takes, shorter than a user's patience with a process that hangs.
PATIENCE = 30.0


class FileLock:
    """Keeps other processes waiting, for a while, where the system and the folder allow it.

    Parameters
    ----------
    path : str
        A file that may be made, and stays.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._held: int | None = None

    def acquire(self) -> bool:
        """Wait for the lock; return whether it is held."""
        if self._held is not None:
            return False
        try:
            file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError:
            return False
        if _locked(file):
            self._held = file
            return True
        os.close(file)
        return False

    def release(self) -> None:
        """Let the next process in."""
        if self._held is not None:
            os.close(self._held)
            self._held = None


def _locked(file: int) -> bool:
    if sys.platform == "win32":
        return False
    end = time.monotonic() + PATIENCE
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > end:
                return False
            time.sleep(0.01)
        except OSError:  # a file system without locks
            return False
        else:
            return True
