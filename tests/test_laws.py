"""Every component of every catalog, through every law it claims."""

from __future__ import annotations

import inspect
import re
import zlib
from unittest import mock

import laws
import numpy as np
import pytest
from cases import (
    CASES,
    FILTER_VARIANTS,
    MASKED_VARIANTS,
    NOISE_VARIANTS,
    SCHEDULE_VARIANTS,
    THIN_CASES,
    label,
)
from hypothesis import given, settings
from strategies import SCHEDULES, components, example_images, filters

from napari_diffusion.filters import FILTERS
from napari_diffusion.filters.base import CLAIMS
from napari_diffusion.loop.registry import COMPONENTS, from_dict, to_dict
from napari_diffusion.noise import NOISES

EVERYWHERE = (
    laws.keeps_images_apart,
    laws.returns_its_own,
    laws.survives_extremes,
    laws.survives_denormals,
)

CLAIMED = {
    "keeps_mean": laws.keeps_mean,
    "maximum_principle": laws.keeps_range,
    "keeps_constant": laws.keeps_constant,
    "linear": laws.is_linear,
    "shifts_with_grey": laws.shifts_with_grey,
    "scales_with_intensity": laws.scales_with_intensity,
    "scales_with_length": laws.scales_with_length,
    "flips": laws.flips,
    "turns": laws.turns,
}


def few(component, law):
    """Return a plain case and, in turn over components and laws, one of every further kind."""
    turn = zlib.crc32(f"{label(component)} {law.__name__}".encode())
    return CASES[0], CASES[1 + turn % (len(CASES) - 1)], THIN_CASES[turn % len(THIN_CASES)]


def every(component, law):
    """Return all cases: thousands, over all components and laws."""
    return *CASES, *THIN_CASES


on_cases = pytest.mark.parametrize(
    "cases", [few, pytest.param(every, marks=pytest.mark.long)], ids=["few", "every"]
)

CLAIMED_LAWS = [
    pytest.param(component, law, id=f"{label(component)}-{claim}")
    for component in FILTER_VARIANTS
    for claim, law in CLAIMED.items()
    if claim in component.claims
]


@on_cases
@pytest.mark.parametrize(("component", "law"), CLAIMED_LAWS)
def test_filters_keep_what_they_claim(component, law, cases):
    for case in cases(component, law):
        law(component, case)


@on_cases
@pytest.mark.parametrize("law", EVERYWHERE, ids=lambda law: law.__name__)
@pytest.mark.parametrize("component", FILTER_VARIANTS, ids=label)
def test_laws_of_every_filter(component, law, cases):
    for case in cases(component, law):
        law(component, case)


@on_cases
@pytest.mark.parametrize("component", FILTER_VARIANTS, ids=label)
def test_every_filter_nearly_keeps_a_constant(component, cases):
    for case in cases(component, laws.nearly_keeps_constant):
        laws.nearly_keeps_constant(component, case)


def test_every_claim_has_its_law():
    assert {*CLAIMED, "takes_mask"} == set(CLAIMS)


@pytest.mark.parametrize("component", FILTER_VARIANTS, ids=label)
def test_types_of_every_filter(component):
    for case in (CASES[1], CASES[8]):
        laws.keeps_type(component, case)


@on_cases
@pytest.mark.parametrize("law", [laws.stays_inside, laws.takes_holes_as_a_mask])
@pytest.mark.parametrize("component", MASKED_VARIANTS, ids=label)
def test_laws_of_every_filter_with_a_mask(component, law, cases):
    for case in cases(component, law):
        if case in CASES:
            law(component, case)


@given(filters(), example_images())
def test_filters_keep_what_they_claim_on_any_image(component, drawn):
    image, options = drawn
    before = image.copy()
    out = component(image, **options)
    assert out.shape == image.shape
    assert out.dtype == (np.float64 if image.dtype == np.float64 else np.float32)
    assert np.isfinite(out).all()
    np.testing.assert_array_equal(image, before)
    assert not np.shares_memory(out, image)
    read = image.astype(out.dtype)
    if "maximum_principle" in component.claims:
        assert read.min() <= out.min()
        assert out.max() <= read.max()
    if "keeps_mean" in component.claims:
        laws.assert_mean_kept(read, out)


@given(components(FILTERS), example_images(largest=10))
def test_nothing_that_can_be_typed_blows_up(component, drawn):
    """Any parameters a filter allows give finite numbers, or a sentence about time or size."""
    image, options = drawn
    try:
        # Thousands of sub-steps would tell no more than hundreds.
        with mock.patch("napari_diffusion.filters.flows.flow.MAX_SUB_STEPS", 300):
            out = component(image, **options)
    except ValueError as error:
        refusal = str(error)
    else:
        refusal = ""
    if refusal:
        assert re.fullmatch(rf"{type(component).__name__}: \w+=.*, more than \d+: .+\.", refusal)
        return
    assert np.isfinite(out).all()
    if "maximum_principle" in component.claims:
        read = image.astype(out.dtype)
        assert read.min() <= out.min()
        assert out.max() <= read.max()


@on_cases
@pytest.mark.parametrize("component", NOISE_VARIANTS, ids=label)
@pytest.mark.parametrize(
    "law",
    [laws.has_an_address, laws.adds_nothing_at_scale_0, laws.takes_its_own_parameters],
    ids=lambda law: law.__name__,
)
def test_laws_of_every_noise(component, law, cases):
    for case in cases(component, law):
        if case in CASES:
            law(component, case)


@pytest.mark.parametrize("component", NOISE_VARIANTS, ids=label)
def test_statistics_of_every_noise(component):
    laws.adds_what_it_says(component, None)


@pytest.mark.parametrize("component", NOISE_VARIANTS, ids=label)
def test_what_every_noise_returns_is_its_own(component):
    def with_scale(image, **options):
        return component(image, 0.25, seed=1, **options)

    for case in (laws.imaged(component, each) for each in CASES):
        laws.returns_its_own(with_scale, case)
        laws.keeps_type(with_scale, case)


@pytest.mark.parametrize("num_steps", [1, 2, 3, 10, 101])
@pytest.mark.parametrize(
    "law",
    [laws.spans_the_run, laws.tabulates_its_rule, laws.scales_with_its_start],
    ids=lambda law: law.__name__,
)
@pytest.mark.parametrize("component", SCHEDULE_VARIANTS, ids=label)
def test_laws_of_every_schedule(component, law, num_steps):
    for start in (1.0, 0.1, 1e30, 1e-30, 0.0):
        law(component, start, num_steps)


@given(components(SCHEDULES))
@settings(max_examples=100)
def test_laws_of_schedules_with_any_parameters(component):
    for num_steps in (1, 2, 7):
        laws.spans_the_run(component, 0.1, num_steps)
        laws.tabulates_its_rule(component, 0.1, num_steps)


@given(components((*FILTERS, *NOISES, *SCHEDULES), auto=True, many=True))
@settings(max_examples=200)
def test_every_component_is_frozen_and_survives_json(component):
    import json

    laws.is_frozen_and_equal_by_value(component)
    assert from_dict(component.slot, json.loads(json.dumps(to_dict(component)))) == component


@pytest.mark.parametrize("cls", [cls for classes in COMPONENTS.values() for cls in classes])
def test_every_component_says_what_it_does(cls):
    text = inspect.getdoc(cls)
    assert cls.summary() == text.splitlines()[0]
    assert cls.summary().endswith(".")
    for p in cls.parameters():
        about = re.search(rf"^{p.name} : (.+)\n((?:    .+\n?)+)", text, re.M)
        assert about, f"the docstring says nothing of {p.name}"
        for choice in p.choices:
            assert choice in text.lower()
        assert p.tooltip.endswith(".")
        assert p.range_text()
