"""The button *Denoise*."""
