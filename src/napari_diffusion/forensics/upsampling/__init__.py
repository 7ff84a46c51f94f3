"""Peaks of the spectrum of an image."""
