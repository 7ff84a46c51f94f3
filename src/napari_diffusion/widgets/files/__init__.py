"""Layers from files and files from layers: what napari's own Open and Save use."""
