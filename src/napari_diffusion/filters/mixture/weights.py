"""The weights that a `GaussianMixture` names: shipped ones, and files of the user."""

from __future__ import annotations

from napari_diffusion.filters.learned.weight_shelf import WeightShelf
from napari_diffusion.filters.mixture.mixture_file import mixture_in

#: What was learned from small images of one size.
MIXTURES = WeightShelf(__package__, mixture_in)
