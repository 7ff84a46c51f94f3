"""One noise or filter by its name, with changes."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Literal, overload

from napari_diffusion.cli.errors import UsageError
from napari_diffusion.core.function_parameter import CodeRefused
from napari_diffusion.loop.presets import DIGITS
from napari_diffusion.loop.registry import component_class, from_dict, to_dict, with_setting

if TYPE_CHECKING:
    from argparse import Namespace

    from napari_diffusion.filters import Filter
    from napari_diffusion.noise import Noise

_FIELDS = {"noise": "noise", "filter": "diffusion_filter"}


@overload
def component(
    slot: Literal["noise"], name: str, arguments: Namespace, length: float = 1.0
) -> Noise: ...
@overload
def component(
    slot: Literal["filter"], name: str, arguments: Namespace, length: float = 1.0
) -> Filter: ...
def component(
    slot: Literal["noise", "filter"], name: str, arguments: Namespace, length: float = 1.0
) -> Noise | Filter:
    """Return the component that a command line asks for.

    Its defaults are for a pixel size of 1; `length` is the pixel size there is. What the command
    line says is in world units as it stands.
    """
    field, settings = _FIELDS[slot], arguments.settings
    allow_code = arguments.allow_code
    try:
        cls = component_class(slot, name)
        needed = [p.name for p in cls.parameters() if p.default is dataclasses.MISSING]
        missing = [each for each in needed if each not in dict(settings)]
        if missing:
            raise UsageError(f"{name} needs --set {missing[0]}=VALUE.")
        given = {each: value for each, value in settings if each in needed}
        values = to_dict(
            from_dict(slot, {"type": name, **given}, allow_code).scaled(length, DIGITS)
        )
        for path, value in settings:
            values = with_setting({field: values}, f"{field}.{path}", value)[field]
        return from_dict(slot, values, allow_code)
    except CodeRefused:
        raise
    except (ValueError, TypeError) as error:
        raise UsageError(str(error)) from error
