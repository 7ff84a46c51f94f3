"""The parts of `feature_survival`: objects, their places, and what is left of them."""
