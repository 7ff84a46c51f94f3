"""Many files, one recipe: what becomes of each is a row of a table."""
