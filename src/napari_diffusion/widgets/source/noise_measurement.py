"""How noise is measured, as the work of a thread, and what a form takes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_diffusion.widgets.run.read_layer import as_run_error, read_layer, read_mask, with_mask
from napari_diffusion.widgets.run.run_request import Measured, Message

if TYPE_CHECKING:
    from napari_diffusion.estimate import NoiseModel
    from napari_diffusion.noise import Noise
    from napari_diffusion.widgets.forms.number_text import Value
    from napari_diffusion.widgets.layers.mask import Mask
    from napari_diffusion.widgets.run.run_request import Job
    from napari_diffusion.widgets.run.worker import Work, Worker

# Digits of measured parameters.
_DIGITS = 4


@dataclass(frozen=True, eq=False)
class MeasuringOptions:
    """How the noise is to be measured.

    Attributes
    ----------
    region : Mask or None
        Where there is nothing but background.
    repeats : str or None
        The axis of the repeated frames.
    offset : float or None
        Intensity without light, where it is known.
    """

    region: Mask | None = None
    repeats: str | None = None
    offset: float | None = None


def rounded_noise(model: NoiseModel) -> tuple[Noise, float]:
    """Return the noise that was measured and its scale, with as many digits as they are sure of."""

    def short(component: Noise) -> Noise:
        numbers = {p.name: getattr(component, p.name) for p in component.parameters()}
        changed = {name: _short(n) for name, n in numbers.items() if _short(n) != n}
        return component.replaced(**changed).with_components(short)

    return short(model.noise()), _short(model.noise_scale)


def _short(value: Value) -> Value:
    if isinstance(value, tuple):
        return tuple(_short(each) for each in value)
    return float(f"{value:.{_DIGITS}g}") if isinstance(value, float) else value


def measuring_work(job: Job, way: MeasuringOptions) -> Work:
    """Return the work that measures the noise of an image: it posts `Measured`."""

    def work(worker: Worker) -> None:
        from napari_diffusion.estimate import noise_model

        options = with_mask(job, read_mask(job))
        image = read_layer(job, options, worker)
        worker.post(Message("Measuring the noise …"))
        with as_run_error("meter"):
            region = None
            if way.region is not None:
                region = way.region.folded(job.fold, bool(job.options["rgb"]))
                if not region.any():
                    raise ValueError(f"The region {way.region.name!r} is empty.")
            model = noise_model(
                image, region_mask=region, repeats=way.repeats, offset=way.offset, **options
            )
        worker.post(Measured(model))

    return work
