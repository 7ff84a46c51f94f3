"""Name, class and JSON form of every component: ours, from the tuples, and other packages'.

Other distributions add theirs through the entry-point group ``napari_diffusion.components``.
"""

from __future__ import annotations

import functools
import inspect
import re
import reprlib
import warnings
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, cast

from napari_diffusion.core.array_parameter import ArrayParameter
from napari_diffusion.core.function_parameter import AllowCode, check_allowed, name_of
from napari_diffusion.domains import DOMAINS, Domain
from napari_diffusion.filters import FILTERS, SPECIAL_FILTERS, Filter
from napari_diffusion.measurements import MEASUREMENTS, Measurement
from napari_diffusion.metrics import METRICS, Metric
from napari_diffusion.noise import NOISES, Noise
from napari_diffusion.schedules import SCHEDULES, Schedule

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.metadata import EntryPoint

    from napari_diffusion.core.component import Component
    from napari_diffusion.core.parameter import Parameter

GROUP = "napari_diffusion.components"

OWN: dict[str, tuple[type[Component], ...]] = {
    "noise": NOISES,
    "schedule": SCHEDULES,
    "filter": FILTERS,
    "domain": DOMAINS,
    "metric": METRICS,
    "measurement": MEASUREMENTS,
}

BASES: dict[str, type[Component]] = {
    "noise": Noise,
    "schedule": Schedule,
    "filter": Filter,
    "domain": Domain,
    "metric": Metric,
    "measurement": Measurement,
}


def register(slot: str, base: type[Component], own: tuple[type[Component], ...]) -> None:
    """Add a kind of component from a folder above this one, which is not imported here.

    Parameters
    ----------
    slot : str
        What its classes call themselves.
    base : type
        The class that those of other distributions must derive from.
    own : tuple of type
        Ours.
    """
    OWN[slot], BASES[slot] = own, base
    _components.cache_clear()


# All components, ours first; see `__getattr__`.
COMPONENTS: dict[str, tuple[type[Component], ...]]

# Components that only work within others are nested once or twice.
_MOST_NESTED = 16

# A text from elsewhere is a name: without a dot or a slash it opens no file.
_TEXT = re.compile(r"[\w: -]+")

# More take minutes to be made, and steps have one each.
_MOST_IN_SERIES = 10_000

_RECIPE_SLOTS = {
    "noise": "noise",
    "schedule": "schedule",
    "diffusion_filter": "filter",
    "final_filter": "filter",
    "domain": "domain",
    "measurement": "measurement",
}

#: What a recipe file may say beside the recipe; `recipe_units` reads it.
UNIT_FIELDS = ("unit", "pixel_size")

_RECIPE_FIELDS = (
    "num_steps",
    "starting_noise_scale",
    *_RECIPE_SLOTS,
    "seed",
    "stop_at",
    "update",
    "rounds",
)


def __getattr__(name: str) -> Any:
    """Load the components of other distributions when `COMPONENTS` is first used."""
    if name == "COMPONENTS":
        return _components()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


@functools.cache
def _components() -> dict[str, tuple[type[Component], ...]]:
    """Return the components of every slot; broken ones of other distributions are left out."""
    found = dict(OWN)
    for entry in sorted(entry_points(group=GROUP), key=lambda each: (each.name, each.value)):
        try:
            cls = _checked(entry.load(), found)
        except Exception as error:
            warnings.warn(
                f"The component {entry.name!r} ({entry.value}) of {_origin(entry)} is left out: "
                f"{type(error).__name__}: {error}",
                RuntimeWarning,
                stacklevel=2,
            )
        else:
            found[cls.slot] = (*found[cls.slot], cls)
    return found


def _origin(entry: EntryPoint) -> str:
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist else "A distribution"


def _checked(loaded: Any, found: dict[str, tuple[type[Component], ...]]) -> type[Component]:
    """Return a class; raise if no form, recipe or run could use it."""
    bases = BASES.values()
    if not inspect.isclass(loaded) or not any(issubclass(loaded, base) for base in bases):
        names = ", ".join(base.__name__ for base in bases)
        raise TypeError(f"it must be a subclass of one of {names} (got {loaded!r}).")
    cls = cast("type[Component]", loaded)
    if inspect.isabstract(cls):
        missing = ", ".join(sorted(getattr(cls, "__abstractmethods__", ())))
        raise TypeError(f"it must define {missing}.")
    for other in found[cls.slot]:
        if other.__name__ == cls.__name__:
            raise ValueError(
                f"there is already a {cls.slot} {cls.__name__}, in {other.__module__}."
            )
    cls()  # forms begin with the defaults
    return cls


def component_class(slot: str, name: str) -> type[Component]:
    """Return the class `name` of a slot; raise with all names if there is none."""
    # Other distributions are loaded only if needed.
    for cls in (*OWN[slot], *(SPECIAL_FILTERS if slot == "filter" else ())):
        if cls.__name__ == name:
            return cls
    known = {cls.__name__: cls for cls in _components()[slot]}
    if name not in known:
        raise ValueError(f"There is no {slot} {name!r}: use one of {', '.join(known)}.")
    return known[name]


def to_dict(component: Component | None) -> dict[str, Any] | None:
    """Return a component as plain values, its type first."""
    if component is None:
        return None
    owner = type(component).__name__
    values = {p.name: _plain(p, getattr(component, p.name), owner) for p in component.parameters()}
    return {"type": owner, **values}


def _plain(parameter: Parameter, value: Any, owner: str) -> Any:
    """Return one parameter's value as a plain one."""
    if isinstance(value, ArrayParameter):
        return value.to_dict()
    if parameter.kind == "function" and value is not None:
        return name_of(value, owner)
    if parameter.kind != "component" or value is None:
        return value
    return [to_dict(each) for each in value] if isinstance(value, tuple) else to_dict(value)


def from_dict(slot: str, values: Any, allow_code: AllowCode = False, depth: int = 0) -> Any:
    """Make a component of a slot from plain values.

    This is the gate for everything that comes from outside: a function is never imported by its
    name here unless `allow_code` says so.

    Parameters
    ----------
    slot : str
        "noise", "schedule", "filter", "domain", "metric", or one that was registered.
    values : dict
        The component's type and parameters.
    allow_code : bool or collection of str
        Whether functions may be named: all, none, or those in the collection.
    depth : int
        How many components this one is within.

    Raises
    ------
    CodeRefused
        If a parameter names a function that is not allowed.
    ValueError
        For unknown types and parameters, and values that are not allowed.
    """
    if not isinstance(values, dict) or not isinstance(values.get("type"), str):
        raise ValueError(f'A {slot} must be an object with a "type" (got {reprlib.repr(values)}).')
    if depth > _MOST_NESTED:
        raise ValueError(f"Components may be nested {_MOST_NESTED} deep, and these are deeper.")
    cls = component_class(slot, values["type"])
    given: dict[str, Any] = {}
    for name, value in values.items():
        if name != "type":
            parameter = _known(cls, name)
            # The default is a function of the package that the component comes from.
            if parameter.kind == "function" and value != parameter.default:
                check_allowed(value, cls.__name__, allow_code)
            given[name] = _value(parameter, value, allow_code, depth)
    return cls(**given)


def _known(cls: type[Component], name: str) -> Parameter:
    """Return a parameter of a class by its name; raise with all names if there is none."""
    known = {p.name: p for p in cls.parameters()}
    if name not in known:
        raise ValueError(
            f"{cls.__name__} has no parameter {name!r}; it has {', '.join(known) or 'none'}."
        )
    return known[name]


def _value(parameter: Parameter, value: Any, allow_code: AllowCode, depth: int) -> Any:
    """Return one parameter's value from a plain one."""
    if parameter.kind == "component" and value is not None:
        many = isinstance(value, list | tuple)
        plain = value if many else [value]
        _check_series(plain)
        each = [from_dict(parameter.slot, v, allow_code, depth + 1) for v in plain]
        return tuple(each) if many else each[0]
    if parameter.mapped and isinstance(value, dict):
        return ArrayParameter.from_dict(value)
    if parameter.kind == "text" and not (isinstance(value, str) and _TEXT.fullmatch(value)):
        raise ValueError(
            f"In a recipe {parameter.name} must be a name of letters, digits and colons, no file "
            f"(got {reprlib.repr(value)})."
        )
    return tuple(value) if isinstance(value, list) else value


def _check_series(values: Sequence[Any]) -> None:
    if len(values) > _MOST_IN_SERIES:
        raise ValueError(f"A series has at most {_MOST_IN_SERIES} components (got {len(values)}).")


def recipe_fields(
    values: dict[str, Any], schema: int, allow_code: AllowCode = False
) -> dict[str, Any]:
    """Turn the plain values of a recipe into its fields; see `from_dict` for `allow_code`."""
    found = values.get("schema", schema)
    if found != schema:
        raise ValueError(
            f"The recipe has schema {reprlib.repr(found)}, but this version reads schema {schema}: "
            "update napari-diffusion."
        )
    fields: dict[str, Any] = {}
    for name, value in values.items():
        if name in ("schema", *UNIT_FIELDS):
            continue
        if name not in _RECIPE_FIELDS:
            raise ValueError(f"A recipe has no {name!r}; it has {', '.join(_RECIPE_FIELDS)}.")
        fields[name] = _field(name, value, allow_code)
    return fields


def _field(name: str, value: Any, allow_code: AllowCode) -> Any:
    slot = _RECIPE_SLOTS.get(name)
    if slot is None:
        return tuple(value) if isinstance(value, list) else value
    if isinstance(value, list):
        _check_series(value)
        return tuple(from_dict(slot, each, allow_code) for each in value)
    # A domain may be given by its name.
    named = slot == "domain" and isinstance(value, str)
    return value if value is None or named else from_dict(slot, value, allow_code)


def with_setting(values: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """Return a recipe's plain values with one setting changed, such as ``diffusion_filter.time``.

    A slot set to a name, as in ``diffusion_filter=Heat``, gets that component with its own
    defaults; ``none`` empties a slot.
    """
    name, _, rest = path.partition(".")
    if name not in _RECIPE_FIELDS:
        raise ValueError(f"A recipe has no {name!r}; it has {', '.join(_RECIPE_FIELDS)}.")
    slot = _RECIPE_SLOTS.get(name)
    return {**values, name: _changed(slot, values.get(name), path, rest, value)}


def _changed(slot: str | None, before: Any, path: str, rest: str, value: Any) -> Any:
    """Return the value of a slot (None: of a field without components) after a setting."""
    if not rest:
        empty = value is None or (isinstance(value, str) and value.lower() == "none")
        if empty:
            return None
        if slot == "domain" and str(value).lower() == "auto":
            return "auto"
        named = slot is not None and not isinstance(value, dict | list)
        name = str(value).capitalize() if slot == "domain" else str(value)
        return to_dict(component_class(slot, name)()) if named and slot else value
    if slot is None or not isinstance(before, dict):
        name = path.removesuffix(f".{rest}")
        raise ValueError(f"{path!r} is not a setting: {name} is {before!r}.")
    name, _, further = rest.partition(".")
    cls = component_class(slot, before["type"])
    inner = _known(cls, name)
    within = inner.slot if inner.kind == "component" else None
    if inner.kind == "text" and not further:
        # The user may name a file, which the component names by what it holds.
        value = getattr(cls(**{name: value}), name)
    if within is None and not further:
        return {**before, name: value}
    return {**before, name: _changed(within, before.get(name), path, further, value)}
