"""Which step to take, and what a run depends on."""
