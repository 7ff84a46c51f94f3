"""What the numbers of a form are in: the unit of length, the pixel size, the unit of intensity."""

from __future__ import annotations

from dataclasses import dataclass

from napari_diffusion.core.units import PIXEL
from napari_diffusion.loop.recipe_units import LengthUnit, in_pixels


@dataclass(frozen=True)
class Units:
    """The units of an image.

    Attributes
    ----------
    length : str
        Such as "µm"; "pixel" where the image has none.
    pixel_size : float
        The smallest pixel size of an image.
    intensity : str
        "intensity", or what values are in where noise is stabilised.
    """

    length: str = PIXEL
    pixel_size: float = 1.0
    intensity: str = "intensity"

    def named(self, unit: str) -> str:
        """Return the unit of a parameter, such as "world²", in this image: "µm²"."""
        return unit.replace("world", self.length).replace("intensity", self.intensity)

    def in_pixels(self, number: object, unit: str) -> str:
        """Return a length in pixels, such as "12.3 px²"; empty where that is what it is in."""
        if self.length == PIXEL and self.pixel_size == 1:
            return ""
        return in_pixels(number, unit, self.pixel_size)

    @property
    def of_length(self) -> LengthUnit:
        """The unit of length, as recipes know it."""
        return LengthUnit(self.length, self.pixel_size)
