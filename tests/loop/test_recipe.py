"""Recipes: checked when made, never changed, and the same after JSON."""

from __future__ import annotations

import dataclasses
import json
import pickle
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import recipes

import napari_diffusion as nd
from napari_diffusion.filters import Gaussian, Heat, Median, PeronaMalik
from napari_diffusion.loop.registry import COMPONENTS, component_class, from_dict, with_setting
from napari_diffusion.loop.restoration_presets import RESTORATIONS
from napari_diffusion.schedules import Constant, Geometric, Linear

RECIPE = nd.Recipe(
    num_steps=3,
    starting_noise_scale=1 / 3,
    schedule=Geometric(end=0.1),
    diffusion_filter=PeronaMalik(contrast=0.125, time=1e-4),
    final_filter=Heat(time=65535.0),
    seed=2**64 - 1,
)


class TestJson:
    @given(recipes())
    @settings(max_examples=200)
    def test_round_trip_is_exact(self, recipe):
        again = nd.Recipe.from_json(recipe.to_json())
        assert again == recipe
        assert hash(again) == hash(recipe)
        assert again.to_json() == recipe.to_json()
        assert nd.Recipe.from_dict(recipe.to_dict()) == recipe

    @given(recipes())
    @settings(max_examples=50)
    def test_is_plain_and_standard(self, recipe):
        def refuse(name):
            raise AssertionError(f"{name} is not JSON")

        values = json.loads(recipe.to_json(), parse_constant=refuse)
        assert values["schema"] == 1
        fields = [field.name for field in dataclasses.fields(nd.Recipe)]
        default = ["update"] if recipe.update == "whole" else []
        default += ["measurement", "rounds"] if recipe.measurement is None else []
        assert [*values, *default, "asked"][1:] == fields

    def test_looks_as_documented(self):
        plain = RECIPE.replaced(diffusion_filter=Heat(time=1e-4))
        assert json.loads(plain.to_json()) == {
            "schema": 1,
            "num_steps": 3,
            "starting_noise_scale": 1 / 3,
            "noise": {"type": "Gaussian"},
            "schedule": {"type": "Geometric", "end": 0.1},
            "diffusion_filter": {"type": "Heat", "time": 1e-4},
            "final_filter": {"type": "Heat", "time": 65535.0},
            "domain": None,
            "seed": 2**64 - 1,
            "stop_at": None,
        }

    def test_a_type_is_looked_up_in_its_slot(self):
        """There is a Gaussian noise and a Gaussian filter."""
        recipe = RECIPE.replaced(diffusion_filter=Gaussian(sigma=2.0))
        again = nd.Recipe.from_json(recipe.to_json())
        assert type(again.noise) is nd.noise.Gaussian
        assert type(again.diffusion_filter) is nd.filters.Gaussian

    def test_what_is_left_out_has_its_default(self):
        recipe = nd.Recipe.from_json('{"schema": 1, "diffusion_filter": {"type": "Heat"}}')
        assert recipe == nd.Recipe(diffusion_filter=Heat())
        assert nd.Recipe.from_json("{}") == nd.Recipe()

    def test_whole_numbers_do_where_numbers_are_asked_for(self):
        text = '{"starting_noise_scale": 1, "diffusion_filter": {"type": "Heat", "time": 2}}'
        recipe = nd.Recipe.from_json(text)
        assert recipe == nd.Recipe(starting_noise_scale=1.0, diffusion_filter=Heat(time=2.0))
        assert type(recipe.diffusion_filter.time) is float

    @pytest.mark.parametrize(
        ("values", "words"),
        [
            ({"schema": 2}, r"schema 2, but this version reads schema 1.*update"),
            ({"schema": "1"}, r"schema '1'"),
            (
                {"steps": 3},
                r"A recipe has no 'steps'; it has num_steps, .*stop_at, update, rounds\.",
            ),
            ({"noise": {"type": "Gauss"}}, r"no noise 'Gauss': use one of Gaussian"),
            (
                {"diffusion_filter": {"type": "heat"}},
                r"no filter 'heat': use one of PeronaMalik, .*Heat, ",
            ),
            (
                {"schedule": {"type": "Heat"}},
                r"no schedule 'Heat': use one of Constant, Linear, Geometric, Cosine",
            ),
            (
                {"final_filter": {"type": "Heat", "times": 2}},
                r"Heat has no parameter 'times'; it has time\.",
            ),
            ({"noise": {"type": "Gaussian", "sd": 1}}, r"Gaussian has no parameter 'sd'.*none"),
            (
                {"diffusion_filter": "Heat"},
                r'filter must be an object with a "type" \(got \'Heat\'',
            ),
            ({"diffusion_filter": {"time": 2}}, r'must be an object with a "type" \(got \{'),
            ({"diffusion_filter": {"type": 3}}, r'must be an object with a "type"'),
            ({"diffusion_filter": []}, r"at least one filter"),
            ({"diffusion_filter": {"type": "Heat", "time": -1}}, r"Heat: time must be .*got -1\)"),
            ({"num_steps": 0}, r"num_steps must be at least 1"),
        ],
    )
    def test_unknown_names_list_what_is_allowed(self, values, words):
        with pytest.raises(ValueError, match=words):
            nd.Recipe.from_dict(values)

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("{", r"must be JSON text: .*line 1"),
            ("", r"must be JSON text"),
            ("[]", r"must be a JSON object \(got list\)"),
            ("3", r"must be a JSON object \(got int\)"),
            ('{"diffusion_filter": {"type": "Heat", "time": NaN}}', r"Heat: time must be .*finite"),
        ],
    )
    def test_text_that_is_no_recipe(self, text, words):
        with pytest.raises(ValueError, match=words):
            nd.Recipe.from_json(text)

    def test_null_where_there_must_be_something(self):
        for slot in ("diffusion_filter", "schedule"):
            with pytest.raises(TypeError, match=rf"{slot} must be a .*\(got None\)"):
                nd.Recipe.from_dict({slot: None})


class TestChecks:
    @pytest.mark.parametrize(
        ("values", "error", "words"),
        [
            ({"num_steps": 0}, ValueError, r"num_steps must be at least 1.*\(got 0\)"),
            ({"num_steps": -3}, ValueError, r"at least 1.*\(got -3\)"),
            ({"num_steps": 2**32}, ValueError, r"at most 100000 \(got 4294967296\)"),
            ({"num_steps": 2.0}, TypeError, r"num_steps must be a whole number \(got 2\.0\)"),
            ({"num_steps": True}, TypeError, r"num_steps must be a whole number \(got True\)"),
            ({"num_steps": None}, TypeError, r"num_steps must be a whole number \(got None\)"),
            ({"stop_at": 0}, ValueError, r"stop_at must be at least 1"),
            ({"stop_at": "2"}, TypeError, r"stop_at must be a whole number \(got '2'\)"),
            ({"seed": -1}, ValueError, r"seed must be from 0 to 2\*\*64 - 1 \(got -1\)"),
            ({"seed": 2**64}, ValueError, r"seed must be from 0 to 2\*\*64 - 1"),
            ({"seed": 1.5}, TypeError, r"seed must be a whole number \(got 1\.5\)"),
            ({"starting_noise_scale": -0.1}, ValueError, r"starting_noise_scale .*0 or more"),
            ({"starting_noise_scale": float("nan")}, ValueError, r"finite.*\(got nan\)"),
            ({"starting_noise_scale": float("inf")}, ValueError, r"finite.*\(got inf\)"),
            ({"starting_noise_scale": (0.1, -1.0)}, ValueError, r"0 or more"),
            ({"starting_noise_scale": ()}, ValueError, r"starting_noise_scale"),
            ({"starting_noise_scale": "0.1"}, TypeError, r"starting_noise_scale.*got '0\.1'"),
            ({"starting_noise_scale": True}, TypeError, r"starting_noise_scale.*got True"),
            ({"starting_noise_scale": "5 %"}, TypeError, r"\"5 % of range\".*got '5 %'"),
            ({"starting_noise_scale": "0 % of range"}, ValueError, r"greater than 0 .*number 0"),
            ({"starting_noise_scale": "-1% of range"}, ValueError, r"greater than 0"),
            ({"starting_noise_scale": "1e999 % of range"}, ValueError, r"greater than 0"),
            ({"starting_noise_scale": None}, TypeError, r"starting_noise_scale.*got None"),
            ({"noise": "Gaussian"}, TypeError, r"noise must be a noise or None \(got 'Gaussian'\)"),
            ({"noise": nd.noise.Gaussian}, TypeError, r"an object, with brackets"),
            ({"noise": Gaussian()}, TypeError, r"noise must be a noise or None \(got Gaussian\("),
            ({"schedule": None}, TypeError, r"schedule must be a schedule \(got None\)"),
            ({"schedule": Linear}, TypeError, r"schedule must be a schedule an object, with"),
            ({"diffusion_filter": None}, TypeError, r"diffusion_filter must be a filter \(got"),
            ({"diffusion_filter": ()}, ValueError, r"diffusion_filter must hold at least one"),
            ({"diffusion_filter": (Heat(), 3)}, TypeError, r"diffusion_filter must be a filter"),
            ({"final_filter": (Heat(),)}, TypeError, r"final_filter must be a filter or None"),
            ({"final_filter": Constant()}, TypeError, r"final_filter must be a filter or None"),
        ],
    )
    def test_name_the_field_the_range_and_the_value(self, values, error, words):
        with pytest.raises(error, match=words):
            nd.Recipe(**values)

    def test_frozen(self):
        for field in dataclasses.fields(nd.Recipe):
            with pytest.raises(dataclasses.FrozenInstanceError):
                setattr(RECIPE, field.name, None)

    def test_replaced_checks_again(self):
        assert RECIPE.replaced(seed=5).seed == 5
        assert RECIPE.seed == 2**64 - 1
        with pytest.raises(ValueError, match="num_steps"):
            RECIPE.replaced(num_steps=0)

    def test_numbers_are_stored_as_python_s_own(self):
        made = nd.Recipe(
            num_steps=np.int16(4),
            starting_noise_scale=np.float32(0.5),
            seed=np.uint64(2**64 - 1),
            stop_at=np.uint8(2),
            diffusion_filter=[Heat(), Median()],
        )
        assert made == nd.Recipe(
            num_steps=4,
            starting_noise_scale=0.5,
            seed=2**64 - 1,
            stop_at=2,
            diffusion_filter=(Heat(), Median()),
        )
        assert nd.Recipe.from_json(made.to_json()) == made
        scales = nd.Recipe(starting_noise_scale=np.array([1, 2])).starting_noise_scale
        assert scales == (1.0, 2.0)
        assert [type(scale) for scale in scales] == [float, float]

    def test_equal_means_same(self):
        changes = {
            "num_steps": 4,
            "starting_noise_scale": 0.5,
            "noise": None,
            "schedule": Geometric(end=0.2),
            "diffusion_filter": Heat(),
            "final_filter": None,
            "domain": "log",
            "seed": 1,
            "stop_at": 2,
            "update": "reverse",
            "measurement": nd.measurements.Masked(),
            "rounds": 5,
        }
        assert {*changes, "asked"} == {field.name for field in dataclasses.fields(nd.Recipe)}
        for name, value in changes.items():
            base = RECIPE.replaced(update="reverse") if name == "measurement" else RECIPE
            assert base.replaced(**{name: value}) != base
        assert eval(repr(RECIPE), {**vars(nd), **vars(nd.filters), **vars(nd.schedules),
                                   "Gaussian": nd.noise.Gaussian}) == RECIPE  # fmt: skip
        assert pickle.loads(pickle.dumps(RECIPE)) == RECIPE

    def test_a_step_of_a_series(self):
        series = (Heat(time=1.0), Heat(time=2.0))
        recipe = RECIPE.replaced(diffusion_filter=series)
        assert [recipe.filter_at(k) for k in range(4)] == [*series, series[1], series[1]]
        assert recipe.filters == series
        assert RECIPE.filters == (RECIPE.diffusion_filter,)

    def test_total_steps(self):
        assert RECIPE.total_steps == 3
        assert RECIPE.replaced(stop_at=7).total_steps == 7


class TestResolved:
    IMAGE = np.random.default_rng(0).random((20, 21)).astype(np.float32)

    def test_every_auto_becomes_a_number(self):
        auto = nd.Recipe(
            diffusion_filter=(PeronaMalik(), Heat(), PeronaMalik(smoothing=1.0)),
            final_filter=PeronaMalik(),
        )
        assert not auto.is_resolved
        resolved = auto.resolved(self.IMAGE)
        assert resolved.is_resolved
        assert '"auto"' not in resolved.to_json()
        assert resolved.starting_noise_scale == nd.estimate.noise_sigma(self.IMAGE)
        first, heat, smoothed = resolved.diffusion_filter
        assert first.contrast == resolved.final_filter.contrast == nd.estimate.contrast(self.IMAGE)
        assert heat == Heat()
        assert smoothed.contrast == nd.estimate.contrast(self.IMAGE, smoothing=1.0)

    def test_typed_numbers_stay(self):
        assert RECIPE.resolved(self.IMAGE) == RECIPE
        assert RECIPE.is_resolved

    def test_it_depends_on_the_grid(self):
        fine = nd.Recipe().resolved(self.IMAGE, spacing=0.5).diffusion_filter.contrast
        assert fine == 2 * nd.Recipe().resolved(self.IMAGE).diffusion_filter.contrast

    def test_without_noise_its_scale_is_0(self):
        assert RECIPE.replaced(noise=None).resolved(self.IMAGE).starting_noise_scale == 0.0

    def test_goes_through_json(self):
        resolved = nd.Recipe().resolved(self.IMAGE)
        again = nd.Recipe.from_json(resolved.to_json())
        a, b = nd.run(self.IMAGE, resolved), nd.run(self.IMAGE, again)
        np.testing.assert_array_equal(a.image, b.image)

    @pytest.mark.parametrize("length", [0.25, 8.0])
    def test_scaled_for_another_spacing_gives_the_same_bits(self, length):
        recipe = RECIPE.replaced(
            diffusion_filter=PeronaMalik(contrast=0.5, time=0.7, smoothing=0.6),
            final_filter=Gaussian(sigma=1.1),
        )
        a = nd.run(self.IMAGE, recipe).image
        b = nd.run(self.IMAGE, recipe.scaled(length), spacing=length).image
        np.testing.assert_array_equal(a, b)


class TestShareOfRange:
    RECIPE = nd.Recipe(num_steps=2, starting_noise_scale="5%of range", diffusion_filter=Heat())

    def test_has_one_form_and_goes_through_json(self):
        assert self.RECIPE.starting_noise_scale == "5 % of range"
        recipe = self.RECIPE.replaced(starting_noise_scale=" 2.50 %  OF range")
        assert recipe.starting_noise_scale == "2.5 % of range"
        assert nd.Recipe.from_json(recipe.to_json()) == recipe
        assert recipe.to_dict()["starting_noise_scale"] == "2.5 % of range"
        assert not recipe.is_resolved
        assert recipe.autos() == {"starting_noise_scale": "2.5 % of range"}

    def test_is_that_share_of_maximum_minus_minimum(self):
        image = np.random.default_rng(0).uniform(-3, 7, (20, 30)).astype(np.float32)
        resolved = self.RECIPE.resolved(image)
        assert resolved.starting_noise_scale == 5 * (float(image.max()) - float(image.min())) / 100
        assert resolved.asked == {"starting_noise_scale": "5 % of range"}
        # A resolved recipe remembers it, until the value is replaced.
        assert resolved.resolved(image).asked == resolved.asked
        assert resolved.replaced(seed=4).asked == resolved.asked
        assert resolved.replaced(starting_noise_scale=1.0).asked == {}
        added = nd.run(image, resolved.replaced(diffusion_filter=Heat(time=0.0), num_steps=1)).image
        assert np.std(added - image) == pytest.approx(resolved.starting_noise_scale, rel=0.1)

    def test_counts_neither_masked_nor_missing_pixels(self):
        image = np.random.default_rng(0).uniform(0, 1, (20, 30))
        image[0, 0], image[1, 1], image[2, 2] = 100.0, np.nan, np.inf
        mask = np.ones(image.shape, bool)
        mask[0, 0] = False
        resolved = self.RECIPE.resolved(image, mask=mask, missing="ignore")
        inside = image[mask & np.isfinite(image)]
        assert resolved.starting_noise_scale == 5 * (inside.max() - inside.min()) / 100

    def test_is_that_of_the_stabilised_values_in_a_domain(self):
        image = np.random.default_rng(0).poisson(50, (40, 40)).astype(np.float64)
        domain = nd.domains.Anscombe(gain=1.0, offset=0.0, read_noise=0.0)
        resolved = self.RECIPE.replaced(domain=domain).resolved(image)
        low, high = (2 * np.sqrt(value + 3 / 8) for value in (image.min(), image.max()))
        assert resolved.starting_noise_scale == pytest.approx(5 * (high - low) / 100)

    @pytest.mark.parametrize("chunks", [(7, 50), (64, 16), (64, 64)])
    def test_of_a_dask_array_has_the_same_bits(self, chunks):
        dask = pytest.importorskip("dask.array")
        image = np.random.default_rng(0).normal(size=(64, 64)).astype(np.float32)
        lazy = dask.from_array(image, chunks=chunks)
        assert self.RECIPE.resolved(lazy) == self.RECIPE.resolved(image)

    def test_without_noise_is_not_measured(self):
        constant = np.full((20, 30), 7.0)
        assert self.RECIPE.replaced(noise=None).resolved(constant).starting_noise_scale == 0.0
        with pytest.raises(ValueError, match=r"'5 % of range' .* all pixels are 7: enter"):
            self.RECIPE.resolved(constant)

    def test_explore_is_visibly_noisy_on_a_jpeg(self):
        from napari_diffusion.samples import SAMPLES

        samples = [make() for name, make in SAMPLES.items() if name not in ("phantom", "damaged")]
        for sample in samples:
            options = {"axes": sample.axes, "rgb": sample.rgb}
            resolved = nd.PRESETS["explore"].resolved(sample.image, **options)
            reach = float(sample.image.max()) - float(sample.image.min())
            assert resolved.starting_noise_scale == pytest.approx(0.05 * reach)
        assert samples[0].image.dtype == np.uint8
        face = samples[0].image
        assert 5 * nd.estimate.noise_sigma(face, rgb=True) < 0.05 * np.ptp(face.astype(float))


class TestPresets:
    def test_names(self):
        first, restorations = list(nd.PRESETS)[:4], list(nd.PRESETS)[4:]
        assert first == ["explore", "denoise", "denoise fast", "smooth"]
        assert restorations == list(RESTORATIONS)

    def test_explore_shows_the_loop_with_noise(self):
        explore = nd.PRESETS["explore"]
        assert isinstance(explore.noise, nd.noise.Gaussian)
        assert explore.starting_noise_scale == "5 % of range"

    @pytest.mark.parametrize("name", list(RESTORATIONS))
    def test_restorations_end_with_little_noise(self, name):
        image = np.random.default_rng(0).random((20, 21))
        made = list(nd.steps(image, nd.PRESETS[name].replaced(num_steps=3)))
        assert made[0].noise_scale > 9 * made[2].noise_scale > 0
        assert np.isfinite(made[-1].image).all()

    @pytest.mark.parametrize("name", ["denoise", "denoise fast", "smooth"])
    def test_others_have_no_noise_in_them(self, name):
        preset = nd.PRESETS[name]
        assert preset.noise is None
        image = np.random.default_rng(0).random((20, 21))
        made = list(nd.steps(image, preset))
        assert all(step.noise_scale == 0.0 for step in made)

    def test_they_survive_json_and_cannot_be_changed(self):
        for name, recipe in nd.PRESETS.items():
            assert nd.Recipe.from_json(recipe.to_json()) == recipe
            with pytest.raises(TypeError):
                nd.PRESETS[name] = RECIPE


class TestSettings:
    """What the command line's --set does to a recipe's plain values."""

    def changed(self, path, value):
        return nd.Recipe.from_dict(with_setting(RECIPE.to_dict(), path, value))

    def test_one_number(self):
        assert self.changed("num_steps", 7) == RECIPE.replaced(num_steps=7)
        longer = RECIPE.diffusion_filter.replaced(time=2.0)
        assert self.changed("diffusion_filter.time", 2) == RECIPE.replaced(diffusion_filter=longer)
        assert self.changed("starting_noise_scale", "auto").starting_noise_scale == "auto"

    def test_a_component_by_its_name(self):
        assert self.changed("diffusion_filter", "Median").diffusion_filter == Median()
        assert self.changed("final_filter", "none").final_filter is None
        assert self.changed("noise", None).noise is None

    def test_it_leaves_the_values_it_was_given(self):
        values = RECIPE.to_dict()
        with_setting(values, "diffusion_filter.time", 2)
        assert values == RECIPE.to_dict()

    @pytest.mark.parametrize(
        ("path", "value", "words"),
        [
            ("steps", 3, r"no 'steps'; it has num_steps"),
            ("diffusion_filter", "Heet", r"no filter 'Heet': use one of PeronaMalik"),
            ("diffusion_filter.tim", 3, r"PeronaMalik has no parameter 'tim'; it has time"),
            ("seed.low", 3, r"'seed\.low' is not a setting"),
            ("diffusion_filter.time", -1, r"time must be .*at least 0.*got -1"),
        ],
    )
    def test_names_what_is_allowed(self, path, value, words):
        with pytest.raises(ValueError, match=words):
            self.changed(path, value)


@pytest.mark.parametrize("slot", COMPONENTS)
def test_the_catalog_finds_every_component_by_name(slot):
    for cls in COMPONENTS[slot]:
        assert component_class(slot, cls.__name__) is cls
        assert cls.slot == slot
        assert from_dict(slot, {"type": cls.__name__}) == cls()
    names = ", ".join(cls.__name__ for cls in COMPONENTS[slot])
    with pytest.raises(ValueError, match=rf"no {slot} 'Nothing': use one of {names}\."):
        component_class(slot, "Nothing")


@given(st.text())
@settings(max_examples=50)
def test_no_text_gets_anything_but_a_sentence(text):
    try:
        nd.Recipe.from_json(text)
    except ValueError as error:
        refusal = str(error)
    else:
        refusal = "A recipe"
    assert re.match("A recipe|This recipe", refusal)
