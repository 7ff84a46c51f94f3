"""Verifying outputs: their hashes, their records, and the run made again."""
