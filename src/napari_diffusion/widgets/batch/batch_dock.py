"""The dock *Batch*."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from magicgui.widgets import CheckBox

from napari_diffusion.loop.presets import PRESETS
from napari_diffusion.runs.batch.batch_outputs import OUTPUT_FORMATS
from napari_diffusion.runs.batch.batch_plan import BatchOptions
from napari_diffusion.runs.batch.batch_row import BAD, BatchRow, counted
from napari_diffusion.widgets.batch.batch_files import BatchFiles
from napari_diffusion.widgets.batch.batch_rows import BatchRows, as_clicked
from napari_diffusion.widgets.batch.batch_work import AskedRecipe, RowChanged, batch_work
from napari_diffusion.widgets.docks.dock import Dock
from napari_diffusion.widgets.forms.box import labelled
from napari_diffusion.widgets.forms.editors import Choice
from napari_diffusion.widgets.forms.fold import Fold
from napari_diffusion.widgets.recipe.code_consent import allow_functions_of, with_consent
from napari_diffusion.widgets.recipe.recipe_form import RecipeForm
from napari_diffusion.widgets.recipe.saved_recipes import SavedRecipes
from napari_diffusion.widgets.results.saved_run import open_result, show_result
from napari_diffusion.widgets.run.background import Background
from napari_diffusion.widgets.run.run_controls import RunControls
from napari_diffusion.widgets.run.run_request import RunError

if TYPE_CHECKING:
    import threading
    from collections.abc import Generator

    import napari
    from magicgui.widgets.bases import Widget
    from napari.layers import Layer

    from napari_diffusion.widgets.run.worker import News

_ABOUT = "Run the recipe on every image; each gets an output, and a row in the table."
_FORMATS = {
    "OME-Zarr": "ome.zarr",
    "OME-TIFF": "ome.tif",
    "folder of OME-TIFF": "folder",
    "NumPy": "npy",
    "MRC": "mrc",
    "NIfTI": "nii.gz",
}
_MEASURE = {"each image": "each", "first image, for all": "first"}
_MEASURE_TIPS = {
    "each image": "What the recipe leaves open (auto) is measured on each image.",
    "first image, for all": "It is measured once: all images are treated alike.",
}
_KEEP = {"last step": "last", "all steps": "all"}
_TYPES = {"floating point": "float", "type of the image": "source"}
_REPLACE = "Make outputs again that are there already, and replace those of another recipe."


class BatchOfFiles(Dock):
    """Runs a recipe on many files, each to a file of its own.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        The viewer that the dock belongs to.
    """

    def __init__(self, napari_viewer: napari.Viewer) -> None:
        self.table = BatchRows()
        super().__init__(napari_viewer, RunControls("Run", _ABOUT, many=True), "file")
        self._opening = Background(self._say, self.show_possible, self.native)
        self._listing = Background(self._say, self._listed, self.native)
        self._cancelled = False
        self.files = BatchFiles(self._listing)
        self.recipe = RecipeForm()
        self.recipe.value = PRESETS["denoise"]
        self.saved_recipes = SavedRecipes(self.recipe)
        self.measure = Choice(_MEASURE, _MEASURE_TIPS)
        self.format, self.keep, self.dtype = map(Choice, (_FORMATS, _KEEP, _TYPES))
        self.overwrite = CheckBox(text="Replace outputs", tooltip=_REPLACE)
        self._lay_out()
        self._connect()
        self.show_possible()

    def _lay_out(self) -> None:
        presets = self.recipe.presets
        self.recipe.remove(presets)
        form: list[Widget] = [
            self.files,
            presets,
            Fold("Recipe", self.recipe, self.recipe.advanced, self.saved_recipes),
            labelled("measure on", self.measure, tooltip="Where auto is measured."),
            labelled("format", self.format),
            labelled("write", self.keep, tooltip="What each output holds."),
            Fold("Advanced", labelled("data type", self.dtype), self.overwrite),
        ]
        self.lay_out(form, [self.controls])
        self.margins = (3, 4, 3, 4)  # the recipe of a denoiser, all unfolded, just fits
        self.add_native(self.table, 1)

    def _connect(self) -> None:
        self.files.changed.connect(self._listed)
        self.recipe.problem_changed.connect(self.show_possible)
        self.saved_recipes.reported.connect(self.controls.message.say)
        self.controls.run_clicked.connect(self.run)
        self.controls.cancel_clicked.connect(self._cancel)
        self.table.asked.connect(self.open_row)

    # --- from the form to a run ---

    def run(self) -> None:
        """Run the recipe on all files; errors are shown, not raised."""
        with self.showing_errors():
            self.check_idle()
            worker = self.runner.worker
            if worker is not None and not worker.join(0.0):
                raise RunError("run", "The last batch is still ending: try again in a moment.")
            recipe, options = self.asked_recipe(), self.asked_options()
            paths, self._cancelled = self.files.paths, False
            self.table.show_rows(_waiting(self.files))
            work = batch_work(paths, self.files.folder, recipe, options)
            title = f"Batch of {len(paths)} images"
            self.runner.start(work, total=len(paths), unit="files", title=title)
            assert self.runner.worker is not None
            self.runner.worker.posted.connect(self._posted)

    def asked_recipe(self) -> AskedRecipe:
        """Return the recipe that the form shows; `RunError` says what is wrong with it."""
        typed = self.recipe.typed
        if self.recipe.problem or typed is None:
            raise RunError("recipe", str(self.recipe.problem))
        allow_functions_of(typed.recipe)
        return AskedRecipe(self.recipe.preset, typed)

    def asked_options(self) -> BatchOptions:
        """Return how the files are read and written."""
        found: dict[str, Any] = {"resolve": self.measure.value, "dtype": self.dtype.value}
        return BatchOptions(
            ending=OUTPUT_FORMATS[str(self.format.value)],
            keep_every=None if self.keep.value == "last" else 1,
            overwrite=bool(self.overwrite.value),
            allow_code=with_consent(lambda allowed: allowed),
            **found,
        )

    def open_row(self, row: BatchRow) -> None:
        """Open the output of a file as a layer, in the background."""
        if row.state not in ("done", "skipped"):
            self.controls.message.say(as_clicked(row.sentence), "warning")
            return
        path = row.output

        def work(stop: threading.Event) -> Generator[int, None, list[Layer]]:
            del stop
            yield 0
            return open_result(path)

        def done(layers: list[Layer]) -> None:
            show_result(self.viewer, layers)

        self._opening.start(work, lambda _: None, done, f"Open {path.name!r}")

    def let_go(self, closed: bool) -> None:
        """Stop: the dock is closed, or else the whole window."""
        super().let_go(closed)
        self._opening.drop()
        self._listing.drop()

    # --- what the dock shows ---

    def show_possible(self, *_: object) -> None:
        """Enable Run where there is something to run, else say what comes next."""
        problem = self.files.problem or self.recipe.problem
        self.controls.set_possible(problem is None)
        if self.runner.is_running:
            return
        if problem is not None:
            self.controls.say(problem, bad=problem in (self.files.fault, self.recipe.problem))
        elif not self._has_ended():
            self.controls.say(f"Press Run: {len(self.files.paths)} images, a row for each.")

    def show_theme(self) -> None:
        """Follow the theme of the viewer."""
        super().show_theme()
        self.table.show_theme(self.viewer.theme)

    def _listed(self, *_: object) -> None:
        """Show the files, once they have been found."""
        if not self.runner.is_running:
            self.table.show_rows(_waiting(self.files))
        self.show_possible()

    def _has_ended(self) -> bool:
        return any(row.state != "waiting" for row in self.table.rows)

    def _posted(self, news: News) -> None:
        if isinstance(news, RowChanged):
            self.table.show_row(*news)
            self._conclude()

    def _cancel(self) -> None:
        self._cancelled = True
        for place, row in enumerate(self.table.rows):
            if row.state == "running":
                stopped = replace(row, state="stopped", sentence="Run goes on with it.")
                self.table.show_row(place, stopped)
        self._conclude()

    def _conclude(self) -> None:
        """Say what there is once the batch has ended; that is later than now."""
        rows = self.table.rows
        said = counted(rows)
        if self._cancelled:
            self.controls.conclude(f"Stopped: {said}. Run goes on where it ended.")
            return
        bad = any(row.state in BAD for row in rows)
        why = ": the table says why" if bad else ""
        words = f"{said}{why}. Double-click a row to open its result."
        self.controls.conclude(words, "warning" if bad else "good")

    def _say(self, sentence: str, bad: bool) -> None:
        self.controls.message.say(sentence, "error" if bad else "help")


def _waiting(files: BatchFiles) -> list[BatchRow]:
    return [BatchRow(path, files.folder) for path in files.paths]
