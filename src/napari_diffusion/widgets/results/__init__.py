"""Layers of results: steps, runs, differences."""
