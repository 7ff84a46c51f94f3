"""Runs in passes over tiles: the plan, the tiles, the tasks, and who works on them."""
