"""Learns the weights of `LearnedDiffusion` and `GaussianMixture` from images."""

from __future__ import annotations

from napari_diffusion.learning.about import about
from napari_diffusion.learning.score import Score
from napari_diffusion.learning.train import refusal, train
from napari_diffusion.learning.trained_mixture import TrainedMixture, train_mixture
from napari_diffusion.learning.trained_weights import TrainedWeights
from napari_diffusion.learning.training_state import TrainingState

__all__ = [
    "Score",
    "TrainedMixture",
    "TrainedWeights",
    "TrainingState",
    "about",
    "refusal",
    "train",
    "train_mixture",
]
