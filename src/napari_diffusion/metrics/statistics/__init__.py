"""Sums, spectra and error estimates that several metrics share."""
