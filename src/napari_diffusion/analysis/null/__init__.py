"""How pure noise is counted, and whether simulated noise is that of an image."""
