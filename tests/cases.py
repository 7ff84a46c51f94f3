"""The components and the images that every law is tried on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from napari_diffusion.filters import (
    FILTERS,
    Blend,
    HaarDiffusion,
    Heat,
    Median,
    NonLocalBayes,
    NonLocalDiffusion,
    NonLocalMeans,
    Opponent,
    PeronaMalik,
    ReactionDiffusion,
    TotalVariation,
    Wavelet,
)
from napari_diffusion.noise import (
    NOISES,
    Correlated,
    FilmGrain,
    Gaussian,
    PowerLaw,
    Quantisation,
    SaltPepper,
    Stripes,
    Sum,
)
from napari_diffusion.schedules import SCHEDULES


@dataclass(frozen=True)
class Case:
    """A layout of an image, and the keywords that go with it."""

    name: str
    axes: str
    shape: tuple[int, ...]
    more: dict[str, Any] = field(default_factory=dict)
    positive: bool = False

    @property
    def options(self):
        return {"axes": self.axes, **self.more}

    @property
    def along(self):
        return self.more.get("along") or "".join(a for a in self.axes if a in "zyx")

    def __str__(self):
        return self.name

    def image(self, dtype=np.float64, seed=0):
        """Return flat parts, edges of two heights, a ramp and noise, from 0 to about 1.

        All values are multiples of 2⁻²⁰, so that shifts and scalings by powers of two are exact.
        """
        random = np.random.default_rng(seed)
        at = np.meshgrid(*(np.linspace(0, 1, n) for n in self.shape), indexing="ij")
        scene = 0.4 * (sum(at) > 0.5 * len(at)) + 0.3 * (at[-1] > 0.3) + 0.2 * at[0]
        scene = scene + 0.05 * random.normal(size=self.shape)
        if self.positive:
            scene = abs(scene)
        return (np.round(scene * 2**20) / 2**20).astype(dtype)

    def mask(self, seed=1):
        """Return a mask with islands, a bay and single pixels; colours share one."""
        sizes = [n for n, a in zip(self.shape, self.axes, strict=True) if a != "c"]
        mask = np.random.default_rng(seed).random(sizes) > 0.3
        mask[tuple(slice(n // 2) for n in sizes)] = True
        return mask

    def spread(self, mask):
        """Return a mask of `mask` in the shape of the image."""
        if "c" in self.axes:
            mask = np.expand_dims(mask, self.axes.index("c"))
        return np.broadcast_to(mask, self.shape)


CASES = (
    Case("plane", "yx", (17, 23)),
    Case("stretched-plane", "yx", (23, 17), {"spacing": (0.5, 2.0)}),
    Case("volume", "zyx", (7, 9, 11), {"spacing": (2.0, 1.0, 0.5)}),
    Case("frames", "tyx", (3, 11, 13)),
    Case("video", "tyx", (6, 9, 11), {"along": "tyx", "spacing": (3.0, 1.0, 1.0)}),
    Case("volumes", "tzyx", (4, 5, 6, 7), {"along": "tzyx", "spacing": (2.0, 2.0, 1.0, 1.0)}),
    Case("channels", "cyx", (3, 13, 11)),
    Case("channels-apart", "cyx", (3, 13, 11), {"joint_channels": False}),
    Case("colours", "yxc", (12, 14, 3), {"rgb": True}),
    Case("five-axes", "tczyx", (2, 2, 3, 5, 7)),
)

# Shapes where an axis, or all of them, has a single pixel.
THIN_CASES = (
    Case("one-sample", "yx", (1, 1)),
    Case("row", "yx", (1, 9)),
    Case("column", "yx", (9, 1)),
    Case("two-samples", "yx", (2, 1)),
    Case("one-plane", "zyx", (1, 6, 7)),
    Case("one-line", "zyx", (5, 1, 1)),
    Case("one-frame", "tyx", (1, 5, 6), {"along": "tyx"}),
    Case("one-channel", "cyx", (1, 5, 6)),
)

HAAR = HaarDiffusion(noise_sigma=0.2, levels=2, weights=(0.4, 0.5))

# Components with parameters that take them through code of its own, beside what `variants` finds.
FURTHER = {
    Heat: (Heat(time=2000.0),),
    Median: (Median(radius=1.0), Median(radius=2.3)),
    PeronaMalik: (
        PeronaMalik(contrast=0.2, gradient="magnitude", smoothing=0.8),
        PeronaMalik(contrast=0.2, conductance="exponential", gradient="magnitude"),
        PeronaMalik(contrast=0.2, conductance="weickert", smoothing=0.8),
        PeronaMalik(contrast=0.2, conductance="tukey", gradient="magnitude", smoothing=0.8),
    ),
    Correlated: (Correlated(kernel=[[0.0, -1.0, 0.5]]),),
    PowerLaw: (PowerLaw(exponent=-1.0), PowerLaw(exponent=2.0)),
    SaltPepper: (SaltPepper(low=-0.3, high=0.6, salt=0.8, reference=0.2),),
    Sum: (
        Sum((Gaussian(), Stripes(), Quantisation("none")), weights=(1.0, 3.0, 0.0)),
        Sum((Gaussian(), Sum((PowerLaw(), Gaussian())))),
    ),
    ReactionDiffusion: (ReactionDiffusion(0.2, HAAR, window=16, stride=3, depth=1),),
    NonLocalBayes: (NonLocalBayes(0.2, HAAR, radius=1, patch=3, stride=2, depth=0),),
    NonLocalDiffusion: (NonLocalDiffusion(0.2, HAAR, radius=1, patch=0, depth=0),),
    Opponent: (Opponent(HAAR),),
    Blend: (Blend((HAAR, ReactionDiffusion(0.2, HAAR), HAAR), (0.5, 0.3, 0.2), 0.2, True),),
    Wavelet: (Wavelet(sigma=0.2, levels=1, shifts=1),),
}


# Numbers that go together, for components whose automatic ones must differ.
TYPED = {
    SaltPepper: {"low": -0.1, "high": 0.5},
    FilmGrain: {"white_level": 1.5},
    HaarDiffusion: {"weights": (0.4, 0.5)},
    ReactionDiffusion: {"depth": 4},
    Blend: {"weights": (0.3, 0.7)},
}

# What every variant of a slow component has, so that the laws are tried on it in little time.
QUICK = {
    NonLocalMeans: {"patch": 1, "search": 1},
    TotalVariation: {"rounds": 10},
    Wavelet: {"levels": 1, "shifts": 0},
    NonLocalBayes: {"radius": 2, "patch": 3, "count": 8, "stride": 3, "depth": 1},
    NonLocalDiffusion: {"radius": 2, "depth": 1},
}


def variants(cls):
    """Return components of a class that take every branch its choices and switches offer.

    Each choice and switch is moved alone; what matters together stands in FURTHER. A number that
    is 0 unless somebody sets it is tried at 0 and off it; automatic ones are typed.
    """
    typed = {p.name: 0.2 for p in cls.parameters() if p.auto}
    typed |= TYPED.get(cls, {}) | QUICK.get(cls, {})
    made = [cls(**typed)]
    for p in cls.parameters():
        tried = ()
        if p.kind == "choice":
            tried = p.choices
        elif p.kind == "bool":
            tried = (False, True)
        elif p.kind == "float" and p.minimum is not None and p.default == p.minimum:
            tried = (p.default + 0.8,)
        made += [cls(**{**typed, p.name: value}) for value in tried if value != p.default]
    return (*made, *FURTHER.get(cls, ()))


FILTER_VARIANTS = tuple(each for cls in FILTERS for each in variants(cls))
NOISE_VARIANTS = tuple(each for cls in NOISES for each in variants(cls))
SCHEDULE_VARIANTS = tuple(each for cls in SCHEDULES for each in variants(cls))

# With a mask linear diffusion takes sub-steps too, and too many of them for the longest times.
MASKED_VARIANTS = tuple(
    each
    for each in FILTER_VARIANTS
    if "takes_mask" in each.claims and getattr(each, "time", 0) <= 100
)


def label(component):
    """Return a short name of a variant for the list of tests."""
    changed = [
        f"{p.name}={getattr(component, p.name)}"
        for p in component.parameters()
        if getattr(component, p.name) != p.default
    ]
    return "-".join([type(component).__name__, *changed])


def in_units(component, intensity=1.0, length=1.0):
    """Return a component for an image whose intensities and lengths are so many times as large.

    The unit of each parameter says how it changes: intensity/world, world², …
    """
    changes = {}
    for p in component.parameters():
        above, _, below = p.unit.partition("/")
        factor = _power(above, intensity, length) / _power(below, intensity, length)
        if factor != 1.0:
            changes[p.name] = getattr(component, p.name) * factor
    changed = component.replaced(**changes)
    return changed.with_components(lambda within: in_units(within, intensity, length))


def _power(unit, intensity, length):
    known = {
        "": 1.0,
        "intensity": intensity,
        "intensity²": intensity**2,
        "world": length,
        "world²": length**2,
        "intensity·world": intensity * length,
    }
    return known[unit]


def images_of(case):
    """Return the slices of each independent image: batch axes apart, joint channels together."""
    batch = [
        n if a not in case.along and (a != "c" or not case.more.get("joint_channels", True)) else 1
        for a, n in zip(case.axes, case.shape, strict=True)
    ]
    for index in np.ndindex(*batch):
        yield tuple(
            slice(i, i + 1) if size > 1 else slice(None)
            for i, size in zip(index, batch, strict=True)
        )
