"""The source of a run: its layer, axes and mask."""
