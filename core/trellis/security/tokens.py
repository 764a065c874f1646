"""API tokens: 256 random bits, shown once; the workspace keeps only their SHA-256."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.errors import RecordInvalid, RecordNotFound
from trellis.i18n import translator
from trellis.security.actor import Actor
from trellis.security.people import ApiToken, User

if TYPE_CHECKING:
    from trellis.workspace import Workspace

_ = translator("trellis")

PREFIX = "trl_"
_LONGEST_TITLE = 120


def digest(token: str) -> str:
    """What is kept of a token. It is random enough to need no salt."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def new_token(workspace: Workspace, email: str, title: str = "") -> str:
    """A new token for the user with this mail address; it is shown now and never again."""
    with workspace.write() as session:
        query = sa.select(User.id).where(
            User.email == email.strip().lower(), User.deleted_at.is_(None), User.active
        )
        user_id = session.scalar(query)
        if user_id is None:
            raise RecordInvalid({"email": [_("There is no active user “%(email)s” here", email=email)]})
        return issue_token(session, user_id, title)


def issue_token(session: Session, user_id: int, title: str = "") -> str:
    """A new token for a user, in the transaction of ``session``."""
    token = PREFIX + secrets.token_urlsafe(32)
    kept = ApiToken(
        user_id=user_id,
        digest=digest(token),
        title=title.strip()[:_LONGEST_TITLE],
        created_at=datetime.now(UTC),
    )
    session.add(kept)
    session.flush()
    return token


def tokens_of(session: Session, user_id: int) -> Sequence[ApiToken]:
    """The tokens of a user that still work, newest first."""
    query = sa.select(ApiToken).where(ApiToken.user_id == user_id, ApiToken.revoked_at.is_(None))
    return session.scalars(query.order_by(ApiToken.id.desc())).all()


def revoke_token(session: Session, actor: Actor, token_id: int) -> None:
    """Ends a token: one's own, or anybody's as an administrator."""
    kept = session.get(ApiToken, token_id)
    if kept is None or not (actor.administrator or kept.user_id == actor.user_id):
        raise RecordNotFound()
    kept.revoked_at = kept.revoked_at or datetime.now(UTC)
    session.flush()
