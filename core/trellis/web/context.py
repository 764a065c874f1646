"""One request's work in a workspace, on ``flask.g``.

Views find ``g.installation``, ``g.workspace``, ``g.edition``, ``g.actor``, ``g.email``, ``g.session`` and ``g.records``;
pages also ``g.memberships`` and ``g.csrf_token``. All belong to one transaction: of a request that reads, it ends with the
request; of one that writes, it is committed before the answer leaves, or taken back when the answer is an error.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from flask import Flask, Response, g, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from trellis.crm.analytics.refreshing import freshen
from trellis.edition import Edition
from trellis.installation import Installation
from trellis.plugins import Fault, noted_faults
from trellis.records.door import Records
from trellis.security.recognition import Recognised, by_email
from trellis.web.language import speak_to_person, speak_to_stranger
from trellis.web.session import ProofNeeded, csrf_token, require_csrf, signed_in
from trellis.workspace import Workspace

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_OPEN = frozenset({"session.login", "session.sign_in", "second_step.sign_in", "second_step.show"})
_OPEN |= {"second_step.ask_passkey", "second_step.passkey"}
_OPEN |= {"recovery.show", "recovery.ask", "recovery.choose", "recovery.use"}
_LINKED = frozenset({"unsubscribing.take"})
"""Writes that a signed link alone allows: programs do them, which have no session and so no token of one."""
_SETTING_UP = frozenset({"factors", "confirming"})
"""Pages for whoever lacks the second factor that the workspace requires; all else waits."""
_DERIVED = frozenset(
    {"classes", "home", "kpis", "lifetime", "loyalty", "measures", "model", "pyramid", "rfm", "segments"}
)
"""Pages that show figures computed for all customers together."""


@dataclass
class Work:
    """The open transaction of a request, and what is left to do when it has ended."""

    workspace: Workspace
    transaction: AbstractContextManager[Session] | None = None
    writes: bool = False
    records: Records | None = None
    faults: list[Fault] = field(default_factory=list)


def configure(app: Flask, installation: Installation) -> None:
    """Puts the life of a request into the application."""

    def begin() -> BaseResponse | None:
        g.installation = installation
        return (
            _begin_page() if request.endpoint and request.blueprint not in (None, "rest", "health") else None
        )

    app.before_request(begin)
    app.after_request(_finish)
    app.teardown_request(_close)


def enter(workspace: Workspace, *, writes: bool) -> Session:
    """Begins the request's transaction in a workspace."""
    g.workspace = workspace
    g.work = Work(workspace)
    if writes:  # what the client sends is received first: nobody else can write while it is on its way
        _ = request.files if request.mimetype == "multipart/form-data" else request.get_data()
    return _open(writes)


def admit(found: Recognised) -> None:
    """Lets somebody in: sets what depends on who asks."""
    g.edition, g.actor, g.email = found.edition, found.actor, found.email
    g.records = g.work.records = Records(g.session, g.edition, g.actor)
    _note_edition(found.edition)


def release() -> None:
    """Ends the transaction early and reads on in a new one: before what needs the workspace for itself."""
    _end(commit=True)
    _open(writes=False)
    g.records = g.work.records = Records(g.session, g.edition, g.actor)


def keep_fault(fault: Fault) -> None:
    """Keeps a plugin's fault for the administrator when the request has ended."""
    g.work.faults.append(fault)


def _begin_page() -> BaseResponse | None:
    """The way into a page: strangers are sent to sign in."""
    name = (request.view_args or {}).get("workspace")
    speak_to_stranger()
    g.csrf_token = csrf_token()
    if request.method not in SAFE and request.endpoint not in _LINKED:
        require_csrf()
    if name is None:
        return None
    workspace = g.workspace = g.installation.workspace(name)
    if request.endpoint in _OPEN:
        return None
    known = signed_in(g.installation)
    if known is None or not known.may_enter(name):
        return to_login(name)
    g.memberships, g.signed_in = known.memberships, known
    if request.blueprint in _DERIVED and request.method in SAFE:
        freshen(workspace)
    found = by_email(workspace, enter(workspace, writes=request.method not in SAFE), known.email, "web")
    if found is None:  # somebody whose user was closed or put into the bin
        return to_login(name)
    admit(found)
    g.release = release
    speak_to_person(found)
    if lacks_second_factor() and request.blueprint not in _SETTING_UP and request.blueprint != "session":
        return _elsewhere(url_for("factors.show", workspace=name))
    return None


def lacks_second_factor() -> bool:
    """Whether the workspace requires a second factor, and the person who has signed in has none."""
    return g.edition.settings.second_factor_required and not g.signed_in.second_factor


def to_login(name: str) -> BaseResponse:
    """Sends somebody who is not known here to sign in, and back."""
    here = request.full_path.rstrip("?") if request.method in SAFE else None
    return _elsewhere(url_for("session.login", workspace=name, next=here))


def to_proof(error: ProofNeeded) -> BaseResponse:
    """Sends somebody who has signed in long ago to show again who they are, and back."""
    return _elsewhere(url_for("confirming.show", workspace=g.workspace.name, next=error.back))


def _elsewhere(url: str) -> BaseResponse:
    if request.headers.get("HX-Request"):
        return Response(status=204, headers={"HX-Redirect": url})
    return redirect(url, 303)


def _open(writes: bool) -> Session:
    work: Work = g.work
    transaction = work.workspace.write() if writes else work.workspace.read()
    session = g.session = transaction.__enter__()
    work.transaction, work.writes = transaction, writes
    return session


def _end(*, commit: bool) -> None:
    work: Work = g.work
    transaction, work.transaction = work.transaction, None
    records, work.records = work.records, None
    if transaction is None:
        return
    work.faults += noted_faults(g.session)
    if not commit:
        g.session.rollback()
    transaction.__exit__(None, None, None)
    if records is not None:
        if commit:
            records.committed()
        work.faults += records.faults


def _note_edition(edition: Edition) -> None:
    """Keeps the faults found when the edition was built, once for each edition."""
    noted: list[bool] = edition.cached("faults noted", list)
    if not noted:
        noted.append(True)
        g.work.faults += edition.faults


def _finish(response: Response) -> Response:
    work: Work | None = g.get("work")
    if work is not None and work.writes:
        _end(commit=response.status_code < 400)
    return response


def _close(error: BaseException | None) -> None:
    work: Work | None = g.get("work")
    if work is None:
        return
    _end(commit=error is None and not work.writes)
    work.workspace.record_faults(work.faults)
    work.faults = []
