"""Errors as problem JSON (RFC 9457)."""

from __future__ import annotations

import orjson
from flask import Response


def problem(status: int, title: str, detail: str) -> Response:
    """An answer of the type ``application/problem+json``."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return Response(orjson.dumps(body), status=status, content_type="application/problem+json")
