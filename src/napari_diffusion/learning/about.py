"""What weights say of themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_diffusion.filters.learned.weights import name_of, shipped, weights_named
from napari_diffusion.filters.mixture.weights import MIXTURES

if TYPE_CHECKING:
    from pathlib import Path


def about(weights: str | Path) -> dict[str, Any]:
    """Return what weights say of themselves: what they were learned from, how, how well they hold.

    Parameters
    ----------
    weights : str or Path
        Shipped ones, "photographs" or "digits", "sha256:" with a hash, or a .npz file, of
        `LearnedDiffusion` or of `GaussianMixture`.

    Returns
    -------
    dict
        Plain values, such as ``"learned_from"``: package, version, file, author and licence of each
        source of what is shipped. What the file of somebody else says is not checked.

    Raises
    ------
    ValueError
        If these are no weights, or are not here.

    Examples
    --------
    >>> import napari_diffusion as nd
    >>> nd.learning.about("digits")["images"]
    1797
    """
    if str(weights) in shipped():
        return weights_named(str(weights)).about
    try:
        return MIXTURES.named(MIXTURES.name_of(weights))[1]
    except ValueError:
        # Weights of the other kind, or none: then the error says why.
        return weights_named(name_of(weights)).about
