"""Diffusion equations with a scalar conductance: integrators and kernels."""
