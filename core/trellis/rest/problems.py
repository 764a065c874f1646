"""Errors as ``application/problem+json`` (RFC 9457).

Programs go by ``code`` and by ``errors`` (field or parameter to messages), people by ``title`` and ``detail``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from flask import Response
from werkzeug.exceptions import HTTPException

from trellis.crm.analytics.options import OptionInvalid
from trellis.errors import (
    EditionInvalid,
    PluginError,
    RecordInvalid,
    RuleInvalid,
    StaleVersion,
    TooMany,
    TrellisError,
)
from trellis.i18n import translator
from trellis.process.diagram import DiagramInvalid, Problem
from trellis.records.door import BatchInvalid
from trellis.records.mass import MassRefused, Refused
from trellis.uploads import too_large
from trellis.web.uploads import limit_of_request

_ = translator("trellis")

MEDIA_TYPE = "application/problem+json"
_PARAMETERS = {"sort": "sort", "fields": "fields", "text": "q"}
TITLES = {
    400: _("The request cannot be read"),
    401: _("Sign in first"),
    403: _("This is not allowed"),
    404: _("There is nothing here"),
    405: _("This address does not take this method"),
    406: _("There is no such representation"),
    408: _("The request took too long to arrive"),
    409: _("This is not possible in the present state"),
    411: _("The length of the request is missing"),
    412: _("The record was changed since it was read"),
    413: _("The request is too large"),
    414: _("The address is too long"),
    415: _("The body has the wrong media type"),
    422: _("Some values are not valid"),
    429: TooMany.title,
    431: _("The headers are too large"),
    500: _("Something went wrong on the server"),
    503: _("The database cannot answer now; try again in a moment"),
}
"""What is said of a problem where nothing more is known."""


class Malformed(TrellisError):
    """A request that cannot be understood; ``parameter`` is the part of it that is wrong."""

    code = "malformed"
    title = TITLES[400]

    def __init__(self, detail: Any, parameter: str = "") -> None:
        super().__init__(detail)
        self.parameter = parameter


class NotSignedIn(TrellisError):
    """No token, or one that opens nothing in this workspace; the detail says why."""

    status = 401
    code = "not_signed_in"
    title = TITLES[401]


class WrongMediaType(TrellisError):
    """The body is of another type than the call takes."""

    status = 415
    code = "wrong_media_type"
    title = TITLES[415]


class BatchRefused(TrellisError):
    """One of several writes was refused; ``failures`` maps the positions of those to (field, message)."""

    def __init__(self, cause: TrellisError, failures: Mapping[int, tuple[str, Any]]) -> None:
        super().__init__(cause.detail)
        self.status, self.code, self.title = cause.status, cause.code, cause.title
        self.failures = dict(failures)


def problem(status: int, code: str, title: Any, detail: Any = "", **more: Any) -> Response:
    """A problem as an answer."""
    members = {"type": f"urn:trellis:problem:{code}", "title": str(title), "status": status, "code": code}
    if detail and str(detail) != str(title):
        members["detail"] = str(detail)
    body = orjson.dumps({**members, **more}, default=str)
    return Response(body, status, content_type=MEDIA_TYPE)


def from_error(error: TrellisError) -> Response:
    """The problem that an error is."""
    response = problem(error.status, error.code, error.title, error.detail, **_members(error))
    if error.status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="Trellis"'
    if isinstance(error, TooMany):
        response.headers["Retry-After"] = str(error.seconds)
    return response


def from_http(error: HTTPException) -> Response:
    """The problem that an error of the HTTP layer is, with its headers (``Allow``, ``Retry-After``)."""
    status = error.code or 500
    most = limit_of_request() if status == 413 else None
    detail = too_large(most) if most is not None else ""
    response = problem(status, f"http_{status}", TITLES.get(status, error.name), detail)
    for name, value in error.get_headers():
        if name.lower() not in ("content-type", "content-length"):
            response.headers[name] = value
    return response


def unexpected(code: str) -> Response:
    """The problem that nobody foresaw; ``code`` finds it in the log."""
    detail = _("Nothing was changed. Quote the code %(code)s to your administrator", code=code)
    return problem(500, "unexpected", TITLES[500], detail, reference=code)


def busy() -> Response:
    """The database cannot answer now."""
    response = problem(503, "busy", TITLES[503])
    response.headers["Retry-After"] = "2"
    return response


def _members(error: TrellisError) -> dict[str, Any]:
    """What the error says beside its text."""
    match error:
        case BatchInvalid():
            failures = [
                {"index": index, "errors": _texts(one)} for index, one in sorted(error.failures.items())
            ]
            return {"errors": _texts(error), "failures": failures}
        case BatchRefused():
            placed = [(index, field, [str(message)]) for index, (field, message) in error.failures.items()]
            return {
                "errors": {f"{index}.{field}": texts for index, field, texts in placed},
                "failures": [{"index": index, "errors": {field: texts}} for index, field, texts in placed],
            }
        case MassRefused():
            refused = refusals(error.refused)
            flat = {f"{one['id']}.{name}": texts for one in refused for name, texts in one["errors"].items()}
            return {"errors": flat, "refused": refused}
        case RecordInvalid():
            return {"errors": _texts(error)}
        case RuleInvalid():
            parameter = _PARAMETERS.get(error.path, "filter")
            return {"errors": {parameter: [str(error.detail)]}, "path": error.path}
        case Malformed(parameter=parameter) if parameter:
            return {"errors": {parameter: [str(error.detail)]}}
        case OptionInvalid():
            return {"errors": {error.name: [str(error.detail)]}}
        case StaleVersion():
            return {"current_version": error.current}
        case PluginError():
            return {"plugin": error.plugin, "hook": error.hook}
        case DiagramInvalid():
            return {
                "errors": {"diagram": [str(one) for one in error.problems]},
                "problems": named_problems(error.problems),
            }
        case EditionInvalid():
            problems = [
                {"plugin": one.plugin, "hook": one.hook, "detail": str(one.detail)} for one in error.problems
            ]
            return {"problems": problems}
    return {}


def named_problems(found: Sequence[Problem]) -> list[dict[str, str]]:
    """What is wrong with a diagram, and at which element."""
    return [{"element": one.element, "reason": str(one.reason)} for one in found]


def refusals(refused: Sequence[Refused]) -> list[dict[str, Any]]:
    """Records that an act on many left as they are, and why."""
    return [
        {
            "id": one.id,
            "title": one.title,
            "errors": {name: [str(message) for message in found] for name, found in one.errors.items()},
        }
        for one in refused
    ]


def _texts(error: RecordInvalid) -> dict[str, list[str]]:
    return {name: [str(message) for message in messages] for name, messages in error.errors.items()}
