"""Parameters that are components, functions, lists and arrays, in components and in their JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
import pytest

from napari_diffusion.core.array_parameter import INLINE, ArrayParameter
from napari_diffusion.core.component import Component
from napari_diffusion.filters import Heat, PeronaMalik
from napari_diffusion.filters.base import Filter
from napari_diffusion.loop import registry


@dataclass(frozen=True)
class Nest(Component):
    """A component of every kind of parameter."""

    slot = "filter"

    pilot: Annotated[Filter | None, {"tooltip": "p."}] = None
    series: Annotated[tuple[Filter, ...], {"tooltip": "s."}] = (Heat(),)
    levels: Annotated[tuple[float, ...], {"min": 0.0, "unit": "intensity", "tooltip": "l."}] = (
        1.0,
    )
    gain: Annotated[float | ArrayParameter, {"above": 0.0, "tooltip": "g."}] = 1.0
    kernel: Annotated[ArrayParameter | None, {"tooltip": "k."}] = None
    function: Annotated[Callable[..., Any] | str, {"tooltip": "f."}] = "math:sqrt"
    width: Annotated[float | Literal["auto"] | None, {"unit": "world", "tooltip": "w."}] = None


def again(component):
    return registry.from_dict(
        "filter", json.loads(json.dumps(registry.to_dict(component))), allow_code=True
    )


@pytest.fixture(autouse=True)
def _in_the_catalog(monkeypatch):
    monkeypatch.setitem(registry.COMPONENTS, "filter", (*registry.COMPONENTS["filter"], Nest))


def test_kinds():
    kinds = {
        p.name: (p.kind, p.slot, p.optional, p.single, p.many, p.mapped) for p in Nest.parameters()
    }
    assert kinds == {
        "pilot": ("component", "filter", True, True, False, False),
        "series": ("component", "filter", False, False, True, False),
        "levels": ("float", "", False, False, True, False),
        "gain": ("float", "", False, True, False, True),
        "kernel": ("float", "", True, False, False, True),
        "function": ("function", "", False, True, False, False),
        "width": ("float", "", True, True, False, False),
    }


def sqrt_of(values):
    return np.sqrt(values)


def test_every_kind_comes_back_from_json():
    few = np.arange(6.0).reshape(2, 3)
    made = Nest(
        pilot=PeronaMalik(contrast=0.1),
        series=[Heat(time=2.0), Nest(levels=[1, 2])],
        gain=few + 1,
        kernel=few,
        function=sqrt_of,
        width=3.0,
    )
    assert made.series[1].levels == (1.0, 2.0)
    assert again(made).replaced(function=sqrt_of) == made
    assert again(made).function == f"{__name__}:sqrt_of"
    assert again(Nest()) == Nest()
    assert hash(made) == hash(made.replaced())


def test_a_large_map_is_named_by_its_file(tmp_path):
    large = np.random.default_rng(0).random((INLINE, 2)) + 1
    with pytest.raises(ValueError, match=r"save it with numpy\.save"):
        registry.to_dict(Nest(gain=large))
    np.save(tmp_path / "gain.npy", large)
    made = Nest(gain=str(tmp_path / "gain.npy"))
    assert made.gain == ArrayParameter(large)
    assert again(made) == made
    np.save(tmp_path / "gain.npy", large + 1e-9)
    plain = registry.to_dict(made)
    with pytest.raises(ValueError, match="has changed since"):
        registry.from_dict("filter", plain)


def test_nested_components_are_resolved_and_scaled_with_the_outer_one():
    made = Nest(
        pilot=PeronaMalik(contrast="auto", smoothing=1.0), series=(PeronaMalik(),), width=1.0
    )
    assert made.autos() == ("pilot.contrast", "series.contrast")
    scaled = made.scaled(2.0)
    assert (scaled.width, scaled.pilot.smoothing, scaled.series[0].time) == (2.0, 2.0, 4.0)
    assert made.with_components(lambda m: m.replaced(contrast=1.0)).autos() == ()


@pytest.mark.parametrize(
    ("wrong", "error", "said"),
    [
        ({"pilot": Heat}, TypeError, "pilot must be a filter or None object, with brackets"),
        ({"pilot": 3}, TypeError, "pilot must be a filter or None"),
        ({"series": ()}, ValueError, "series must be at least one filter"),
        ({"levels": 1.0}, TypeError, "levels must be a list, each a finite number of at least 0"),
        ({"levels": (1.0, -1.0)}, ValueError, "levels must be a finite number of at least 0"),
        ({"gain": np.zeros((2, 2))}, ValueError, "gain must be a finite number greater than 0"),
        ({"gain": "nowhere.npy"}, ValueError, "There is no file 'nowhere.npy'"),
        ({"gain": "nowhere.txt"}, ValueError, "must be a .npy or .tif file"),
        ({"kernel": [[1.0, np.nan]]}, ValueError, "must be finite"),
        ({"kernel": 3.0}, TypeError, "kernel must be an array or the name of its file"),
        ({"function": "sqrt"}, TypeError, "package.module:function"),
        ({"width": 10**400}, ValueError, "width must be a finite number"),
    ],
)
def test_refusals(wrong, error, said):
    with pytest.raises(error, match=said):
        Nest(**wrong)


def test_a_function_without_a_name_cannot_be_written():
    with pytest.raises(ValueError, match=r"package\.module:function"):
        registry.to_dict(Nest(function=lambda values: values))


def test_settings_reach_into_nested_components():
    values = {"diffusion_filter": registry.to_dict(Nest(pilot=Heat()))}
    changed = registry.with_setting(values, "diffusion_filter.pilot.time", 7)
    assert changed["diffusion_filter"]["pilot"] == {"type": "Heat", "time": 7}
    changed = registry.with_setting(values, "diffusion_filter.pilot", "Median")
    assert changed["diffusion_filter"]["pilot"]["type"] == "Median"
    changed = registry.with_setting(values, "diffusion_filter.pilot", None)
    assert changed["diffusion_filter"]["pilot"] is None
    with pytest.raises(ValueError, match="is not a setting"):
        registry.with_setting(changed, "diffusion_filter.pilot.time", 7)
