"""Any recipe that the catalog allows, drawn from the parameters that its components declare."""

from __future__ import annotations

import sys

import numpy as np
from hypothesis import strategies as st
from qtpy.QtWidgets import QLineEdit

from napari_diffusion import Recipe
from napari_diffusion.core.array_parameter import ArrayParameter
from napari_diffusion.loop import registry

EXACT = (1 / 3, 1e-4, 0.125, 65535.0, 1e30, 5e-324, 0.1 + 0.2)


ARRAYS = (np.arange(1.0, 7.0).reshape(2, 3), np.full((3, 3), 0.5, np.float32))


def doubled(*values):
    return 2 * values[0]


def single_values(parameter, depth=0):
    if parameter.kind == "choice":
        return st.sampled_from(parameter.choices)
    if parameter.kind == "function":
        return st.sampled_from([parameter.default, f"{__name__}:doubled", doubled])
    if parameter.kind == "component":
        return components(parameter.slot, depth + 1)
    if parameter.kind == "bool":
        return st.booleans()
    if parameter.kind == "text":
        return st.text()
    low = parameter.minimum if parameter.minimum is not None else parameter.above
    if parameter.kind == "int":
        return st.integers(low, parameter.maximum)
    return st.floats(
        low,
        parameter.maximum,
        exclude_min=parameter.minimum is None and parameter.above is not None,
        allow_nan=False,
        allow_infinity=False,
    )


def values(parameter, depth=0):
    options = []
    if parameter.single:
        options.append(single_values(parameter, depth))
    if parameter.auto:
        options.append(st.just("auto"))
    if parameter.optional:
        options.append(st.none())
    if parameter.mapped:
        options.append(st.sampled_from(ARRAYS).map(ArrayParameter))
    if parameter.many:
        several = st.lists(single_values(parameter, depth), min_size=1, max_size=4)
        if parameter.kind == "float" and not parameter.single:
            several = several.map(lambda numbers: sorted(numbers, reverse=True))
        options.append(several.map(tuple))
    return st.one_of(options)


def components(slot, depth=0):
    """Draw any component of a slot; within components only those that hold no others."""
    holding = {
        c for c in registry.COMPONENTS[slot] if any(p.kind == "component" for p in c.parameters())
    }
    drawn = [made(c, depth) for c in registry.COMPONENTS[slot] if not (depth and c in holding)]
    return st.one_of(drawn)


@st.composite
def made(draw, cls, depth=0):
    """Draw a component of a class, again where its parameters do not go together."""
    drawn = {p.name: draw(values(p, depth)) for p in cls.parameters()}
    try:
        return cls(**drawn)
    except ValueError:
        return cls()


def recipes():
    scales = st.floats(0.0, sys.float_info.max, allow_nan=False, allow_infinity=False)
    counts = st.integers(1, 100_000)
    filters = components("filter")
    return st.builds(
        Recipe,
        num_steps=counts,
        starting_noise_scale=st.one_of(
            st.just("auto"), scales, st.lists(scales, min_size=1, max_size=4).map(tuple)
        ),
        noise=st.none() | components("noise"),
        schedule=components("schedule"),
        diffusion_filter=filters | st.lists(filters, min_size=1, max_size=3).map(tuple),
        final_filter=st.none() | filters,
        domain=st.none() | components("domain"),
        seed=st.integers(0, 2**64 - 1),
        stop_at=st.none() | counts,
    )


def marked(form) -> list[str]:
    """The sentences of the fields of a form that have a red border, from top to bottom."""
    found = form.native.findChildren(QLineEdit)
    return [each.toolTip() for each in found if each.property("role") == "error"]
