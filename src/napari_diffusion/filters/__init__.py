"""Filters. To add one, write its file and put its class in FILTERS."""

from __future__ import annotations

from napari_diffusion.filters.base import Filter
from napari_diffusion.filters.bilateral import Bilateral
from napari_diffusion.filters.blend import Blend
from napari_diffusion.filters.coherence_enhancing import CoherenceEnhancing
from napari_diffusion.filters.curvature.mean_curvature import MeanCurvature
from napari_diffusion.filters.curvature.min_max_curvature import MinMaxCurvature
from napari_diffusion.filters.curvature.modified_curvature import ModifiedCurvature
from napari_diffusion.filters.custom import Custom
from napari_diffusion.filters.edge_enhancing import EdgeEnhancing
from napari_diffusion.filters.flows.flow import Flow
from napari_diffusion.filters.flows.inspection import FaceInspection, Inspection, SpeedInspection
from napari_diffusion.filters.gaussian import Gaussian
from napari_diffusion.filters.gaussian_mixture import GaussianMixture
from napari_diffusion.filters.haar_diffusion import HaarDiffusion
from napari_diffusion.filters.heat import Heat
from napari_diffusion.filters.hybrid import Hybrid
from napari_diffusion.filters.learned_diffusion import LearnedDiffusion
from napari_diffusion.filters.median import Median
from napari_diffusion.filters.non_local_bayes import NonLocalBayes
from napari_diffusion.filters.non_local_diffusion import NonLocalDiffusion
from napari_diffusion.filters.non_local_means import NonLocalMeans
from napari_diffusion.filters.opponent import Opponent
from napari_diffusion.filters.perona_malik import PeronaMalik
from napari_diffusion.filters.planes_or_volumes import PlanesOrVolumes
from napari_diffusion.filters.reaction_diffusion import ReactionDiffusion
from napari_diffusion.filters.speckle_reducing import SpeckleReducing
from napari_diffusion.filters.tensors.tensor_inspection import TensorInspection
from napari_diffusion.filters.total_variation import TotalVariation
from napari_diffusion.filters.total_variation_flow import TotalVariationFlow
from napari_diffusion.filters.wavelet import Wavelet

FILTERS: tuple[type[Filter], ...] = (
    PeronaMalik,
    TotalVariationFlow,
    SpeckleReducing,
    EdgeEnhancing,
    CoherenceEnhancing,
    Hybrid,
    HaarDiffusion,
    LearnedDiffusion,
    ReactionDiffusion,
    NonLocalBayes,
    NonLocalDiffusion,
    Blend,
    Opponent,
    PlanesOrVolumes,
    MeanCurvature,
    ModifiedCurvature,
    MinMaxCurvature,
    Heat,
    Gaussian,
    Median,
    Bilateral,
    NonLocalMeans,
    TotalVariation,
    Wavelet,
    Custom,
)

# For images of one kind and size alone: recipes name them, menus do not offer them.
SPECIAL_FILTERS: tuple[type[Filter], ...] = (GaussianMixture,)

__all__ = [
    "FILTERS",
    "SPECIAL_FILTERS",
    "Bilateral",
    "Blend",
    "CoherenceEnhancing",
    "Custom",
    "EdgeEnhancing",
    "FaceInspection",
    "Filter",
    "Flow",
    "Gaussian",
    "GaussianMixture",
    "HaarDiffusion",
    "Heat",
    "Hybrid",
    "Inspection",
    "LearnedDiffusion",
    "MeanCurvature",
    "Median",
    "MinMaxCurvature",
    "ModifiedCurvature",
    "NonLocalBayes",
    "NonLocalDiffusion",
    "NonLocalMeans",
    "Opponent",
    "PeronaMalik",
    "PlanesOrVolumes",
    "ReactionDiffusion",
    "SpeckleReducing",
    "SpeedInspection",
    "TensorInspection",
    "TotalVariation",
    "TotalVariationFlow",
    "Wavelet",
]
