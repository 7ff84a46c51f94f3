"""Estimate shows what numbers were read from, and a click on one takes it into the form."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("napari")

from napari.layers import Image
from scipy import ndimage

import napari_diffusion as nd
from napari_diffusion.core import image as core
from napari_diffusion.denoising.noise_report import noise_of
from napari_diffusion.widgets.run.found_message import caution_of, found_message

RANDOM = np.random.default_rng(3)
SQUARES = 100.0 * (np.add.outer(np.arange(96) // 24, np.arange(112) // 28) % 2)
NOISY = (SQUARES + 10 * RANDOM.normal(size=SQUARES.shape)).astype(np.float32)


@pytest.fixture
def loop(open_loop, qtbot):
    _, loop = open_loop(Image(NOISY.copy(), name="squares"))
    assert not loop.evidence.native.isVisibleTo(loop.advanced.body.native)
    loop.estimate_button.native.click()
    qtbot.waitUntil(lambda: not loop.runner.is_running, timeout=60_000)
    return loop


def test_estimate_shows_every_method_and_a_click_takes_its_number(loop):
    found = nd.estimate.evidence(NOISY, loop.value.diffusion_filter.smoothing)
    assert found.sigmas["windows"] == pytest.approx(10, rel=0.05)
    said = f"Gaussian noise: {found.model.in_words()}"
    # The same sentence as from Denoise, with the same noise sigma.
    sentence, role, details = found_message(noise_of(core.Image.of(NOISY)))
    message = loop.controls.message
    assert message.sentence.startswith(f"{sentence}; ")
    assert (message.role, message.details) == (role, details)
    assert f"{found.sigmas['windows']:.3g}" in sentence
    assert not loop.advanced.open
    loop.controls.message.actions[0].native.click()
    assert loop.evidence.native.isVisibleTo(loop.native)
    assert loop.evidence.about.value == said
    buttons = loop.evidence.buttons
    for name, numbers in (
        ("noise_scale", found.sigmas), ("contrast", found.contrasts), ("time", found.times),
    ):  # fmt: skip
        shown = {way: button.text for (n, way), button in buttons.items() if n == name}
        assert shown.keys() == numbers.keys()
        for way, number in numbers.items():
            assert float(shown[way]) == pytest.approx(number, rel=0.05)
            assert f"{float(f'{number:.3g}')}" in buttons[name, way].tooltip
    buttons["noise_scale", "wavelet"].native.click()
    assert loop.value.starting_noise_scale == float(f"{found.sigmas['wavelet']:.3g}")
    buttons["contrast", "percentile"].native.click()
    chosen = loop.value.diffusion_filter
    assert chosen.contrast == float(f"{found.contrasts['percentile']:.3g}")
    assert "contrast" in loop.controls.message.sentence
    buttons["time", "a tenth left"].native.click()
    whole = loop.value.diffusion_filter.time * loop.value.num_steps
    assert whole == pytest.approx(found.times["a tenth left"], rel=0.01)
    marks = [line.value() for line in loop.evidence.gradients.marks()]
    assert marks == list(found.contrasts.values())
    loop.evidence.toggle.native.click()
    assert not loop.evidence.noise.isVisibleTo(loop.native)


def test_plots_are_made_when_the_evidence_is_opened(loop):
    assert loop.evidence.gradients.marks() == []
    loop.evidence.open = True
    assert len(loop.evidence.gradients.marks()) == 3


def test_warnings_are_folded(open_loop, qtbot):
    blurred = ndimage.gaussian_filter(NOISY, 0.8).clip(0, 100)
    _, loop = open_loop(Image(blurred, name="blurred"))
    loop.estimate_button.native.click()
    qtbot.waitUntil(lambda: not loop.runner.is_running, timeout=60_000)
    message = loop.controls.message
    report = noise_of(core.Image.of(blurred))
    assert report.warnings
    assert (message.role, message.details) == ("warning", found_message(report).details)
    assert len(message.sentence) < 200
    assert caution_of(report) in message.sentence


def test_numbers_without_a_field_are_refused_and_another_source_forgets(loop, said):
    buttons = loop.evidence.buttons
    loop.value = nd.PRESETS["smooth"].replaced(diffusion_filter=nd.filters.Heat())
    buttons["contrast", "robust"].native.click()
    assert said[-1] == "Linear diffusion has no contrast to fill in: choose a filter that has one."
    buttons["noise_scale", "mean"].native.click()
    assert said[-1] == "The recipe has no noise: choose one to fill in a noise scale."
    assert loop.controls.message.sentence == said[-1]
    loop.viewer.add_image(NOISY[:50], name="another")
    assert loop.evidence.value is None
    assert not loop.evidence.native.isVisibleTo(loop.advanced.body.native)


def test_of_a_large_image_the_middle_is_measured():
    stack = np.concatenate([RANDOM.normal(size=(3, 700, 900)), np.zeros((3, 700, 900))])
    found = nd.estimate.evidence(stack.astype(np.float32), axes="tyx")
    assert not found.whole
    assert nd.estimate.evidence(NOISY).whole
    assert found.gradient_counts.sum() > 0
