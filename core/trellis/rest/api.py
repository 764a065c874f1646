"""REST: ``/api/v1/<workspace>/...``."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("rest", __name__, url_prefix="/api/v1")
