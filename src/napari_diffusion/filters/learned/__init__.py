"""Trained reaction diffusion: its kernels, its weights, and where weights are found."""
