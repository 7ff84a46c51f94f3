"""What the traces of JPEG compression share: blocks, coefficients, tables and files."""
