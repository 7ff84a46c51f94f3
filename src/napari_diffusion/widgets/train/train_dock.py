"""The dock *Train*."""

from __future__ import annotations

import contextlib
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from qtpy.QtCore import QTimer

from napari_diffusion.core.parameter import Parameter
from napari_diffusion.filters import LearnedDiffusion
from napari_diffusion.loop.recipe import Recipe
from napari_diffusion.widgets.docks.layer_dock import LayerDock
from napari_diffusion.widgets.forms.box import Box, labelled
from napari_diffusion.widgets.forms.editors import Choice
from napari_diffusion.widgets.forms.field import Field
from napari_diffusion.widgets.run import memory
from napari_diffusion.widgets.run.memory_check import check_memory
from napari_diffusion.widgets.run.run_controls import RunControls, written_seconds
from napari_diffusion.widgets.run.run_request import RunError
from napari_diffusion.widgets.train.comparison import comparison, is_compared
from napari_diffusion.widgets.train.score_plot import ScorePlot
from napari_diffusion.widgets.train.start_choice import StartChoice
from napari_diffusion.widgets.train.trained_buttons import TrainedButtons
from napari_diffusion.widgets.train.training_work import TrainingChoice, percent, training_work

if TYPE_CHECKING:
    import napari
    from napari.layers import Image

    from napari_diffusion.learning import Score, TrainedWeights
    from napari_diffusion.widgets.forms.number_text import Value
    from napari_diffusion.widgets.run.run_request import Job
    from napari_diffusion.widgets.source.run_source import RunSource

_ABOUT = "Learn weights from the image. It stays unchanged, and nothing is saved yet."
_CANCEL = "Stop now and keep the best weights so far."
_KINDS = {"noisy": "noisy", "frames of one scene": "frames", "clean": "clean"}
_KIND_TIPS = {
    "noisy": "One noisy image, or a stack of different ones; the noise must be white.",
    "frames of one scene": "A stack along t of frames that differ by their noise alone.",
    "clean": "Images with hardly any noise, to which noise is added.",
}
_SECONDS = {"40 s": 40.0, "100 s": 100.0, "480 s": 480.0}
_SECONDS_TIP = (
    "Seconds of the processor, at most: with several processors it takes less time. It ends "
    "earlier where nothing is gained any more."
)
_SIGMA = Parameter(
    "noise_sigma",
    "float",
    "auto",
    unit="intensity",
    tooltip=(
        "Standard deviation of the noise. auto measures it; one per channel: 3, 4, 4. Of clean "
        "images: of the noise that is added; auto adds all levels."
    ),
    auto=True,
    many=True,
)

_NO_FRAMES = (
    "Frames of one scene need an axis t, and the axes are {}: choose time as the first axis, or "
    "another kind of images."
)
_COMPARE = ". Show one, then the other, to compare; the weights are in their folder"

# How often the bar moves, in milliseconds, and how often it is asked whether a thread has ended.
_MOVE, _LOOK = 500, 20


class Train(LayerDock):
    """Trains weights on an image layer, shows whether they became better, and denoises with them.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        The viewer that the dock belongs to.

    Attributes
    ----------
    scores : list of Score
        Of the training that runs or ran last.
    """

    takes_masks = False

    def __init__(self, napari_viewer: napari.Viewer) -> None:
        super().__init__(napari_viewer, RunControls("Train", _ABOUT), single=True)
        self.kind, self.seconds = Choice(_KINDS, _KIND_TIPS), Choice(_SECONDS)
        self.start = StartChoice()
        self.sigma = Field(_SIGMA, _checked_sigma, "noise σ")
        self.sigma.value = "auto"
        self.plot = ScorePlot()
        self.buttons = TrainedButtons(self.controls.message)
        self.scores: list[Score] = []
        self._made: list[TrainedWeights] | None = None
        self._choice, self._source_name, self._began = TrainingChoice(), "", 0.0
        self._moving, self._ending = QTimer(self.native), QTimer(self.native)
        self._ending.setSingleShot(True)
        self._lay_out()
        self._connect()
        self._source_changed()

    def _lay_out(self) -> None:
        self.controls.cancel.tooltip = _CANCEL
        self.advanced.body.insert(0, self.sigma)
        plot = Box()
        plot.add_native(self.plot)
        rows = [
            labelled("images are", self.kind, tooltip="What is learned from."),
            self.start,
            labelled("time", self.seconds, tooltip=_SECONDS_TIP),
        ]
        below = [self.controls, plot, self.buttons, self.advanced]
        self.lay_out([self.source, *rows, *below], [])

    def _connect(self) -> None:
        for each in (self.kind, self.seconds, self.start, self.sigma):
            each.changed.connect(self._edited)
        self.controls.run_clicked.connect(self.run)
        self.controls.running.connect(self._running)
        self.buttons.denoise_clicked.connect(self.denoise)
        self._moving.timeout.connect(self._move)
        self._ending.timeout.connect(self._take_weights)

    @property
    def value(self) -> TrainingChoice:
        """What training is asked for; ValueError says what is wrong with the form."""
        return TrainingChoice(
            self.kind.value, self.start.value, float(self.seconds.value), self.sigma.value
        )

    @value.setter
    def value(self, choice: TrainingChoice) -> None:
        if choice.seconds not in self.seconds.options_named.values():
            self.seconds.offer(written_seconds(choice.seconds), choice.seconds)
        self.kind.value, self.start.value = choice.kind, choice.start
        self.seconds.value, self.sigma.value = choice.seconds, choice.noise_sigma

    # --- training ---

    def run(self) -> None:
        """Train on the source; errors are shown, not raised."""
        with self.showing_errors():
            source = self.run_source()
            if self._made is not None:
                raise RunError("run", "The last training is still ending: try again in a moment.")
            if problem := self.form_problem():
                raise RunError("form", problem)
            self._choice, self._source_name = self.value, source.name
            job = self._job(source)
            self._made, self.scores = [], []
            self.buttons.take(None, source.name)
            self.plot.show_scores((), 0.0)
            work = training_work(job, self._choice, self._made)
            made = "the best weights so far"
            self.runner.start(work, self, made=lambda: made, title=f"Training on {source.name}")

    def grow(self, score: Score) -> None:
        """Show how far training has come."""
        self._began = time.process_time() - score.seconds
        self._moving.start(_MOVE)
        self.scores.append(score)
        self.plot.show_scores(self.scores, self._choice.seconds)

    def finish(self) -> None:
        """Nothing is left to be shown."""

    def let_go(self, closed: bool) -> None:
        """Stop training: the dock is closed, or else the whole window."""
        self._made = None
        super().let_go(closed)

    def _job(self, source: RunSource) -> Job:
        job = source.job(Recipe(num_steps=1, noise=None), 1, memory.free_memory())
        check_memory(replace(job, lazy=False), "layers")
        return replace(job, lazy=False)

    def _move(self) -> None:
        """Move the bar by what the processors have worked."""
        used = time.process_time() - self._began
        self.controls.show_progress(percent(used, self._choice))

    def _running(self, on: bool) -> None:
        self._moving.stop()
        self._show_buttons()
        if not on and self._made is not None:
            self._take_weights()

    def _take_weights(self) -> None:
        """Take the weights once the thread has ended, which it does a little after a Cancel."""
        worker = self.runner.worker
        if self._made is None or worker is None:
            return
        if not worker.join(0.0):
            self._ending.start(_LOOK)
            return
        made, self._made = self._made, None
        for trained in made:
            self.buttons.take(trained, self._source_name)
            self._say_trained(trained)
        self._show_buttons()

    def _say_trained(self, trained: TrainedWeights) -> None:
        ended = " It was stopped." if trained.ended == "stopped" else ""
        better = trained.is_better
        more = " Denoise with it to see the difference." if better else ""
        self.controls.message.say(
            f"{trained.summary()}{ended}{more}", "good" if better else "warning"
        )

    # --- what was trained ---

    def denoise(self) -> None:
        """Denoise the source by the start's weights and by the own ones; errors are shown."""
        with self.showing_errors():
            source = self.run_source()
            try:
                own = self.buttons.kept()
            except (OSError, ValueError) as error:
                raise RunError("weights", str(error)) from None
            start = self._choice.start or str(TrainingChoice().start)
            sigma = "auto" if self._choice.kind == "clean" else self._choice.noise_sigma
            work, layer_sink = comparison(self.viewer, source, start, own, sigma)
            self.runner.start(work, layer_sink, title=source.name, remark=_COMPARE)

    # --- what the dock shows ---

    def passes_over(self, layer: Image) -> bool:
        """Say whether a layer was denoised by learned weights, which is looked at."""
        return is_compared(layer)

    def form_problem(self) -> str | None:
        """Return what is wrong with the form besides its source, None where nothing is."""
        if self.kind.value == "frames":
            with contextlib.suppress(ValueError):
                axes = self.source.value.fold.axes
                if "t" not in axes:
                    return _NO_FRAMES.format(axes)
        return self.sigma.problem

    def show_possible(self) -> None:
        """Enable what can be done, here also with what was trained."""
        super().show_possible()
        self._show_buttons()

    def source_changed(self) -> None:
        """Show the units of another source."""
        self.sigma.set_units(self.units())

    def _show_buttons(self) -> None:
        idle = not self.controls.is_running and self._made is None
        self.buttons.set_possible(idle, idle and self.source.problem is None)

    def _edited(self) -> None:
        self.show_possible()
        self.changed.emit(self)


def _checked_sigma(value: Value) -> Value:
    """Return a noise as the filter takes it, or raise its own sentence."""
    return LearnedDiffusion(noise_sigma=value).noise_sigma
