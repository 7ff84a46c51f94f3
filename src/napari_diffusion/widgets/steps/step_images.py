"""Steps as images of 8 bits, as they look in the window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from napari_diffusion.io.contact_sheet import in_proportion, step_label
from napari_diffusion.records.provenance import noise_scale_of
from napari_diffusion.widgets.plots.line_profile import across

if TYPE_CHECKING:
    import napari
    from numpy.typing import NDArray
    from PIL.Image import Image as Frame

    from napari_diffusion.widgets.results.step_run import StepRun

# A level of the palette, or red, green and blue.
Ink = int | tuple[int, int, int]

_STRIP, _TEXT = 24, 16
_SMALLEST, _LARGEST = 320, 1024


@dataclass(frozen=True, eq=False)
class StepImages:
    """How the steps of a run are turned into images: the plane that is shown, and its colours.

    Attributes
    ----------
    names : tuple of str
        What stands beneath each image.
    data : tuple of array
        Of the source, where it is there and asked for, and of the steps.
    plane : tuple
        Cuts the plane that is shown out of each.
    turned : bool
        Whether rows and columns of the plane are exchanged.
    ratio : float
        Height of a row over the width of a column, in world units.
    palette : ndarray
        (256, 3): the colours of the levels; of colour images unused.
    limits : (low, high)
        What has the first and the last level.
    gamma : float
        Exponent of what lies between.
    rgb : bool
        Whether the images have colours of their own.
    """

    names: tuple[str, ...]
    data: tuple[NDArray[Any], ...]
    plane: tuple[int | slice, ...]
    turned: bool
    ratio: float
    palette: NDArray[np.uint8]
    limits: tuple[float, float]
    gamma: float
    rgb: bool

    @classmethod
    def of(cls, viewer: napari.Viewer, run: StepRun, source: bool) -> Self:
        """Read how the steps look now; only the thread that has the window may."""
        step = run.step
        layer, ndim = step.layer, np.ndim(step.data) - step.layer.rgb
        offset = viewer.dims.ndim - ndim
        shown = [axis - offset for axis in viewer.dims.displayed[-2:]]
        at = np.array(layer.world_to_data(across(viewer, layer).ends[0]))[-ndim:]
        sizes = np.shape(step.data)
        plane = tuple(
            slice(None) if axis in shown else int(np.clip(round(at[axis]), 0, sizes[axis] - 1))
            for axis in range(ndim)
        )
        scale = np.abs(np.array(layer.scale[-ndim:]))
        colours = np.zeros((256, 3))
        if not layer.rgb:
            colours = np.asarray(layer.colormap.map(np.linspace(0, 1, 256)))[:, :3]
        first = run.source_data() if source else None
        data = [] if first is None else [first]
        names = [] if first is None else ["source"]
        for each in run.steps:
            record = each.record
            names.append(step_label(record["step"], noise_scale_of(record), record["is_final"]))
            data.append(each.data)
        low, high = (0.0, 1.0) if layer.rgb else layer.contrast_limits
        return cls(
            names=tuple(names),
            data=tuple(data),
            plane=plane,
            turned=shown[0] > shown[1],
            ratio=float(scale[shown[0]] / scale[shown[1]]),
            palette=np.rint(colours * 255).astype(np.uint8),
            limits=(float(low), float(high)),
            gamma=1.0 if layer.rgb else float(layer.gamma),
            rgb=bool(layer.rgb),
        )

    def levels(self, place: int) -> NDArray[np.uint8]:
        """Return an image: a level for each pixel, or its colours."""
        values = np.asarray(self.data[place][self.plane])
        if self.turned:
            values = values.swapaxes(0, 1)
        if self.rgb:
            whole = values[..., :3]
            top = np.iinfo(whole.dtype).max if whole.dtype.kind in "iu" else 1.0
            parts = whole.astype(float) / top
        else:
            low, high = self.limits
            parts = (values.astype(float) - low) / (high - low)
        parts = np.nan_to_num(parts.clip(0.0, 1.0)) ** self.gamma
        return in_proportion(np.rint(parts * 255).astype(np.uint8), self.ratio)

    def colours(self, place: int) -> NDArray[np.uint8]:
        """Return an image in red, green and blue."""
        levels = self.levels(place)
        return levels if self.rgb else np.asarray(self.palette[levels])

    def frame(self, place: int) -> Frame:
        """Return an image of Pillow's with its name beneath; its colours are those of the layer.

        An image with a colormap has a palette, so that a GIF changes none of its levels.
        """
        from PIL import Image, ImageDraw, ImageFont

        levels = self.levels(place)
        image: Frame = Image.fromarray(levels)
        if not self.rgb:
            image.putpalette(self.palette.tobytes())
        image = _sized(image)
        paper, ink = self._paper_and_ink()
        frame: Frame = Image.new(image.mode, (image.width, image.height + _STRIP), paper)
        if not self.rgb:
            frame.putpalette(self.palette.tobytes())
        frame.paste(image, (0, 0))
        font = ImageFont.load_default(size=_TEXT)
        draw = ImageDraw.Draw(frame)
        draw.fontmode = "1" if not self.rgb else "L"
        draw.text((4, image.height + 2), self.names[place], fill=ink, font=font)
        return frame

    def _paper_and_ink(self) -> tuple[Ink, Ink]:
        if self.rgb:
            return (0, 0, 0), (255, 255, 255)
        bright = self.palette.astype(int).sum(axis=1)
        return int(bright.argmin()), int(bright.argmax())


def _sized(image: Frame) -> Frame:
    """Return the image neither too large for a movie nor too small to read what is beneath."""
    from PIL import Image

    longest = max(image.size)
    if longest > _LARGEST:
        # Levels of a palette must not be mixed: pixels are left out instead.
        size = [max(round(side * _LARGEST / longest), 1) for side in image.size]
        return image.resize(size, Image.Resampling.NEAREST)
    factor = -(-_SMALLEST // longest)
    return image.resize([side * factor for side in image.size], Image.Resampling.NEAREST)
