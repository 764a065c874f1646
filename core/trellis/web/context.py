"""What each request to a workspace carries: its session, edition, actor and records."""

from __future__ import annotations

import secrets
from contextlib import ExitStack
from typing import Any

from flask import Flask, Response, abort, g, redirect, request, session, url_for
from werkzeug.wrappers import Response as BaseResponse

from trellis.crm.analytics.refreshing import freshen
from trellis.errors import WorkspaceNotFound
from trellis.i18n import LANGUAGES, use_locale
from trellis.installation import Installation
from trellis.records.door import Records
from trellis.control import Identity, Membership, workspaces_of
from trellis.security.recognition import by_email

_OPEN = frozenset({"session.login", "session.sign_in"})
_DERIVED = frozenset({"home", "measures", "model"})
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def begin(installation: Installation) -> BaseResponse | None:
    """Opens the workspace of the address for the signed-in person; sends strangers to the sign-in page."""
    g.installation = installation
    g.stack = ExitStack()
    g.stack.enter_context(use_locale(_language("")))
    g.csrf_token = _csrf_token()
    name = (request.view_args or {}).get("workspace")
    if name is None or request.blueprint == "rest":
        return None
    _check_csrf()
    try:
        g.workspace = installation.workspace(name)
    except WorkspaceNotFound:
        abort(404)
    if request.endpoint in _OPEN:
        return None
    with installation.control.read() as control:
        identity = control.get(Identity, session.get("identity", 0))
        if identity is None or not _valid(identity) or control.get(Membership, (name, identity.id)) is None:
            return _to_login(name)
        g.email = identity.email
        g.memberships = workspaces_of(control, identity)
        control.expunge_all()
    if request.blueprint in _DERIVED and request.method == "GET":
        freshen(g.workspace)
    return _enter(request.method not in _SAFE)


def _enter(writes: bool) -> BaseResponse | None:
    open_session(writes)
    known = by_email(g.workspace, g.session, g.email, "web")
    if known is None:  # somebody whose user was closed or put into the bin
        return _to_login(g.workspace.name)
    g.edition, g.actor = known.edition, known.actor
    settings = g.edition.settings
    g.stack.enter_context(use_locale(_language(settings.language), settings.timezone))
    g.records = Records(g.session, g.edition, g.actor)
    g.release = release
    return None


def _valid(identity: Identity) -> bool:
    return identity.active and secrets.compare_digest(identity.uniquifier, session.get("uniquifier", ""))


def open_session(writes: bool) -> None:
    """Begins the transaction of the request."""
    g.transaction = g.workspace.write() if writes else g.workspace.read()
    g.session = g.transaction.__enter__()


def release() -> None:
    """Ends the transaction of the request early and goes on reading: before what needs the workspace for itself."""
    transaction = g.pop("transaction")
    transaction.__exit__(None, None, None)
    open_session(writes=False)


def finish(response: Response) -> Response:
    """Commits what was asked for, or takes it back when it was refused; then tells plugins."""
    transaction = g.pop("transaction", None)
    if transaction is None:
        return response
    if response.status_code < 400:
        transaction.__exit__(None, None, None)
        g.records.committed()
    else:
        _roll_back(transaction)
    g.workspace.record_faults([*g.records.faults, *_unseen(g.edition.faults)])
    return response


def end(_error: BaseException | None) -> None:
    """Closes what is still open."""
    transaction = g.pop("transaction", None)
    if transaction is not None:
        _roll_back(transaction)
    stack = g.pop("stack", None)
    if stack is not None:
        stack.close()


class _Refused(Exception):
    """Takes a transaction back."""


def _roll_back(transaction: Any) -> None:
    refused = _Refused()
    try:
        transaction.__exit__(_Refused, refused, None)
    except _Refused:
        return


_reported: set[tuple[str, str, str, int]] = set()


def _unseen(faults: Any) -> list[Any]:
    """Faults of an edition are kept once for each revision, not for each request."""
    new = []
    for fault in faults:
        key = (g.workspace.name, fault.plugin, fault.hook, g.edition.revision)
        if key not in _reported:
            _reported.add(key)
            new.append(fault)
    return new


def _language(workspace: str) -> str:
    chosen = request.args.get("lang", "") or request.cookies.get("language", "")
    if chosen in LANGUAGES:
        return chosen
    return workspace or request.accept_languages.best_match(LANGUAGES) or "en"


def _csrf_token() -> str:
    if "csrf" not in session:
        session["csrf"] = secrets.token_urlsafe(24)
    return str(session["csrf"])


def _check_csrf() -> None:
    if request.method in _SAFE:
        return
    given = request.headers.get("X-CSRF-Token") or request.form.get("csrf_token", "")
    if not secrets.compare_digest(given, g.csrf_token):
        abort(403, "csrf")


def _to_login(name: str) -> BaseResponse:
    url = url_for("session.login", workspace=name, next=request.full_path.rstrip("?") if request.method == "GET" else None)
    if request.headers.get("HX-Request"):
        return Response(status=204, headers={"HX-Redirect": url})
    return redirect(url)


def install(app: Flask, installation: Installation) -> None:
    """Puts the request's life into an application."""
    app.before_request(lambda: begin(installation))
    app.after_request(finish)
    app.teardown_request(end)
