"""The dock *Add noise*."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from magicgui.widgets import PushButton

from napari_diffusion.core.noise_scale import asked_scale
from napari_diffusion.core.parameter import Parameter
from napari_diffusion.engine.threads import Stopped
from napari_diffusion.loop.recipe import Recipe
from napari_diffusion.loop.registry import component_class
from napari_diffusion.loop.step import Step
from napari_diffusion.records.noisy_copy import noise_record, noisy_copy
from napari_diffusion.widgets.docks.single_step import SingleStep
from napari_diffusion.widgets.forms.component_choice import ComponentChoice
from napari_diffusion.widgets.forms.field import Field
from napari_diffusion.widgets.forms.fold import Fold
from napari_diffusion.widgets.layers.layer_names import scale_name
from napari_diffusion.widgets.recipe.seed_field import SeedField
from napari_diffusion.widgets.run import memory
from napari_diffusion.widgets.run.loop_run import finished
from napari_diffusion.widgets.run.read_layer import (
    as_run_error,
    mask_words,
    read_layer,
    read_mask,
    with_mask,
)
from napari_diffusion.widgets.run.run_request import Message, Resolved, StepReady
from napari_diffusion.widgets.source.noise_measurement import measuring_work, rounded_noise
from napari_diffusion.widgets.source.noise_meter import NoiseMeter

if TYPE_CHECKING:
    import napari

    from napari_diffusion.estimate import NoiseModel
    from napari_diffusion.io.step_record import StepRecord
    from napari_diffusion.widgets.forms.number_text import Value
    from napari_diffusion.widgets.forms.theme import Role
    from napari_diffusion.widgets.layers.step_layers import LayerSink
    from napari_diffusion.widgets.run.run_request import Job
    from napari_diffusion.widgets.run.worker import Work, Worker

_SCALE = Parameter(
    "noise_scale",
    "float",
    "auto",
    unit="intensity",
    tooltip=(
        "Standard deviation of the noise (at the mean intensity, if it depends on it); one "
        "per channel: 0.1, 0.2, 0.3. auto: as much noise as the image has; 5 % of range: a share "
        "of maximum − minimum; none: as the parameters of the noise say, such as a gain."
    ),
    auto=True,
    optional=True,
    many=True,
)
_NEW_SEED = "Draw another random seed: different noise of the same kind."


class AddNoise(SingleStep):
    """Adds noise to an image layer; the noisy copy is a new layer.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        The viewer that the dock belongs to.
    """

    def __init__(self, napari_viewer: napari.Viewer) -> None:
        about = "Add the noise once. The noisy copy is a new layer; the source stays unchanged."
        super().__init__(napari_viewer, "Add noise", about)
        self.noise = ComponentChoice("noise", unfolded=True)
        self.scale = Field(_SCALE, _checked_scale)
        self.seed = SeedField()
        self.new_seed = PushButton(text="New", tooltip=_NEW_SEED)
        self.meter = NoiseMeter(self.viewer, self.source)
        self.scale.value, self.seed.value = "auto", 0
        self.seed.append(self.new_seed)
        self.noise.add_details(Fold("Measure the noise", self.meter))
        self._connect()
        self.show_form([self.noise, self.scale, self.seed])
        self._show_seed()

    def _connect(self) -> None:
        self.new_seed.changed.connect(self.seed.draw)
        self.noise.changed.connect(self._show_seed)
        self.meter.clicked.connect(self.measure)
        self.runner.measured.connect(self.fill_noise)
        self.controls.running.connect(self._show_measurable)

    @property
    def value(self) -> Recipe:
        """Noise, noise scale and seed as a recipe has them; ValueError says what is wrong."""
        try:
            return Recipe(
                num_steps=1,
                noise=self.noise.value,
                starting_noise_scale=self.scale.value,
                seed=self.seed.value,
            )
        except TypeError as error:
            raise ValueError(str(error)) from None

    @value.setter
    def value(self, recipe: Recipe) -> None:
        self._take(recipe)

    def recipe(self) -> Recipe:
        """Return the noise as a recipe of one step."""
        return self.value

    def show_recipe(self, recipe: Recipe) -> None:
        """Show noise, noise scale and seed of a recipe."""
        self.noise.value = recipe.noise
        self.scale.value = recipe.starting_noise_scale
        self.seed.value = recipe.seed

    def work(self, job: Job, layer_sink: LayerSink) -> Work:
        """Return the work that adds the noise: it posts `Message`, `Resolved` and `StepReady`."""

        def work(worker: Worker) -> None:
            with contextlib.suppress(Stopped):
                _add(job, layer_sink, worker)

        return work

    def title(self, step: Step, record: StepRecord) -> str:
        """Return the kind of noise and its scale."""
        kind = component_class("noise", record["noise"]["type"])
        return f"noise {kind.display_name} {scale_name(step)}"

    def set_resolved(self, recipe: Recipe | None) -> None:
        """Show the values that every "auto" stands for; None forgets them."""
        self.noise.set_resolved(recipe and recipe.noise)
        self.scale.set_resolved(recipe and recipe.starting_noise_scale)

    def measure(self) -> None:
        """Measure the noise of the source, and fill the form with it."""
        with self.showing_errors():
            job = self.run_source().job(Recipe(num_steps=1), 1, memory.free_memory())
            self.meter.show_model(None)
            work = measuring_work(job, self.meter.measuring_options())
            self.runner.start(work, title=job.source_name)

    def fill_noise(self, model: NoiseModel) -> None:
        """Fill the form with the noise that was measured."""
        self.noise.value, self.scale.value = rounded_noise(model)
        self.meter.show_model(model)
        words = model.in_words().removesuffix(".")
        details = "\n\n".join(model.warnings)
        role: Role = "warning" if details else "good"
        self.controls.conclude(f"Filled in what was measured: {words}.", role, details=details)

    def show_possible(self) -> None:
        """Enable what can be done, here also measuring."""
        super().show_possible()
        self._show_measurable()

    def _show_measurable(self) -> None:
        self.meter.set_possible(self.source.problem is None and not self.controls.is_running)

    def _show_seed(self) -> None:
        claims: frozenset[str] = frozenset()
        with contextlib.suppress(ValueError):
            claims = self.noise.value.claims
        self.seed.visible = not claims or "random" in claims


def _add(job: Job, layer_sink: LayerSink, worker: Worker) -> None:
    layer_sink.mask = mask = read_mask(job)
    options = with_mask(job, mask)
    image = read_layer(job, options, worker)
    worker.post(Message("Adding noise (the first run compiles, which takes a while) …"))
    region = None if job.region is None else job.fold.region(job.region)
    recipe, noise = job.recipe, job.recipe.noise
    assert noise is not None
    with as_run_error("form"):
        made = noisy_copy(
            image,
            noise,
            recipe.starting_noise_scale,
            recipe.seed,
            region=region,
            stop=worker.stop,
            **options,
        )
    more = {**job.more, **mask_words(job, mask)}
    kept = noise_record(made, options, job.source_name, **more)
    worker.post(Resolved(recipe.replaced(noise=made.noise, starting_noise_scale=made.noise_scale)))
    shown = layer_sink.keep(finished(Step(0, made.noise_scale, made.image, False), job))
    worker.post(StepReady(shown, kept, 1), in_turn=layer_sink.in_turn)


def _checked_scale(value: Value) -> Value:
    # Whether none goes with the noise, the whole recipe says.
    return None if value is None else asked_scale(value)
