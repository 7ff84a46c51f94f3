"""The form of a recipe, its presets, and recipes that are kept by name."""
