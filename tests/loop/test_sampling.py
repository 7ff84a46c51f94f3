"""What a loop may be taken for."""

from __future__ import annotations

import pytest

import napari_diffusion as nd
from napari_diffusion.filters import Custom, Heat, LearnedDiffusion, NonLocalDiffusion
from napari_diffusion.loop.sampling import sampling_note

TOLD = LearnedDiffusion(noise_sigma="step")
REVERSE = nd.Recipe(diffusion_filter=TOLD, update="reverse")


@pytest.mark.parametrize(
    "recipe",
    [
        REVERSE,
        REVERSE.replaced(diffusion_filter=NonLocalDiffusion(noise_sigma="1.5 × step")),
        REVERSE.replaced(diffusion_filter=Custom()),
        REVERSE.replaced(num_steps=2, diffusion_filter=(LearnedDiffusion(0.2),) * 2),
        *nd.PRESETS.values(),
    ],
)
def test_samples_and_what_nobody_takes_for_one_need_no_word(recipe):
    assert sampling_note(recipe) == ""


@pytest.mark.parametrize("chosen", [Heat(), LearnedDiffusion(), (TOLD, Heat())])
def test_reverse_updates_of_a_filter_that_is_not_told_the_noise_say_so(chosen):
    assert "samples only with a filter that is told the noise" in sampling_note(
        REVERSE.replaced(diffusion_filter=chosen)
    )


@pytest.mark.parametrize("sigma", ["step", "auto", 0.1])
def test_repeated_whole_updates_of_a_denoiser_say_that_they_are_none(sigma):
    recipe = REVERSE.replaced(update="whole", diffusion_filter=LearnedDiffusion(noise_sigma=sigma))
    assert "looks like sampling and is none" in sampling_note(recipe)
    assert sampling_note(recipe.replaced(num_steps=1)) == ""
