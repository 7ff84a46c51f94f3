"""Sums, spectra and risk estimates that several metrics share."""
