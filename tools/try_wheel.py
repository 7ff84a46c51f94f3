"""Install the built package as napari's plugin manager does, and open every widget there.

    python tools/try_wheel.py .venv-wheel

napari and Qt are there already; the package comes with what it depends on and no extras. The
folder of the environment may stay: run again, it takes the new package alone.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import environment

ROOT = environment.ROOT
NAPARI = ["napari[pyqt6]"]
SCREEN = ["xvfb-run", "-a", "-s", "-screen 0 1600x1000x24"]


def main(folder: str) -> None:
    """Build, install beside napari, and open the widgets."""
    venv = Path(folder).resolve()
    environment.make(venv)
    python = environment.python_of(venv)
    with tempfile.TemporaryDirectory(prefix="napari-diffusion-wheel-") as made:
        wheel = build(Path(made))
        environment.pip_install(python, NAPARI)
        environment.pip_install(python, [str(wheel)])
        # Of the same version as the last one, which pip would keep.
        environment.pip_install(python, ["--force-reinstall", "--no-deps", str(wheel)])
        screen = SCREEN if shutil.which(SCREEN[0]) else []
        # Elsewhere than in the sources, so that what is imported is what was installed.
        script = [str(python), "-I", str(ROOT / "tools" / "open_widgets.py")]
        if subprocess.call([*screen, *script], cwd=made, stdin=subprocess.DEVNULL) != 0:
            sys.exit("The package does not work where napari has installed it: see above.")


def build(folder: Path) -> Path:
    """Return the wheel that is built from the source archive, as it is for whoever has no clone."""
    _hatchling(ROOT, "sdist", folder)
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        # The first releases of Python 3.11 know no filters; this archive is our own.
        safely = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
        opened.extractall(folder, **safely)
    _hatchling(folder / archive.name.removesuffix(".tar.gz"), "wheel", folder)
    (wheel,) = folder.glob("*.whl")
    return wheel


def _hatchling(source: Path, target: str, folder: Path) -> None:
    words = [sys.executable, "-m", "hatchling", "build", "--target", target]
    subprocess.run(
        [*words, "--directory", str(folder)],
        cwd=source,
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.STDOUT,
    )


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(f"usage: python {sys.argv[0]} FOLDER")
    main(sys.argv[1])
