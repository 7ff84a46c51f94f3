"""Noise models. To add one, write its file and put its class in NOISES."""

from __future__ import annotations

from napari_diffusion.core.address import Address
from napari_diffusion.noise.base import Noise
from napari_diffusion.noise.correlated import Correlated
from napari_diffusion.noise.emccd import EMCCD
from napari_diffusion.noise.film_grain import FilmGrain
from napari_diffusion.noise.gaussian import Gaussian
from napari_diffusion.noise.missing_wedge import MissingWedge
from napari_diffusion.noise.poisson import Poisson
from napari_diffusion.noise.poisson_gaussian import PoissonGaussian
from napari_diffusion.noise.power_law import PowerLaw
from napari_diffusion.noise.quantisation import Quantisation
from napari_diffusion.noise.rician import Rician
from napari_diffusion.noise.salt_pepper import SaltPepper
from napari_diffusion.noise.speckle import Speckle
from napari_diffusion.noise.stripes import Stripes
from napari_diffusion.noise.sum import Sum
from napari_diffusion.noise.uniform import Uniform

NOISES: tuple[type[Noise], ...] = (
    Gaussian,
    Poisson,
    PoissonGaussian,
    EMCCD,
    Speckle,
    Rician,
    Uniform,
    SaltPepper,
    Quantisation,
    Correlated,
    PowerLaw,
    Stripes,
    FilmGrain,
    MissingWedge,
    Sum,
)

__all__ = [
    "EMCCD",
    "NOISES",
    "Address",
    "Correlated",
    "FilmGrain",
    "Gaussian",
    "MissingWedge",
    "Noise",
    "Poisson",
    "PoissonGaussian",
    "PowerLaw",
    "Quantisation",
    "Rician",
    "SaltPepper",
    "Speckle",
    "Stripes",
    "Sum",
    "Uniform",
]
