"""What was done to an image: provenance, methods text, derived images."""
