"""The dock *Add noise*."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from napari_diffusion.core.noise_scale import asked_scale
from napari_diffusion.core.parameter import Parameter
from napari_diffusion.engine.threads import Stopped
from napari_diffusion.loop.recipe import Recipe, Step
from napari_diffusion.loop.registry import component_class
from napari_diffusion.records.noisy_copy import noise_record, noisy_copy
from napari_diffusion.widgets.docks.layer_dock import Tool
from napari_diffusion.widgets.forms.choice import ComponentChoice
from napari_diffusion.widgets.forms.fields import Automatic, ComboField, LineField, unchecked
from napari_diffusion.widgets.forms.seed import SeedField
from napari_diffusion.widgets.layers.layer_names import scale_name
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
from napari_diffusion.widgets.source.noise_meter import rounded_noise

if TYPE_CHECKING:
    import napari

    from napari_diffusion.estimate import NoiseModel
    from napari_diffusion.io.step_record import StepRecord
    from napari_diffusion.widgets.forms.number_text import Value
    from napari_diffusion.widgets.layers.step_layers import LayerSink
    from napari_diffusion.widgets.run.run_request import Job
    from napari_diffusion.widgets.run.worker import Work, Worker

_BY_SCALE, _BY_PARAMETERS = "noise scale", "its parameters"

_STRENGTH = Parameter(
    "strength",
    "choice",
    _BY_SCALE,
    tooltip=(
        "How the strength of the noise is set: by the noise scale, to which its parameters "
        "are scaled, or by its parameters as typed."
    ),
    choices=(_BY_SCALE, _BY_PARAMETERS),
)
_SCALE = Parameter(
    "noise_scale",
    "float",
    "auto",
    unit="intensity",
    tooltip=(
        "Standard deviation of the noise (at the mean intensity, if it depends on it); one "
        "per channel: 0.1, 0.2, 0.3. auto: as much noise as the image has; 5 % of range: a share "
        "of maximum − minimum."
    ),
    auto=True,
    many=True,
)
_SEED = Parameter("seed", "int", 0, tooltip="Random seed: the same seed gives the same noise.")


class AddNoise(Tool):
    """Adds noise to an image layer; the noisy copy is a new layer.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        The viewer that the dock belongs to.
    """

    def __init__(self, napari_viewer: napari.Viewer) -> None:
        self.noise = ComponentChoice("noise")
        self.strength = ComboField(_STRENGTH, unchecked, _STRENGTH.choices)
        self.scale = LineField(_SCALE, _checked_scale, Automatic())
        self.seed = SeedField(_SEED, lambda seed: Recipe(seed=seed).seed)
        self.scale.set_value("auto")
        self.seed.set_value(0)
        about = "Add the noise once. The noisy copy is a new layer; the source stays unchanged."
        form = [self.noise, self.strength, self.scale, self.seed]
        super().__init__(napari_viewer, "Add noise", about, form)
        self.noise.add_beside(self.meter.unfold)
        self.meter.clicked.connect(self.measure)
        self.runner.measured.connect(self.fill_noise)
        self.noise.changed.connect(self._edited)
        self.strength.changed.connect(self._edited)
        self._edited()

    def recipe(self) -> Recipe:
        """Return noise, noise scale and seed as a recipe has them."""
        own = self.strength.isVisibleTo(self) and self.strength.value() == _BY_PARAMETERS
        return Recipe(
            num_steps=1,
            noise=self.noise.value(),
            starting_noise_scale=None if own else self.scale.value(),
            seed=self.seed.value(),
        )

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

    def set_world(self, unit: str, length: float | None) -> None:
        """Follow the unit and the distance of the pixels."""
        self.noise.set_unit("world", unit)
        if length is not None:
            self.noise.set_pixel_size(length)

    def measure(self) -> None:
        """Measure the noise of the source, and fill the form with it."""
        with self.showing_errors():
            self.start_measuring(
                self.run_source().job(Recipe(num_steps=1), 1, memory.free_memory())
            )

    def fill_noise(self, model: NoiseModel) -> None:
        """Fill the form with the noise that was measured."""
        noise, scale = rounded_noise(model)
        self.noise.set_value(noise)
        self.strength.set_value(_BY_SCALE)
        self.scale.set_value(scale)
        self.meter.show_model(model, "Filled in this noise and its scale.")

    def _edited(self) -> None:
        self.controls.say("")
        claims: frozenset[str] = frozenset()
        with contextlib.suppress(ValueError):
            claims = self.noise.value().claims
        natural = "natural" in claims
        self.strength.setVisible(natural)
        self.scale.setVisible(not natural or self.strength.value() == _BY_SCALE)
        self.seed.setVisible(not claims or "random" in claims)


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
    return asked_scale(value)
