"""What the numbers of a form are in: the unit of length, the pixel size, the unit of intensity."""

from __future__ import annotations

from dataclasses import dataclass

#: Unit of an image whose pixels have no length.
PIXEL = "pixel"

# Power of the length in a unit of a parameter.
_POWERS = {"world": 1, "world²": 2, "intensity/world": -1, "intensity·world": 1}
_PIXELS = {1: "px", 2: "px²", -1: "per px"}


@dataclass(frozen=True)
class Units:
    """The units of an image.

    Attributes
    ----------
    length : str
        Such as "µm"; "pixel" where the image has none.
    pixel_size : float
        Length of a pixel, the smallest of an image.
    intensity : str
        "intensity", or what values are in where noise is stabilised.
    """

    length: str = PIXEL
    pixel_size: float = 1.0
    intensity: str = "intensity"

    def named(self, unit: str) -> str:
        """Return the unit of a parameter, such as "world²", in this image: "µm²"."""
        return unit.replace("world", self.length).replace("intensity", self.intensity)

    def in_pixels(self, number: float, unit: str) -> str:
        """Return a number in pixels, such as "12.3 px²"; empty where that is what it is in."""
        power = _POWERS.get(unit)
        if power is None or (self.length == PIXEL and self.pixel_size == 1):
            return ""
        return f"{number / self.pixel_size**power:.3g} {_PIXELS[power]}"
