"""The browser's session: who has signed in, the token that guards writes (CSRF), and the cookie that holds both.

The cookie is signed, not secret. It names the identity and its uniquifier; changing the latter ends all sessions.
"""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa
from flask import Flask, Request, request, session
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface

from trellis.control import BrowserSession, Identity, Membership, WorkspaceEntry, has_second_factor
from trellis.errors import TrellisError
from trellis.i18n import translator
from trellis.records.prepared import Fixed
from trellis.security import browser_sessions
from trellis.security.keys import secret_key

if TYPE_CHECKING:
    from trellis.config import Config
    from trellis.installation import Installation

_ = translator("trellis")

COOKIE = "trellis"
CSRF_FIELD = "csrf_token"
CSRF_HEADERS = ("X-CSRF-Token", "X-CSRFToken")
HALF_LASTS = 10 * 60
"""Seconds after the password in which the second factor must follow."""


class CsrfRefused(TrellisError):
    """A write from a browser without the token of its session: another site may have sent it."""

    status = 403
    code = "csrf"
    title = _("This page has expired; reload it and try again")


class ProofNeeded(TrellisError):
    """The sign-in is too old for this: the person shows again who they are, and goes ``back`` to where they were."""

    status = 403
    code = "proof_needed"
    title = _("Confirm that it is you; then do it again")

    def __init__(self, back: str) -> None:
        super().__init__()
        self.back = back


class Place(NamedTuple):
    """A workspace that somebody may enter."""

    name: str
    title: str


@dataclass(frozen=True)
class SignedIn:
    """The identity of a browser session, and the workspaces it may enter."""

    identity_id: int
    number: int
    email: str
    memberships: tuple[Place, ...]
    second_factor: bool
    proved_at: datetime | None

    @property
    def fresh(self) -> bool:
        """Whether the person has shown a short while ago who they are."""
        return self.proved_at is not None and datetime.now(UTC) - self.proved_at < browser_sessions.FRESH

    def require_fresh(self, back: str) -> None:
        """Raises ProofNeeded unless :attr:`fresh`."""
        if not self.fresh:
            raise ProofNeeded(back)

    def may_enter(self, workspace: str) -> bool:
        """Whether there is a membership in this workspace."""
        return any(entry.name == workspace for entry in self.memberships)


_identity, _number = sa.bindparam("identity", 0, sa.BigInteger()), sa.bindparam("number", 0, sa.BigInteger())
_told: tuple[Any, ...] = (
    Identity.email,
    Identity.uniquifier,
    WorkspaceEntry.name,
    WorkspaceEntry.title,
    BrowserSession.last_used_at,
    BrowserSession.proved_at,
    has_second_factor(),
)
_of_session = Fixed(
    sa.select(*_told)
    .join(BrowserSession, BrowserSession.identity_id == Identity.id)
    .outerjoin(Membership, Membership.identity_id == Identity.id)
    .outerjoin(WorkspaceEntry, WorkspaceEntry.name == Membership.workspace)
    .where(Identity.id == _identity, Identity.active, BrowserSession.id == _number)
    .order_by(WorkspaceEntry.title),
    _identity,
    _number,
)


class _SessionInterface(SecureCookieSessionInterface):
    """A cookie that is sent only by https wherever it was set by https; programs come without one."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        if COOKIE not in request.environ.get("HTTP_COOKIE", ""):
            return self.session_class()
        return super().open_session(app, request)

    def get_cookie_secure(self, app: Flask) -> bool:
        return request.is_secure


def configure(app: Flask, config: Config) -> None:
    """Makes the application keep sessions."""
    app.secret_key = secret_key(config)
    app.config.update(
        SESSION_COOKIE_NAME=COOKIE,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_REFRESH_EACH_REQUEST=False,
        PERMANENT_SESSION_LIFETIME=browser_sessions.LIFETIME,
    )
    app.session_interface = _SessionInterface()


def sign_in(installation: Installation, identity: Identity) -> None:
    """Begins a session of its own for this identity; nothing of the session before is kept."""
    sign_out(installation)
    number = browser_sessions.begin(
        installation, identity.id, request.user_agent.string, request.remote_addr or ""
    )
    session.permanent = True
    session.update(identity=identity.id, uniquifier=identity.uniquifier, number=number)


def half_sign_in(installation: Installation, identity: Identity) -> None:
    """Notes that the password was right; the second factor is to follow."""
    sign_out(installation)
    session["half"] = [identity.id, identity.uniquifier, int(time.time())]


def half_signed_in(installation: Installation) -> Identity | None:
    """Whose password was right in this browser a short while ago."""
    half = session.get("half")
    if not isinstance(half, list) or time.time() - half[2] > HALF_LASTS:
        return None
    with installation.control.read() as control:
        identity = control.get(Identity, half[0])
        control.expunge_all()
    if identity is None or not identity.active or not hmac.compare_digest(identity.uniquifier, half[1]):
        return None
    return identity


def sign_out(installation: Installation) -> None:
    """Ends the session of this browser, on the server too: a copy of its cookie opens nothing any more."""
    identity_id, number = session.get("identity"), session.get("number")
    if isinstance(identity_id, int) and isinstance(number, int):
        browser_sessions.end(installation, identity_id, number)
    session.clear()


def signed_in(installation: Installation) -> SignedIn | None:
    """Who has signed in with this browser, checked against the control database by one SELECT."""
    identity_id, uniquifier, number = (session.get(name) for name in ("identity", "uniquifier", "number"))
    if not (isinstance(identity_id, int) and isinstance(uniquifier, str) and isinstance(number, int)):
        return None
    with installation.control.read() as control:
        rows: Sequence[Any] = _of_session.rows(control.connection(), identity_id, number)
    if not rows or not hmac.compare_digest(rows[0][1], uniquifier):
        return None
    if datetime.now(UTC) - rows[0][4] > browser_sessions.TOUCH_AFTER:
        with suppress(sa.exc.OperationalError):  # a busy database is no reason to refuse a page
            browser_sessions.touch(installation, number, request.remote_addr or "")
    memberships = tuple(Place(row[2], row[3]) for row in rows if row[2] is not None)
    return SignedIn(identity_id, number, rows[0][0], memberships, bool(rows[0][6]), rows[0][5])


def csrf_token() -> str:
    """The token of this session; made when first asked for."""
    if "csrf" not in session:
        session["csrf"] = secrets.token_urlsafe(32)
    return str(session["csrf"])


def require_csrf() -> None:
    """Raises CsrfRefused unless the request carries the session's token, in a header or in its form."""
    given = next((request.headers[name] for name in CSRF_HEADERS if name in request.headers), None)
    if given is None:
        given = request.form.get(CSRF_FIELD, "")
    kept = session.get("csrf")
    if not isinstance(kept, str) or not hmac.compare_digest(kept.encode(), given.encode()):
        raise CsrfRefused()
