"""The paragraph for a methods section: short, with units, without names of classes."""

from __future__ import annotations

import re

import methods_cases
import pytest
from methods_cases import SHORT, kept, noisy

import napari_diffusion as nd
from napari_diffusion.core import Component
from napari_diffusion.core.method_words import MethodWords, number
from napari_diffusion.denoising import denoiser
from napari_diffusion.loop.registry import COMPONENTS
from napari_diffusion.loop.restoration_presets import RESTORATIONS
from napari_diffusion.records.methods_paragraph import ELSEWHERE, MOST_WORDS, legend, paragraph

CLASSES = {
    cls.__name__
    for components in COMPONENTS.values()
    for cls in components
    if re.search(r"[a-z][A-Z]", cls.__name__)
}

# What has a dimension, and what must follow its number.
NUMBER = r"([−\d][\d./]*) (\S+)"
INTENSITY = re.compile(f"(?:standard deviation|contrast|gain|offset|read noise) {NUMBER}")
LENGTH = re.compile(f"(?:σ =|radius|diffusion time|grain size|size threshold) {NUMBER}")


@pytest.fixture(scope="module")
def records():
    return dict(methods_cases.records())


def test_every_paragraph_is_short_and_for_people(records):
    assert len(records) > 140
    for name, record in records.items():
        said = paragraph(record)
        assert len(said.split()) <= MOST_WORDS, name
        assert not CLASSES & set(re.findall(r"\w+", said)), name
        for word in ("auto", "world", "None", "nan ", "{", "..", "  ", "()", "( "):
            assert word not in said, (name, word)
        assert said.count("(") == said.count(")"), name
        assert said.endswith("."), name


def test_every_dimensional_number_has_a_unit(records):
    for name, record in records.items():
        said = paragraph(record)
        for found in (*INTENSITY.finditer(said), *LENGTH.finditer(said)):
            unit = found[2]
            # "2 times that of the step" is a factor.
            assert re.match(r"a\.u\.|stabilised|µm|s\b|pixel|times\b", unit), (name, found[0])


def test_only_hard_cases_leave_parameters_to_the_supplement(records):
    """Where there is no room the paragraph says so; that is the exception."""
    short = [name for name, record in records.items() if ELSEWHERE in paragraph(record)]
    # Of frames that are restored all is said: what was measured, and how.
    short = [name for name in short if name.partition(",")[0] not in RESTORATIONS]
    assert set(short) <= {"everything else", "sum of sums"}, short


def test_the_paragraph_says_everything():
    pm = nd.filters.PeronaMalik(contrast=0.2, time=0.05)
    recipe = SHORT.replaced(diffusion_filter=pm, final_filter=nd.filters.Heat(time=0.02))
    said = paragraph(kept(recipe, "volume", index=1))
    for words in (
        "'cells'", f"napari-diffusion {nd.__version__}", "2 of 3 steps", "random seed 5",
        "standard deviation 4 a.u.", "anisotropic diffusion (Perona–Malik; rational conductance",
        "contrast 0.2 a.u./µm", "diffusion time 0.05 µm² per step", "voxel size 1×0.2×0.2 µm",
    ):  # fmt: skip
        assert words in said
    assert "linear diffusion" not in said
    assert "Finally, linear diffusion (diffusion time 0.02 µm²) was applied" in paragraph(
        kept(recipe, "volume")
    )
    assert "seed" not in paragraph(kept(recipe.replaced(noise=None)))


def test_what_was_measured_is_said_and_how():
    explore = nd.PRESETS["explore"]
    assert "5% of the intensity range" in paragraph(kept(explore))
    said = paragraph(kept(explore.replaced(starting_noise_scale="auto")))
    assert re.search(r"standard deviation [\d.]+ a\.u\. estimated from the smoothest", said)
    assert re.search(r"contrast [\d.]+ a\.u\./µm estimated from the image gradients", said)
    typed = nd.filters.PeronaMalik(contrast=2.0)
    again = nd.PRESETS["explore"].replaced(diffusion_filter=typed, starting_noise_scale=3.0)
    assert "estimated" not in paragraph(kept(again))


def test_a_measured_value_that_is_replaced_was_not_measured():
    source = methods_cases.image("plane")
    resolved = nd.PRESETS["smooth"].resolved(source, axes="yx")
    typed = resolved.replaced(diffusion_filter=nd.filters.PeronaMalik(contrast=3.0))
    assert "estimated" in paragraph(kept(resolved))
    assert "estimated" not in paragraph(kept(typed))


def test_a_denoiser_is_a_sentence():
    said = paragraph(kept(denoiser(), "volume"))
    assert "non-local means" in said
    assert "Stein's unbiased risk estimate" in said
    assert "generalized Anscombe transform (gain" in said
    colours = paragraph(kept(denoiser(), "colours"))
    assert "luminance and two colour differences" in colours
    assert "luminance" not in said
    stronger = paragraph(kept(denoiser(strength=1.5)))
    assert "a.u., 1.5 times that estimated from the smoothest" in stronger
    assert "noise standard deviation 5 a.u.)" in paragraph(kept(denoiser(noise_sigma=5.0)))


def test_without_a_unit_lengths_are_pixels():
    said = paragraph(kept(nd.PRESETS["explore"], "volume", unit="px"))
    assert "diffusion time 7.5 pixel² per step" in said  # 0.3 in squares of 0.2
    assert "relative spacing 5:1:1, lengths in pixels of the smallest" in said
    assert "µm" not in said


def test_only_the_filters_of_the_steps_made_are_named():
    two = (nd.filters.Heat(time=0.5), nd.filters.PeronaMalik(contrast=1.0))
    recipe = SHORT.replaced(diffusion_filter=two)
    assert "Perona" not in paragraph(kept(recipe, index=0))
    said = paragraph(kept(recipe, index=2))
    assert "in step 1 and anisotropic diffusion" in said
    assert said.index("in steps 2 to 3") > said.index("Perona")


def test_noise_alone():
    said = paragraph(noisy(nd.noise.Poisson(), 2.0))
    assert "by adding photon (Poisson) noise (reference intensity" in said
    assert "standard deviation 2 a.u., random seed 7" in said
    assert "on purpose" in legend(noisy(nd.noise.Poisson(), 2.0))


def test_the_legend_discloses():
    said = legend(kept(SHORT, index=1))
    for words in ("processed", "noise was added on purpose", "2 of 3 steps"):
        assert words in said
    assert said.count("\n") == 0
    linear = nd.Recipe(num_steps=1, noise=None, diffusion_filter=nd.filters.Heat())
    assert "non-linearly" not in legend(kept(linear))
    assert "non-linearly" in legend(kept(nd.PRESETS["smooth"]))


def test_what_was_done_besides_is_never_left_out():
    said = paragraph(dict(methods_cases.records())["everything else"])
    for words in ("continued", "region", "rounded to uint8", "processed before", "Limits of"):
        assert words in said


def test_a_component_without_words_of_its_own_is_described_by_its_parameters(monkeypatch):
    class Swirl(nd.filters.Heat):
        display_name = "Swirl"

    monkeypatch.setattr(Swirl, "terms", {})
    assert issubclass(Swirl, Component)
    assert Swirl(time=2.0).method(MethodWords()) == "Swirl filter (time 2 pixel²)"


def test_numbers_are_printed_as_journals_do():
    assert [number(x) for x in (0.25, 1e-7, 123456.0, -3.5, 4)] == [
        "0.25", "1 × 10⁻⁷", "1.235 × 10⁵", "−3.5", "4",
    ]  # fmt: skip


class TestReverseUpdates:
    def record(self, sigma="step"):
        told = nd.filters.NonLocalDiffusion(noise_sigma=sigma)
        return kept(SHORT.replaced(diffusion_filter=told, update="reverse"))

    def test_all_texts_say_that_the_image_is_no_measurement(self):
        record = self.record()
        for text in (paragraph(record), legend(record), record["processed"]):
            assert "one plausible image, not a measurement" in text
        assert "in 3 reverse steps of added noise and filtering" in paragraph(record)
        assert "after 3 of 3 reverse steps of" in record["processed"]

    def test_the_noise_of_a_step_is_put_in_words(self):
        said = paragraph(self.record())
        assert "noise standard deviation that of the step" in said
        assert "replaced part of the noise by white Gaussian noise (initial standard" in said
        said = paragraph(self.record("1.5 × step"))
        assert "noise standard deviation 1.5 times that of the step" in said

    def test_other_runs_say_nothing_of_it(self):
        record = kept(SHORT)
        assert "plausible" not in paragraph(record) + legend(record) + record["processed"]

    def test_the_start_of_a_restoration_is_no_noise_of_the_image(self):
        told = nd.filters.LearnedDiffusion(noise_sigma="step")
        wedge = nd.measurements.Wedge(noise_sigma=0.1)
        recipe = SHORT.replaced(
            diffusion_filter=told,
            update="reverse",
            measurement=wedge,
            starting_noise_scale="auto",
            final_filter=None,
        )
        text = paragraph(kept(recipe))
        assert "twice that expected in the wedge from the power of the other frequencies" in text
        assert "smoothest" not in text
