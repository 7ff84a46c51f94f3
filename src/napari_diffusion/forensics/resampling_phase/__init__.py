"""Lines of an image by their phase, for enlargements by whole factors."""
