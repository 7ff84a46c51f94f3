"""A recipe from elsewhere runs no code, whatever way it comes in."""

from __future__ import annotations

import json
import os
import pickle
import sys
from collections.abc import Callable  # noqa: TC003 - the types of fields are read
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
import pytest

import napari_diffusion as nd
from napari_diffusion.core.function_parameter import CodeRefused
from napari_diffusion.filters import Filter
from napari_diffusion.loop import registry
from napari_diffusion.records import legend, paragraph, recipe_of, record
from napari_diffusion.records.references import bibtex
from napari_diffusion.records.reproduce import command, python
from napari_diffusion.records.supplement import supplement

EVAL = {"type": "Custom", "function": "builtins:eval"}
SLOTS = {
    "diffusion_filter": EVAL,
    "final_filter": {"type": "Custom", "function": "pickle:loads"},
    "schedule": {"type": "Custom", "function": "os:_exit"},
}


@pytest.mark.parametrize("slot", SLOTS)
@pytest.mark.parametrize("series", [False, True])
def test_a_function_is_refused_by_its_name(slot, series):
    values = {slot: [SLOTS[slot]] if series and slot == "diffusion_filter" else SLOTS[slot]}
    for made in (
        lambda: nd.Recipe.from_dict(values),
        lambda: nd.Recipe.from_json(json.dumps(values)),
        lambda: nd.Recipe.from_dict(values, allow_code=["numpy:abs"]),
        lambda: recipe_of({"recipe": values}),
    ):
        with pytest.raises(CodeRefused, match=f"'{SLOTS[slot]['function']}'.*allow_code=True"):
            made()
    nd.Recipe.from_dict(values, allow_code=[SLOTS[slot]["function"]])
    nd.Recipe.from_json(json.dumps(values), allow_code=True)


def test_metrics_are_gated_too():
    with pytest.raises(CodeRefused, match="builtins:eval"):
        registry.from_dict("metric", {"type": "CustomMetric", "function": "builtins:eval"})


@pytest.mark.parametrize("slot", ["filter", "noise", "schedule", "metric", "domain"])
def test_every_component_with_a_function_is_gated(slot):
    """A component that comes to be is gated without a word of its own."""
    for cls in registry.COMPONENTS[slot]:
        for parameter in cls.parameters():
            if parameter.kind == "function":
                with pytest.raises(CodeRefused):
                    registry.from_dict(slot, {"type": cls.__name__, parameter.name: "os:system"})


def test_members_of_other_packages_are_gated(monkeypatch):
    @dataclass(frozen=True)
    class Foreign(Filter):
        """Apply something."""

        hooks: Annotated[tuple[Callable[..., Any], ...] | str, {"tooltip": "Functions."}] = "a:b"
        inner: ClassVar[int] = 0

        def apply(self, block):
            return block.values

        def halo(self, grid):
            return None

    found = {**registry.OWN, "filter": (*registry.OWN["filter"], Foreign)}
    monkeypatch.setattr(registry, "_components", lambda: found)
    for value in ("os:system", ["os:system"], ["a:b", "os:system"]):
        nested = {"type": "Foreign", "hooks": value}
        with pytest.raises(CodeRefused, match=r"os:system|a:b"):
            nd.Recipe.from_dict({"final_filter": nested})
        with pytest.raises(CodeRefused):
            nd.Recipe.from_dict({"final_filter": {"type": "Opponent", "component": nested}})


def test_what_the_user_writes_in_a_script_needs_no_leave():
    recipe = nd.Recipe(num_steps=1, noise=None, diffusion_filter=nd.filters.Custom("numpy:abs"))
    assert next(nd.steps(-np.ones((4, 4)), recipe)).image.max() == 1


@pytest.fixture
def trap(tmp_path, monkeypatch):
    """A module beside a recipe that leaves a file when it is imported."""
    (tmp_path / "trap_beside_recipe.py").write_text(
        f"open({str(tmp_path / 'sprung')!r}, 'w').close()\ndef function(u):\n    return u\n\n"
        "def halved(scale, step, num_steps):\n    return scale / 2\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path / "sprung"
    sys.modules.pop("trap_beside_recipe", None)


def test_no_text_about_a_recipe_imports_what_it_names(trap):
    name = "trap_beside_recipe:function"
    values = {
        "num_steps": 2,
        "starting_noise_scale": 0.1,
        "schedule": {"type": "Custom", "function": "trap_beside_recipe:halved"},
        "diffusion_filter": {"type": "Custom", "function": name},
    }
    with pytest.raises(CodeRefused):
        nd.Recipe.from_dict(values)
    recipe = nd.Recipe.from_dict(values, allow_code=True)
    step = nd.Step(1, 0.1, np.zeros((4, 4)), is_final=False)
    kept = record(recipe, step, {"axes": "yx"}, "a")
    for text in (paragraph, legend, bibtex, python, command, supplement):
        text(kept)
    assert not trap.exists()
    list(nd.steps(np.zeros((4, 4)), recipe))
    assert trap.exists(), "the trap does not work"


def test_a_pickle_in_an_array_stays_shut(tmp_path):
    class Bomb:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "sprung"),)

    path = tmp_path / "map.npy"
    np.save(path, np.array([Bomb()], dtype=object), allow_pickle=True)
    values = {"type": "PoissonGaussian", "offset": {"file": str(path)}}
    with pytest.raises(ValueError, match=r"objects"):
        nd.Recipe.from_dict({"noise": values})
    path.write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(ValueError, match=r"NPY"):
        nd.Recipe.from_dict({"noise": values})
    assert not (tmp_path / "sprung").exists()


HOSTILE = {
    "deep": "[" * 100_000,
    "deep object": '{"a":' * 100_000,
    "deep filters": '{"diffusion_filter":' + '{"type":"Opponent","component":' * 300,
    "huge number": '{"starting_noise_scale": 1' + "0" * 400 + "}",
    "endless number": '{"seed": 1' + "0" * 5000 + "}",
    "huge seed": '{"seed": 1' + "0" * 400 + "}",
    "huge time": '{"diffusion_filter": {"type": "Heat", "time": 1' + "0" * 400 + "}}",
    "steps": '{"num_steps": 4000000000}',
    "more steps": '{"stop_at": 4000000000}',
    "infinite": '{"starting_noise_scale": Infinity}',
    "none": '{"starting_noise_scale": NaN}',
    "list": "[1, 2]",
    "nothing": "",
    "levels": '{"schedule": {"type": "Levels", "levels": [1e400]}}',
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_recipes_are_refused_in_one_sentence(text):
    closing = text.count("{") - text.count("}")
    for each in (text, text + "1" + "}" * max(closing, 0)):
        with pytest.raises((ValueError, TypeError)) as caught:
            nd.Recipe.from_json(each)
        assert len(str(caught.value)) < 400
        assert "\n" not in str(caught.value)


def test_nested_filters_have_an_end():
    values: dict[str, Any] = {"type": "Heat"}
    for _ in range(40):
        values = {"type": "Opponent", "component": values}
    with pytest.raises(ValueError, match="nested 16 deep"):
        nd.Recipe.from_dict({"diffusion_filter": values})
