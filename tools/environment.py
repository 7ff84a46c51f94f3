"""Prepare this machine: system libraries, a virtual environment, the pinned packages.

    python3 tools/environment.py .venv [EXTRA …]

Run again, it finds everything in place and returns at once. It uses the standard library only.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import system

ROOT = Path(__file__).resolve().parent.parent
OLDEST, NEWEST = (3, 11), (3, 14)
BUILD = ["hatchling", "editables"]
EXTRAS = ["dev"]


def main(folder: str, *extras: str) -> None:
    """Make or complete the environment in `folder`."""
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        _restart_with_another_python()
    system.ensure()
    venv = Path(folder).resolve()
    stamp = venv / ".prepared.json"
    wanted = sorted({*EXTRAS, *extras})
    key = _key()
    if _usable(venv):
        done = _read(stamp)
        if done.get("key") == key:
            if set(wanted) <= set(done["extras"]):
                return
            wanted = sorted({*wanted, *done["extras"]})
    else:
        _create(venv)
    stamp.unlink(missing_ok=True)
    _install(python_of(venv), wanted)
    stamp.write_text(json.dumps({"key": key, "extras": wanted}))
    print(f"{folder} is ready ({', '.join(wanted)})", flush=True)


def _restart_with_another_python() -> None:
    for minor in range(NEWEST[1], OLDEST[1] - 1, -1):
        other = shutil.which(f"python3.{minor}")
        # A version manager puts names on the path that run nothing.
        if other and subprocess.call([other, "-c", ""], stderr=subprocess.DEVNULL) == 0:
            os.execv(other, [other, *sys.argv])
    sys.exit(
        f"Python {sys.version.split()[0]} ({sys.executable}) does not fit: 3.{OLDEST[1]} to "
        f"3.{NEWEST[1]} do. Install one of them, or name it: make PYTHON=/path/to/python3.12"
    )


def _key() -> str:
    """What an environment depends on: pins, metadata, interpreter and this very folder."""
    parts = [sys.version, str(ROOT), " ".join(BUILD)]
    parts += [(ROOT / name).read_text("utf-8") for name in ("pyproject.toml", "constraints.txt")]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _read(stamp: Path) -> dict:
    try:
        return json.loads(stamp.read_text())
    except (OSError, ValueError):
        return {}


def make(venv: Path) -> None:
    """Make an empty environment where there is none that works."""
    if not _usable(venv):
        _create(venv)


def python_of(venv: Path) -> Path:
    """Return the interpreter of an environment."""
    return venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _usable(venv: Path) -> bool:
    """Whether the environment runs, has pip, and belongs to this version of Python."""
    ask = "import sys, pip; print(sys.version_info[:2])"
    try:
        answer = subprocess.run(
            [str(python_of(venv)), "-c", ask], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return False
    return answer.stdout.strip() == str(sys.version_info[:2])


def _create(venv: Path) -> None:
    if venv.exists() and any(venv.iterdir()):
        # --clear empties the folder: only ever one that is an environment.
        if not (venv / "pyvenv.cfg").exists():
            sys.exit(f"{venv} holds files and is no virtual environment. Name another: make VENV=…")
        print(f"{venv} is broken or belongs to another Python: making it anew", flush=True)
    command = [sys.executable, "-m", "venv", "--clear", str(venv)]
    if subprocess.call(command) != 0:
        package = f"python3.{sys.version_info[1]}-venv"
        sys.exit(
            f"No virtual environment could be made. On Debian:\n\n    {system.apt_line([package])}"
        )


def _install(python: Path, extras: list[str]) -> None:
    print("installing the pinned packages (some hundred MB the first time)", flush=True)
    # The build backend comes first and pinned, so that the package is built by no other. What comes
    # as source alone is built by the backend that it names.
    package = ["--no-build-isolation", "--no-deps", "--editable", "."]
    for words in (BUILD, package, requirements(extras)):
        pip_install(python, words)


def pip_install(python: Path, words: list[str]) -> None:
    """Install packages, pinned, or stop."""
    quiet = [] if sys.stdout.isatty() else ["--quiet"]
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "--no-input", *quiet, "install"]
    pinned = [*pip, "--constraint", "constraints.txt", *words]
    if subprocess.call(pinned, cwd=ROOT, stdin=subprocess.DEVNULL) != 0:
        sys.exit("pip could not install the packages: the reason stands above.")


def requirements(extras: list[str]) -> list[str]:
    """Return what the package needs with these extras, and with the extras that they name."""
    import tomllib  # a Python without it has been left by now

    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    found, wanted = list(project["dependencies"]), list(extras)
    for extra in wanted:
        for line in project["optional-dependencies"][extra]:
            name, _, own = line.rstrip("]").partition("[")
            if name == project["name"]:
                wanted += own.split(",")
            else:
                found.append(line)
    return found


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(f"usage: python3 {sys.argv[0]} FOLDER [EXTRA …]")
    main(*sys.argv[1:])
