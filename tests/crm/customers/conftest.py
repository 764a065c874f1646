"""Tests of measures share one way to write purchases."""

from measured import book

__all__ = ["book"]
