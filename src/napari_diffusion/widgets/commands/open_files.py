"""The commands *Open run…* and *Open image with metadata…*: files as layers, read beside."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari_diffusion.io.reader import FORMATS
from napari_diffusion.widgets.commands.command_work import start
from napari_diffusion.widgets.commands.selected_image import saying_errors
from napari_diffusion.widgets.layers.unwrapped import unwrapped
from napari_diffusion.widgets.results.saved_run import open_file, open_result, show_result
from napari_diffusion.widgets.run.run_request import RunError

if TYPE_CHECKING:
    from collections.abc import Callable

    import napari
    from napari.layers import Layer

    from napari_diffusion.widgets.run.worker import News, Worker

#: The file of a store that stands for its folder, which a dialog for files cannot choose.
STORE_FILES = ("zarr.json", ".zattrs", ".zgroup", ".zarray")


def open_saved_run(viewer: napari.Viewer) -> None:
    """Ask for the folder of a saved run, and add its steps as a layer.

    Parameters
    ----------
    viewer : napari.Viewer
        Gets the layer.
    """
    viewer = unwrapped(viewer)
    path = asked_folder(viewer)
    if path is not None:
        with saying_errors():
            read(viewer, path, open_result)


def open_image(viewer: napari.Viewer) -> None:
    """Ask for images, and add them with pixel sizes, units, place, channels and record.

    Parameters
    ----------
    viewer : napari.Viewer
        Gets the layers.
    """
    viewer = unwrapped(viewer)
    for path in asked_files(viewer):
        with saying_errors():
            read(viewer, path, open_file)


def read(viewer: napari.Viewer, path: Path, opened: Callable[[Path], list[Layer]]) -> None:
    """Read a file in the background, and add its layers."""
    found: list[Layer] = []

    def work(worker: Worker) -> None:
        del worker
        try:
            found.extend(opened(path))
        except (ValueError, OSError, MemoryError) as error:
            raise RunError("run", str(error)) from error

    def heard(news: News) -> None:
        del news

    start(f"Open {path.name!r}", work, heard, lambda: show_result(viewer, found))


def asked_folder(viewer: napari.Viewer) -> Path | None:
    """Return the folder that the user chooses, None where they changed their mind."""
    from qtpy.QtWidgets import QApplication, QFileDialog

    del viewer
    folder = QFileDialog.getExistingDirectory(
        QApplication.activeWindow(), "Open a saved run: its folder, or its .ome.zarr"
    )
    return Path(folder) if folder else None


def asked_files(viewer: napari.Viewer) -> list[Path]:
    """Return the images that the user chooses; a store by a file in it."""
    from qtpy.QtWidgets import QApplication, QFileDialog

    del viewer
    endings = " ".join(f"*{ending}" for each in FORMATS for ending in each.endings)
    kinds = f"Images ({endings} {' '.join(STORE_FILES)});;All files (*)"
    files, _ = QFileDialog.getOpenFileNames(
        QApplication.activeWindow(),
        "Open images (of a Zarr: its zarr.json)",
        "",
        kinds,
    )
    paths = [Path(file) for file in files]
    return [path.parent if path.name in STORE_FILES else path for path in paths]
