"""The address of random numbers: seed, step and stream, beside the coordinates of a pixel."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Address:
    """Selects random numbers; with the coordinates of a pixel it determines each of them.

    Attributes
    ----------
    seed : int
        Random seed, 0 … 2⁶⁴ − 1.
    step : int
        The step of the loop, from 0.
    stream : int
        Distinguishes the components of a sum of noises.
    """

    seed: int = 0
    step: int = 0
    stream: int = 0

    def __post_init__(self) -> None:
        for name, bits in (("seed", 64), ("step", 32), ("stream", 32)):
            value = getattr(self, name)
            if isinstance(value, bool) or not hasattr(value, "__index__"):
                raise TypeError(f"{name} must be a whole number (got {value!r}).")
            object.__setattr__(self, name, value.__index__())
            if not 0 <= getattr(self, name) < 2**bits:
                raise ValueError(f"{name} must be from 0 to 2**{bits} - 1 (got {value!r}).")
