"""Training: the same bits, the best on what is held out, and on from where it stopped."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from napari_diffusion.engine.threads import Stopped, Threads
from napari_diffusion.learning import training as training_module
from napari_diffusion.learning.free_weights import FreeWeights
from napari_diffusion.learning.planes import Planes
from napari_diffusion.learning.score import fall
from napari_diffusion.learning.training import CHECKS, Training
from napari_diffusion.learning.training_state import read_state
from napari_diffusion.learning.windows import NoisyWindows

PILOT = ((0.0, 1.0),) * 4


def planes():
    random = np.random.Generator(np.random.Philox(0))
    y, x = np.mgrid[:200, :200]
    scene = 4 * np.sin(x / 5) * np.sin(y / 7)
    return Planes([(scene + random.standard_normal((1, 200, 200))).astype(np.float32)])


def training(steps=None, seconds=1e3, threads=1, stop=None, rate=5e-3):
    start = FreeWeights.random((1,), 4, 11, 8.0, PILOT)
    windows = NoisyWindows(planes())
    return Training(windows, start, seconds, rate, 0, Threads(threads, stop), steps)


def bits(network):
    return [
        each.tobytes() for scale in network.scales for each in (scale.kernels, scale.influences)
    ]


def test_it_becomes_better_on_squares_it_did_not_learn_from():
    made = training(steps=40)
    best = made.run()
    assert made.is_better
    assert made.ended == "time"
    assert len(made.scores) == CHECKS + 1
    assert made.best_score.held_out < 0.9 * made.scores[0].held_out
    assert bits(best) != bits(made.start.network())


def test_the_same_seed_and_steps_give_the_same_bits_on_any_number_of_threads():
    assert bits(training(steps=5).run()) == bits(training(steps=5, threads=2).run())


def test_the_start_is_not_changed():
    start = training().start
    before = [each.copy() for each in start.arrays]
    made = training(steps=3)
    made.start = start
    made.run()
    assert all(map(np.array_equal, before, start.arrays))


def test_the_start_is_kept_where_nothing_becomes_better(monkeypatch):
    made, seen = training(steps=40), []

    def rising(network, window, gradient):
        if gradient is None:
            seen.append(network)
        return float(len(seen))

    monkeypatch.setattr(training_module, "error_of", rising)
    best = made.run()
    assert not made.is_better
    assert made.ended == "no better"
    assert made.adam.steps == 12
    assert bits(best) == bits(made.start.network())


def test_the_best_is_not_the_last(monkeypatch):
    made, seen = training(steps=20), []

    def told(network, window, gradient):
        """Return an error that falls for some scores and then rises."""
        if gradient is None:
            if not seen or seen[-1] is not network:
                seen.append(network)
            return abs(len(seen) - 4.0) + 1
        return 1.0

    monkeypatch.setattr(training_module, "error_of", told)
    best = made.run()
    assert best is seen[3]
    assert made.ended == "no better"


class After:
    """A stop token that is set after it was asked so often."""

    def __init__(self, count):
        self.left = count

    def is_set(self):
        self.left -= 1
        return self.left < 0


@pytest.mark.parametrize("asked", [40, 53])
def test_what_was_stopped_goes_on_to_the_same_bits(asked, tmp_path):
    stopped = training(steps=20, stop=After(asked))
    stopped.run()
    assert stopped.ended == "stopped"
    assert 0 < stopped.adam.steps < 20
    path = tmp_path / "state.npz"
    path.write_bytes(stopped.state({"kind": "noisy"}).in_bytes())
    state = read_state(path)
    resumed, whole = training(steps=20), training(steps=20)
    state.check(resumed.start, len(resumed.held_out), {"kind": "noisy"})
    resumed.resume(state)
    assert bits(resumed.run()) == bits(whole.run())
    assert [each.held_out for each in resumed.scores] == [each.held_out for each in whole.scores]


def test_stopped_before_it_began_there_is_nothing():
    stop = threading.Event()
    stop.set()
    with pytest.raises(Stopped):
        training(steps=5, stop=stop).run()


def test_time_ends_it():
    made = training(seconds=0.5)
    made.run()
    assert made.ended == "time"
    assert 0.5 <= made.used < 2
    assert made.scores[-1].seconds <= made.used


def test_what_falls_within_chance_has_not_fallen():
    before = np.array([1.0, 2.0, 3.0, 4.0])
    assert fall(before, before - 0.1) == pytest.approx(0.1)
    assert fall(before, before - np.array([0.5, -0.4, 0.4, -0.4])) == 0
    assert fall(before, before + 0.1) == 0
