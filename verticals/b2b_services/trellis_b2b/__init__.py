"""A vertical of Trellis."""
