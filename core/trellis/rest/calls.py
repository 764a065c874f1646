"""What every REST call goes through: who asks, in which language, once or again, and how the answer is written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from flask import Blueprint, Response, g, request
from werkzeug.routing import IntegerConverter, UnicodeConverter

from trellis.rest import idempotency
from trellis.rest.problems import NotSignedIn
from trellis.security.recognition import Recognised, by_email, by_token, note_use
from trellis.web import context
from trellis.web.language import speak_to_program
from trellis.web.session import require_csrf, signed_in

SOURCE = "rest"
PREFIX = "/api/v1/<workspace>"
LARGEST_ID = 2**63 - 1

blueprint = Blueprint("rest", __name__, url_prefix=PREFIX)


class _Name(UnicodeConverter):
    """The name of an entity, KPI or plugin; what follows a colon is an act on it."""

    regex = "[^/:]+"


class _Id(IntegerConverter):
    """An id that a database can hold."""

    def __init__(self, url_map: Any) -> None:
        super().__init__(url_map, max=LARGEST_ID)


@blueprint.record_once
def _converters(state: Any) -> None:
    state.app.url_map.converters.update(name=_Name, id=_Id)


@blueprint.before_request
def _begin() -> Response | None:
    workspace = g.installation.workspace((request.view_args or {})["workspace"])
    found = _recognise(workspace)
    context.admit(found)
    speak_to_program(found.edition, found.language)
    if request.method == "POST":
        return idempotency.begin()
    return None


def _recognise(workspace: Any) -> Recognised:
    """Whoever asks: by a token, or by the session of a browser (which proves a write by its CSRF token)."""
    header = request.headers.get("Authorization")
    if header is not None:
        scheme, _space, token = header.partition(" ")
        found = None
        if scheme.lower() == "bearer" and token.strip():
            found = by_token(workspace, context.enter(workspace), token.strip(), SOURCE)
        if found is None:
            raise NotSignedIn()
        g.token_id = found.token_id
        return found
    known = signed_in(g.installation)
    if known is None or not known.may_enter(workspace.name):
        raise NotSignedIn()
    if request.method not in context.SAFE:
        require_csrf()
    found = by_email(workspace, context.enter(workspace), known.email, SOURCE)
    if found is None:
        raise NotSignedIn()
    return found


@blueprint.after_request
def _end(response: Response) -> Response:
    return idempotency.end(response) if request.method == "POST" else response


@blueprint.teardown_request
def _note_token(_error: BaseException | None) -> None:
    token_id = g.pop("token_id", None)
    if token_id is not None and "workspace" in g:
        context.release()
        note_use(g.workspace, token_id)


def answer(data: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer in JSON."""
    body = orjson.dumps(data, default=plain, option=orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS)
    return Response(body, status, headers, content_type="application/json")
