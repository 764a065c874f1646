"""Uploads: the limit of each page that takes files, and the way back to its form when something is too large."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, current_app, redirect, request, session
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from trellis.uploads import MB, Limits, too_large

_KEPT = "refused_upload"


def limits() -> Limits:
    """The limits of this installation."""
    return current_app.extensions["trellis_uploads"]  # type: ignore[no-any-return]


def accept(blueprint: Blueprint, kind: str) -> None:
    """Lets the pages of a blueprint take as much as :class:`Limits` has for ``kind``."""

    def allow(_endpoint: str | None, _values: dict[str, Any] | None) -> None:
        request.max_content_length = getattr(limits(), kind) * MB

    blueprint.url_value_preprocessor(allow)


def limit_of_request() -> int | None:
    """The limit in MB that the body of this request is over; None when its size is not what was refused."""
    length, most = request.content_length, request.max_content_length
    return most // MB if most is not None and length is not None and length > most else None


def back_to_form() -> Response | None:
    """Sends a browser back to the form whose file was too large; None for what is no form with a file."""
    most = limit_of_request()
    if most is None or request.mimetype != "multipart/form-data" or request.headers.get("HX-Request"):
        return None
    try:
        adapter = current_app.create_url_adapter(request)
        assert adapter is not None
        adapter.match(method="GET")
    except HTTPException:
        return None
    session[_KEPT] = [request.path, str(too_large(most))]
    return redirect(request.path, 303)


def refusal() -> list[str]:
    """What the form says of a file that was too large, once."""
    path, text = session.pop(_KEPT, ("", ""))
    return [text] if path == request.path else []
