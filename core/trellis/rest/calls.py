"""What every REST call goes through: who asks, in which language, and whether it was asked before."""

from __future__ import annotations

import logging

import sqlalchemy as sa
from flask import Blueprint, Response, current_app, g, request, session
from flask.blueprints import BlueprintSetupState
from werkzeug.routing import IntegerConverter, UnicodeConverter
from werkzeug.wrappers import Response as BaseResponse

from trellis.errors import PermissionRefused
from trellis.i18n import translator
from trellis.rest import idempotency
from trellis.rest.problems import NotSignedIn
from trellis.security.recognition import Recognised, by_email, by_token, note_use
from trellis.security.tokens import why_refused
from trellis.uploads import MB
from trellis.web import context
from trellis.web.language import speak_to_person, speak_to_program
from trellis.web.session import require_csrf, signed_in
from trellis.web.uploads import limits
from trellis.workspace import Workspace

_ = translator("trellis")

log = logging.getLogger(__name__)

SOURCE = "rest"
PAGE = "rest.docs"
"""The one answer that is for people."""
UPLOAD = "rest.create_import"
ATTACHMENTS = frozenset({"rest.add_file", "rest.add_version"})
APART = frozenset({UPLOAD, "rest.enable", "rest.disable"})
"""Writes whose engine has transactions of its own; who asks is known before a large body is received."""
LARGEST_ID = 10**18 - 1

blueprint = Blueprint("rest", __name__, url_prefix="/api/v1/<workspace>")


class _Name(UnicodeConverter):
    """The name of an entity, a KPI or a plugin; what follows a colon is an act on it."""

    regex = "[^/:]+"


class _Id(IntegerConverter):
    """An id that a database can hold, up to :data:`LARGEST_ID`."""

    regex = "[1-9][0-9]{0,17}"


@blueprint.record_once
def _converters(state: BlueprintSetupState) -> None:
    state.app.url_map.converters.update(name=_Name, id=_Id)


@blueprint.before_request
def _begin() -> BaseResponse | None:
    workspace = g.installation.workspace((request.view_args or {})["workspace"])
    current_app.extensions["trellis_rates"].take((workspace.name, _caller()))
    request.max_content_length = request.max_form_memory_size = _most(request.endpoint) * MB
    try:
        found = _recognise(workspace)
    except NotSignedIn:
        if request.endpoint == PAGE:
            return context.to_login(workspace.name)
        raise
    context.admit(found)
    speak = speak_to_person if request.endpoint == PAGE else speak_to_program
    speak(found)
    if found.token_id is not None:
        _note_use(workspace, found.token_id)
    return idempotency.begin() if request.method == "POST" else None


def _most(endpoint: str | None) -> int:
    """How large the body of a call may be, in MB."""
    if endpoint == UPLOAD:
        return limits().rest_import
    return limits().attachment if endpoint in ATTACHMENTS else limits().rest


@blueprint.after_request
def _end(response: Response) -> Response:
    if request.method == "POST":
        idempotency.end(response)
    return response


def _caller() -> object:
    """Whose calls are counted together, known before the database is asked: a token, or a browser's session."""
    return request.headers.get("Authorization") or session.get("uniquifier") or request.remote_addr


def _recognise(workspace: Workspace) -> Recognised:
    """Whoever asks: by a token, or by the session of a browser, which proves each write by its CSRF token."""
    header = request.headers.get("Authorization")
    writes = request.method not in context.SAFE
    in_one = writes and request.endpoint not in APART
    if header is not None:
        scheme, _space, token = header.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise NotSignedIn(_("Send the token as “Authorization: Bearer”, followed by the token"))
        found = by_token(workspace, context.enter(workspace, writes=in_one), token.strip(), SOURCE)
        if found is None:
            raise NotSignedIn(why_refused(g.session, token.strip()))
    else:
        known = signed_in(g.installation)
        if known is None or not known.may_enter(workspace.name):
            raise NotSignedIn()
        if writes:
            require_csrf()
        found = by_email(workspace, context.enter(workspace, writes=in_one), known.email, SOURCE)
        if found is not None and found.edition.settings.second_factor_required and not known.second_factor:
            raise PermissionRefused(_("This workspace requires a second factor; set it up first"))
    if found is None:
        raise NotSignedIn()
    if found.read_only and writes:
        raise PermissionRefused(_("This token only reads"))
    return found


def _note_use(workspace: Workspace, token_id: int) -> None:
    """Keeps that a token was used, about once an hour. A busy database is no reason to refuse a call that reads."""
    if g.work.writes:
        note_use(g.session, token_id)
        return
    context.release()
    try:
        with workspace.write() as session:
            note_use(session, token_id)
    except sa.exc.OperationalError:
        log.info("the use of token %s could not be noted", token_id)
