"""API tokens: 256 random bits, shown once; the workspace keeps only their SHA-256."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from trellis.edition import Edition
from trellis.errors import RecordInvalid, RecordNotFound
from trellis.i18n import format_moment, translator
from trellis.records import setup
from trellis.security.actor import SYSTEM, Actor
from trellis.security.people import ApiToken, User

if TYPE_CHECKING:
    from trellis.workspace import Workspace

_ = translator("trellis")

PREFIX = "trl_"
_LONGEST_TITLE = 120


def digest(token: str) -> str:
    """What is kept of a token. It is random enough to need no salt."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True)
class Limits:
    """What a token may do of what its user may: only read, only some entities (all when empty), only until a moment."""

    read_only: bool = False
    entities: Sequence[str] = ()
    expires_at: datetime | None = None


EVERYTHING = Limits()


def new_token(
    workspace: Workspace, email: str, title: str = "", limits: Limits = EVERYTHING, actor: Actor = SYSTEM
) -> str:
    """A new token for the user with this mail address; it is shown now and never again."""
    with workspace.write() as session:
        query = sa.select(User.id).where(
            User.email == email.strip().lower(), User.deleted_at.is_(None), User.active
        )
        user_id = session.scalar(query)
        if user_id is None:
            raise RecordInvalid({"email": [_("There is no active user “%(email)s” here", email=email)]})
        return issue_token(session, workspace.edition(session), user_id, title, limits, actor)


def issue_token(
    session: Session,
    edition: Edition,
    user_id: int,
    title: str = "",
    limits: Limits = EVERYTHING,
    actor: Actor = SYSTEM,
) -> str:
    """A new token for a user, in the transaction of ``session``. RecordInvalid for an unknown entity or a moment past."""
    unknown = [name for name in limits.entities if name not in edition.entities]
    if unknown:
        raise RecordInvalid(
            {"entities": [_("There is no entity “%(name)s” in this edition", name=unknown[0])]}
        )
    if limits.expires_at is not None and limits.expires_at <= datetime.now(UTC):
        raise RecordInvalid({"expires_at": [_("Choose a moment that is to come")]})
    token = PREFIX + secrets.token_urlsafe(32)
    kept = ApiToken(
        user_id=user_id,
        digest=digest(token),
        title=title.strip()[:_LONGEST_TITLE],
        created_at=datetime.now(UTC),
        read_only=limits.read_only,
        entities=sorted(limits.entities),
        expires_at=limits.expires_at,
    )
    session.add(kept)
    session.flush()
    setup.note(session, actor, setup.TOKEN, None, _about(kept))
    return token


def tokens_of(session: Session, user_id: int) -> Sequence[ApiToken]:
    """The tokens of a user that still work, newest first."""
    lasting = sa.or_(ApiToken.expires_at.is_(None), ApiToken.expires_at > datetime.now(UTC))
    query = sa.select(ApiToken).where(ApiToken.user_id == user_id, ApiToken.revoked_at.is_(None), lasting)
    return session.scalars(query.order_by(ApiToken.id.desc())).all()


def revoke_token(session: Session, actor: Actor, token_id: int) -> None:
    """Ends a token: one's own, or anybody's as an administrator."""
    kept = session.get(ApiToken, token_id)
    if kept is None or not (actor.administrator or kept.user_id == actor.user_id):
        raise RecordNotFound()
    if kept.revoked_at is None:
        setup.note(session, actor, setup.TOKEN, _about(kept), None)
        kept.revoked_at = datetime.now(UTC)
        session.flush()


def why_refused(session: Session, token: str) -> Any:
    """Why a token opens nothing here, for whoever holds it and has to mend the program that sends it."""
    kept = session.scalar(sa.select(ApiToken).where(ApiToken.digest == digest(token)))
    if kept is None:
        return _("This workspace does not know the token")
    if kept.revoked_at is not None:
        return _("The token was revoked on %(date)s; make a new one", date=format_moment(kept.revoked_at))
    if kept.expires_at is not None and kept.expires_at <= datetime.now(UTC):
        return _("The token ended on %(date)s; make a new one", date=format_moment(kept.expires_at))
    return _("The person whose token this is does not work here any more")


def _about(token: ApiToken) -> dict[str, Any]:
    """A token as the log has it: nothing that opens anything."""
    return {
        "title": token.title,
        "user": token.user_id,
        "read_only": token.read_only,
        "entities": token.entities,
        "expires_at": token.expires_at.isoformat() if token.expires_at else None,
    }
