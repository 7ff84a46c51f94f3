"""Plots of curves, schedules and noise."""
