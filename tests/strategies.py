"""What hypothesis draws from: images with their grids, components and recipes."""

from __future__ import annotations

import os

import numpy as np
from hypothesis import HealthCheck, reject, settings
from hypothesis import strategies as st

from napari_diffusion import Recipe
from napari_diffusion.domains import DOMAINS
from napari_diffusion.filters import (
    FILTERS,
    Bilateral,
    Blend,
    Custom,
    HaarDiffusion,
    Heat,
    TotalVariationFlow,
)
from napari_diffusion.noise import NOISES, Gaussian
from napari_diffusion.schedules import SCHEDULES

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]
# As many examples as a run of the whole suite has time for, and those of `make test-long`.
COMMON = {"deadline": None, "suppress_health_check": SLOW}
settings.register_profile("local", max_examples=40, **COMMON)
settings.register_profile("ci", max_examples=40, derandomize=True, database=None, **COMMON)
settings.register_profile("long", max_examples=1000, **COMMON)
settings.load_profile(
    os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "local")
)

# Axes in the array's order, the axes that diffuse, and further grid options.
LAYOUTS = (
    ("yx", None, {}),
    ("xy", None, {}),
    ("zyx", None, {}),
    ("tyx", None, {}),
    ("tyx", "tyx", {}),
    ("tyx", "t", {}),
    ("cyx", None, {}),
    ("cyx", None, {"joint_channels": False}),
    ("yxc", None, {"rgb": True}),
    ("tzyx", "tzyx", {}),
    ("tczyx", None, {}),
)

TYPES = (np.float32, np.float64, np.float16, np.uint8, np.int16, np.uint16, np.bool_)

# Ordinary numbers, and those at which arithmetic that is not careful breaks.
NUMBERS = st.one_of(
    st.floats(1e-3, 1e3),
    st.sampled_from([1e-30, 1e-10, 1.0, 1e10, 1e30]),
)


@st.composite
def shapes(draw, axes, rgb=False, largest=40, samples=8000):
    """Shapes of 1 … largest along each axis, the channels few, at most so many pixels."""
    shape = []
    for axis in axes:
        if axis == "c":
            size = draw(st.sampled_from([3, 4])) if rgb else draw(st.integers(1, 4))
        else:
            left = samples // max(1, int(np.prod(shape)))
            size = draw(st.integers(1, max(1, min(largest, left))))
        shape.append(size)
    return tuple(shape)


def values(kind, shape, seed, scale):
    """Return a float64 image of a kind that has something to say to a law."""
    random = np.random.default_rng(seed)
    if kind == "constant":
        return np.full(shape, scale * random.normal())
    if kind == "impulses":
        return scale * (random.random(shape) > 0.9)
    if kind == "steps":
        return scale * np.add.outer(np.arange(shape[0]) % 7 > 3, np.zeros(shape[1:])) + 0.0
    return scale * (random.normal(size=shape) + random.normal())


KINDS = ("noise", "constant", "impulses", "steps")


@st.composite
def example_images(draw, types=TYPES, scales=NUMBERS, layouts=LAYOUTS, largest=40):
    """Draw (image, options): any layout, type, spacing and kind of image."""
    axes, along, more = draw(st.sampled_from(layouts))
    shape = draw(shapes(axes, more.get("rgb", False), largest, 5 * largest**2))
    dtype = np.dtype(draw(st.sampled_from(types)))
    seed, kind = draw(st.integers(0, 2**32 - 1)), draw(st.sampled_from(KINDS))
    if dtype.kind == "f":
        scale = 1.0 if dtype == np.float16 else draw(scales)
        image = values(kind, shape, seed, scale).astype(dtype)
    elif dtype.kind == "b":
        image = values(kind, shape, seed, 1.0) > 0
    else:
        limits = np.iinfo(dtype)
        image = values(kind, shape, seed, limits.max / 4).clip(limits.min, limits.max).astype(dtype)
    count = len(along or [axis for axis in axes if axis in "zyx"])
    lengths = st.floats(0.25, 4.0)
    spacing = draw(st.one_of(lengths, st.tuples(*[lengths] * count)))
    return image, {"axes": axes, "along": along, "spacing": spacing, **more}


def numbers_of(parameter, numbers):
    """Draw a value that a parameter allows."""
    low = parameter.minimum if parameter.minimum is not None else parameter.above
    low, high = 0.0 if low is None else low, parameter.maximum or np.inf
    allowed = [st.just(low)] if parameter.minimum is not None else []
    found = st.one_of(*allowed, numbers).filter(
        lambda v: low <= v <= high and (parameter.above is None or v > low)
    )
    return found.map(int) if parameter.kind == "int" else found


# What stands in a field for a component, beside its default.
SIMPLE = {"filter": Heat(time=0.5), "noise": Gaussian()}


def value_of(parameter, numbers=NUMBERS, auto=False, many=False, step=False):
    """Draw a value of one parameter; words and one per channel only where asked for."""
    nothing = [st.none()] if parameter.optional else []
    if parameter.kind == "choice":
        return st.one_of(*nothing, st.sampled_from(parameter.choices))
    if parameter.kind == "bool":
        return st.booleans()
    if parameter.kind in ("text", "function"):
        return st.just(parameter.default)
    if parameter.kind == "component":
        return st.one_of(*nothing, st.just(parameter.default), *simple_components(parameter))
    if not parameter.single and not parameter.many:  # a map, or none
        return st.just(parameter.default)
    one = numbers_of(parameter, numbers)
    several = st.lists(one, min_size=1, max_size=4).map(tuple)
    if not parameter.single:
        several = several.map(lambda values: tuple(sorted(values, reverse=True)))
        return st.one_of(*nothing, several)
    options = [*nothing, one]
    if auto and parameter.auto:
        options.append(st.just("auto"))
    if step and parameter.step:
        options.append(st.sampled_from(["step", "1.5 × step"]))
    if many and parameter.many:
        options.append(several)
    return st.one_of(*options)


def simple_components(parameter):
    """Return what draws simple components of a field's slot, several where it takes several."""
    simple = SIMPLE.get(parameter.slot)
    if simple is None:
        return []
    one = [st.just(simple)] if parameter.single else []
    return one + ([st.lists(st.just(simple), min_size=1, max_size=3).map(tuple)] * parameter.many)


# Parameters that must fit a function or the image's axes, which other values do not.
KEPT = {(Custom, "reach"), (HaarDiffusion, "weights"), (Blend, "weights"), (Blend, "components")}


@st.composite
def components(draw, classes, **options):
    """Draw a component of a catalog with any parameters it allows."""
    cls = draw(st.sampled_from(classes))
    drawn = [p for p in cls.parameters() if (cls, p.name) not in KEPT]
    values = {p.name: draw(value_of(p, **options)) for p in drawn}
    try:
        return cls(**values)
    except ValueError:
        # Each is allowed, but they do not go together.
        reject()


# Times and widths that an image of 40 pixels with a spacing of ¼ … 4 can be filtered with.
MODEST = st.one_of(st.floats(0.01, 2.0), st.just(0.5))


# Components that look at all pixels within a few widths allow less in four dimensions, and flat
# slopes that are small take very many sub-steps.
NEARBY = {Bilateral: st.floats(0.01, 0.4), TotalVariationFlow: st.floats(0.5, 2.0)}


def filters(numbers=MODEST, **options):
    return st.sampled_from(FILTERS).flatmap(
        lambda cls: components((cls,), numbers=NEARBY.get(cls, numbers), **options)
    )


def shares():
    """Any share of the intensity range."""
    return NUMBERS.filter(bool).map(lambda percent: f"{percent!r}%of range")


@st.composite
def recipes(draw):
    """Draw any recipe at all."""
    scale = st.one_of(st.just(0.0), NUMBERS)
    noise = draw(st.one_of(st.none(), components(NOISES, auto=True)))
    schedule = draw(components(SCHEDULES))
    one = components(FILTERS, auto=True, many=True)
    within = components(FILTERS, auto=True, many=True, step=noise is not None)
    can_reverse = isinstance(noise, Gaussian) and schedule.tabulated
    return Recipe(
        num_steps=draw(st.integers(1, 100_000)),
        starting_noise_scale=draw(
            st.one_of(
                st.just("auto"), shares(), scale, st.lists(scale, min_size=1, max_size=4).map(tuple)
            )
        ),
        noise=noise,
        schedule=schedule,
        diffusion_filter=draw(
            st.one_of(within, st.lists(within, min_size=1, max_size=3).map(tuple))
        ),
        final_filter=draw(st.one_of(st.none(), one)),
        domain=draw(st.one_of(st.none(), components(DOMAINS, auto=True))),
        seed=draw(st.integers(0, 2**64 - 1)),
        stop_at=draw(st.one_of(st.none(), st.integers(1, 100_000))),
        update=draw(st.sampled_from(["whole", *["reverse"] * can_reverse])),
    )
