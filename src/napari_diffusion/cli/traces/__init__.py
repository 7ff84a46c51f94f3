"""The command ``inspect --trace``: what can be read of the processing of images."""
