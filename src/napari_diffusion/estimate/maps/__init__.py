"""Maps of what is measured around every pixel."""
