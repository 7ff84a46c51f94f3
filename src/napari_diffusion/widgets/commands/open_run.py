"""The command *Open run…*: the steps of a saved run as layers again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari_diffusion.widgets.commands.command_work import start
from napari_diffusion.widgets.commands.selected_image import saying_errors
from napari_diffusion.widgets.layers.unwrapped import unwrapped
from napari_diffusion.widgets.results.saved_run import OpenedStep, open_run, show_run
from napari_diffusion.widgets.run.run_request import Progress, RunError

if TYPE_CHECKING:
    import napari

    from napari_diffusion.widgets.run.worker import News, Worker


def open_saved_run(viewer: napari.Viewer) -> None:
    """Ask for the folder of a saved run, and add its steps as layers.

    Parameters
    ----------
    viewer : napari.Viewer
        Gets the layers.
    """
    viewer = unwrapped(viewer)
    path = asked_folder(viewer)
    if path is not None:
        with saying_errors():
            read_run(viewer, path)


def read_run(viewer: napari.Viewer, path: Path) -> None:
    """Read a saved run in the background, and add its steps as layers."""
    found: list[OpenedStep] = []

    def work(worker: Worker) -> None:
        try:
            for each in open_run(path):
                if worker.stop.is_set():
                    return
                found.append(each)
                worker.post(Progress(len(found)))
        except (ValueError, OSError) as error:
            raise RunError("run", str(error)) from error

    def heard(news: News) -> None:
        del news

    start(f"Open {path.name!r}", work, heard, lambda: show_run(viewer, found))


def asked_folder(viewer: napari.Viewer) -> Path | None:
    """Return the folder that the user chooses, None where they changed their mind."""
    from qtpy.QtWidgets import QApplication, QFileDialog

    del viewer
    folder = QFileDialog.getExistingDirectory(
        QApplication.activeWindow(), "Open a saved run: its folder, or its .ome.zarr"
    )
    return Path(folder) if folder else None
