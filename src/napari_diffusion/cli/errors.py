"""What a command refuses."""

from __future__ import annotations


class UsageError(Exception):
    """The command line asks for something that does not exist; the message says what does."""
