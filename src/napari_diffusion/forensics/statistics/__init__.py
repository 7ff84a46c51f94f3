"""Statistics that several traces share."""
