"""What a reader tells of an image, whichever it is."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

#: Micrometres and seconds of the units that the tests write, as any format calls them.
SIZES = {
    "nm": 1e-3, "nanometer": 1e-3, "µm": 1.0, "micrometer": 1.0, "micron": 1.0,
    "mm": 1e3, "millimeter": 1e3, "Å": 1e-4, "angstrom": 1e-4,
    "s": 1.0, "sec": 1.0, "second": 1.0,
}  # fmt: skip


@dataclass
class Told:
    """What a reader tells of an image.

    An axis "q" is that of the steps of a run. A reader that names no axes has the order of the
    file. Sizes and places are told by axis; a number without a unit of length tells nothing.
    """

    values: np.ndarray
    axes: str = ""
    sizes: dict = field(default_factory=dict)
    places: dict = field(default_factory=dict)
    unit: str = ""
    time_unit: str = ""
    names: list = field(default_factory=list)
    colours: list = field(default_factory=list)
    rgb: bool = False

    @property
    def lengths(self):
        """The pixel sizes in micrometres."""
        return self._in_micrometres(self.sizes)

    @property
    def place(self):
        """Where the first pixel lies, in micrometres; 0 along axes that are not there."""
        return {axis: value for axis, value in self._in_micrometres(self.places).items() if value}

    @property
    def interval(self):
        """The frame interval in seconds; empty if it is unknown."""
        known = "t" in self.axes and self.sizes.get("t") and self.time_unit in SIZES
        return {"t": float(self.sizes["t"]) * SIZES[self.time_unit]} if known else {}

    def _in_micrometres(self, found):
        factor = SIZES.get(self.unit)
        known = {axis: found.get(axis) for axis in "zyx" if factor and axis in self.axes}
        return {axis: float(value) * factor for axis, value in known.items() if value is not None}

    def arranged(self, axes):
        """Return the values in an order of axes."""
        return self.values.transpose([self.axes.index(axis) for axis in axes])


def told_by(source):
    """Return what a source tells of itself."""
    return Told(
        np.asarray(source.image),
        source.axes or source.letters.lower().replace("s", "c"),
        source.lengths,
        source.place,
        source.unit,
        source.time_unit,
        [channel.name for channel in source.channels],
        [channel.colour for channel in source.channels],
        source.rgb or "S" in source.letters,
    )


def hexadecimal(parts):
    """Return a colour of parts from 0 to 1 as six digits."""
    return "".join(f"{round(255 * float(part)):02X}" for part in parts[:3])


def signed_colour(number):
    """Return the colour that OME-XML has as a signed number, the last byte being alpha."""
    return f"{(int(number) & 0xFFFFFFFF) >> 8:06X}"
