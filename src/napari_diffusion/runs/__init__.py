"""Runs on files: in memory or pass by pass over a store, resumed, in batches, verified."""

from __future__ import annotations
