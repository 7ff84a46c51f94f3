"""Any recipe that the catalog allows, drawn from the parameters that its members declare."""

from __future__ import annotations

import sys

from hypothesis import strategies as st

from napari_diffusion import Recipe, catalog

EXACT = (1 / 3, 1e-4, 0.125, 65535.0, 1e30, 5e-324, 0.1 + 0.2)


def single_values(parameter):
    if parameter.kind == "choice":
        return st.sampled_from(parameter.choices)
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


def values(parameter):
    single = single_values(parameter)
    options = [single]
    if parameter.auto:
        options.append(st.just("auto"))
    if parameter.many:
        options.append(st.lists(single, min_size=1, max_size=4).map(tuple))
    return st.one_of(options)


def members(slot):
    return st.one_of(
        [
            st.builds(cls, **{p.name: values(p) for p in cls.parameters()})
            for cls in catalog.MEMBERS[slot]
        ]
    )


def recipes():
    scales = st.floats(0.0, sys.float_info.max, allow_nan=False, allow_infinity=False)
    counts = st.integers(1, 2**32 - 1)
    filters = members("filter")
    return st.builds(
        Recipe,
        num_steps=counts,
        starting_noise_scale=st.one_of(
            st.just("auto"), scales, st.lists(scales, min_size=1, max_size=4).map(tuple)
        ),
        noise=st.none() | members("noise"),
        schedule=members("schedule"),
        diffusion_filter=filters | st.lists(filters, min_size=1, max_size=3).map(tuple),
        final_filter=st.none() | filters,
        seed=st.integers(0, 2**64 - 1),
        stop_at=st.none() | counts,
    )
