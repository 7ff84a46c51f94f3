"""What a recipe may hold."""

from __future__ import annotations

import reprlib
from typing import Any

from napari_diffusion.domains import DOMAINS, Domain
from napari_diffusion.filters import Filter
from napari_diffusion.noise import Noise
from napari_diffusion.schedules import Schedule

#: More steps than anyone waits for: the table of noise scales is made in a moment.
MOST_STEPS = 100_000


def is_auto(value: Any) -> bool:
    """Return whether a value is measured on the image."""
    return isinstance(value, str) and value == "auto"


def domain_called(name: str) -> Domain:
    """Return the domain of a name, its parameters to be measured; raise if there is none."""
    known = {cls.__name__.lower(): cls for cls in DOMAINS}
    if name.lower() not in known:
        raise ValueError(f"There is no domain {name!r}: use one of {', '.join(map(repr, known))}.")
    return known[name.lower()]()


def checked_count(name: str, value: Any) -> int | None:
    """Return a number of steps, or None; raise for what is none."""
    if value is None:
        return None
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(f"{name} must be a whole number (got {value!r}).")
    if not 1 <= value.__index__() <= MOST_STEPS:
        raise ValueError(
            f"{name} must be at least 1 and at most {MOST_STEPS} (got {reprlib.repr(value)})."
        )
    return int(value.__index__())


def check_maps(filters: tuple[Filter, ...], domain: Domain | None) -> None:
    """Raise for a noise map in a domain."""
    from napari_diffusion.filters.denoisers.guided_filter import has_noise_map

    if domain is not None and any(map(has_noise_map, filters)):
        raise ValueError(
            f"A noise map is in intensities, and the domain {type(domain).__name__} changes them: "
            "use domain=None with a map in noise_sigma."
        )


def check_components(
    noise: Any, schedule: Any, filters: tuple[Any, ...], final_filter: Any, domain: Any
) -> None:
    """Raise where a component of a recipe is of another kind."""
    slots: tuple[tuple[str, type, Any, bool], ...] = (
        ("noise", Noise, noise, True),
        ("schedule", Schedule, schedule, False),
        ("final_filter", Filter, final_filter, True),
        *(() if is_auto(domain) else (("domain", Domain, domain, True),)),
        *(("diffusion_filter", Filter, each, False) for each in filters),
    )
    if not filters:
        raise ValueError("diffusion_filter must hold at least one filter (got an empty series).")
    for name, wanted, value, may_be_none in slots:
        if isinstance(value, wanted) or (value is None and may_be_none):
            continue
        hint = " an object, with brackets" if isinstance(value, type) else ""
        raise TypeError(
            f"{name} must be a {wanted.__name__.lower()}{hint}"
            f"{' or None' if may_be_none else ''} (got {value!r})."
        )
