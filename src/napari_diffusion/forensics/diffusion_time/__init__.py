"""The diffusion time of an image, against a reference and alone."""
