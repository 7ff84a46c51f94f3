"""Denoising without parameters, and what was found of the noise."""
