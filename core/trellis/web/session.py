"""The browser's session: who has signed in, the token that guards writes (CSRF), and the cookie that holds both.

The cookie is signed, not secret. It names the identity and its uniquifier; changing the latter ends all sessions.
"""

from __future__ import annotations

import hmac
import os
import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from flask import Flask, request, session
from flask.sessions import SecureCookieSessionInterface

from trellis.control import Identity, Membership, WorkspaceEntry
from trellis.errors import TrellisError
from trellis.i18n import translator

if TYPE_CHECKING:
    from trellis.config import Config
    from trellis.installation import Installation

_ = translator("trellis")

COOKIE = "trellis"
LIFETIME = timedelta(days=14)
CSRF_FIELD = "csrf_token"
CSRF_HEADERS = ("X-CSRF-Token", "X-CSRFToken")


class CsrfRefused(TrellisError):
    """A write from a browser without the token of its session: another site may have sent it."""

    status = 403
    code = "csrf"
    title = _("This page has expired; reload it and try again")


@dataclass(frozen=True)
class SignedIn:
    """The identity of a browser session, and the workspaces it may enter."""

    identity_id: int
    email: str
    memberships: tuple[WorkspaceEntry, ...]

    def may_enter(self, workspace: str) -> bool:
        """Whether there is a membership in this workspace."""
        return any(entry.name == workspace for entry in self.memberships)


class _SessionInterface(SecureCookieSessionInterface):
    """A cookie that is sent only by https wherever it was set by https."""

    def get_cookie_secure(self, app: Flask) -> bool:
        return request.is_secure


def configure(app: Flask, config: Config) -> None:
    """Makes the application keep sessions."""
    app.secret_key = config.secret_key or _own_key(config.home / "secret_key")
    app.config.update(
        SESSION_COOKIE_NAME=COOKIE,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_REFRESH_EACH_REQUEST=False,
        PERMANENT_SESSION_LIFETIME=LIFETIME,
    )
    app.session_interface = _SessionInterface()


def _own_key(path: Path) -> str:
    """The key kept in ``path``. Several processes that start at once agree on one: only one of them can link it."""
    if not path.exists():
        draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(32))
        with suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    return path.read_text().strip()


def sign_in(identity: Identity) -> None:
    """Begins a session of its own for this identity; nothing of the session before is kept."""
    session.clear()
    session.permanent = True
    session.update(identity=identity.id, uniquifier=identity.uniquifier)


def sign_out() -> None:
    """Ends the session of this browser."""
    session.clear()


def signed_in(installation: Installation) -> SignedIn | None:
    """Who has signed in with this browser, checked against the control database by one SELECT."""
    identity_id, uniquifier = session.get("identity"), session.get("uniquifier")
    if not isinstance(identity_id, int) or not isinstance(uniquifier, str):
        return None
    query = (
        sa.select(Identity.email, Identity.uniquifier, WorkspaceEntry)
        .outerjoin(Membership, Membership.identity_id == Identity.id)
        .outerjoin(WorkspaceEntry, WorkspaceEntry.name == Membership.workspace)
        .where(Identity.id == identity_id, Identity.active)
        .order_by(WorkspaceEntry.title)
    )
    with installation.control.read() as control:
        rows: list[Any] = list(control.execute(query))
        control.expunge_all()
    if not rows or not hmac.compare_digest(rows[0][1], uniquifier):
        return None
    return SignedIn(identity_id, rows[0][0], tuple(row[2] for row in rows if row[2] is not None))


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
