"""The command *Verify selected layer*: whether its file is whole, and its run makes it again."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication, QMessageBox

from napari_diffusion.core.function_parameter import CodeRefused
from napari_diffusion.engine.threads import Stopped, stoppable
from napari_diffusion.records.provenance import recipe_of
from napari_diffusion.runs.verification.verdict import Verdict, Verification
from napari_diffusion.widgets.commands.command_work import start
from napari_diffusion.widgets.commands.selected_image import saying_errors, selected_image
from napari_diffusion.widgets.layers.layer_files import file_of
from napari_diffusion.widgets.layers.step_records import records_of
from napari_diffusion.widgets.layers.unwrapped import unwrapped
from napari_diffusion.widgets.recipe.code_consent import with_consent
from napari_diffusion.widgets.results.layer_replay import LayerReplay
from napari_diffusion.widgets.run.run_request import Message, RunError

if TYPE_CHECKING:
    from pathlib import Path

    import napari
    import napari.layers

    from napari_diffusion.core.function_parameter import AllowCode
    from napari_diffusion.io.step_record import StepRecord
    from napari_diffusion.widgets.run.worker import News, Worker

# How a finding begins that the replay from a layer makes up for.
_NOT_REPLAYED = "Not replayed: "

# Dialogs that are open: Python would forget them.
_OPEN: set[QMessageBox] = set()


def verify_selected(viewer: napari.Viewer, layer: napari.layers.Layer | None = None) -> None:
    """Check the hashes in the file of the selected result, and replay its run; say what was found.

    Parameters
    ----------
    viewer : napari.Viewer
        Whose layers are searched for the source.
    layer : Layer, optional
        Steps or a denoised image; that which is selected by default.
    """
    viewer = unwrapped(viewer)
    with saying_errors():
        image = selected_image(viewer, layer, "verify it")
        records, path = records_of(image), file_of(image)
        if not records:
            raise RunError(
                "steps",
                f"{image.name!r} is no result of napari-diffusion: select steps or a denoised "
                "image to verify it.",
            )
        allowed = _allowed(records[0])
        replay: LayerReplay | str
        try:
            replay = LayerReplay.of(image, viewer)
        except RunError as error:
            replay = str(error)
        found: list[Verification] = []
        name = image.name

        def work(worker: Worker) -> None:
            with contextlib.suppress(Stopped), stoppable(worker.stop):
                worker.post(_verified(name, path, replay, allowed, worker))

        def heard(news: News) -> None:
            found.append(news)

        start(f"Verify {name!r}", work, heard, lambda: show_verdict(found[-1]))


def _allowed(record: StepRecord) -> AllowCode:
    """Return the functions that may run; ask where the recipe names others."""

    def allowing(allowed: AllowCode) -> AllowCode:
        recipe_of(record, allowed)
        return allowed

    try:
        return with_consent(allowing)
    except CodeRefused as error:
        raise RunError("recipe", str(error)) from error


def _verified(
    name: str, path: Path | None, replay: LayerReplay | str, allowed: AllowCode, worker: Worker
) -> Verification:
    """Return what was found out of the file, if there is one, and by a replay."""
    verdict, said = Verdict.UNKNOWN, ["The layer was read from no file: it has no hashes."]
    is_replayed = False
    try:
        if path is not None:
            verdict, said, is_replayed = _of_file(path, allowed, worker)
        if is_replayed:
            return Verification(name, verdict, tuple(said))
        if isinstance(replay, str):
            return Verification(name, verdict, (*said, f"{_NOT_REPLAYED}{replay}"))
        worker.post(Message("Replaying the run …"))
        made, more = replay.compared(worker)
    except (ValueError, OSError, MemoryError) as error:
        raise RunError("run", str(error)) from error
    return Verification(name, verdict if verdict is Verdict.BROKEN else made, (*said, *more))


def _of_file(path: Path, allowed: AllowCode, worker: Worker) -> tuple[Verdict, list[str], bool]:
    """Return the verdict on a file, what was found, and whether its run was replayed."""
    from napari_diffusion.runs.verification.verification import verify

    worker.post(Message(f"Checking the hashes of {path.name!r} …"))
    found = verify(path, allow_code=allowed, stop=worker.stop)
    said = [each for each in found.findings if not each.startswith(_NOT_REPLAYED)]
    is_replayed = found.verdict in (Verdict.IDENTICAL, Verdict.WITHIN, Verdict.DIFFERENT)
    return found.verdict, said, is_replayed


def show_verdict(found: Verification) -> None:
    """Show what was found in a window that can stay open."""
    box = QMessageBox(QApplication.activeWindow())
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setModal(False)
    icon = QMessageBox.Icon.Information if found.holds else QMessageBox.Icon.Warning
    box.setIcon(icon)
    box.setWindowTitle("Verify selected layer")
    box.setTextFormat(Qt.TextFormat.PlainText)  # others chose the name of the layer
    box.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    box.setText(f"{found.name}: {found.verdict}.")
    box.setInformativeText("\n".join(found.findings))
    _OPEN.add(box)
    box.finished.connect(lambda: _OPEN.discard(box))
    box.show()
