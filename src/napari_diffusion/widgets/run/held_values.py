"""The values of a layer, wherever they are, as an image that is read in parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.core.image import is_dask
from napari_diffusion.core.merkle_hash import chunks_of
from napari_diffusion.engine.threads import Stopped
from napari_diffusion.widgets.files.layer_source import is_mirrored, layer_source
from napari_diffusion.widgets.layers.layer_axes import FURTHER

if TYPE_CHECKING:
    from napari_diffusion.engine.threads import StopToken
    from napari_diffusion.io import Source
    from napari_diffusion.widgets.layers.layer_axes import Fold
    from napari_diffusion.widgets.layers.layer_style import LayerStyle
    from napari_diffusion.widgets.run.run_request import Job

# Of what has no chunks of its own.
_CHUNK = "16MiB"


@dataclass(frozen=True, eq=False)
class HeldValues:
    """Values of which parts are copied: those of numpy would be views, and change with the layer.

    Attributes
    ----------
    values : array
        Anything that is indexed by slices.
    stop : StopToken, optional
        Once set, `Stopped` is raised in place of a part.
    """

    values: Any
    stop: StopToken | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Of all values."""
        return tuple(int(size) for size in self.values.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Their type."""
        return np.dtype(self.values.dtype)

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def chunks(self) -> tuple[int, ...]:
        """The shape of what lies together."""
        return chunks_of(self.values)

    def __getitem__(self, key: Any) -> Any:
        """Return a part."""
        if self.stop is not None and self.stop.is_set():
            raise Stopped("Reading the layer was stopped.")
        return np.array(self.values[key])


def source_of(job: Job, style: LayerStyle) -> Source:
    """Return the layer of a run the way a file would be, its values where they are.

    Parameters
    ----------
    job : Job
        A run on one layer.
    style : LayerStyle
        Of the layer.
    """
    lazy, stored = in_parts(job.data, job.fold)
    told = layer_source(job.fold.unfolded(lazy), job.fold.letters, style, job.source_name)
    place = {} if is_mirrored(style) else told.place  # it would be that of the last pixel
    return told.replaced(image=lazy, stored=stored, place=place)


def in_parts(data: Any, fold: Fold) -> tuple[Any, HeldValues | None]:
    """Return values as a dask array in the loop's axes, and what it is read from if it is that."""
    if is_dask(data):
        return fold.folded(data), None
    import dask.array as da

    held = HeldValues(data)
    chunks = getattr(data, "chunks", None) or _CHUNK
    empty = np.empty((0,) * held.ndim, held.dtype)
    lazy = da.from_array(held, chunks=chunks, name=False, meta=empty)
    return (fold.folded(lazy), None) if FURTHER in fold.letters else (lazy, held)
