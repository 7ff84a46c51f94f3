"""Name, class and JSON form of every member, from the tuples of their packages."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from napari_diffusion.filters import FILTERS
from napari_diffusion.noise import NOISES
from napari_diffusion.schedules import SCHEDULES

if TYPE_CHECKING:
    from napari_diffusion.member import Member

MEMBERS: dict[str, tuple[type[Member], ...]] = {
    "noise": NOISES,
    "schedule": SCHEDULES,
    "filter": FILTERS,
}

_RECIPE_SLOTS = {
    "noise": "noise",
    "schedule": "schedule",
    "diffusion_filter": "filter",
    "final_filter": "filter",
}

_RECIPE_FIELDS = (
    "num_steps",
    "starting_noise_scale",
    *_RECIPE_SLOTS,
    "seed",
    "stop_at",
)


def member_class(slot: str, name: str) -> type[Member]:
    """Return the class called `name` in a slot, or raise and list the names that there are."""
    known = {cls.__name__: cls for cls in MEMBERS[slot]}
    if name not in known:
        raise ValueError(f"There is no {slot} called {name!r}; there are {', '.join(known)}.")
    return known[name]


def to_dict(member: Member | None) -> dict[str, Any] | None:
    """Return a member as plain values, its type first."""
    if member is None:
        return None
    values = {p.name: getattr(member, p.name) for p in member.parameters()}
    return {"type": type(member).__name__, **values}


def from_dict(slot: str, values: Any) -> Any:
    """Make a member of a slot from plain values."""
    if not isinstance(values, dict) or not isinstance(values.get("type"), str):
        raise ValueError(f'A {slot} must be an object with a "type" (got {values!r}).')
    cls = member_class(slot, values["type"])
    known = [field.name for field in dataclasses.fields(cls)]
    given = {name: value for name, value in values.items() if name != "type"}
    for name in given:
        if name not in known:
            raise ValueError(
                f"{cls.__name__} has no parameter {name!r}; it has {', '.join(known) or 'none'}."
            )
    return cls(**{n: tuple(v) if isinstance(v, list) else v for n, v in given.items()})


def recipe_fields(values: dict[str, Any], schema: int) -> dict[str, Any]:
    """Turn the plain values of a recipe into its fields."""
    found = values.get("schema", schema)
    if found != schema:
        raise ValueError(
            f"This recipe has schema {found!r}, and this version reads schema {schema}: update "
            "napari-diffusion."
        )
    fields: dict[str, Any] = {}
    for name, value in values.items():
        if name == "schema":
            continue
        if name not in _RECIPE_FIELDS:
            raise ValueError(f"A recipe has no {name!r}; it has {', '.join(_RECIPE_FIELDS)}.")
        fields[name] = _field(name, value)
    return fields


def _field(name: str, value: Any) -> Any:
    slot = _RECIPE_SLOTS.get(name)
    if slot is None:
        return tuple(value) if isinstance(value, list) else value
    if isinstance(value, list):
        return tuple(from_dict(slot, each) for each in value)
    return None if value is None else from_dict(slot, value)


def with_setting(values: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """Return a recipe's plain values with one setting changed, such as ``diffusion_filter.time``.

    A slot set to a name, as in ``diffusion_filter=Heat``, gets that member with its own defaults;
    ``none`` empties a slot.
    """
    name, _, parameter = path.partition(".")
    if name not in _RECIPE_FIELDS:
        raise ValueError(f"A recipe has no {name!r}; it has {', '.join(_RECIPE_FIELDS)}.")
    changed = dict(values)
    slot = _RECIPE_SLOTS.get(name)
    if not parameter:
        empty = value is None or (isinstance(value, str) and value.lower() == "none")
        changed[name] = to_dict(member_class(slot, str(value))()) if slot and not empty else value
        changed[name] = None if empty else changed[name]
        return changed
    member = changed.get(name)
    if slot is None or not isinstance(member, dict):
        raise ValueError(f"{path!r} names nothing that can be set: {name} is {member!r}.")
    known = [field.name for field in dataclasses.fields(member_class(slot, member["type"]))]
    if parameter not in known:
        raise ValueError(
            f"{member['type']} has no parameter {parameter!r}; it has {', '.join(known) or 'none'}."
        )
    changed[name] = {**member, parameter: value}
    return changed
