"""Layers as images, and images as layers."""
