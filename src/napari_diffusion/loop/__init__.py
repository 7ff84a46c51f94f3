"""The noise-and-diffusion loop, its recipe and its components by name."""
