"""The system libraries that Qt, OpenGL and the virtual screen need.

They are looked for by loading them, so that nothing is asked of a machine that has them,
wherever it has them from. What is missing is installed by apt-get where that is allowed;
elsewhere the line to type is printed.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys

LIBRARIES = {
    "libdbus-1.so.3": "libdbus-1-3",
    "libEGL.so.1": "libegl1",
    "libfontconfig.so.1": "libfontconfig1",
    "libGL.so.1": "libgl1",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-shm.so.0": "libxcb-shm0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
}
COMMANDS = {"Xvfb": "xvfb", "xvfb-run": "xvfb", "xauth": "xauth"}


def missing() -> dict[str, str]:
    """What this machine lacks, each with the Debian package that brings it."""
    if not sys.platform.startswith("linux"):
        return {}
    absent = {name: package for name, package in LIBRARIES.items() if not _loads(name)}
    absent.update((name, package) for name, package in COMMANDS.items() if not shutil.which(name))
    return absent


def ensure() -> None:
    """Install what is missing, or stop with the line that would."""
    absent = missing()
    if not absent:
        return
    packages = sorted(set(absent.values()))
    if shutil.which("apt-get") is None:
        sys.exit(
            f"These are missing: {', '.join(sorted(absent))}.\n"
            f"Debian calls their packages: {' '.join(packages)}.\n"
            "Install them with this system's package manager, then run make again."
        )
    prefix = _root_prefix()
    if prefix is None:
        sys.exit(
            "System libraries are missing, and only root may install them. Type:\n\n"
            f"    {apt_line(packages)}\n\nthen run make again."
        )
    print(f"installing system libraries: {' '.join(packages)}", flush=True)
    _apt_install(prefix, packages)
    if still := missing():
        sys.exit(f"apt-get brought {packages}, and these are missing all the same: {sorted(still)}")


def apt_line(packages: list[str]) -> str:
    """The line that installs these packages, for a person to type."""
    install = f"apt-get install --yes --no-install-recommends {' '.join(packages)}"
    if shutil.which("sudo"):
        return f"sudo apt-get update && sudo {install}"
    return f"su -c 'apt-get update && {install}'"


def _loads(name: str) -> bool:
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


def _root_prefix() -> list[str] | None:
    """The words before a command that make it run as root; None where we may not."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") is None:
        return None
    allowed = subprocess.call(["sudo", "-n", "true"], stderr=subprocess.DEVNULL) == 0
    return ["sudo", "-n"] if allowed else None


def _apt_install(prefix: list[str], packages: list[str]) -> None:
    apt = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "--quiet=2"]
    # An old list of packages names files that are no longer served: always take a new one.
    for words in (["update"], ["install", "--yes", "--no-install-recommends", *packages]):
        done = subprocess.run(
            [*apt, *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if done.returncode != 0:
            sys.exit(
                f"{done.stdout}\napt-get {words[0]} failed. To do it by hand, type:\n\n"
                f"    {apt_line(packages)}"
            )


if __name__ == "__main__":
    ensure()
