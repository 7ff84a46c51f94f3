"""Run a command on the screen that is there, or on a virtual one.

    python3 tools/screen.py COMMAND …

A DISPLAY that no server answers counts as none: Qt would abort on it.
"""

from __future__ import annotations

import ctypes
import os
import sys

VIRTUAL = ["xvfb-run", "--auto-servernum", "--server-args=-screen 0 1600x1000x24"]


def has_screen() -> bool:
    """Whether a window opened now would be seen."""
    if not sys.platform.startswith("linux") or os.environ.get("WAYLAND_DISPLAY"):
        return True
    return bool(os.environ.get("DISPLAY")) and _x_server_answers()


def _x_server_answers() -> bool:
    try:
        xcb = ctypes.CDLL("libxcb.so.1")
    except OSError:
        return False
    xcb.xcb_connect.restype = ctypes.c_void_p
    xcb.xcb_connection_has_error.argtypes = [ctypes.c_void_p]
    xcb.xcb_disconnect.argtypes = [ctypes.c_void_p]
    connection = xcb.xcb_connect(None, None)
    failed = xcb.xcb_connection_has_error(connection)
    xcb.xcb_disconnect(connection)
    return not failed


if __name__ == "__main__":
    command = sys.argv[1:] if has_screen() else [*VIRTUAL, *sys.argv[1:]]
    os.execvp(command[0], command)
