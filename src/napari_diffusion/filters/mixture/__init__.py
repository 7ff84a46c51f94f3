"""Mixtures of Gaussians that were learned from small images of one size."""
