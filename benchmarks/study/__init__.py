"""How well the studies predict what they say, on images with known ground truth."""
