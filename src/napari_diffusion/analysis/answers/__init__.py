"""How stable the answer of a user's own measurement is."""
