"""The weights that a `LearnedDiffusion` names: shipped ones, and files of the user."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari_diffusion.filters.learned.weight_shelf import WeightShelf
from napari_diffusion.filters.learned.weights_file import weights_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari_diffusion.filters.learned.network import Network


@dataclass(frozen=True, eq=False)
class Weights:
    """Learned weights.

    Attributes
    ----------
    name : str
        "sha256:" and the hash of their file.
    network : Network
    about : dict
        What they were learned from, how, and how well they hold; from their file, not checked.
    """

    name: str
    network: Network
    about: dict[str, Any]


#: What was learned for images of any size.
PHOTOGRAPHS = WeightShelf(__package__, weights_in)

#: Names of weights in recipes, by their hash, and for people; see `WeightShelf`.
name_of, hashed, spoken = PHOTOGRAPHS.name_of, PHOTOGRAPHS.hashed, PHOTOGRAPHS.spoken


def weights_named(name: str) -> Weights:
    """Return the weights that a recipe names.

    Raises
    ------
    ValueError
        If they are nowhere to be found.
    """
    return _weights(hashed(name))


def shipped() -> Mapping[str, str]:
    """Return the weights that ship with the package: by their names, "sha256:" and the hash."""
    return PHOTOGRAPHS.shipped


@functools.lru_cache(maxsize=16)
def _weights(name: str) -> Weights:
    return Weights(name, *PHOTOGRAPHS.named(name))
