"""Where the part of a preview lies in a layer, and the source as it was read last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_diffusion.loop.preview import Preview
from napari_diffusion.widgets.layers.layer_axes import FURTHER
from napari_diffusion.widgets.run.read_layer import as_run_error, read_image, read_mask, with_mask

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_diffusion.loop.preview import Part
    from napari_diffusion.widgets.run.run_request import Job
    from napari_diffusion.widgets.run.worker import Worker
    from napari_diffusion.widgets.source.run_source import Region


class Reader:
    """Keeps the source that was read last, so that one that stays the same is read once."""

    def __init__(self) -> None:
        self._known: tuple[Any, ...] = ()
        self._preview: Preview | None = None

    @property
    def is_ready(self) -> bool:
        """Whether a source has been read."""
        return self._preview is not None

    def forget(self) -> None:
        """Read the source anew at the next request."""
        self._known, self._preview = (), None

    def preview(self, job: Job, arrays: tuple[NDArray[Any], ...], worker: Worker) -> Preview:
        """Return the preview of a source; called by the thread that computes."""
        mask, known = read_mask(job), self._known
        if known and self._preview is not None:
            same = len(known[0]) == len(arrays) and all(map(_is, known[0], arrays))
            if same and known[1] == job.options and _equal(known[2], mask):
                return self._preview
        options = with_mask(job, mask)
        image = read_image(job, options, worker)
        with as_run_error("source"):
            preview = Preview(image)
        self._known, self._preview = (arrays, job.options, mask), preview
        return preview


def _is(one: object, other: object) -> bool:
    return one is other


def _equal(one: NDArray[np.bool_] | None, other: NDArray[np.bool_] | None) -> bool:
    return one is other or (one is not None and other is not None and np.array_equal(one, other))


def own_region(part: Part, asked: Region, job: Job) -> Region:
    """Return where a part lies in the layer's own axes."""
    letters = job.fold.letters
    folded = (FURTHER, "t") if FURTHER in letters else ()
    named = dict(zip(job.fold.axes, part.region, strict=True))
    return tuple(
        whole if letter in folded else named[letter]
        for letter, whole in zip(letters, asked, strict=True)
    )
