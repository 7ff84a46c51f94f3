"""Readers and writers of further formats, whose libraries are in the extras."""
