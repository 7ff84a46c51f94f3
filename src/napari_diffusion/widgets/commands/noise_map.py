"""The command *Noise map*: the noise around every pixel of the selected image, as a layer."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from napari_diffusion.core.image import is_dask
from napari_diffusion.denoising.denoise import denoiser
from napari_diffusion.engine.threads import Stopped, stoppable
from napari_diffusion.estimate.maps.noise_map import TILE, noise_map_of
from napari_diffusion.records.provenance import SCHEMA, versions
from napari_diffusion.widgets.commands.command_work import start
from napari_diffusion.widgets.commands.selected_image import (
    saying_errors,
    selected_image,
    source_of_command,
)
from napari_diffusion.widgets.docks.dock import notify
from napari_diffusion.widgets.layers.step_layers import Place, image_layer
from napari_diffusion.widgets.layers.unwrapped import unwrapped
from napari_diffusion.widgets.results.layer_sink import related_layers
from napari_diffusion.widgets.run import memory
from napari_diffusion.widgets.run.memory_check import check_memory
from napari_diffusion.widgets.run.read_layer import as_run_error, read_image, read_mask, with_mask
from napari_diffusion.widgets.run.run_request import Message

if TYPE_CHECKING:
    import napari
    import napari.layers
    from numpy.typing import NDArray

    from napari_diffusion.estimate.maps.noise_map import NoiseMap
    from napari_diffusion.widgets.layers.layer_style import LayerStyle
    from napari_diffusion.widgets.layers.step_records import Entries
    from napari_diffusion.widgets.run.run_request import Job
    from napari_diffusion.widgets.run.worker import News, Work, Worker

_FROM = {
    "windows": "from the calm windows around each pixel",
    "intensity": "from the intensity around each pixel, for it is photon noise",
}


class MapFound(NamedTuple):
    """The noise map of an image, and its values in the axes of the layer."""

    noise_map: NoiseMap
    values: NDArray[np.floating]


def noise_map(viewer: napari.Viewer, layer: napari.layers.Layer | None = None) -> None:
    """Measure the noise around every pixel of the selected image, as a new layer.

    Parameters
    ----------
    viewer : napari.Viewer
        Gets the new layer.
    layer : Layer, optional
        The image; that which is selected by default.
    """
    viewer = unwrapped(viewer)
    with saying_errors():
        image = selected_image(viewer, layer, "map its noise")
        run_source = source_of_command(viewer, image)
        job = run_source.job(denoiser(), 1, memory.free_memory())
        check_memory(job, "layers")
        place = Place(viewer, related_layers(viewer, image))
        found: list[MapFound] = []

        def heard(news: News) -> None:
            match news:
                case MapFound():
                    found.append(news)

        def ended() -> None:
            (made,) = found
            place.insert(_layer(made, image.name, run_source.styles[0]))
            notify("info", f"{_words(made)} Measured on {image.name!r}.")

        start(f"Map the noise of {image.name!r}", _work(job), heard, ended)


def _work(job: Job) -> Work:
    """Return the work of measuring, which posts `MapFound`."""

    def work(worker: Worker) -> None:
        with contextlib.suppress(Stopped):
            source = read_image(job, with_mask(job, read_mask(job)), worker)
            worker.post(Message("Measuring the noise …"))
            with as_run_error("run"), stoppable(worker.stop):
                if is_dask(source.data):
                    # There is room: that has been asked for.
                    source = source.with_data(np.ascontiguousarray(source.data.compute()))
                found = noise_map_of(source)
            fold = job.fold.without("c") if source.grid.rgb else job.fold
            worker.post(MapFound(found, fold.unfolded(found.values)), in_turn=True)

    return work


def _words(made: MapFound) -> str:
    low, high = (float(each) for each in np.percentile(made.values, (1, 99)))
    return f"Noise σ {low:.3g} to {high:.3g} in intensity units, {_FROM[made.noise_map.source]}."


def _layer(made: MapFound, source: str, style: LayerStyle) -> napari.layers.Image:
    """Return the layer of a map, from no noise to the most."""
    limits = (0.0, float(made.values.max()) or 1.0)
    shown = {
        **style.shown,
        "rgb": False,
        "blending": "translucent",
        "colormap": "viridis",
        "contrast_limits": limits,
    }
    record: Entries = {
        "schema": SCHEMA,
        "shows": "noise map",
        "map_unit": "intensity",
        "tile": TILE,
        "measured_from": made.noise_map.source,
        "source": source,
        "versions": dict(versions()),
        "processed": f"Standard deviation of the noise of {source!r}, in intensity units, "
        f"{_FROM[made.noise_map.source]}.",
    }
    return image_layer(made.values, f"noise map · {source}", replace(style, shown=shown), record)
