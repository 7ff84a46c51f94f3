"""Filters that move the level lines of an image by their curvature."""
