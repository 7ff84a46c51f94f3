"""Diffusion along directions: tensors, their stencils and kernels."""
