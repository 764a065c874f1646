"""The REST face."""

from trellis.rest.api import blueprint

__all__ = ["blueprint"]
