"""Learns the weights of `LearnedDiffusion` from images."""
