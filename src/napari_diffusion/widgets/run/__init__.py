"""Work in a thread, and what it needs."""
