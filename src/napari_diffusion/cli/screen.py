"""Whether there is a screen to show a window on."""

from __future__ import annotations

import ctypes
import os
import sys
from typing import NoReturn

#: Set where the screen is a virtual one, on which nobody looks at a window.
VIRTUAL = "NAPARI_DIFFUSION_VIRTUAL_SCREEN"


def is_there() -> bool:
    """Say whether a window opened now would be drawn.

    A DISPLAY that no server answers counts as none: Qt would abort on it.
    """
    if not sys.platform.startswith("linux") or os.environ.get("WAYLAND_DISPLAY"):
        return True
    return bool(os.environ.get("DISPLAY")) and _server_answers()


def is_virtual() -> bool:
    """Say whether the screen is one that nobody sees."""
    # xvfb-run names its authority file after itself.
    return bool(os.environ.get(VIRTUAL)) or "xvfb-run" in os.environ.get("XAUTHORITY", "")


def run_again_on_a_virtual_one() -> NoReturn:
    """Replace this process by the same command under xvfb-run."""
    os.environ[VIRTUAL] = "1"
    server = ["xvfb-run", "--auto-servernum", "--server-args=-screen 0 1600x1000x24"]
    command = [*server, sys.executable, "-m", "napari_diffusion", *sys.argv[1:]]
    sys.stdout.flush()
    os.execvp(command[0], command)


def _server_answers() -> bool:
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
