"""Components check themselves when they are made, and say what is allowed."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import FILTERS, NOISES, SCHEDULES, components

from napari_diffusion.core.component import Component
from napari_diffusion.loop.registry import COMPONENTS

ALL = [cls for classes in COMPONENTS.values() for cls in classes]


@dataclass(frozen=True)
class Sample(Component):
    """One of each kind of field."""

    size: Annotated[
        float, {"above": 0.0, "max": 10.0, "unit": "world", "tooltip": "How large."}
    ] = 1.0
    count: Annotated[int, {"min": 1, "max": 5}] = 2
    edge: Annotated[float | Literal["auto"] | tuple[float, ...], {"min": 0.0}] = "auto"
    kind: Literal["soft", "hard"] = "soft"
    fast: bool = False
    note: str = ""


class TestDisplayNames:
    @pytest.mark.parametrize("slot", COMPONENTS)
    def test_are_words_and_tell_the_components_of_a_slot_apart(self, slot):
        names = [cls.display_name for cls in COMPONENTS[slot]]
        assert len(set(names)) == len(names)
        assert [name for name in names if re.search("[a-z][A-Z]", name) or not name] == []

    def test_are_made_from_the_class_name_where_none_is_given(self):
        class SharpEdges(Sample):
            """Another class."""

        class Inner(COMPONENTS["filter"][0]):
            """A class whose base has a name of its own."""

        assert SharpEdges.display_name == "Sharp edges"
        assert Inner.display_name == "Inner"


class TestParameters:
    def test_say_what_a_form_needs(self):
        size, count, edge, kind, fast, note = Sample.parameters()
        assert [p.name for p in Sample.parameters()] == [f.name for f in dataclasses.fields(Sample)]
        assert (size.kind, size.default, size.above, size.maximum) == ("float", 1.0, 0.0, 10.0)
        assert (size.unit, size.tooltip, size.label) == ("world", "How large.", "size")
        assert (count.kind, count.minimum, count.maximum) == ("int", 1, 5)
        assert (edge.kind, edge.auto, edge.many, edge.default) == ("float", True, True, "auto")
        assert (kind.kind, kind.choices) == ("choice", ("soft", "hard"))
        assert (fast.kind, note.kind) == ("bool", "text")

    def test_ranges_in_words(self):
        texts = [p.range_text() for p in Sample.parameters()[:3]]
        assert texts == [
            "a finite number greater than 0 and at most 10",
            "a whole number of at least 1 and at most 5",
            'a finite number of at least 0 or "auto"',
        ]

    def test_a_field_that_no_form_knows(self):
        @dataclass(frozen=True)
        class Odd(Component):
            """Has a field of an odd type."""

            table: dict = dataclasses.field(default_factory=dict)

        with pytest.raises(TypeError, match=r"'table' has an unsupported type"):
            Odd()


class TestChecks:
    @pytest.mark.parametrize(
        ("values", "error", "words"),
        [
            ({"size": 0}, ValueError, r"Sample: size must be .*greater than 0.*\(got 0\)\.$"),
            ({"size": 10.1}, ValueError, r"size must be .*at most 10 \(got 10\.1\)"),
            ({"size": float("nan")}, ValueError, r"finite number .*\(got nan\)"),
            ({"size": float("inf")}, ValueError, r"finite number .*\(got inf\)"),
            ({"size": "1"}, TypeError, r"size must be a number \(got '1'\)"),
            ({"size": True}, TypeError, r"size must be a number \(got True\)"),
            ({"size": None}, TypeError, r"size must be a number \(got None\)"),
            ({"size": "auto"}, TypeError, r"size must be a number \(got 'auto'\)"),
            ({"size": (1.0, 2.0)}, TypeError, r"size must be a number"),
            ({"size": 1j}, TypeError, r"size must be a number \(got 1j\)"),
            ({"count": 0}, ValueError, r"count must be .*at least 1.*\(got 0\)"),
            ({"count": 2.0}, TypeError, r"count must be a whole number \(got 2\.0\)"),
            ({"edge": -1.0}, ValueError, r'edge must be .*at least 0 or "auto" \(got -1\.0\)'),
            ({"edge": "automatic"}, TypeError, r'edge must be a number or "auto" \(got'),
            ({"edge": ()}, ValueError, r"edge must be at least one number \(got \(\)\)"),
            ({"edge": (1.0, -1.0)}, ValueError, r"edge must be .*at least 0.*\(got -1\.0\)"),
            ({"edge": (1.0, "auto")}, TypeError, r"edge must be a number"),
            ({"kind": "Soft"}, ValueError, r"kind must be one of 'soft', 'hard' \(got 'Soft'\)"),
            ({"kind": 1}, ValueError, r"kind must be one of 'soft', 'hard' \(got 1\)"),
            ({"fast": 1}, TypeError, r"fast must be True or False \(got 1\)"),
            ({"note": 3}, TypeError, r"note must be text \(got 3\)"),
        ],
    )
    def test_name_the_parameter_the_range_and_the_value(self, values, error, words):
        with pytest.raises(error, match=words):
            Sample(**values)

    def test_numbers_are_stored_as_python_s_own(self):
        made = Sample(size=np.float32(0.5), count=np.uint8(3), edge=np.array([1, 2], np.int16))
        assert made == Sample(size=0.5, count=3, edge=(1.0, 2.0))
        assert [type(v) for v in (made.size, made.count, made.edge[0])] == [float, int, float]
        assert Sample(size=np.array(0.5), edge=[1, 2]) == Sample(size=0.5, edge=(1.0, 2.0))

    def test_replaced_checks_again(self):
        assert Sample().replaced(count=4) == Sample(count=4)
        with pytest.raises(ValueError, match="count"):
            Sample().replaced(count=9)
        with pytest.raises(TypeError, match="colour"):
            Sample().replaced(colour=1)

    def test_what_is_still_auto(self):
        assert Sample().autos() == ("edge",)
        assert Sample(edge=1.0).autos() == ()

    def test_equal_means_same(self):
        assert Sample(size=1) == Sample(size=1.0)
        assert hash(Sample(edge=[1, 2])) == hash(Sample(edge=(1.0, 2.0)))
        for other in ({"size": 2.0}, {"kind": "hard"}, {"fast": True}, {"edge": 1.0}):
            assert Sample(**other) != Sample()


@pytest.mark.parametrize("cls", ALL)
def test_out_of_range_is_refused_by_every_component(cls):
    for p in cls.parameters():
        is_map = not p.single and not p.many
        if p.kind not in ("float", "int") or is_map:
            continue
        outside = [float("nan"), float("inf")] if p.kind == "float" else []
        if p.minimum is not None:
            outside.append(p.minimum - 1 - abs(p.minimum))
        if p.above is not None:
            outside.append(p.above)
        if p.maximum is not None:
            outside.append(p.maximum + 1 + abs(p.maximum))
        for value in outside:
            kept = int(value) if p.kind == "int" else value
            kept = kept if p.single else (kept,)
            with pytest.raises(ValueError, match=rf"{cls.__name__}: {p.name} must be .*\(got "):
                cls(**{p.name: kept})


@given(
    components((*FILTERS, *NOISES, *SCHEDULES), auto=True, many=True), st.sampled_from([1, 2, 4])
)
def test_scaled_for_another_spacing_and_back(component, length):
    """Lengths, times and gradients change by powers of the length, and back exactly for 2ᵏ."""
    assert component.scaled(1.0) == component
    try:
        scaled = component.scaled(float(length))
    except ValueError:
        return
    assert scaled.scaled(1 / length) == component
