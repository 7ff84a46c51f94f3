"""How components run on an image: executors, tiles, compiled kernels and what they share."""
